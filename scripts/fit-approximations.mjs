// Finds the numbers that exp and the logarithm of losses are made of in float32 (assembly/functions.ts and
// src/engine/kernels/fused/functions.ts hold them), and prints them with the largest relative error. `node
// scripts/fit-approximations.mjs` Each is a least-squares fit in double precision whose weights are moved to where the
// error is largest (Lawson's algorithm), until it is about as large everywhere. Coefficients are rounded to their
// precision one by one, and the others fitted again around them.

const POINTS = 2000;
const ROUNDS = 150;

/** Chebyshev points of an interval: close together at its ends, where fits are worst. */
const points = (from, to) =>
  Array.from(
    { length: POINTS },
    (_, i) => (from + to) / 2 - ((to - from) / 2) * Math.cos((Math.PI * (i + 0.5)) / POINTS),
  );

/** The x for which |A x - b| is minimal, by orthogonal columns. */
function leastSquares(columns, b) {
  const n = columns.length;
  const q = columns.map((column) => Float64Array.from(column));
  const r = Array.from({ length: n }, () => new Float64Array(n));
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  for (let j = 0; j < n; j++) {
    // Twice, because a single pass leaves rounding errors.
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const share = dot(q[i], q[j]);
        r[i][j] += share;
        for (let k = 0; k < b.length; k++) q[j][k] -= share * q[i][k];
      }
    }
    r[j][j] = Math.sqrt(dot(q[j], q[j]));
    for (let k = 0; k < b.length; k++) q[j][k] /= r[j][j];
  }
  const x = new Array(n);
  for (let i = n - 1; i >= 0; i--) {
    x[i] = dot(q[i], b);
    for (let j = i + 1; j < n; j++) x[i] -= r[i][j] * x[j];
    x[i] /= r[i][i];
  }
  return x;
}

/**
 * The coefficients for which a sum is closest to its target at all points. @param terms the factors of the coefficients
 * and the target, for each point @param scaleOf the divisor of the error, for each point
 */
function fit(count, terms, scaleOf, round = Math.fround) {
  const known = new Array(count).fill(null);
  let numbers = new Array(count).fill(0);
  let worst = Infinity;
  for (let rounded = 0; rounded <= count; rounded++) {
    let weights = terms.map(() => 1 / terms.length);
    const free = known.flatMap((value, i) => (value === null ? [i] : []));
    const errorsOf = (candidate) =>
      terms.map(
        ({ by, out }, i) => Math.abs(by.reduce((sum, value, j) => sum + value * candidate[j], -out)) / scaleOf(i),
      );
    /** @type {[number, number[]]} */
    let best = [Infinity, numbers];
    for (let round = 0; round < (free.length > 0 ? ROUNDS : 1); round++) {
      const factors = terms.map((_, i) => Math.sqrt(weights[i]) / scaleOf(i));
      const rest = terms.map(
        ({ by, out }, i) =>
          factors[i] * known.reduce((sum, value, j) => (value === null ? sum : sum - value * by[j]), out),
      );
      const found =
        free.length > 0
          ? leastSquares(
              free.map((j) => terms.map(({ by }, i) => factors[i] * by[j])),
              rest,
            )
          : [];
      const last = known.map((value, j) => value ?? found[free.indexOf(j)]);
      const errors = errorsOf(last);
      const most = Math.max(...errors);
      if (most < best[0]) best = [most, last];
      weights = weights.map((weight, i) => weight * (errors[i] + 1e-30));
      const sum = weights.reduce((a, b) => a + b, 0);
      weights = weights.map((weight) => weight / sum);
    }
    [worst, numbers] = best;
    if (rounded < count) known[rounded] = round(numbers[rounded]);
  }
  return { numbers, worst };
}

const powers = (x, from, count) => Array.from({ length: count }, (_, i) => x ** (from + i));
const print = (name, { numbers, worst }, digits) =>
  console.log(
    `${name}: ${numbers.map((x) => Number(x.toPrecision(digits))).join(', ')}\n  relative error ${worst.toExponential(2)}`,
  );

/** exp(r) = 1 + r + r² (c0 + c1 r + ...) for |r| up to half of ln 2. */
function exponential(count) {
  const half = Math.LN2 / 2 + 1e-4;
  const at = points(-half, half);
  // Near r = 0 the difference would lose its digits; the series is exact there.
  const series = (r) => {
    let term = (r * r) / 2,
      sum = 0;
    for (let i = 3; i < 25; i++) {
      sum += term;
      term *= r / i;
    }
    return sum;
  };
  return fit(
    count,
    at.map((r) => ({ by: powers(r, 2, count), out: series(r) })),
    (i) => Math.exp(at[i]),
  );
}

/** ln((1 + s) / (1 - s)) = 2s + s z (c0 + c1 z + ...) with z = s², for s up to 1/3, where it is ln 2. */
function logarithm(count) {
  const at = points(0, 1 / 3);
  const truth = (s) => Math.log1p((2 * s) / (1 - s));
  // Near s = 0 the difference would lose its digits; the series is exact there.
  const series = (s) => {
    let sum = 0;
    for (let odd = 41; odd >= 3; odd -= 2) sum = sum * s * s + 2 / odd;
    return sum;
  };
  return fit(
    count,
    at.map((s) => ({ by: powers(s * s, 0, count).map((power) => power * s ** 3), out: s ** 3 * series(s) })),
    (i) => truth(at[i]),
    (x) => x,
  );
}

print('exp', exponential(5), 9);
print('log', logarithm(5), 17);

// Math functions with the same bits on every machine: they use only sums, products, quotients and square roots, which
// IEEE 754 defines exactly. The functions of Math differ between JavaScript engines. Used for everything outside of
// kernels that a run depends on: data, initial values, learning rates. Accurate to about the last bit.

// ln 2 in two parts; the first has 32 bits, so that whole multiples of it are exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** Coefficients of a power series, highest first, for Horner's rule. */
const seriesCoefficients = (terms: number, coefficient: (i: number) => number): readonly number[] =>
  Array.from({ length: terms }, (_, i) => coefficient(terms - 1 - i));

function horner(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = 0; i < coefficients.length; i++) sum = sum * x + coefficients[i]!;
  return sum;
}

function factorial(n: number): number {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}

const float64Scratch = new Float64Array(1);
/** Low and high half of `number`. */
const float64Words = new Int32Array(float64Scratch.buffer);
const EXPONENT_BIAS = 1023;

/** 2^n for n from -1022 to 1023. */
function powerOfTwo(n: number): number {
  float64Words[0] = 0;
  float64Words[1] = (n + EXPONENT_BIAS) << 20;
  return float64Scratch[0]!;
}

/** (e^r - 1 - r) / r² by its power series; unrolled, since it is called for every entry of a kernel matrix. */
const expRemainder = (r: number): number =>
  1 / 2 +
  r *
    (1 / 6 +
      r *
        (1 / 24 +
          r *
            (1 / 120 +
              r *
                (1 / 720 +
                  r *
                    (1 / 5040 +
                      r *
                        (1 / 40320 +
                          r *
                            (1 / 362880 +
                              r *
                                (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600 + r * (1 / 6227020800)))))))))));

/** e^x, from e^x = 2^n e^r with |r| <= ln 2 / 2. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const n = Math.round(x * Math.LOG2E);
  const high = x - n * LN2_HIGH;
  const r = high - n * LN2_LOW;
  const power = 1 + (r + r * r * expRemainder(r));
  // In two factors, since 2^n may overflow or underflow.
  const half = Math.trunc(n / 2);
  return power * powerOfTwo(half) * powerOfTwo(n - half);
}

/** atanh(s) / s as a series in s². */
const ATANH_COEFFICIENTS = seriesCoefficients(11, (i) => 2 / (2 * i + 3));

/** The natural logarithm, from x = 2^n (1 + f) with 1 + f between √½ and √2. */
export function log(x: number): number {
  if (!(x > 0) || x === Infinity) return x === 0 ? -Infinity : x === Infinity ? Infinity : NaN;
  const tiny = x < 2.2250738585072014e-308;
  float64Scratch[0] = tiny ? x * 18014398509481984 : x;
  let n = ((float64Words[1]! >> 20) & 0x7ff) - EXPONENT_BIAS - (tiny ? 54 : 0);
  float64Words[1] = (float64Words[1]! & 0xfffff) | (EXPONENT_BIAS << 20);
  if (float64Scratch[0] > Math.SQRT2) {
    float64Scratch[0] /= 2;
    n++;
  }
  // ln(1 + f) = 2 atanh(f / (2 + f)) = f - f²/2 + s (f²/2 + rest).
  const f = float64Scratch[0] - 1;
  const s = f / (2 + f);
  const square = s * s;
  const half = 0.5 * f * f;
  return n * LN2_HIGH - (half - (s * (half + square * horner(ATANH_COEFFICIENTS, square)) + n * LN2_LOW) - f);
}

const SIN_COEFFICIENTS = seriesCoefficients(9, (i) => (i % 2 ? -1 : 1) / factorial(2 * i + 1));
const COS_COEFFICIENTS = seriesCoefficients(10, (i) => (i % 2 ? -1 : 1) / factorial(2 * i));

/** sin(πx + quarterTurns · π/2). Exact at multiples of a quarter turn. */
function sinPiShifted(x: number, quarterTurns: number): number {
  const rest = x % 2;
  const quarter = Math.round(2 * rest);
  const angle = Math.PI * (rest - quarter / 2);
  const square = angle * angle;
  const which = (quarter + quarterTurns) & 3;
  const size = which % 2 === 0 ? angle * horner(SIN_COEFFICIENTS, square) : horner(COS_COEFFICIENTS, square);
  return which < 2 ? size : -size;
}

/** sin(πx). */
export const sinPi = (x: number): number => sinPiShifted(x, 0);

/** cos(πx). */
export const cosPi = (x: number): number => sinPiShifted(x, 1);

/** √(x² + y²). */
export function hypot(x: number, y: number): number {
  const [a, b] = [Math.abs(x), Math.abs(y)];
  const [small, large] = a < b ? [a, b] : [b, a];
  if (large === 0 || large === Infinity) return large;
  const ratio = small / large;
  return large * Math.sqrt(1 + ratio * ratio);
}

/** x^n for an integer n of 0 or more. */
export function integerPower(x: number, n: number): number {
  let product = 1;
  for (let factor = x, left = n; left > 0; left = Math.floor(left / 2), factor *= factor) {
    if (left % 2 === 1) product *= factor;
  }
  return product;
}

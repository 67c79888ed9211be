// Measurements for probes. Sums are computed in float64.
import { real } from './real';
import { LANES, loadOne, loadPair, loadPartial, SIZE, splat, sumPair, VECTOR } from './vectors';

/** Writes five doubles: sum, sum of squares, sum of squared deviations from the mean, least, largest. */
export function moments(result: usize, x: usize, n: i32): void {
  let sum = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let least = f64x2.splat(Infinity);
  let largest = f64x2.splat(-Infinity);
  let at = x;
  let left = n;
  for (; left >= 2; left -= 2) {
    const z = loadPair(at);
    sum = f64x2.add(sum, z);
    squares = f64x2.add(squares, f64x2.mul(z, z));
    // These propagate NaN.
    least = f64x2.min(least, z);
    largest = f64x2.max(largest, z);
    at += 2 * SIZE;
  }
  let total = sumPair(sum);
  let totalOfSquares = sumPair(squares);
  let low = min(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
  let high = max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1));
  if (left > 0) {
    const z = <f64>load<real>(at);
    total += z;
    totalOfSquares += z * z;
    low = min(low, z);
    high = max(high, z);
  }
  store<f64>(result, total);
  store<f64>(result, totalOfSquares, 8);
  store<f64>(result, deviations(x, n, total / <f64>n), 16);
  store<f64>(result, low, 24);
  store<f64>(result, high, 32);
}

function deviations(x: usize, n: i32, mean: f64): f64 {
  const middle = f64x2.splat(mean);
  let sum = f64x2.splat(0);
  for (; n >= 2; n -= 2) {
    const d = f64x2.sub(loadPair(x), middle);
    sum = f64x2.add(sum, f64x2.mul(d, d));
    x += 2 * SIZE;
  }
  const total = sumPair(sum);
  if (n == 0) return total;
  const d = <f64>load<real>(x) - mean;
  return total + d * d;
}

export function absoluteSum(x: usize, n: i32): f64 {
  let sum = f64x2.splat(0);
  for (; n >= 2; n -= 2) {
    sum = f64x2.add(sum, f64x2.abs(loadPair(x)));
    x += 2 * SIZE;
  }
  if (n > 0) sum = f64x2.add(sum, f64x2.abs(loadOne(x)));
  return sumPair(sum);
}

// In two parts, since an addition waits for the one before.

export function sum(x: usize, n: i32): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (; n >= 4; n -= 4) {
    a = f64x2.add(a, loadPair(x));
    b = f64x2.add(b, loadPair(x + 2 * SIZE));
    x += 4 * SIZE;
  }
  for (; n > 0; n--) {
    a = f64x2.add(a, loadOne(x));
    x += SIZE;
  }
  return sumPair(f64x2.add(a, b));
}

export function sumOfSquares(x: usize, n: i32): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (; n >= 4; n -= 4) {
    const first = loadPair(x);
    const second = loadPair(x + 2 * SIZE);
    a = f64x2.add(a, f64x2.mul(first, first));
    b = f64x2.add(b, f64x2.mul(second, second));
    x += 4 * SIZE;
  }
  for (; n > 0; n--) {
    const one = loadOne(x);
    a = f64x2.add(a, f64x2.mul(one, one));
    x += SIZE;
  }
  return sumPair(f64x2.add(a, b));
}

/** Writes two doubles: the least and the largest of n elements; NaN if one is. */
export function extremes(result: usize, x: usize, n: i32): void {
  // Minima and maxima propagate NaN. In two parts, since each waits for the one before.
  let a = splat(Infinity);
  let b = a;
  let c = splat(-Infinity);
  let d = c;
  for (; n >= 2 * LANES; n -= 2 * LANES) {
    const y = v128.load(x);
    const z = v128.load(x, VECTOR);
    a = v128.min<real>(a, y);
    b = v128.min<real>(b, z);
    c = v128.max<real>(c, y);
    d = v128.max<real>(d, z);
    x += 2 * VECTOR;
  }
  let low = leastOf(v128.min<real>(a, b));
  let high = largestOf(v128.max<real>(c, d));
  for (; n > 0; n--) {
    const one = load<real>(x);
    low = min<real>(low, one);
    high = max<real>(high, one);
    x += SIZE;
  }
  store<f64>(result, <f64>low);
  store<f64>(result, <f64>high, 8);
}

function leastOf(x: v128): real {
  let least = v128.extract_lane<real>(x, 0);
  least = min<real>(least, v128.extract_lane<real>(x, 1));
  if (LANES == 2) return least;
  least = min<real>(least, v128.extract_lane<real>(x, 2));
  return min<real>(least, v128.extract_lane<real>(x, 3));
}

function largestOf(x: v128): real {
  let largest = v128.extract_lane<real>(x, 0);
  largest = max<real>(largest, v128.extract_lane<real>(x, 1));
  if (LANES == 2) return largest;
  largest = max<real>(largest, v128.extract_lane<real>(x, 2));
  return max<real>(largest, v128.extract_lane<real>(x, 3));
}

/** Adds to 32-bit counters of `bins`; halves all values if the width of the range overflows. */
export function histogram(counts: usize, bins: i32, x: usize, n: i32, lo: f64, hi: f64): void {
  memory.fill(counts, 0, (<usize>bins) << 2);
  const scale = hi - lo < Infinity ? 1.0 : 0.5;
  const from = lo * scale;
  const width = hi * scale - from;
  for (; n > 0; n--) {
    const value = <f64>load<real>(x);
    x += SIZE;
    if (!(value >= lo && value <= hi)) continue;
    const share = hi > lo ? (value * scale - from) / width : 0;
    const bin = min(bins - 1, <i32>(share * <f64>bins));
    const at = counts + ((<usize>bin) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
}

/** For each of `columns` columns from x on, with rows `step` bytes apart. */
export function countOutside(
  counts: usize,
  x: usize,
  rows: i32,
  columns: i32,
  step: usize,
  above: f64,
  below: f64,
): void {
  memory.fill(counts, 0, (<usize>columns) << 2);
  for (let i = 0; i < rows; i++) {
    let from = x;
    let at = counts;
    for (let j = 0; j < columns; j++) {
      const value = <f64>load<real>(from);
      store<i32>(at, load<i32>(at) + (value > above && value < below ? 0 : 1));
      from += SIZE;
      at += 4;
    }
    x += step;
  }
}

/** Index of the largest of n elements; -1 if one is NaN. */
function argmax(x: usize, n: i32): i32 {
  let best = 0;
  let largest = load<real>(x);
  for (let j = 0; j < n; j++) {
    const value = load<real>(x + <usize>j * SIZE);
    if (value != value) return -1;
    if (value > largest) {
      largest = value;
      best = j;
    }
  }
  return best;
}

export function countCorrect(prediction: usize, target: usize, m: i32, n: i32, threshold: f64): i32 {
  let correct = 0;
  const step = <usize>n * SIZE;
  for (let i = 0; i < m; i++) {
    if (n == 1) {
      const value = <f64>load<real>(prediction);
      // Written so that a NaN is never correct.
      if (<f64>load<real>(target) > 0.5 ? value > threshold : value <= threshold) correct++;
    } else if (argmax(prediction, n) == argmax(target, n)) correct++;
    prediction += step;
    target += step;
  }
  return correct;
}

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(x: usize, n: i32): i32 {
  const zero = splat(0);
  let i = 0;
  for (; i < n; i += LANES) {
    // x - x is 0 for numbers, NaN for NaN and infinities; lanes past the end are 0.
    const z = loadPartial(x, n - i);
    const bad = v128.not(v128.eq<real>(v128.sub<real>(z, z), zero));
    if (v128.any_true(bad)) break;
    x += VECTOR;
  }
  for (; i < n; i++) {
    const value = load<real>(x);
    if (!(value - value == 0)) return i;
    x += SIZE;
  }
  return -1;
}

// Losses and their derivatives. Values are summed in double precision, element by element or row by row.
import { real } from './real';
import { exponentials, keep, maxOf } from './elementwise';
import { expOfNegative, log, log1p, log1pOfPositive, sigmoidOf } from './functions';
import { first, LANES, loadOne, loadPair, loadPart, SIZE, splat, storePart, sumOfLanes, sumOfPair, VECTOR } from './vectors';

/** PyTorch's guard in BCELoss: a float32 constant in float64 too. */
const SMALLEST_SLOPE: f64 = <f64>(<f32>1e-12);

// @ts-ignore: decorator
@inline
function squaredDifference(x: v128, t: v128): v128 {
  const d = f64x2.sub(x, t);
  return f64x2.mul(d, d);
}

export function squaredError(x: usize, t: usize, n: i32): f64 {
  let sum = f64x2.splat(0);
  for (; n >= 2; n -= 2) {
    sum = f64x2.add(sum, squaredDifference(loadPair(x), loadPair(t)));
    x += 2 * SIZE; t += 2 * SIZE;
  }
  if (n > 0) sum = f64x2.add(sum, squaredDifference(loadOne(x), loadOne(t)));
  return sumOfPair(sum);
}

export function squaredErrorBackward(dx: usize, x: usize, t: usize, n: i32, scale: f64): void {
  const s = splat(<real>(2 * scale));
  for (; n > 0; n -= LANES) {
    storePart(dx, v128.mul<real>(s, v128.sub<real>(loadPart(x, n), loadPart(t, n))), n);
    dx += VECTOR; x += VECTOR; t += VECTOR;
  }
}

/**
 * The sum over a row of exp(x - largest), less 1: the largest itself counts exactly 1, so what is small against it keeps
 * its digits, and so does the loss of a network that is sure.
 */
function massBelow(x: usize, n: i32, largest: real): f64 {
  const top = splat(largest);
  const one = splat(1);
  let below = splat(0);
  let count = splat(0);
  for (; n > 0; n -= LANES) {
    const z = loadPart(x, n);
    const e = expOfNegative(v128.sub<real>(z, top));
    const isTop = v128.eq<real>(z, top);
    let rest = v128.andnot(e, isTop);
    let tops = v128.and(one, isTop);
    if (n < LANES) {
      rest = keep(rest, n);
      tops = keep(tops, n);
    }
    below = v128.add<real>(below, rest);
    count = v128.add<real>(count, tops);
    x += VECTOR;
  }
  return <f64>sumOfLanes(below) + (<f64>sumOfLanes(count) - 1);
}

/** The first column of two rows of two, which lie in one vector or in two. */
// @ts-ignore: decorator
@inline
function firstOfTwo(low: v128, high: v128): v128 {
  if (sizeof<real>() == 8) return v128.shuffle<f64>(low, high, 0, 2);
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(low, low, 0, 2, 0, 2));
}

// @ts-ignore: decorator
@inline
function secondOfTwo(low: v128, high: v128): v128 {
  if (sizeof<real>() == 8) return v128.shuffle<f64>(low, high, 1, 3);
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(low, low, 1, 3, 1, 3));
}

/** exp(-x) of two doubles, in the module's precision. */
// @ts-ignore: decorator
@inline
function expOfMinus(x: v128): v128 {
  if (sizeof<real>() == 8) return expOfNegative(f64x2.neg(x));
  return f64x2.promote_low_f32x4(expOfNegative(f32x4.neg(f32x4.demote_f64x2_zero(x))));
}

// @ts-ignore: decorator
@inline
function termOfTwo(share: v128, x: v128, largest: v128, logSum: v128): v128 {
  const term = f64x2.mul(share, f64x2.add(f64x2.sub(largest, x), logSum));
  return v128.andnot(term, f64x2.eq(share, f64x2.splat(0)));
}

/** The loss of two rows of two classes: the sum of the exponentials is 1 + exp(-|a - b|). */
// @ts-ignore: decorator
@inline
function twoRowsOfTwo(x: v128, x1: v128, t: v128, t1: v128): v128 {
  const a = firstOfTwo(x, x1);
  const b = secondOfTwo(x, x1);
  const largest = f64x2.pmax(a, b);
  const logSum = log1pOfPositive(expOfMinus(f64x2.abs(f64x2.sub(a, b))));
  return f64x2.add(termOfTwo(firstOfTwo(t, t1), a, largest, logSum), termOfTwo(secondOfTwo(t, t1), b, largest, logSum));
}

function crossEntropyOfTwo(x: usize, t: usize, m: i32): f64 {
  let total = f64x2.splat(0);
  for (; m >= 2; m -= 2) {
    if (sizeof<real>() == 8) {
      total = f64x2.add(total, twoRowsOfTwo(v128.load(x), v128.load(x, 16), v128.load(t), v128.load(t, 16)));
    } else {
      const z = v128.load(x), y = v128.load(t);
      total = f64x2.add(total, twoRowsOfTwo(z, z, y, y));
    }
    x += 4 * SIZE; t += 4 * SIZE;
  }
  if (m == 1) {
    // A second row of zeros with no target counts nothing.
    const zero = splat(0);
    const z = loadPart(x, 2), y = loadPart(t, 2);
    total = f64x2.add(total, twoRowsOfTwo(z, zero, y, zero));
  }
  return sumOfPair(total);
}

/** Neighbours in pairs change places. */
// @ts-ignore: decorator
@inline
function swapped(x: v128): v128 {
  if (sizeof<real>() == 8) return v128.shuffle<f64>(x, x, 1, 0);
  return v128.shuffle<f32>(x, x, 1, 0, 3, 2);
}

/** softmax of two is the sigmoid of their difference. */
function crossEntropyBackwardOfTwo(dx: usize, x: usize, t: usize, n: i32, scale: f64): void {
  const s = splat(<real>scale);
  for (; n > 0; n -= LANES) {
    const z = loadPart(x, n);
    const share = loadPart(t, n);
    const p = v128.mul<real>(sigmoidOf(v128.sub<real>(z, swapped(z))), v128.add<real>(share, swapped(share)));
    storePart(dx, v128.mul<real>(s, v128.sub<real>(p, share)), n);
    dx += VECTOR; x += VECTOR; t += VECTOR;
  }
}

/**
 * The loss of a row of n classes, of its largest logit and the log of the sum of exp(x - largest). The differences of the logits
 * come first: the maximum plus the logarithm would round away the digits of a small loss. What has no share counts nothing,
 * even where it is infinite.
 */
// @ts-ignore: decorator
@inline
function crossEntropyOfRow(x: usize, t: usize, n: i32, largest: real, logSum: f64): f64 {
  const top = f64x2.splat(<f64>largest);
  let below = f64x2.splat(0);
  let shares = f64x2.splat(0);
  for (; n > 0; n -= 2) {
    const share = n > 1 ? loadPair(t) : loadOne(t);
    const z = n > 1 ? loadPair(x) : loadOne(x);
    below = f64x2.add(below, v128.andnot(f64x2.mul(share, f64x2.sub(top, z)), f64x2.eq(share, f64x2.splat(0))));
    shares = f64x2.add(shares, share);
    x += 2 * SIZE; t += 2 * SIZE;
  }
  const mass = sumOfPair(shares);
  return mass == 0 ? 0 : sumOfPair(below) + mass * logSum;
}

/** Two rows at a time, so that one logarithm serves both. */
export function crossEntropy(x: usize, t: usize, m: i32, n: i32): f64 {
  if (n == 2) return crossEntropyOfTwo(x, t, m);
  const step = <usize>n * SIZE;
  let total: f64 = 0;
  for (; m > 0; m -= 2) {
    // The last row may be alone, and is its own neighbour.
    const next = m > 1 ? step : 0;
    const largest = maxOf(x, n), nextLargest = maxOf(x + next, n);
    const below = f64x2.replace_lane(f64x2.splat(massBelow(x, n, largest)), 1, massBelow(x + next, n, nextLargest));
    const logSums = log1pOfPositive(below);
    total += crossEntropyOfRow(x, t, n, largest, f64x2.extract_lane(logSums, 0));
    if (m > 1) total += crossEntropyOfRow(x + next, t + next, n, nextLargest, f64x2.extract_lane(logSums, 1));
    x += 2 * step; t += 2 * step;
  }
  return total;
}

export function crossEntropyBackward(dx: usize, x: usize, t: usize, m: i32, n: i32, scale: f64): void {
  if (n == 2) {
    crossEntropyBackwardOfTwo(dx, x, t, 2 * m, scale);
    return;
  }
  const s = splat(<real>scale);
  const step = <usize>n * SIZE;
  for (let i = 0; i < m; i++) {
    const sum = splat(exponentials(dx, x, n, maxOf(x, n)));
    let masses = splat(0);
    let at: usize = 0;
    let left = n;
    for (; left > 0; left -= LANES) {
      masses = v128.add<real>(masses, loadPart(t + at, left));
      at += VECTOR;
    }
    const mass = splat(sumOfLanes(masses));
    at = 0;
    for (left = n; left > 0; left -= LANES) {
      const p = v128.mul<real>(v128.div<real>(loadPart(dx + at, left), sum), mass);
      storePart(dx + at, v128.mul<real>(s, v128.sub<real>(p, loadPart(t + at, left))), left);
      at += VECTOR;
    }
    dx += step; x += step; t += step;
  }
}

export function negativeLogLikelihood(p: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    const share = <f64>load<real>(t);
    if (share != 0) total -= share * log(<f64>load<real>(p));
    p += SIZE; t += SIZE;
  }
  return total;
}

export function negativeLogLikelihoodBackward(dp: usize, p: usize, t: usize, n: i32, scale: f64): void {
  for (; n > 0; n--) {
    const share = <f64>load<real>(t);
    store<real>(dp, share == 0 ? <real>0 : <real>((-scale * share) / <f64>load<real>(p)));
    dp += SIZE; p += SIZE; t += SIZE;
  }
}

export function binaryCrossEntropy(p: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    const probability = <f64>load<real>(p);
    const share = <f64>load<real>(t);
    // max keeps NaN.
    const one = max(log(probability), -100.0);
    const other = max(log1p(-probability), -100.0);
    total -= share * one + (1 - share) * other;
    p += SIZE; t += SIZE;
  }
  return total;
}

export function binaryCrossEntropyBackward(dp: usize, p: usize, t: usize, n: i32, scale: f64): void {
  for (; n > 0; n--) {
    const probability = <f64>load<real>(p);
    const slope = max(probability * (1 - probability), SMALLEST_SLOPE);
    store<real>(dp, <real>((scale * (probability - <f64>load<real>(t))) / slope));
    dp += SIZE; p += SIZE; t += SIZE;
  }
}

export function binaryCrossEntropyWithLogits(x: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    const logit = load<real>(x);
    const e = <f64>first(expOfNegative(splat(-abs(logit))));
    total += max(<f64>logit, 0.0) - <f64>logit * <f64>load<real>(t) + log1p(e);
    x += SIZE; t += SIZE;
  }
  return total;
}

export function binaryCrossEntropyWithLogitsBackward(dx: usize, x: usize, t: usize, n: i32, scale: f64): void {
  const s = splat(<real>scale);
  for (; n > 0; n -= LANES) {
    storePart(dx, v128.mul<real>(s, v128.sub<real>(sigmoidOf(loadPart(x, n)), loadPart(t, n))), n);
    dx += VECTOR; x += VECTOR; t += VECTOR;
  }
}

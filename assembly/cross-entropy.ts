// Cross-entropy of logits and its derivative. Values are summed in float64, row by row.
import { real } from './real';
import { exponentials, keep, maxOf } from './elementwise';
import {
  expUnchecked,
  expNonPositive,
  log1pNonNegative,
  log1pUnit,
  EXP_UNCHECKED_MIN,
  scaledSigmoid,
} from './functions';
import { packedA } from './scratch';
import { LANES, loadOne, loadPair, loadPartial, SIZE, splat, storePartial, sumLanes, sumPair, VECTOR } from './vectors';

/**
 * The sum over a row of exp(x - largest), minus 1. Since the largest counts exactly 1, small terms keep their digits,
 * and so does a loss close to 0.
 */
function expSumBelowMax(x: usize, n: i32, largest: real): f64 {
  const top = splat(largest);
  const one = splat(1);
  let below = splat(0);
  let count = splat(0);
  for (; n > 0; n -= LANES) {
    const z = loadPartial(x, n);
    const e = expNonPositive(v128.sub<real>(z, top));
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
  return <f64>sumLanes(below) + (<f64>sumLanes(count) - 1);
}

/** The first column of two rows of two, which are in one vector or in two. */
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

/** exp(-x) of two float64, in the module's precision. */
// @ts-ignore: decorator
@inline
function expOfMinus(x: v128): v128 {
  if (sizeof<real>() == 8) return expNonPositive(f64x2.neg(x));
  return f64x2.promote_low_f32x4(expNonPositive(f32x4.neg(f32x4.demote_f64x2_zero(x))));
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
  const logSum = log1pUnit(expOfMinus(f64x2.abs(f64x2.sub(a, b))));
  return f64x2.add(termOfTwo(firstOfTwo(t, t1), a, largest, logSum), termOfTwo(secondOfTwo(t, t1), b, largest, logSum));
}

function crossEntropyOfTwo(x: usize, t: usize, m: i32): f64 {
  let total = f64x2.splat(0);
  for (; m >= 2; m -= 2) {
    if (sizeof<real>() == 8) {
      total = f64x2.add(total, twoRowsOfTwo(v128.load(x), v128.load(x, 16), v128.load(t), v128.load(t, 16)));
    } else {
      const z = v128.load(x),
        y = v128.load(t);
      total = f64x2.add(total, twoRowsOfTwo(z, z, y, y));
    }
    x += 4 * SIZE;
    t += 4 * SIZE;
  }
  if (m == 1) {
    // A second row of zeros with zero targets adds nothing.
    const zero = splat(0);
    const z = loadPartial(x, 2),
      y = loadPartial(t, 2);
    total = f64x2.add(total, twoRowsOfTwo(z, zero, y, zero));
  }
  return sumPair(total);
}

/**
 * The loss of a row of n classes, from its largest logit and the log of the sum of exp(x - largest). Logits are
 * subtracted first: maximum plus logarithm would round away the digits of a small loss. Entries with target 0 are
 * skipped, even if infinite.
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
    x += 2 * SIZE;
    t += 2 * SIZE;
  }
  const mass = sumPair(shares);
  return mass == 0 ? 0 : sumPair(below) + mass * logSum;
}

// Rows of float64 are processed side by side, one per lane, in blocks whose iterations are independent. The terms of
// each row and their order are those of `expSumBelowMax` and `crossEntropyOfRow`.

/** Rows per block; scratch memory holds two numbers for each. */
const BLOCK: i32 = 64;

/** Elements 2i of two rows, from one vector of each row. */
// @ts-ignore: decorator
@inline
function evenOfTwo(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 0, 2);
}

/** Elements 2i + 1. */
// @ts-ignore: decorator
@inline
function oddOfTwo(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}

/** The last element of two rows of odd length, from its address. */
// @ts-ignore: decorator
@inline
function lastOfTwo(a: usize, b: usize): v128 {
  return evenOfTwo(v128.load64_zero(a), v128.load64_zero(b));
}

/** Writes the largest element of each row. @returns whether every row is `near`: no element is far below the largest */
function largestOfRows(tops: usize, x: usize, rows: i32, n: i32): bool {
  const step = (<usize>n) << 3;
  let near: bool = true;
  for (; rows > 0; rows -= 2) {
    // A single last row is paired with itself.
    let a = x,
      b = rows > 1 ? x + step : x;
    let top = lastOfTwo(a, b);
    let bottom = top;
    let left = n;
    for (; left >= 2; left -= 2) {
      const y = v128.load(a),
        z = v128.load(b);
      const even = evenOfTwo(y, z),
        odd = oddOfTwo(y, z);
      top = f64x2.pmax(f64x2.pmax(top, even), odd);
      bottom = f64x2.pmin(f64x2.pmin(bottom, even), odd);
      a += VECTOR;
      b += VECTOR;
    }
    if (left > 0) {
      const last = lastOfTwo(a, b);
      top = f64x2.pmax(top, last);
      bottom = f64x2.pmin(bottom, last);
    }
    near = near && i64x2.all_true(f64x2.ge(f64x2.sub(bottom, top), f64x2.splat(EXP_UNCHECKED_MIN)));
    v128.store(tops, top);
    tops += VECTOR;
    x += 2 * step;
  }
  return near;
}

/** exp(x - top), but 0 for the largest. */
// @ts-ignore: decorator
@inline
function expBelow(x: v128, top: v128, isTop: v128, near: bool): v128 {
  const z = f64x2.sub(x, top);
  return v128.andnot(near ? expUnchecked(z) : expNonPositive(z), isTop);
}

/** `expSumBelowMax` of each row. */
// @ts-ignore: decorator
@inline
function expSumsBelowMax(masses: usize, tops: usize, x: usize, rows: i32, n: i32, near: bool): void {
  const step = (<usize>n) << 3;
  const one = f64x2.splat(1);
  for (; rows > 0; rows -= 2) {
    let a = x,
      b = rows > 1 ? x + step : x;
    const top = v128.load(tops);
    let evens = f64x2.splat(0),
      odds = f64x2.splat(0),
      evenTops = f64x2.splat(0),
      oddTops = f64x2.splat(0);
    let left = n;
    for (; left >= 2; left -= 2) {
      const y = v128.load(a),
        z = v128.load(b);
      const even = evenOfTwo(y, z),
        odd = oddOfTwo(y, z);
      const evenIsTop = f64x2.eq(even, top),
        oddIsTop = f64x2.eq(odd, top);
      evens = f64x2.add(evens, expBelow(even, top, evenIsTop, near));
      odds = f64x2.add(odds, expBelow(odd, top, oddIsTop, near));
      evenTops = f64x2.add(evenTops, v128.and(one, evenIsTop));
      oddTops = f64x2.add(oddTops, v128.and(one, oddIsTop));
      a += VECTOR;
      b += VECTOR;
    }
    if (left > 0) {
      const last = lastOfTwo(a, b);
      const isTop = f64x2.eq(last, top);
      evens = f64x2.add(evens, expBelow(last, top, isTop, near));
      evenTops = f64x2.add(evenTops, v128.and(one, isTop));
    }
    v128.store(masses, f64x2.add(f64x2.add(evens, odds), f64x2.sub(f64x2.add(evenTops, oddTops), one)));
    masses += VECTOR;
    tops += VECTOR;
    x += 2 * step;
  }
}

/** share (top - x), or 0 if the share is 0. */
// @ts-ignore: decorator
@inline
function shareBelow(share: v128, x: v128, top: v128): v128 {
  return v128.andnot(f64x2.mul(share, f64x2.sub(top, x)), f64x2.eq(share, f64x2.splat(0)));
}

/**
 * Computes the loss of each row from the sum of exponentials. Targets run from `from` to `end`, and then from `start`
 * again.
 */
function lossesOfRows(
  losses: usize,
  tops: usize,
  x: usize,
  rows: i32,
  n: i32,
  start: usize,
  from: usize,
  end: usize,
): void {
  const step = (<usize>n) << 3;
  for (; rows > 0; rows -= 2) {
    let a = x,
      b = rows > 1 ? x + step : x;
    let t = from;
    from += step;
    if (from == end) from = start;
    let u = rows > 1 ? from : t;
    from += step;
    if (from == end) from = start;
    const top = v128.load(tops);
    let below = f64x2.splat(0),
      belowOdd = f64x2.splat(0),
      shares = f64x2.splat(0),
      sharesOdd = f64x2.splat(0);
    let left = n;
    for (; left >= 2; left -= 2) {
      const s = v128.load(t),
        v = v128.load(u);
      // Most targets are one-hot. Entries with target 0 are skipped, even if infinite.
      if (v128.any_true(v128.or(s, v))) {
        const y = v128.load(a),
          z = v128.load(b);
        const even = evenOfTwo(s, v),
          odd = oddOfTwo(s, v);
        below = f64x2.add(below, shareBelow(even, evenOfTwo(y, z), top));
        belowOdd = f64x2.add(belowOdd, shareBelow(odd, oddOfTwo(y, z), top));
        shares = f64x2.add(shares, even);
        sharesOdd = f64x2.add(sharesOdd, odd);
      }
      a += VECTOR;
      b += VECTOR;
      t += VECTOR;
      u += VECTOR;
    }
    if (left > 0) {
      const last = lastOfTwo(t, u);
      below = f64x2.add(below, shareBelow(last, lastOfTwo(a, b), top));
      shares = f64x2.add(shares, last);
    }
    const all = f64x2.add(shares, sharesOdd);
    const loss = f64x2.add(f64x2.add(below, belowOdd), f64x2.mul(all, log1pNonNegative(v128.load(losses))));
    v128.store(losses, v128.andnot(loss, f64x2.eq(all, f64x2.splat(0))));
    losses += VECTOR;
    tops += VECTOR;
    x += 2 * step;
  }
}

/** Writes the loss of each of `count` batches of m rows of float64 with the same targets. */
function crossEntropiesOfDoubles(out: usize, x: usize, t: usize, count: i32, m: i32, n: i32): void {
  const tops = packedA(),
    losses = tops + ((<usize>BLOCK) << 3);
  const step = (<usize>n) << 3;
  const end = t + <usize>m * step;
  let total: f64 = 0;
  let row = 0;
  for (let left = count * m; left > 0; left -= BLOCK) {
    const rows = min(left, BLOCK);
    if (largestOfRows(tops, x, rows, n)) expSumsBelowMax(losses, tops, x, rows, n, true);
    else expSumsBelowMax(losses, tops, x, rows, n, false);
    lossesOfRows(losses, tops, x, rows, n, t, t + <usize>row * step, end);
    for (let i = 0; i < rows; i++) {
      total += load<f64>(losses + ((<usize>i) << 3));
      if (++row < m) continue;
      store<f64>(out, total);
      out += 8;
      total = 0;
      row = 0;
    }
    x += <usize>rows * step;
  }
}

/** Two rows at a time, so that one logarithm serves both. */
export function crossEntropy(x: usize, t: usize, m: i32, n: i32): f64 {
  if (n == 2) return crossEntropyOfTwo(x, t, m);
  if (sizeof<real>() == 8) {
    const result = packedA() + ((<usize>BLOCK) << 4);
    crossEntropiesOfDoubles(result, x, t, 1, m, n);
    return load<f64>(result);
  }
  const step = <usize>n * SIZE;
  let total: f64 = 0;
  for (; m > 0; m -= 2) {
    // A single last row is paired with itself.
    const next = m > 1 ? step : 0;
    const largest = maxOf(x, n),
      nextLargest = maxOf(x + next, n);
    const below = f64x2.replace_lane(
      f64x2.splat(expSumBelowMax(x, n, largest)),
      1,
      expSumBelowMax(x + next, n, nextLargest),
    );
    const logSums = log1pNonNegative(below);
    total += crossEntropyOfRow(x, t, n, largest, f64x2.extract_lane(logSums, 0));
    if (m > 1) total += crossEntropyOfRow(x + next, t + next, n, nextLargest, f64x2.extract_lane(logSums, 1));
    x += 2 * step;
    t += 2 * step;
  }
  return total;
}

/** out[i] = `crossEntropy` of x[i,m,n], i from 0 to `count` - 1. */
export function batchedCrossEntropy(out: usize, x: usize, t: usize, count: i32, m: i32, n: i32): void {
  if (sizeof<real>() == 8 && n != 2) {
    crossEntropiesOfDoubles(out, x, t, count, m, n);
    return;
  }
  const step = <usize>m * <usize>n * SIZE;
  for (; count > 0; count--) {
    store<real>(out, <real>crossEntropy(x, t, m, n));
    out += SIZE;
    x += step;
  }
}

/** Swaps neighbors in pairs. */
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
    const z = loadPartial(x, n);
    const share = loadPartial(t, n);
    const p = scaledSigmoid(v128.add<real>(share, swapped(share)), v128.sub<real>(z, swapped(z)));
    storePartial(dx, v128.mul<real>(s, v128.sub<real>(p, share)), n);
    dx += VECTOR;
    x += VECTOR;
    t += VECTOR;
  }
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
      masses = v128.add<real>(masses, loadPartial(t + at, left));
      at += VECTOR;
    }
    const mass = splat(sumLanes(masses));
    at = 0;
    for (left = n; left > 0; left -= LANES) {
      const p = v128.mul<real>(v128.div<real>(loadPartial(dx + at, left), sum), mass);
      storePartial(dx + at, v128.mul<real>(s, v128.sub<real>(p, loadPartial(t + at, left))), left);
      at += VECTOR;
    }
    dx += step;
    x += step;
    t += step;
  }
}

// Element-wise kernels, row kernels, and the SGD update. Leftovers after the last whole vector use the same vector
// arithmetic, so an element's bits do not depend on its position.
import { real } from './real';
import { expNonPositive, log, sigmoidVector, tanhVector } from './functions';
import { LANES, loadPartial, madd, maxLane, SIZE, splat, storePartial, sumLanes, VECTOR } from './vectors';

export function fill(out: usize, n: i32, value: f64): void {
  if (value == 0) {
    memory.fill(out, 0, <usize>n * SIZE);
    return;
  }
  const x = splat(<real>value);
  for (; n > 0; n -= LANES) {
    storePartial(out, x, n);
    out += VECTOR;
  }
}

export function copy(out: usize, x: usize, n: i32): void {
  memory.copy(out, x, <usize>n * SIZE);
}

/** out[i, to + j] = x[i, from + j] for every row i and j below `width`. */
export function copyColumns(
  out: usize,
  to: i32,
  outWidth: i32,
  x: usize,
  from: i32,
  xWidth: i32,
  rows: i32,
  width: i32,
): void {
  out += <usize>to * SIZE;
  x += <usize>from * SIZE;
  for (; rows > 0; rows--) {
    let n = width,
      at: usize = 0;
    for (; n >= LANES; n -= LANES, at += VECTOR) v128.store(out + at, v128.load(x + at));
    if (n > 0) storePartial(out + at, loadPartial(x + at, n), n);
    out += <usize>outWidth * SIZE;
    x += <usize>xWidth * SIZE;
  }
}

export function scale(out: usize, x: usize, n: i32, by: f64): void {
  const s = splat(<real>by);
  for (; n >= LANES; n -= LANES) {
    v128.store(out, v128.mul<real>(s, v128.load(x)));
    out += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(out, v128.mul<real>(s, loadPartial(x, n)), n);
}

export function subtract(out: usize, a: usize, b: usize, n: i32): void {
  for (; n >= LANES; n -= LANES) {
    v128.store(out, v128.sub<real>(v128.load(a), v128.load(b)));
    out += VECTOR;
    a += VECTOR;
    b += VECTOR;
  }
  if (n > 0) storePartial(out, v128.sub<real>(loadPartial(a, n), loadPartial(b, n)), n);
}

export function addRow(out: usize, row: usize, m: i32, n: i32): void {
  for (let i = 0; i < m; i++) {
    let from = row;
    let left = n;
    for (; left >= LANES; left -= LANES) {
      v128.store(out, v128.add<real>(v128.load(out), v128.load(from)));
      out += VECTOR;
      from += VECTOR;
    }
    if (left > 0) {
      storePartial(out, v128.add<real>(loadPartial(out, left), loadPartial(from, left)), left);
      out += <usize>left * SIZE;
    }
  }
}

/** out[n] += the sum of the m rows of x, from first to last. */
export function accumulateRows(out: usize, x: usize, m: i32, n: i32): void {
  const step = <usize>n * SIZE;
  for (; n > 0; n -= LANES) {
    let sum = splat(0);
    let from = x;
    if (n >= LANES) {
      for (let i = 0; i < m; i++) {
        sum = v128.add<real>(sum, v128.load(from));
        from += step;
      }
      v128.store(out, v128.add<real>(v128.load(out), sum));
    } else {
      for (let i = 0; i < m; i++) {
        sum = v128.add<real>(sum, loadPartial(from, n));
        from += step;
      }
      storePartial(out, v128.add<real>(loadPartial(out, n), sum), n);
    }
    out += VECTOR;
    x += VECTOR;
  }
}

export function tanh(y: usize, x: usize, n: i32): void {
  for (; n >= LANES; n -= LANES) {
    v128.store(y, tanhVector(v128.load(x)));
    y += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(y, tanhVector(loadPartial(x, n)), n);
}

// @ts-ignore: decorator
@inline
function tanhBackwardVector(dy: v128, y: v128): v128 {
  return v128.mul<real>(dy, v128.sub<real>(splat(1), v128.mul<real>(y, y)));
}

export function tanhBackward(dx: usize, dy: usize, y: usize, n: i32): void {
  for (; n >= LANES; n -= LANES) {
    v128.store(dx, tanhBackwardVector(v128.load(dy), v128.load(y)));
    dx += VECTOR;
    dy += VECTOR;
    y += VECTOR;
  }
  if (n > 0) storePartial(dx, tanhBackwardVector(loadPartial(dy, n), loadPartial(y, n)), n);
}

export function sigmoid(y: usize, x: usize, n: i32): void {
  for (; n >= LANES; n -= LANES) {
    v128.store(y, sigmoidVector(v128.load(x)));
    y += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(y, sigmoidVector(loadPartial(x, n)), n);
}

// @ts-ignore: decorator
@inline
function sigmoidBackwardVector(dy: v128, y: v128): v128 {
  return v128.mul<real>(v128.mul<real>(dy, y), v128.sub<real>(splat(1), y));
}

export function sigmoidBackward(dx: usize, dy: usize, y: usize, n: i32): void {
  for (; n >= LANES; n -= LANES) {
    v128.store(dx, sigmoidBackwardVector(v128.load(dy), v128.load(y)));
    dx += VECTOR;
    dy += VECTOR;
    y += VECTOR;
  }
  if (n > 0) storePartial(dx, sigmoidBackwardVector(loadPartial(dy, n), loadPartial(y, n)), n);
}

/** `value` where x > 0 or NaN, else 0. */
// @ts-ignore: decorator
@inline
function whereActive(value: v128, x: v128): v128 {
  return v128.andnot(value, v128.le<real>(x, splat(0)));
}

export function relu(y: usize, x: usize, n: i32, by: f64): void {
  const s = splat(<real>by);
  for (; n >= LANES; n -= LANES) {
    const z = v128.load(x);
    v128.store(y, whereActive(v128.mul<real>(s, z), z));
    y += VECTOR;
    x += VECTOR;
  }
  if (n > 0) {
    const z = loadPartial(x, n);
    storePartial(y, whereActive(v128.mul<real>(s, z), z), n);
  }
}

export function reluBackward(dx: usize, dy: usize, x: usize, n: i32, by: f64): void {
  const s = splat(<real>by);
  for (; n >= LANES; n -= LANES) {
    v128.store(dx, whereActive(v128.mul<real>(s, v128.load(dy)), v128.load(x)));
    dx += VECTOR;
    dy += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(dx, whereActive(v128.mul<real>(s, loadPartial(dy, n)), loadPartial(x, n)), n);
}

/**
 * The largest of n elements, ignoring NaN if there is another number: the exponential of its difference is NaN anyway.
 * The plain maximum, which handles NaN and the sign of 0, takes eight instructions instead of one.
 */
export function maxOf(x: usize, n: i32): real {
  if (n < LANES) {
    let largest = load<real>(x);
    for (let i: usize = 1; i < <usize>n; i++) {
      const next = load<real>(x + i * SIZE);
      largest = largest < next ? next : largest;
    }
    return largest;
  }
  let largest = v128.load(x);
  let i = LANES;
  for (; i + LANES <= n; i += LANES) largest = v128.pmax<real>(largest, v128.load(x + <usize>i * SIZE));
  // The last vector may overlap the previous one, which does not change the maximum.
  if (i < n) largest = v128.pmax<real>(largest, v128.load(x + <usize>(n - LANES) * SIZE));
  return maxLane(largest);
}

/** Keeps the first `count` lanes and sets the others to 0. */
// @ts-ignore: decorator
@inline
export function keep(x: v128, count: i32): v128 {
  if (sizeof<real>() == 8) return count == 1 ? i64x2.replace_lane(x, 1, 0) : x;
  if (count < 4) x = i32x4.replace_lane(x, 3, 0);
  if (count < 3) x = i32x4.replace_lane(x, 2, 0);
  if (count < 2) x = i32x4.replace_lane(x, 1, 0);
  return x;
}

/** y = exp(x - largest), and its sum. */
// @ts-ignore: decorator
@inline
export function exponentials(y: usize, x: usize, n: i32, largest: real): real {
  const top = splat(largest);
  let sum = splat(0);
  for (; n >= LANES; n -= LANES) {
    const e = expNonPositive(v128.sub<real>(v128.load(x), top));
    v128.store(y, e);
    sum = v128.add<real>(sum, e);
    y += VECTOR;
    x += VECTOR;
  }
  if (n > 0) {
    const e = expNonPositive(v128.sub<real>(loadPartial(x, n), top));
    storePartial(y, e, n);
    sum = v128.add<real>(sum, keep(e, n));
  }
  return sumLanes(sum);
}

export function softmax(y: usize, x: usize, m: i32, n: i32): void {
  const step = <usize>n * SIZE;
  for (let i = 0; i < m; i++) {
    const sum = splat(exponentials(y, x, n, maxOf(x, n)));
    let at = y;
    for (let left = n; left > 0; left -= LANES) {
      if (left >= LANES) v128.store(at, v128.div<real>(v128.load(at), sum));
      else storePartial(at, v128.div<real>(loadPartial(at, left), sum), left);
      at += VECTOR;
    }
    y += step;
    x += step;
  }
}

export function softmaxBackward(dx: usize, dy: usize, y: usize, m: i32, n: i32): void {
  for (let i = 0; i < m; i++) {
    let dots = splat(0);
    let left = n;
    let at: usize = 0;
    for (; left >= LANES; left -= LANES) {
      dots = madd(v128.load(dy + at), v128.load(y + at), dots);
      at += VECTOR;
    }
    if (left > 0) dots = madd(loadPartial(dy + at, left), loadPartial(y + at, left), dots);
    const dot = splat(sumLanes(dots));
    at = 0;
    for (left = n; left > 0; left -= LANES) {
      const d = v128.mul<real>(loadPartial(y + at, left), v128.sub<real>(loadPartial(dy + at, left), dot));
      storePartial(dx + at, d, left);
      at += VECTOR;
    }
    const step = <usize>n * SIZE;
    dx += step;
    dy += step;
    y += step;
  }
}

/** Subtracts the maximum first: adding it to the logarithm would cost digits of small differences. */
export function logSoftmax(y: usize, x: usize, m: i32, n: i32): void {
  for (let i = 0; i < m; i++) {
    const largest = maxOf(x, n);
    const top = splat(largest);
    const logSum = splat(<real>log(<f64>exponentials(y, x, n, largest)));
    for (let left = n; left > 0; left -= LANES) {
      const count = min(left, LANES);
      storePartial(y, v128.sub<real>(v128.sub<real>(loadPartial(x, count), top), logSum), count);
      y += <usize>count * SIZE;
      x += <usize>count * SIZE;
    }
  }
}

export function logSoftmaxBackward(dx: usize, dy: usize, y: usize, m: i32, n: i32): void {
  for (let i = 0; i < m; i++) {
    let sums = splat(0);
    let at = dy;
    for (let left = n; left > 0; left -= LANES) {
      sums = v128.add<real>(sums, loadPartial(at, min(left, LANES)));
      at += VECTOR;
    }
    const sum = splat(sumLanes(sums));
    for (let left = n; left > 0; left -= LANES) {
      const count = min(left, LANES);
      const share = v128.mul<real>(expNonPositive(loadPartial(y, count)), sum);
      storePartial(dx, v128.sub<real>(loadPartial(dy, count), share), count);
      const step = <usize>count * SIZE;
      dx += step;
      dy += step;
      y += step;
    }
  }
}

export function sgd(w: usize, g: usize, n: i32, lr: f64): void {
  const rate = splat(<real>-lr);
  for (; n >= LANES; n -= LANES) {
    v128.store(w, madd(rate, v128.load(g), v128.load(w)));
    w += VECTOR;
    g += VECTOR;
  }
  if (n > 0) storePartial(w, madd(rate, loadPartial(g, n), loadPartial(w, n)), n);
}

export function sgdWithMomentum(w: usize, g: usize, v: usize, n: i32, lr: f64, momentum: f64): void {
  const rate = splat(<real>-lr);
  const share = splat(<real>momentum);
  for (; n >= LANES; n -= LANES) {
    const velocity = madd(share, v128.load(v), v128.load(g));
    v128.store(v, velocity);
    v128.store(w, madd(rate, velocity, v128.load(w)));
    w += VECTOR;
    g += VECTOR;
    v += VECTOR;
  }
  if (n > 0) {
    const velocity = madd(share, loadPartial(v, n), loadPartial(g, n));
    storePartial(v, velocity, n);
    storePartial(w, madd(rate, velocity, loadPartial(w, n)), n);
  }
}

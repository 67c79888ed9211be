// The building blocks of optimizer updates, and element-wise products; `out` may be `x`. Leftovers after the last whole
// vector use the same arithmetic.
import { real } from './real';
import { LANES, loadPartial, madd, splat, storePartial, VECTOR } from './vectors';

/** a out + b x */
export function axpby(out: usize, x: usize, n: i32, a: f64, b: f64): void {
  const keep = splat(<real>a),
    add = splat(<real>b);
  for (; n >= LANES; n -= LANES) {
    v128.store(out, madd(add, v128.load(x), v128.mul<real>(keep, v128.load(out))));
    out += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(out, madd(add, loadPartial(x, n), v128.mul<real>(keep, loadPartial(out, n))), n);
}

// @ts-ignore: decorator
@inline
function axpbySquaredVector(out: v128, x: v128, keep: v128, add: v128): v128 {
  return madd(v128.mul<real>(add, x), x, v128.mul<real>(keep, out));
}

/** a out + b x² */
export function axpbySquared(out: usize, x: usize, n: i32, a: f64, b: f64): void {
  const keep = splat(<real>a),
    add = splat(<real>b);
  for (; n >= LANES; n -= LANES) {
    v128.store(out, axpbySquaredVector(v128.load(out), v128.load(x), keep, add));
    out += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(out, axpbySquaredVector(loadPartial(out, n), loadPartial(x, n), keep, add), n);
}

// @ts-ignore: decorator
@inline
function addcdivSqrtVector(out: v128, x: v128, d: v128, scale: v128, eps: v128): v128 {
  return v128.add<real>(out, v128.div<real>(v128.mul<real>(scale, x), v128.add<real>(v128.sqrt<real>(d), eps)));
}

/** out + scale x / (√d + eps) */
export function addcdivSqrt(out: usize, x: usize, d: usize, n: i32, scale: f64, eps: f64): void {
  const s = splat(<real>scale),
    e = splat(<real>eps);
  for (; n >= LANES; n -= LANES) {
    v128.store(out, addcdivSqrtVector(v128.load(out), v128.load(x), v128.load(d), s, e));
    out += VECTOR;
    x += VECTOR;
    d += VECTOR;
  }
  if (n > 0) storePartial(out, addcdivSqrtVector(loadPartial(out, n), loadPartial(x, n), loadPartial(d, n), s, e), n);
}

/** scale sign(x): 0 at 0, NaN for NaN. */
// @ts-ignore: decorator
@inline
function signed(x: v128, scale: v128): v128 {
  const zero = splat(0);
  const size = v128.and(scale, v128.ne<real>(x, zero));
  const value = v128.bitselect(v128.neg<real>(size), size, v128.lt<real>(x, zero));
  return v128.bitselect(value, x, v128.eq<real>(x, x));
}

export function addSign(out: usize, x: usize, n: i32, scale: f64): void {
  const s = splat(<real>scale);
  for (; n >= LANES; n -= LANES) {
    v128.store(out, v128.add<real>(v128.load(out), signed(v128.load(x), s)));
    out += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(out, v128.add<real>(loadPartial(out, n), signed(loadPartial(x, n), s)), n);
}

/** pmax and pmin keep a first operand that is NaN. */
// @ts-ignore: decorator
@inline
function held(x: v128, low: v128, high: v128): v128 {
  return v128.pmin<real>(v128.pmax<real>(x, low), high);
}

export function clamp(out: usize, x: usize, n: i32, low: f64, high: f64): void {
  const least = splat(<real>low),
    most = splat(<real>high);
  for (; n >= LANES; n -= LANES) {
    v128.store(out, held(v128.load(x), least, most));
    out += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(out, held(loadPartial(x, n), least, most), n);
}

export function multiply(out: usize, a: usize, b: usize, n: i32): void {
  for (; n >= LANES; n -= LANES) {
    v128.store(out, v128.mul<real>(v128.load(a), v128.load(b)));
    out += VECTOR;
    a += VECTOR;
    b += VECTOR;
  }
  if (n > 0) storePartial(out, v128.mul<real>(loadPartial(a, n), loadPartial(b, n)), n);
}

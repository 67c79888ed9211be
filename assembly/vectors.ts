// The vector operations that everything else is written in. A vector is 128 bits: four f32 or two f64.
import { real } from './real';

/** Bytes per element. */
export const SIZE: usize = sizeof<real>();
/** Elements per vector. */
export const LANES: i32 = 16 / sizeof<real>();
/** Bytes per vector. */
export const VECTOR: usize = 16;

// @ts-ignore: decorator
@inline
export function splat(x: real): v128 {
  return v128.splat<real>(x);
}

/** a b + c, rounded once with relaxed SIMD on processors that support it, otherwise twice. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<real>(a, b, c);
  return v128.add<real>(v128.mul<real>(a, b), c);
}

// @ts-ignore: decorator
@inline
export function first(x: v128): real {
  return v128.extract_lane<real>(x, 0);
}

/** The sum of the lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function sumLanes(x: v128): real {
  if (sizeof<real>() == 8) return <real>(f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1));
  return <real>(
    (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3)))
  );
}

/** The largest lane, ignoring NaN if there is another number. */
// @ts-ignore: decorator
@inline
export function maxLane(x: v128): real {
  const one = v128.pmax<real>(x, v128.shuffle<f64>(x, x, 1, 0));
  if (sizeof<real>() == 8) return first(one);
  return first(v128.pmax<real>(one, v128.shuffle<f32>(one, one, 1, 0, 3, 2)));
}

/** Two elements as f64, for sums in float64. */
// @ts-ignore: decorator
@inline
export function loadPair(at: usize): v128 {
  if (sizeof<real>() == 8) return v128.load(at);
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** One element as f64 in the first lane, 0 in the second. */
// @ts-ignore: decorator
@inline
export function loadOne(at: usize): v128 {
  return f64x2.replace_lane(f64x2.splat(0), 0, <f64>load<real>(at));
}

// @ts-ignore: decorator
@inline
export function sumPair(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

/** The first `count` elements of a vector, 1 to LANES, with the others 0; never reads past them. */
export function loadPartial(at: usize, count: i32): v128 {
  if (count >= LANES) return v128.load(at);
  if (sizeof<real>() == 8) return v128.load64_zero(at);
  if (count == 1) return v128.load32_zero(at);
  const two = v128.load64_zero(at);
  return count == 2 ? two : f32x4.replace_lane(two, 2, load<f32>(at, 8));
}

/** Stores the first `count` elements of a vector, 1 to LANES. */
export function storePartial(at: usize, x: v128, count: i32): void {
  if (count >= LANES) {
    v128.store(at, x);
    return;
  }
  if (sizeof<real>() == 8) {
    v128.store64_lane(at, x, 0);
    return;
  }
  if (count == 1) {
    v128.store32_lane(at, x, 0);
    return;
  }
  v128.store64_lane(at, x, 0);
  if (count == 3) v128.store32_lane(at, x, 2, 8);
}

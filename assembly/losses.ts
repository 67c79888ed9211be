// Losses and their derivatives, but for cross-entropy. Values are summed in double precision, element by element.
import { real } from './real';
import { expOfNegative, log, log1p, sigmoidOf } from './functions';
import { first, LANES, loadOne, loadPair, loadPart, SIZE, splat, storePart, sumOfPair, VECTOR } from './vectors';

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

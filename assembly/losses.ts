// Losses other than cross-entropy, and their derivatives. Values are summed in float64, element by element.
import { real } from './real';
import { expNonPositive, log, log1p, sigmoidVector } from './functions';
import { first, LANES, loadOne, loadPair, loadPartial, SIZE, splat, storePartial, sumPair, VECTOR } from './vectors';

/** The guard of PyTorch's BCELoss: a float32 constant also in float64. */
const MIN_DERIVATIVE: f64 = <f64>(<f32>1e-12);

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
    x += 2 * SIZE;
    t += 2 * SIZE;
  }
  if (n > 0) sum = f64x2.add(sum, squaredDifference(loadOne(x), loadOne(t)));
  return sumPair(sum);
}

export function squaredErrorBackward(dx: usize, x: usize, t: usize, n: i32, scale: f64): void {
  const s = splat(<real>(2 * scale));
  for (; n > 0; n -= LANES) {
    storePartial(dx, v128.mul<real>(s, v128.sub<real>(loadPartial(x, n), loadPartial(t, n))), n);
    dx += VECTOR;
    x += VECTOR;
    t += VECTOR;
  }
}

export function negativeLogLikelihood(p: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    const share = <f64>load<real>(t);
    if (share != 0) total -= share * log(<f64>load<real>(p));
    p += SIZE;
    t += SIZE;
  }
  return total;
}

export function negativeLogLikelihoodBackward(dp: usize, p: usize, t: usize, n: i32, scale: f64): void {
  for (; n > 0; n--) {
    const share = <f64>load<real>(t);
    store<real>(dp, share == 0 ? <real>0 : <real>((-scale * share) / <f64>load<real>(p)));
    dp += SIZE;
    p += SIZE;
    t += SIZE;
  }
}

export function binaryCrossEntropy(p: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    const probability = <f64>load<real>(p);
    const share = <f64>load<real>(t);
    // max propagates NaN.
    const one = max(log(probability), -100.0);
    const other = max(log1p(-probability), -100.0);
    total -= share * one + (1 - share) * other;
    p += SIZE;
    t += SIZE;
  }
  return total;
}

export function binaryCrossEntropyBackward(dp: usize, p: usize, t: usize, n: i32, scale: f64): void {
  for (; n > 0; n--) {
    const probability = <f64>load<real>(p);
    const slope = max(probability * (1 - probability), MIN_DERIVATIVE);
    store<real>(dp, <real>((scale * (probability - <f64>load<real>(t))) / slope));
    dp += SIZE;
    p += SIZE;
    t += SIZE;
  }
}

export function binaryCrossEntropyWithLogits(x: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    const logit = load<real>(x);
    const e = <f64>first(expNonPositive(splat(-abs(logit))));
    total += max(<f64>logit, 0.0) - <f64>logit * <f64>load<real>(t) + log1p(e);
    x += SIZE;
    t += SIZE;
  }
  return total;
}

export function binaryCrossEntropyWithLogitsBackward(dx: usize, x: usize, t: usize, n: i32, scale: f64): void {
  const s = splat(<real>scale);
  for (; n > 0; n -= LANES) {
    storePartial(dx, v128.mul<real>(s, v128.sub<real>(sigmoidVector(loadPartial(x, n)), loadPartial(t, n))), n);
    dx += VECTOR;
    x += VECTOR;
    t += VECTOR;
  }
}

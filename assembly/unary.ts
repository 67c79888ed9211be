// Activations of one number and their slopes, by the places that they have in src/engine/kernels/unary.ts; `a` is a
// function's one parameter. NaN stays NaN.
import { expMinusOneOfNegative, expOfNegative, log1pOfShare, scaledErfc, sigmoidOf } from './functions';
import { real } from './real';
import { LANES, loadPart, madd, splat, storePart, VECTOR } from './vectors';

const LEAKY_RELU = 0, ELU = 1, GELU = 2, GELU_TANH = 3, SILU = 4;

// @ts-ignore: decorator
@inline
function where(condition: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, condition);
}

/** exp(-|x|), of which both 1 / (1 + exp(-x)) and 1 / (1 + exp(x)) are made. */
// @ts-ignore: decorator
@inline
function tail(x: v128): v128 {
  return expOfNegative(v128.neg<real>(v128.abs<real>(x)));
}

/** 1 / (1 + exp(-x)) from e = `tail(x)`. */
// @ts-ignore: decorator
@inline
function logistic(x: v128, e: v128): v128 {
  return v128.div<real>(where(v128.lt<real>(x, splat(0)), e, splat(1)), v128.add<real>(splat(1), e));
}

/** 1 / (1 + exp(x)) from e = `tail(x)`. */
// @ts-ignore: decorator
@inline
function logisticOfMinus(x: v128, e: v128): v128 {
  return v128.div<real>(where(v128.lt<real>(x, splat(0)), splat(1), e), v128.add<real>(splat(1), e));
}

/** Share of the standard normal distribution below x, with e = exp(-x²/2). */
// @ts-ignore: decorator
@inline
function normalBelow(x: v128, e: v128): v128 {
  const beyond = v128.mul<real>(v128.mul<real>(splat(0.5), e), scaledErfc(v128.mul<real>(v128.abs<real>(x), splat(<real>Math.SQRT1_2))));
  return where(v128.lt<real>(x, splat(0)), beyond, v128.sub<real>(splat(1), beyond));
}

// @ts-ignore: decorator
@inline
function normalTail(x: v128): v128 {
  return expOfNegative(v128.mul<real>(v128.mul<real>(splat(-0.5), x), x));
}

const CUBIC: f64 = 0.044715;
/** 2 √(2/π): ½ (1 + tanh u) is the logistic of 2u. */
const TWICE: f64 = 1.5957691216057308;

/** Past this on either side the logistic of what is inside gelu_tanh is 0 or 1, and squares stay finite. */
const FAR: f64 = 50;

// @ts-ignore: decorator
@inline
function near(x: v128): v128 {
  return v128.pmin<real>(v128.pmax<real>(x, splat(<real>-FAR)), splat(<real>FAR));
}

/** 2 √(2/π) (x + 0.044715 x³) */
// @ts-ignore: decorator
@inline
function twiceInner(x: v128): v128 {
  const square = v128.mul<real>(x, x);
  return v128.mul<real>(v128.mul<real>(splat(<real>TWICE), x), madd(splat(<real>CUBIC), square, splat(1)));
}

/** log(1 + exp(-|x|)) + max(x, 0) of two doubles, where e holds exp(-|x|). */
// @ts-ignore: decorator
@inline
function softplusOfTwo(x: v128, e: v128): v128 {
  return f64x2.add(f64x2.max(x, f64x2.splat(0)), log1pOfShare(e));
}

// @ts-ignore: decorator
@inline
function upper(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(x, x, 1, 1));
}

function softplus(x: v128): v128 {
  const e = tail(x);
  if (sizeof<real>() == 8) return softplusOfTwo(x, e);
  const low = f32x4.demote_f64x2_zero(softplusOfTwo(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(e)));
  const high = f32x4.demote_f64x2_zero(softplusOfTwo(upper(x), upper(e)));
  return v128.shuffle<f64>(low, high, 0, 2);
}

function valueOf(f: i32, x: v128, a: v128): v128 {
  switch (f) {
    case LEAKY_RELU: return where(v128.gt<real>(x, splat(0)), x, v128.mul<real>(a, x));
    case ELU: return where(v128.gt<real>(x, splat(0)), x, v128.mul<real>(a, expMinusOneOfNegative(x)));
    case GELU: return v128.mul<real>(x, normalBelow(x, normalTail(x)));
    case GELU_TANH: return v128.mul<real>(x, sigmoidOf(twiceInner(near(x))));
    case SILU: return v128.mul<real>(x, sigmoidOf(x));
    default: return v128.div<real>(softplus(v128.mul<real>(a, x)), a);
  }
}

function slopeOf(f: i32, x: v128, a: v128): v128 {
  const one = splat(1);
  switch (f) {
    case LEAKY_RELU: return where(v128.gt<real>(x, splat(0)), one, a);
    case ELU: return where(v128.gt<real>(x, splat(0)), one, v128.mul<real>(a, expOfNegative(x)));
    case GELU: {
      const e = normalTail(x);
      return madd(v128.mul<real>(x, e), splat(<real>0.3989422804014327), normalBelow(x, e));
    }
    case GELU_TANH: {
      const z = near(x);
      const u = twiceInner(z), e = tail(u);
      const share = logistic(u, e);
      const inner = v128.mul<real>(splat(<real>TWICE), madd(v128.mul<real>(splat(<real>(3 * CUBIC)), z), z, one));
      return madd(v128.mul<real>(v128.mul<real>(z, share), logisticOfMinus(u, e)), inner, share);
    }
    case SILU: {
      const e = tail(x);
      return v128.mul<real>(logistic(x, e), madd(x, logisticOfMinus(x, e), one));
    }
    default: return sigmoidOf(v128.mul<real>(a, x));
  }
}

export function unary(y: usize, x: usize, n: i32, f: i32, a: f64): void {
  const parameter = splat(<real>a);
  for (; n >= LANES; n -= LANES) {
    v128.store(y, valueOf(f, v128.load(x), parameter));
    y += VECTOR; x += VECTOR;
  }
  if (n > 0) storePart(y, valueOf(f, loadPart(x, n), parameter), n);
}

export function unaryBackward(dx: usize, dy: usize, x: usize, n: i32, f: i32, a: f64): void {
  const parameter = splat(<real>a);
  for (; n >= LANES; n -= LANES) {
    v128.store(dx, v128.mul<real>(v128.load(dy), slopeOf(f, v128.load(x), parameter)));
    dx += VECTOR; dy += VECTOR; x += VECTOR;
  }
  if (n > 0) storePart(dx, v128.mul<real>(loadPart(dy, n), slopeOf(f, loadPart(x, n), parameter)), n);
}

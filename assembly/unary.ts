// Element-wise activations and their derivatives; `a` is the function's only parameter. NaN stays NaN.
import { expm1NonPositive, expNonPositive, log1pUnit, scaledErfc, sigmoidVector } from './functions';
import { ELU, GELU, GELU_TANH, LEAKY_RELU, SILU } from './opcodes';
import { real } from './real';
import { LANES, loadPartial, madd, SIZE, splat, storePartial, VECTOR } from './vectors';

// @ts-ignore: decorator
@inline
function where(condition: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, condition);
}

/** exp(-|x|), from which 1 / (1 + exp(-x)) and 1 / (1 + exp(x)) are computed. */
// @ts-ignore: decorator
@inline
function tail(x: v128): v128 {
  return expNonPositive(v128.neg<real>(v128.abs<real>(x)));
}

/** 1 / (1 + exp(-x)) from e = `tail(x)`. */
// @ts-ignore: decorator
@inline
function sigmoid(x: v128, e: v128): v128 {
  return v128.div<real>(where(v128.lt<real>(x, splat(0)), e, splat(1)), v128.add<real>(splat(1), e));
}

/** 1 / (1 + exp(x)) from e = `tail(x)`. */
// @ts-ignore: decorator
@inline
function sigmoidNegated(x: v128, e: v128): v128 {
  return v128.div<real>(where(v128.lt<real>(x, splat(0)), splat(1), e), v128.add<real>(splat(1), e));
}

/** The cumulative distribution function of the standard normal distribution, with e = exp(-x²/2). */
// @ts-ignore: decorator
@inline
function normalCdf(x: v128, e: v128): v128 {
  const beyond = v128.mul<real>(
    v128.mul<real>(splat(0.5), e),
    scaledErfc(v128.mul<real>(v128.abs<real>(x), splat(<real>Math.SQRT1_2))),
  );
  return where(v128.lt<real>(x, splat(0)), beyond, v128.sub<real>(splat(1), beyond));
}

// @ts-ignore: decorator
@inline
function scaledNormalTail(x: v128): v128 {
  return expNonPositive(v128.mul<real>(v128.mul<real>(splat(-0.5), x), x));
}

const CUBIC: f64 = 0.044715;
/** 2 √(2/π): ½ (1 + tanh u) is the sigmoid of 2u. */
const TWICE: f64 = 1.5957691216057308;

/** Beyond this on either side, the sigmoid in gelu_tanh is 0 or 1, and squares stay finite. */
const FAR: f64 = 50;

// @ts-ignore: decorator
@inline
function near(x: v128): v128 {
  return v128.pmin<real>(v128.pmax<real>(x, splat(<real>-FAR)), splat(<real>FAR));
}

/** 2 √(2/π) (x + 0.044715 x³) */
// @ts-ignore: decorator
@inline
function twiceTanhArgument(x: v128): v128 {
  const square = v128.mul<real>(x, x);
  return v128.mul<real>(v128.mul<real>(splat(<real>TWICE), x), madd(splat(<real>CUBIC), square, splat(1)));
}

/** log(1 + exp(-|x|)) + max(x, 0) of two float64, with e = exp(-|x|). */
// @ts-ignore: decorator
@inline
function softplusOfTwo(x: v128, e: v128): v128 {
  return f64x2.add(f64x2.max(x, f64x2.splat(0)), log1pUnit(e));
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

// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  return v128.mul<real>(x, normalCdf(x, scaledNormalTail(x)));
}

function valueOf(f: i32, x: v128, a: v128): v128 {
  switch (f) {
    case LEAKY_RELU:
      return where(v128.gt<real>(x, splat(0)), x, v128.mul<real>(a, x));
    case ELU:
      return where(v128.gt<real>(x, splat(0)), x, v128.mul<real>(a, expm1NonPositive(x)));
    case GELU:
      return gelu(x);
    case GELU_TANH:
      return v128.mul<real>(x, sigmoidVector(twiceTanhArgument(near(x))));
    case SILU:
      return v128.mul<real>(x, sigmoidVector(x));
    default:
      /* softplus */ return v128.div<real>(softplus(v128.mul<real>(a, x)), a);
  }
}

function derivativeOf(f: i32, x: v128, a: v128): v128 {
  const one = splat(1);
  switch (f) {
    case LEAKY_RELU:
      return where(v128.gt<real>(x, splat(0)), one, a);
    case ELU:
      return where(v128.gt<real>(x, splat(0)), one, v128.mul<real>(a, expNonPositive(x)));
    case GELU: {
      const e = scaledNormalTail(x);
      return madd(v128.mul<real>(x, e), splat(<real>0.3989422804014327), normalCdf(x, e));
    }
    case GELU_TANH: {
      const z = near(x);
      const u = twiceTanhArgument(z),
        e = tail(u);
      const share = sigmoid(u, e);
      const inner = v128.mul<real>(splat(<real>TWICE), madd(v128.mul<real>(splat(<real>(3 * CUBIC)), z), z, one));
      return madd(v128.mul<real>(v128.mul<real>(z, share), sigmoidNegated(u, e)), inner, share);
    }
    case SILU: {
      const e = tail(x);
      return v128.mul<real>(sigmoid(x, e), madd(x, sigmoidNegated(x, e), one));
    }
    default:
      /* softplus */ return sigmoidVector(v128.mul<real>(a, x));
  }
}

/** Four vectors at a time, in pairs that V8 can join. @returns how many elements are left */
function geluOfFours(y: usize, x: usize, n: i32): i32 {
  for (; n >= 4 * LANES; n -= 4 * LANES) {
    const a = gelu(v128.load(x)),
      b = gelu(v128.load(x, VECTOR)),
      c = gelu(v128.load(x, 2 * VECTOR)),
      d = gelu(v128.load(x, 3 * VECTOR));
    v128.store(y, a);
    v128.store(y, b, VECTOR);
    v128.store(y, c, 2 * VECTOR);
    v128.store(y, d, 3 * VECTOR);
    y += 4 * VECTOR;
    x += 4 * VECTOR;
  }
  return n;
}

export function unary(y: usize, x: usize, n: i32, f: i32, a: f64): void {
  const parameter = splat(<real>a);
  if (f == GELU) {
    const left = geluOfFours(y, x, n);
    y += <usize>(n - left) * SIZE;
    x += <usize>(n - left) * SIZE;
    n = left;
  }
  for (; n >= LANES; n -= LANES) {
    v128.store(y, valueOf(f, v128.load(x), parameter));
    y += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(y, valueOf(f, loadPartial(x, n), parameter), n);
}

export function unaryBackward(dx: usize, dy: usize, x: usize, n: i32, f: i32, a: f64): void {
  const parameter = splat(<real>a);
  for (; n >= LANES; n -= LANES) {
    v128.store(dx, v128.mul<real>(v128.load(dy), derivativeOf(f, v128.load(x), parameter)));
    dx += VECTOR;
    dy += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storePartial(dx, v128.mul<real>(loadPartial(dy, n), derivativeOf(f, loadPartial(x, n), parameter)), n);
}

// exp, tanh, sigmoid and log, so that a run does not depend on the JavaScript engine's functions. Errors in ulp (tested
// in test/engine/kernels/accuracy.test.ts): exp 2, tanh and sigmoid 4, log and log1p 2. In float32 exp is 0 below the
// smallest normal number, because subnormal numbers are many times slower.
import { real } from './real';
import { madd, splat } from './vectors';

const DOUBLE: bool = sizeof<real>() == 8;
/**
 * 1.5 times 2 to the number of fraction bits, plus the exponent bias: adding it rounds to an integer, which ends up in
 * the lowest bits as the exponent of that power of 2.
 */
const ROUNDING_BIAS: f64 = DOUBLE ? 6755399441055744.0 + 1023 : 12582912.0 + 127;
/** ln 2 in two parts; the first is short, so that multiples of it are exact. */
const LN2_HIGH: f64 = DOUBLE ? 6.9314718036912381649e-1 : 0.693359375;
const LN2_LOW: f64 = DOUBLE ? 1.90821492927058770002e-10 : -2.1219444e-4;
/** ln of the smallest normal number in float32; in float64, past where exp is 0. */
const EXP_MIN: f64 = DOUBLE ? -746 : -87.33654022216797;
/** Below, sigmoid is 0 in float32; here, it is still a normal number. */
const SIGMOID_MIN: f64 = -87.3365;
/** Beyond this on either side, tanh is 1 to the last digit. */
const TANH_MAX: f64 = DOUBLE ? 20 : 10;

/** Above this, exp is a normal number. */
export const EXP_UNCHECKED_MIN: f64 = DOUBLE ? -700 : -87;

/**
 * Vectors of constants are in memory from here on: loading one takes one instruction, a constant in the code several.
 */
const TABLE: usize = 128;
const I_ONE: usize = 0;
const I_TWO: usize = 16;
const I_HALF: usize = 32;
const I_MINUS_ONE: usize = 48;
const I_SIGN: usize = 64;
const I_EXP_MIN: usize = 80;
const I_SIGMOID_MIN: usize = 96;
const I_SIGMOID_MAX: usize = 112;
const I_TANH_MIN: usize = 128;
const I_TANH_MAX: usize = 144;
const I_ERFC: usize = 160; // the coefficients of `scaledErfc`, 24 or 12
/** The constants that `exponentOf` needs for exp(x), exp(2x) and exp(-x), one after the other. */
const I_EXP: usize = I_ERFC + 24 * 16;
const I_EXP_2X: usize = I_EXP + 16 * 16;
const I_EXP_NEGATED: usize = I_EXP + 32 * 16;
/** 2/3, 2/5, ..., 2/21 for the logarithm, and ln 2 in two parts; always in float64. */
const I_LOG: usize = I_EXP + 48 * 16;
const I_LN2: usize = I_LOG + 10 * 16;
/** Offsets in each of them; the coefficients of `expm1Reduced` follow, 12 or 5. */
const I_LOG2E: usize = 0;
const I_ROUNDING_BIAS: usize = 16;
const I_LN2_HIGH: usize = 32;
const I_LN2_LOW: usize = 48;
const I_COEFFICIENTS: usize = 64;

/** Coefficients of `scaledErfc` from index i on. */
function fourOfErfc(i: usize, a: f64, b: f64, c: f64, d: f64): void {
  const at = TABLE + I_ERFC + i * 16;
  v128.store(at, splat(<real>a));
  v128.store(at, splat(<real>b), 16);
  v128.store(at, splat(<real>c), 32);
  v128.store(at, splat(<real>d), 48);
}

/**
 * (1 + 2x) exp(x²) erfc(x) as a polynomial in t = (x - 3) / (x + 3), lowest power first. It interpolates at Chebyshev
 * points, to full precision. The form is that of Shepherd and Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²)
 * erfc x", 1981.
 */
function prepareErfc(): void {
  if (DOUBLE) {
    fourOfErfc(0, 1.2530080582697296, -0.1356211061245812, -0.04756229435341897, 0.12964515870276264);
    fourOfErfc(4, -0.11927366341681594, 0.06830802734392144, -0.023770514890662273, 0.002529391816799663);
    fourOfErfc(8, 0.0018886900908332905, -0.0007798322772742547, -0.00010515828085467254, 0.00012509937435915822);
    fourOfErfc(12, 4.944031214882928e-6, -2.0100627664406107e-5, -7.186149396303622e-7, 3.472520280065519e-6);
    fourOfErfc(16, 3.3649033965298255e-7, -6.167709493550964e-7, -1.2038713923616526e-7, 1.0195717375790894e-7);
    fourOfErfc(20, 2.7779061599708634e-8, -1.3361953304404018e-8, -3.169592039553522e-9, 9.948820947537195e-10);
  } else {
    fourOfErfc(0, 1.25300806, -0.1356211, -0.0475621561, 0.129644721);
    fourOfErfc(4, -0.119275281, 0.0683131967, -0.0237635597, 0.00250677867);
    fourOfErfc(8, 0.00187506025, -0.00073408205, -9.25376913e-5, 8.00745497e-5);
  }
}

/**
 * Coefficient i of `expm1Reduced`, starting with that of r². In float64 from the series; in float32, with fewer terms,
 * those with the least maximum error (scripts/fit-approximations.mjs).
 */
function coefficientOfExp(i: i32): f64 {
  if (!DOUBLE) {
    switch (i) {
      case 0:
        return 0.49999994;
      case 1:
        return 0.166665211;
      case 2:
        return 0.0416682623;
      case 3:
        return 0.00836867373;
      default:
        return 0.00138210412;
    }
  }
  let factorial: f64 = 1;
  for (let n = 2; n <= i + 2; n++) factorial *= <f64>n;
  return 1.0 / factorial;
}

/**
 * Writes the constants that `exponentOf` needs for exp(scale x). @param exponent added to the exponent of its power of
 * 2
 */
function prepareExp(table: usize, scale: f64, exponent: f64): void {
  const at = TABLE + table;
  v128.store(at + I_LOG2E, splat(<real>(scale * 1.4426950408889634)));
  v128.store(at + I_ROUNDING_BIAS, splat(<real>(ROUNDING_BIAS + exponent)));
  v128.store(at + I_LN2_HIGH, splat(<real>(-LN2_HIGH / scale)));
  v128.store(at + I_LN2_LOW, splat(<real>(-LN2_LOW / scale)));
  let by = scale;
  const count = DOUBLE ? 12 : 5;
  for (let i = 0; i < count; i++) {
    v128.store(at + I_COEFFICIENTS + <usize>i * 16, splat(<real>(by * <f64>(<real>coefficientOfExp(i)))));
    by *= scale;
  }
}

/** Fills the table; must be called before anything else. */
export function initConstants(): void {
  v128.store(TABLE + I_ONE, splat(1));
  v128.store(TABLE + I_TWO, splat(2));
  v128.store(TABLE + I_HALF, splat(0.5));
  v128.store(TABLE + I_MINUS_ONE, splat(-1));
  v128.store(TABLE + I_SIGN, splat(<real>-0.0));
  v128.store(TABLE + I_EXP_MIN, splat(<real>EXP_MIN));
  v128.store(TABLE + I_SIGMOID_MIN, splat(<real>SIGMOID_MIN));
  v128.store(TABLE + I_SIGMOID_MAX, splat(<real>-SIGMOID_MIN));
  v128.store(TABLE + I_TANH_MIN, splat(<real>-TANH_MAX));
  v128.store(TABLE + I_TANH_MAX, splat(<real>TANH_MAX));
  for (let i: usize = 0; i < 10; i++) v128.store(TABLE + I_LOG + i * 16, f64x2.splat(2.0 / <f64>(2 * i + 3)));
  v128.store(TABLE + I_LN2, f64x2.splat(6.9314718036912381649e-1));
  v128.store(TABLE + I_LN2, f64x2.splat(1.90821492927058770002e-10), 16);
  prepareErfc();
  prepareExp(I_EXP, 1, 0);
  prepareExp(I_EXP_2X, 2, 1);
  // The lowest bit above the exponent is the sign, which makes the power of 2 negative.
  prepareExp(I_EXP_NEGATED, -1, DOUBLE ? 2048 : 256);
}

// @ts-ignore: decorator
@inline
function constant(offset: usize): v128 {
  // V8 joins two broadcasts to one of 256 bits, but not two loads of the same vector.
  return DOUBLE ? v128.load_splat<real>(TABLE + offset) : v128.load(TABLE + offset);
}

/** Coefficients i and i + 1 of `expm1Reduced`, the second times r. */
// @ts-ignore: decorator
@inline
function twoTerms(table: usize, r: v128, i: usize): v128 {
  return madd(constant(table + I_COEFFICIENTS + (i + 1) * 16), r, constant(table + I_COEFFICIENTS + i * 16));
}

/**
 * exp(r) - 1 for |r| <= ln(2) / 2, with full relative precision near 0. Terms are summed in pairs (Estrin), to shorten
 * the chain of dependent additions.
 */
// @ts-ignore: decorator
@inline
function expm1Reduced(table: usize, r: v128): v128 {
  const r2 = v128.mul<real>(r, r);
  const r4 = v128.mul<real>(r2, r2);
  if (DOUBLE) {
    const low = madd(twoTerms(table, r, 2), r2, twoTerms(table, r, 0));
    const middle = madd(twoTerms(table, r, 6), r2, twoTerms(table, r, 4));
    const high = madd(twoTerms(table, r, 10), r2, twoTerms(table, r, 8));
    return madd(r2, madd(madd(high, r4, middle), r4, low), r);
  }
  const low = madd(twoTerms(table, r, 0), r2, r);
  const high = madd(constant(table + I_COEFFICIENTS + 64), r2, twoTerms(table, r, 2));
  return madd(r4, high, low);
}

/** x / ln 2, rounded to an integer n, plus the rounding constant of the table. */
// @ts-ignore: decorator
@inline
function shifted(table: usize, x: v128): v128 {
  return madd(x, constant(table + I_LOG2E), constant(table + I_ROUNDING_BIAS));
}

/**
 * exp(x - n ln 2) - 1, for t from `shifted`. With the table for exp(scale x) it is that of scale x, divided by scale.
 */
// @ts-ignore: decorator
@inline
function rest(table: usize, x: v128, t: v128): v128 {
  const n = v128.sub<real>(t, constant(table + I_ROUNDING_BIAS));
  const high = madd(n, constant(table + I_LN2_HIGH), x);
  return expm1Reduced(table, v128.add<real>(high, v128.mul<real>(n, constant(table + I_LN2_LOW))));
}

/** 2 to the n of `shifted`; times 2 for exp(2x), and negative for exp(-x). */
// @ts-ignore: decorator
@inline
function power(t: v128): v128 {
  return DOUBLE ? i64x2.shl(t, 52) : i32x4.shl(t, 23);
}

/** exp(x) for x <= 0; NaN for NaN. */
// @ts-ignore: decorator
@inline
export function expNonPositive(x: v128): v128 {
  const lowest = constant(I_EXP_MIN);
  // pmax(x, lowest) is x if x is NaN.
  const held = v128.pmax<real>(x, lowest);
  const t = shifted(I_EXP, held);
  const p = rest(I_EXP, held, t);
  if (DOUBLE) {
    // In two factors, of which the first is normal, so that the result may be subnormal.
    const normal = f64x2.pmax(t, f64x2.splat(ROUNDING_BIAS - 1022));
    const s = power(normal);
    return f64x2.mul(madd(s, p, s), power(f64x2.add(f64x2.sub(t, normal), f64x2.splat(ROUNDING_BIAS))));
  }
  const s = power(t);
  return v128.andnot(madd(s, p, s), v128.lt<real>(x, lowest));
}

/** The bits of `expNonPositive` for EXP_UNCHECKED_MIN <= x <= 0, where no result is subnormal; NaN for NaN. */
// @ts-ignore: decorator
@inline
export function expUnchecked(x: v128): v128 {
  const t = shifted(I_EXP, x);
  const s = power(t);
  return madd(s, rest(I_EXP, x, t), s);
}

/** exp(x) - 1 for x <= 0, with all its digits near 0; NaN for NaN. */
// @ts-ignore: decorator
@inline
export function expm1NonPositive(x: v128): v128 {
  // Below, the result is -1 to the last digit.
  const held = v128.pmax<real>(x, splat(-40));
  const t = shifted(I_EXP, held);
  const s = power(t);
  return madd(s, rest(I_EXP, held, t), v128.sub<real>(s, constant(I_ONE)));
}

/** Coefficients i and i + 1 of `scaledErfc`, the second times t. */
// @ts-ignore: decorator
@inline
function twoOfErfc(t: v128, i: usize): v128 {
  return madd(constant(I_ERFC + (i + 1) * 16), t, constant(I_ERFC + i * 16));
}

/** Coefficients i to i + 7. */
// @ts-ignore: decorator
@inline
function eightOfErfc(t: v128, t2: v128, t4: v128, i: usize): v128 {
  const low = madd(twoOfErfc(t, i + 2), t2, twoOfErfc(t, i));
  return madd(madd(twoOfErfc(t, i + 6), t2, twoOfErfc(t, i + 4)), t4, low);
}

/** Its polynomial in t, lowest power first. In float64, terms are summed in pairs, as in `expm1Reduced`. */
// @ts-ignore: decorator
@inline
function polynomialOfErfc(t: v128): v128 {
  if (DOUBLE) {
    const t2 = v128.mul<real>(t, t);
    const t4 = v128.mul<real>(t2, t2);
    const t8 = v128.mul<real>(t4, t4);
    const high = madd(eightOfErfc(t, t2, t4, 16), t8, eightOfErfc(t, t2, t4, 8));
    return madd(high, t8, eightOfErfc(t, t2, t4, 0));
  }
  let p = constant(I_ERFC + 11 * 16);
  for (let at: usize = 11 * 16; at > 0;) {
    at -= 16;
    p = madd(p, t, v128.load(TABLE + I_ERFC + at));
  }
  return p;
}

/** exp(x²) erfc(x) for x >= 0; NaN for NaN. */
// @ts-ignore: decorator
@inline
export function scaledErfc(x: v128): v128 {
  // Its factor is 0 long before, and infinity has no t.
  const held = v128.pmin<real>(x, splat(1000));
  const t = v128.div<real>(v128.sub<real>(held, splat(3)), v128.add<real>(held, splat(3)));
  return v128.div<real>(polynomialOfErfc(t), madd(constant(I_TWO), held, constant(I_ONE)));
}

/** (exp(2x) - 1) / (exp(2x) + 1), with the sign of x, which would otherwise be lost for zero. */
// @ts-ignore: decorator
@inline
export function tanhVector(x: v128): v128 {
  const held = v128.pmin<real>(v128.pmax<real>(x, constant(I_TANH_MIN)), constant(I_TANH_MAX));
  const t = shifted(I_EXP_2X, held);
  const half = rest(I_EXP_2X, held, t);
  // exp(2x) = s half + s/2: added to s/2, which is available first.
  const s = power(t);
  const above = madd(s, half, madd(s, constant(I_HALF), constant(I_MINUS_ONE)));
  const below = madd(s, half, madd(s, constant(I_HALF), constant(I_ONE)));
  return v128.div<real>(v128.or(above, v128.and(x, constant(I_SIGN))), below);
}

/** total / (1 + exp(-x)); in float64 computed where exp cannot overflow. */
// @ts-ignore: decorator
@inline
export function scaledSigmoid(total: v128, x: v128): v128 {
  const one = constant(I_ONE);
  if (DOUBLE) {
    const e = expNonPositive(v128.or(x, constant(I_SIGN)));
    const above = v128.bitselect(e, one, v128.lt<real>(x, splat(0)));
    return v128.div<real>(v128.mul<real>(total, above), v128.add<real>(one, e));
  }
  const lowest = constant(I_SIGMOID_MIN);
  const held = v128.pmin<real>(v128.pmax<real>(x, lowest), constant(I_SIGMOID_MAX));
  const t = shifted(I_EXP_NEGATED, held);
  // Both negative: exp(-x) = s p - s.
  const p = rest(I_EXP_NEGATED, held, t);
  const s = power(t);
  return v128.div<real>(v128.andnot(total, v128.lt<real>(x, lowest)), madd(s, p, v128.sub<real>(one, s)));
}

/** 1 / (1 + exp(-x)) */
// @ts-ignore: decorator
@inline
export function sigmoidVector(x: v128): v128 {
  return scaledSigmoid(constant(I_ONE), x);
}

/** 2/3 + 2/5 z + 2/7 z² + ... + 2/21 z⁹, terms in pairs. */
// @ts-ignore: decorator
@inline
function seriesOfLog(z: f64): f64 {
  const z2 = z * z;
  const z4 = z2 * z2;
  const low = 2.0 / 3.0 + (2.0 / 5.0) * z + z2 * (2.0 / 7.0 + (2.0 / 9.0) * z);
  const middle = 2.0 / 11.0 + (2.0 / 13.0) * z + z2 * (2.0 / 15.0 + (2.0 / 17.0) * z);
  return low + z4 * (middle + z4 * (2.0 / 19.0 + (2.0 / 21.0) * z));
}

/** a + b z, for two float64. */
// @ts-ignore: decorator
@inline
function sumOfProduct(a: v128, b: v128, z: v128): v128 {
  return f64x2.add(a, f64x2.mul(b, z));
}

/** a + b z for two numbers. */
// @ts-ignore: decorator
@inline
function twoOfLog(a: f64, b: f64, z: v128): v128 {
  return sumOfProduct(f64x2.splat(a), f64x2.splat(b), z);
}

/** Terms i and i + 1 of the series. */
// @ts-ignore: decorator
@inline
function twoOfSeries(i: usize, z: v128): v128 {
  return sumOfProduct(constant(I_LOG + i * 16), constant(I_LOG + i * 16 + 16), z);
}

/** `seriesOfLog` of two float64. */
// @ts-ignore: decorator
@inline
function seriesOfLogs(z: v128): v128 {
  const z2 = f64x2.mul(z, z);
  const z4 = f64x2.mul(z2, z2);
  const low = sumOfProduct(twoOfSeries(0, z), z2, twoOfSeries(2, z));
  const middle = sumOfProduct(twoOfSeries(4, z), z2, twoOfSeries(6, z));
  return sumOfProduct(low, z4, sumOfProduct(middle, z4, twoOfSeries(8, z)));
}

/**
 * ln x in float64 regardless of the module's precision: with s = f / (2 + f), ln(1 + f) = f - s (f - 2 s² (1/3 + s²/5 +
 * ...)).
 */
export function log(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return x;
  let scaled = x;
  let exponent: i64 = 0;
  if (x < 2.2250738585072014e-308) {
    scaled = x * 18014398509481984.0;
    exponent = -54;
  }
  let bits = reinterpret<u64>(scaled);
  // Moves the fraction into [sqrt(1/2), sqrt(2)), around 1, where the series is short.
  const excess: i64 = (<i64>(bits - 0x3fe6a09e667f3bcd)) >> 52;
  bits -= <u64>(excess << 52);
  const n = <f64>(exponent + excess);
  const f = reinterpret<f64>(bits) - 1;
  const s = f / (2 + f);
  const z = s * s;
  return n * 6.9314718036912381649e-1 + (f - (s * (f - seriesOfLog(z) * z) - n * 1.90821492927058770002e-10));
}

/** ln(1 + x), with a ratio that corrects the rounding of 1 + x. */
export function log1p(x: f64): f64 {
  const y = 1 + x;
  if (y == 1 || y == Infinity) return x;
  return log(y) * (x / (y - 1));
}

/** ln(1 + x) of two float64, x >= 0; NaN for NaN. The same series as `log`, in vectors. */
// @ts-ignore: decorator
@inline
export function log1pNonNegative(x: v128): v128 {
  const one = f64x2.splat(1);
  const y = f64x2.add(one, x);
  // y >= 1, so the difference is not negative.
  const excess = i64x2.shr_u(i64x2.sub(y, i64x2.splat(0x3fe6a09e667f3bcd)), 52);
  const f = f64x2.sub(i64x2.sub(y, i64x2.shl(excess, 52)), one);
  // A small integer in the last bits of 2^52 adds that integer.
  const n = f64x2.sub(v128.or(excess, i64x2.splat(0x4330000000000000)), f64x2.splat(4503599627370496.0));
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const z = f64x2.mul(s, s);
  const low = f64x2.sub(f64x2.mul(s, f64x2.sub(f, f64x2.mul(seriesOfLogs(z), z))), f64x2.mul(n, constant(I_LN2 + 16)));
  const log = f64x2.add(f64x2.mul(n, constant(I_LN2)), f64x2.sub(f, low));
  // The ratio corrects the rounding of 1 + x; if all of x is rounded away, ln(1 + x) is x.
  const exact = f64x2.mul(log, f64x2.div(x, f64x2.sub(y, one)));
  return v128.bitselect(x, exact, f64x2.eq(y, one));
}

/**
 * ln(1 + x) of two float64, 0 <= x <= 1; NaN for NaN. The float32 module, where x has no more digits, uses fewer terms:
 * with s = x / (2 + x), ln(1 + x) = 2s + s³ (c0 + c1 s² + ...), to 1e-10 (scripts/fit-approximations.mjs).
 */
// @ts-ignore: decorator
@inline
export function log1pUnit(x: v128): v128 {
  if (DOUBLE) return log1pNonNegative(x);
  const s = f64x2.div(x, f64x2.add(f64x2.splat(2), x));
  const z = f64x2.mul(s, s);
  const z2 = f64x2.mul(z, z);
  const high = sumOfProduct(twoOfLog(0.2861659659288583, 0.21430742310904144, z), z2, f64x2.splat(0.24289552337518122));
  const series = sumOfProduct(twoOfLog(0.6666667550029749, 0.399988883604565, z), z2, high);
  return sumOfProduct(f64x2.add(s, s), f64x2.mul(s, z), series);
}

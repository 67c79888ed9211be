// The functions of assembly/functions.ts in float32, instruction by instruction: a fused step gives the bits of any other.
import type { Code, Value } from './code';

const LOG2E = 1.4426950408889634;
const ROUNDER = 12582912;
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
const LOWEST = -87.33654022216797;
const LOWEST_OF_TANH = -40;

/** exp(r) - 1 for |r| <= ln(2) / 2. */
function expMinusOne(code: Code, r: Value): Value {
  const twoTerms = (one: number, next: number): Value => code.madd(code.constant(1 / next), r, code.constant(1 / one));
  const square = code.multiply(r, r);
  const high = code.madd(twoTerms(720, 5040), square, twoTerms(24, 120));
  return code.madd(square, code.madd(high, square, twoTerms(2, 6)), r);
}

/** For x <= 0: the power of two next to exp(x), and exp(what is left) - 1. */
function split(code: Code, x: Value): { readonly power: Value; readonly part: Value } {
  const rounder = code.constant(ROUNDER);
  const shifted = code.madd(x, code.constant(LOG2E), rounder);
  const n = code.subtract(shifted, rounder);
  const rest = code.madd(n, code.constant(-LN2_LOW), code.madd(n, code.constant(-LN2_HIGH), x));
  const part = expMinusOne(code, rest);
  return { power: code.shift('left', code.binary('addIntegers', shifted, code.integer(127)), 23), part };
}

/** exp(x) for x <= 0; NaN for NaN. */
export function expOfNegative(code: Code, x: Value): Value {
  const lowest = code.constant(LOWEST);
  const { power, part } = split(code, code.binary('pmax', x, lowest));
  return code.binary('andnot', code.madd(power, part, power), code.binary('less', x, lowest));
}

export function tanhOf(code: Code, x: Value): Value {
  const sign = code.constant(-0);
  const negative = code.binary('or', x, sign);
  const { power, part } = split(code, code.binary('pmax', code.add(negative, negative), code.constant(LOWEST_OF_TANH)));
  const m = code.madd(power, part, code.subtract(power, code.constant(1)));
  return code.bitselect(x, code.binary('divide', m, code.add(m, code.constant(2))), sign);
}

export function sigmoidOf(code: Code, x: Value): Value {
  const one = code.constant(1);
  const e = expOfNegative(code, code.binary('or', x, code.constant(-0)));
  const above = code.bitselect(e, one, code.binary('less', x, code.constant(0)));
  return code.binary('divide', above, code.add(one, e));
}

/** ln(1 + x) of two doubles, x >= 0; NaN for NaN. */
export function log1pOfPositive(code: Code, x: Value): Value {
  const multiply = (a: Value, b: Value): Value => code.binary('multiplyDoubles', a, b);
  const add = (a: Value, b: Value): Value => code.binary('addDoubles', a, b);
  const subtract = (a: Value, b: Value): Value => code.binary('subtractDoubles', a, b);
  const divide = (a: Value, b: Value): Value => code.binary('divideDoubles', a, b);
  const one = code.double(1);
  const y = add(one, x);
  const excess = code.shift('longsRight', code.binary('subtractLongs', y, code.long(0x3fe6a09e667f3bcdn)), 52);
  const f = subtract(code.binary('subtractLongs', y, code.shift('longsLeft', excess, 52)), one);
  const n = subtract(code.binary('or', excess, code.long(0x4330000000000000n)), code.double(2 ** 52));
  const s = divide(f, add(code.double(2), f));
  const z = multiply(s, s);
  const sumOfProduct = (a: Value, b: Value, c: Value): Value => add(a, multiply(b, c));
  const twoTerms = (odd: number): Value => sumOfProduct(code.double(2 / odd), code.double(2 / (odd + 2)), z);
  const z2 = multiply(z, z);
  const z4 = multiply(z2, z2);
  const middle = sumOfProduct(twoTerms(11), z2, twoTerms(15));
  const p = sumOfProduct(sumOfProduct(twoTerms(3), z2, twoTerms(7)), z4, sumOfProduct(middle, z4, twoTerms(19)));
  const low = subtract(multiply(s, subtract(f, multiply(p, z))), multiply(n, code.double(1.90821492927058770002e-10)));
  const log = add(multiply(n, code.double(6.93147180369123816490e-1)), subtract(f, low));
  const exact = multiply(log, divide(x, subtract(y, one)));
  return code.bitselect(x, exact, code.binary('equalDoubles', y, one));
}

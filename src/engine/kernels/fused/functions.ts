// The functions of assembly/functions.ts in float32, instruction by instruction: a fused step gives the bits of any other.
import type { Code, Value } from './code';

const LOG2E = 1.4426950408889634;
const ROUNDER = 12582912 + 127;
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
const LOWEST = -87.33654022216797;
const LOWEST_OF_SIGMOID = -87.3365;
const MOST_OF_TANH = 10;
const COEFFICIENTS = [0.49999994, 0.166665211, 0.0416682623, 0.00836867373, 0.00138210412];

/**
 * exp(scale x) = power (1 + scale part) as a power of two and a part: the power times 2^`exponent`, of which the bit above the exponent is
 * a minus.
 */
function split(code: Code, x: Value, scale: number, exponent: number): { readonly power: Value; readonly part: Value } {
  const rounder = code.constant(ROUNDER + exponent);
  const shifted = code.madd(x, code.constant(scale * LOG2E), rounder);
  const n = code.subtract(shifted, rounder);
  const high = code.madd(n, code.constant(-LN2_HIGH / scale), x);
  const r = code.add(high, code.multiply(n, code.constant(-LN2_LOW / scale)));
  const coefficients = COEFFICIENTS.map((coefficient, i) => {
    let scaled = Math.fround(coefficient);
    for (let power = 0; power <= i; power++) scaled *= scale;
    return code.constant(scaled);
  });
  const twoTerms = (i: number): Value => code.madd(coefficients[i + 1], r, coefficients[i]);
  const square = code.multiply(r, r);
  const fourth = code.multiply(square, square);
  const low = code.madd(twoTerms(0), square, r);
  const part = code.madd(fourth, code.madd(coefficients[4], square, twoTerms(2)), low);
  return { power: code.shift('left', shifted, 23), part };
}

/** exp(x) for x <= 0; NaN for NaN. */
export function expOfNegative(code: Code, x: Value): Value {
  const lowest = code.constant(LOWEST);
  const { power, part } = split(code, code.binary('pmax', x, lowest), 1, 0);
  return code.binary('andnot', code.madd(power, part, power), code.binary('less', x, lowest));
}

export function tanhOf(code: Code, x: Value): Value {
  const held = code.binary('pmin', code.binary('pmax', x, code.constant(-MOST_OF_TANH)), code.constant(MOST_OF_TANH));
  const { power, part } = split(code, held, 2, 1);
  const half = code.constant(0.5);
  const above = code.madd(power, part, code.madd(power, half, code.constant(-1)));
  const below = code.madd(power, part, code.madd(power, half, code.constant(1)));
  return code.binary('divide', code.binary('or', above, code.binary('and', x, code.constant(-0))), below);
}

export function sigmoidOf(code: Code, x: Value): Value {
  const one = code.constant(1);
  const lowest = code.constant(LOWEST_OF_SIGMOID);
  const held = code.binary('pmin', code.binary('pmax', x, lowest), code.constant(-LOWEST_OF_SIGMOID));
  const { power, part } = split(code, held, -1, 256);
  const below = code.madd(power, part, code.subtract(one, power));
  return code.binary('divide', code.binary('andnot', one, code.binary('less', x, lowest)), below);
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

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

export const sigmoidOf = (code: Code, x: Value): Value => shareOf(code, code.constant(1), x);

/** total / (1 + exp(-x)) */
export function shareOf(code: Code, total: Value, x: Value): Value {
  const one = code.constant(1);
  const lowest = code.constant(LOWEST_OF_SIGMOID);
  const held = code.binary('pmin', code.binary('pmax', x, lowest), code.constant(-LOWEST_OF_SIGMOID));
  const { power, part } = split(code, held, -1, 256);
  const below = code.madd(power, part, code.subtract(one, power));
  return code.binary('divide', code.binary('andnot', total, code.binary('less', x, lowest)), below);
}

/** ln(1 + x) of two doubles, 0 <= x <= 1; NaN for NaN. */
export function log1pOfShare(code: Code, x: Value): Value {
  const multiply = (a: Value, b: Value): Value => code.binary('multiplyDoubles', a, b);
  const add = (a: Value, b: Value): Value => code.binary('addDoubles', a, b);
  const s = code.binary('divideDoubles', x, add(code.double(2), x));
  const z = multiply(s, s);
  const square = multiply(z, z);
  const twoTerms = (a: number, b: number): Value => add(code.double(a), multiply(code.double(b), z));
  const high = add(twoTerms(0.2861659659288583, 0.21430742310904144), multiply(square, code.double(0.24289552337518122)));
  const series = add(twoTerms(0.6666667550029749, 0.399988883604565), multiply(square, high));
  return add(add(s, s), multiply(multiply(s, z), series));
}

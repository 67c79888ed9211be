// The functions of assembly/functions.ts in float32, instruction by instruction, so that a fused step gives the same
// bits as any other.
import type { WasmEmitter, Value } from './wasm-emitter';

const LOG2E = 1.4426950408889634;
const ROUNDING_BIAS = 12582912 + 127;
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
const EXP_MIN = -87.33654022216797;
const SIGMOID_MIN = -87.3365;
const TANH_MAX = 10;
const EXP_COEFFICIENTS = [0.49999994, 0.166665211, 0.0416682623, 0.00836867373, 0.00138210412];

/**
 * Splits exp(scale x) into a power of two and a factor: 2^`exponent` (1 + scale part). The bit above the exponent is
 * the sign.
 */
function splitExp(
  emitter: WasmEmitter,
  x: Value,
  scale: number,
  exponent: number,
): { readonly power: Value; readonly part: Value } {
  const rounder = emitter.constant(ROUNDING_BIAS + exponent);
  const shifted = emitter.madd(x, emitter.constant(scale * LOG2E), rounder);
  const n = emitter.subtract(shifted, rounder);
  const high = emitter.madd(n, emitter.constant(-LN2_HIGH / scale), x);
  const r = emitter.accumulate(high, emitter.multiply(n, emitter.constant(-LN2_LOW / scale)));
  const coefficients = EXP_COEFFICIENTS.map((coefficient, i) => {
    let scaled = Math.fround(coefficient);
    for (let power = 0; power <= i; power++) scaled *= scale;
    return emitter.constant(scaled);
  });
  const twoTerms = (i: number): Value => emitter.madd(coefficients[i + 1]!, r, coefficients[i]!);
  const square = emitter.multiply(r, r);
  const fourth = emitter.multiply(square, square);
  const low = emitter.madd(twoTerms(0), square, r);
  const part = emitter.madd(fourth, emitter.madd(coefficients[4]!, square, twoTerms(2)), low);
  return { power: emitter.shift('left', shifted, 23), part };
}

/** exp(x) for x <= 0; NaN for NaN. */
export function expNonPositive(emitter: WasmEmitter, x: Value): Value {
  const lowest = emitter.constant(EXP_MIN);
  const { power, part } = splitExp(emitter, emitter.binary('pmax', x, lowest), 1, 0);
  return emitter.binary('andnot', emitter.madd(power, part, power), emitter.binary('less', x, lowest));
}

export function emitTanh(emitter: WasmEmitter, x: Value): Value {
  const clamped = emitter.binary(
    'pmin',
    emitter.binary('pmax', x, emitter.constant(-TANH_MAX)),
    emitter.constant(TANH_MAX),
  );
  const { power, part } = splitExp(emitter, clamped, 2, 1);
  const half = emitter.constant(0.5);
  const numerator = emitter.madd(power, part, emitter.madd(power, half, emitter.constant(-1)));
  const denominator = emitter.madd(power, part, emitter.madd(power, half, emitter.constant(1)));
  return emitter.binary(
    'divide',
    emitter.binary('or', numerator, emitter.binary('and', x, emitter.constant(-0))),
    denominator,
  );
}

export const emitSigmoid = (emitter: WasmEmitter, x: Value): Value => scaledSigmoid(emitter, emitter.constant(1), x);

/** total / (1 + exp(-x)) */
export function scaledSigmoid(emitter: WasmEmitter, total: Value, x: Value): Value {
  const one = emitter.constant(1);
  const lowest = emitter.constant(SIGMOID_MIN);
  const clamped = emitter.binary('pmin', emitter.binary('pmax', x, lowest), emitter.constant(-SIGMOID_MIN));
  const { power, part } = splitExp(emitter, clamped, -1, 256);
  const denominator = emitter.madd(power, part, emitter.subtract(one, power));
  return emitter.binary('divide', emitter.binary('andnot', total, emitter.binary('less', x, lowest)), denominator);
}

/** ln(1 + x) of two float64 lanes, 0 <= x <= 1; NaN for NaN. */
export function log1pUnit(emitter: WasmEmitter, x: Value): Value {
  const multiply = (a: Value, b: Value): Value => emitter.binary('multiplyDoubles', a, b);
  const add = (a: Value, b: Value): Value => emitter.binary('addDoubles', a, b);
  const s = emitter.binary('divideDoubles', x, add(emitter.double(2), x));
  const z = multiply(s, s);
  const square = multiply(z, z);
  const twoTerms = (a: number, b: number): Value => add(emitter.double(a), multiply(emitter.double(b), z));
  const high = add(
    twoTerms(0.2861659659288583, 0.21430742310904144),
    multiply(square, emitter.double(0.24289552337518122)),
  );
  const series = add(twoTerms(0.6666667550029749, 0.399988883604565), multiply(square, high));
  return add(add(s, s), multiply(multiply(s, z), series));
}

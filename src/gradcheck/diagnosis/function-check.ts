// A loss or a penalty in isolation: a function with one result.
import type { OperationGraph } from '../../engine/layers/layer';
import type { Random } from '../../engine/random';
import type { ForwardPrecision } from '../forward-precision';
import { DIFFERENCE_RULES, SHORT_STEP_RATIO, derivativeFromStencil } from './five-point-derivative';
import type { ForwardFault } from './forward-faults';
import { type GradientComparison, indexOfWorst } from './gradient-comparison';

/** The result of checking a loss or a penalty in isolation. */
export interface FunctionCheck {
  /** With respect to the prediction, or to each parameter. Empty if its forward pass has a fault. */
  readonly comparisons: readonly GradientComparison[];
  /** Why its forward pass cannot be differentiated; null if it can. */
  readonly fault: ForwardFault | null;
  readonly precision: ForwardPrecision;
  /** The made-up numbers that show a fault, if only these do. */
  readonly probe?: string;
  /** For custom code that uses `ops`: what autograd recorded, with the tensors of the comparisons. */
  readonly operationGraph: () => OperationGraph | null;
  /** For custom code with a manual backward: the gradients by autograd, by tensor; null if it has none. */
  readonly autograd: () => ReadonlyMap<string, Float64Array> | null;
}

export const isWrongFunction = ({ comparisons, fault }: FunctionCheck): boolean =>
  fault !== null || comparisons.some((comparison) => indexOfWorst(comparison) >= 0);

/** Made-up numbers for custom code, since a batch or new weights may contain no zeros and no near ties. */
export interface Probe {
  /** Continues "for inputs". */
  readonly description: string;
  makeInput(batch: Float64Array, random: Random): Float64Array;
}

export const PROBES: readonly Probe[] = [
  {
    description: 'some of which are 0',
    makeInput: (batch, random) => batch.map((value) => (random.uniform() < 0.3 ? 0 : value)),
  },
  {
    description: 'of both signs around 0',
    makeInput: (batch, random) => batch.map(() => random.normal(0, 1)),
  },
  {
    description: 'that lie close to each other',
    makeInput: (batch, random) =>
      batch.map(() => 0.5 * (random.integerBelow(5) - 2) + random.uniform(-1, 1) * 10 ** -(2 + random.integerBelow(2))),
  },
  { description: 'of large size', makeInput: (batch, random) => batch.map(() => random.normal(0, 10)) },
  { description: 'of small size', makeInput: (batch, random) => batch.map(() => random.normal(0, 0.05)) },
];

/**
 * The derivative of a function of one number, by central differences; NaN at a kink.
 * @param at the function's value with the number set to x
 * @param center its value at `start`
 */
export function functionDerivative(
  at: (x: number) => number,
  start: number,
  center: number,
  precision: ForwardPrecision,
): number {
  const rule = DIFFERENCE_RULES[precision];
  // The second step is for probabilities, which end at 0.
  for (const step of [rule.step * Math.max(1, Math.abs(start)), 1e-4 * Math.abs(start)]) {
    const [low, innerLow] = [at(start - step), at(start - SHORT_STEP_RATIO * step)];
    const [innerHigh, high] = [at(start + SHORT_STEP_RATIO * step), at(start + step)];
    const derivative = derivativeFromStencil({ low, innerLow, center, innerHigh, high }, { ...rule, step });
    if (!Number.isNaN(derivative)) return derivative;
  }
  return NaN;
}

/** The number of calls with the same numbers that must give the same result. */
const CALLS = 3;

/** Detects a function that returns different results for the same numbers. */
export function detectRandomResult(value: () => number): ForwardFault | null {
  const first = value();
  for (let call = 1; call < CALLS; call++) {
    const now = value();
    if (Object.is(now, first)) continue;
    return {
      cause: 'not_repeatable',
      description:
        `returns different results for the same numbers: ${formatShort(first)}, then ${formatShort(now)}. ` +
        'No gradient can be checked. Keep no state between calls, and draw no random numbers',
    };
  }
  return null;
}

const formatShort = (value: number): string => String(Number(value.toPrecision(6)));

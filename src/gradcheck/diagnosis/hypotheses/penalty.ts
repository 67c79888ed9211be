// The gradient of the penalty, and mistakes with it.
import type { NetworkTensors, Parameter } from '../../../engine/network-model';
import { isPenalized, penaltyArguments } from '../../../engine/penalty';
import { type Hypotheses, zipWith } from './hypothesis';
import type { GradientComparison } from '../gradient-comparison';

/** l1 sign(w) + l2 w, with the gradient of a custom penalty; null for a parameter without a penalty. */
export function penaltyGradientOf(
  { model: { penalty }, parameters }: Pick<NetworkTensors, 'model' | 'parameters'>,
  parameter: Parameter,
): Float64Array | null {
  if (!penalty) return null;
  const { custom } = penalty;
  const own = custom?.definition.gradients(penaltyArguments(custom, parameters))[parameter.name];
  const isIncluded = isPenalized(penalty, parameter);
  if (!own && !isIncluded) return null;
  return Float64Array.from(
    parameter.value.data,
    (w, i) => (isIncluded ? penalty.l1 * Math.sign(w) + penalty.l2 * w : 0) + (own?.[i] ?? 0),
  );
}

export function* penaltyHypotheses({ numeric, penalty, layer }: GradientComparison): Hypotheses {
  // The network adds the penalty, so a custom layer cannot get it wrong.
  if (!penalty || layer?.isCustom) return;
  yield {
    cause: 'penalty_missing',
    description: 'lacks the gradient of the penalty, which is part of the loss',
    values: zipWith(numeric, penalty, (n, p) => n - p),
  };
  yield {
    cause: 'penalty_twice',
    description: 'contains the gradient of the penalty twice',
    values: zipWith(numeric, penalty, (n, p) => n + p),
  };
}

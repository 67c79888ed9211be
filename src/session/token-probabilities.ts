// The probabilities of the classes at one position, in float64, for losses that choose one of several classes.
import { exp, log } from '../engine/deterministic-math';
import type { NetworkModel } from '../engine/network-model';
import type { CompiledRun } from '../model-spec';

/** Whether the network predicts a class at each of several positions. */
export const predictsTokens = ({ dataset, model, targetWidth }: CompiledRun): boolean =>
  dataset.classes !== undefined &&
  dataset.targetSize > 1 &&
  ['logits', 'distribution', 'log_distribution'].includes(model.loss.definition.takes) &&
  model.loss.definition.target === 'classes' &&
  targetWidth === dataset.targetSize * dataset.classes.length;

/**
 * Softmax of logits or of log-probabilities, or the probabilities that the network outputs.
 * @param outputs [classes], as the loss takes them
 * @param temperature divides logits: below 1, likely classes become likelier
 */
export function classProbabilities(
  { definition }: NetworkModel['loss'],
  outputs: ArrayLike<number>,
  temperature = 1,
): Float64Array {
  const isProbability = definition.takes === 'distribution';
  const logits = Float64Array.from(outputs, (value) => (isProbability ? log(value) : value) / temperature);
  const largest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const shares = logits.map((value) => exp(value - largest));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

// What a network's outputs say of the classes, as probabilities in float64.
import { exp, log } from '../engine/deterministic-math';
import { createBackend } from '../engine/kernels/create-kernels';
import type { NetworkModel } from '../engine/network-model';
import type { CompiledRun } from '../model-spec';

const kernels = createBackend('reference', 'float64');

/** Whether the network predicts a class at each of several positions. */
export const predictsTokens = ({ dataset, model, targetWidth }: CompiledRun): boolean =>
  dataset.classes !== undefined &&
  dataset.targetSize > 1 &&
  model.loss.definition.target === 'classes' &&
  targetWidth === dataset.targetSize * dataset.classes.length;

/**
 * Null where the outputs are neither logits nor probabilities.
 * @param outputs of one sample, or of one of its positions
 */
export function classProbabilities(
  { loss: { definition }, layers }: NetworkModel,
  outputs: ArrayLike<number>,
): Float64Array | null {
  const prediction = Float64Array.from(outputs);
  if (definition.probabilities) {
    const data = new Float64Array(prediction.length);
    const shape = [1, prediction.length];
    definition.probabilities(kernels, { shape, data }, { shape, data: prediction });
    return data;
  }
  switch (layers.at(-1)?.definition.outputMeaning) {
    case 'probability':
    case 'distribution':
      return prediction;
    case 'log_distribution':
      return prediction.map((value) => exp(value));
    case undefined:
      return null;
  }
}

/** The probabilities of logits divided by the temperature: below 1, likely classes become likelier. */
export function withTemperature(probabilities: Float64Array, temperature: number): Float64Array {
  const largest = Math.max(...probabilities);
  const shares = probabilities.map((p) => exp(log(p / largest) / temperature));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

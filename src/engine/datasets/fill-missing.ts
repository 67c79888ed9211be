// Fills missing inputs with the mean of their feature, for `"missing": "mean"`.
import { numel, type Shape, type TensorData } from '../kernels/tensor';
import { DataError } from './data-error';

/**
 * Replaces each NaN by the mean of its feature over the training samples that have it. Held-out samples do not
 * contribute. The sums are compensated (Neumaier 1974), so the mean does not depend on the order of large and small
 * values.
 * @param inputs [samples, ...shape]
 * @throws DataError if no training sample has the feature
 */
export function fillMissing(
  inputs: TensorData,
  shape: Shape,
  train: Uint32Array,
  featureNames: readonly string[] = [],
): void {
  const width = numel(shape);
  for (let feature = 0; feature < width; feature++) {
    let mean: number | undefined;
    for (let at = feature; at < inputs.length; at += width) {
      if (!Number.isNaN(inputs[at])) continue;
      mean ??= trainMean(inputs, width, feature, train);
      if (Number.isNaN(mean)) {
        throw new DataError(
          `No training sample has a value of ${featureNames[feature] ?? `input ${feature + 1}`}, so there is no mean to fill in.`,
          featureNames.length > 0
            ? 'Leave the column out of "inputs", or choose "missing": "drop".'
            : 'Save the array without it, or choose "missing": "drop".',
          ['missing'],
          'missing-everywhere',
        );
      }
      inputs[at] = mean;
    }
  }
}

function trainMean(inputs: TensorData, width: number, feature: number, train: Uint32Array): number {
  let sum = 0;
  let lost = 0;
  let count = 0;
  for (const sample of train) {
    const value = inputs[sample * width + feature]!;
    if (Number.isNaN(value)) continue;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
    count++;
  }
  return (sum + lost) / count;
}

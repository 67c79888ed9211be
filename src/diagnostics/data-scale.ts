// Inputs whose scale makes learning hard.
import { featureGroups } from '../engine/transforms/transform';
import type { CompiledRun, SpecRule } from '../model-spec';
import { findOutliers, OUTLIER_DEVIATIONS } from './columns';
import { formatRounded } from './format';
import { standardizeInputs } from './quick-fixes';

/** Initializers assume inputs whose root mean square is at least this, and at most the rule's threshold. */
const MIN_RMS = 0.01;
/** Number of training samples to examine, evenly spaced. */
const MAX_SAMPLES = 1000;

interface FeatureStats {
  readonly name: string;
  readonly mean: number;
  readonly std: number;
  readonly rms: number;
}

/** Statistics of each feature, or of each channel of images, after the transforms. */
function featureStats({
  dataset: { inputs, inputShape, featureNames },
  split: { train },
}: CompiledRun): FeatureStats[] {
  const { groupIndices, count } = featureGroups(inputShape, inputShape.length > 1 ? 'channel' : 'feature');
  const counts = new Float64Array(count);
  const sums = new Float64Array(count);
  const squares = new Float64Array(count);
  const stride = Math.max(1, Math.floor(train.length / MAX_SAMPLES));
  for (let i = 0; i < train.length; i += stride) {
    for (let j = 0, at = train[i]! * groupIndices.length; j < groupIndices.length; j++, at++) {
      counts[groupIndices[j]!]!++;
      sums[groupIndices[j]!]! += inputs[at]!;
      squares[groupIndices[j]!]! += inputs[at]! * inputs[at]!;
    }
  }
  return Array.from({ length: count }, (_, group) => {
    const [mean, square] = [sums[group]! / counts[group]!, squares[group]! / counts[group]!];
    const name = inputShape.length > 1 ? `channel ${group + 1}` : (featureNames?.[group] ?? `input ${group + 1}`);
    return { name, mean, std: Math.sqrt(Math.max(0, square - mean * mean)), rms: Math.sqrt(square) };
  });
}

/** LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.3: inputs of mean 0 and a variance near 1. */
export const notScaled: SpecRule = {
  id: 'not-scaled',
  summary: 'An input column is far from a scale of 1.',
  threshold: {
    value: 10,
    quantity: 'largest root mean square of an input column',
    source: 'LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.3',
  },
  checkData({ spec, model }, run, threshold) {
    // A normalization as the first layer scales the data.
    if (model.layers[0]!.definition.normalizesOver) return [];
    // Indices have no scale.
    if (model.layers.some(({ definition }) => definition.indexCount)) return [];
    // The scale of a column with an outlier is that of the outlier.
    const outliers = new Set(findOutliers(run, OUTLIER_DEVIATIONS).map(({ column }) => column));
    const columns = featureStats(run).filter((_, column) => !outliers.has(column));
    if (columns.length === 0) return [];
    const largest = columns.reduce((a, b) => (b.rms > a.rms ? b : a));
    if (largest.rms <= threshold && (largest.rms >= MIN_RMS || largest.rms === 0)) return [];
    const { name, mean, std, rms } = largest;
    const why =
      rms > threshold
        ? 'with the usual initial weights it saturates units, and a learning rate that suits the other inputs is too large for it'
        : 'with the usual initial weights it has almost no effect, and its gradients are tiny';
    return [
      {
        code: 'not-scaled',
        severity: 'warning',
        ...spec.data.range,
        message: `The data is not scaled: ${name} is around ${formatRounded(mean, 4)} ± ${formatRounded(std, 2)}, and ${why}.`,
        remedy: 'Add "transforms": ["standardize"], which is fitted to the training split only.',
        fix: standardizeInputs(spec),
      },
    ];
  },
};

// Inputs whose scale makes learning hard.
import { featureGroups } from '../engine/transforms/transform';
import type { CompiledRun, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { findOutliers, OUTLIER_DEVIATIONS } from './columns';
import { formatRounded } from './format';
import { standardizeInputs } from './quick-fixes';
import { warningAt } from './warnings';

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

/** The scale of a column with an outlier is that of the outlier. */
function usualColumns(run: CompiledRun): FeatureStats[] {
  const outliers = new Set(findOutliers(run, OUTLIER_DEVIATIONS).map(({ column }) => column));
  return featureStats(run).filter((_, column) => !outliers.has(column));
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
    const columns = usualColumns(run);
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

/** Fewer values say a category rather than a quantity. */
const MIN_DISTINCT = 3;

function hasFewValues({ dataset: { inputs }, split: { train } }: CompiledRun, column: number, width: number): boolean {
  const distinct = new Set<number>();
  for (const sample of train) {
    distinct.add(inputs[sample * width + column]!);
    if (distinct.size >= MIN_DISTINCT) return false;
  }
  return true;
}

/** What a unit of one column moves, a weight of another one cannot reach: it would have to be as much larger. */
export const unequalScales: SpecRule = {
  id: 'unequal-scales',
  summary: 'The scales of the input columns differ by orders of magnitude, or one statistic scales all of them.',
  threshold: {
    value: 50,
    quantity: 'standard deviations of two input columns, divided',
    source: 'LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.3: about the same for all inputs',
  },
  checkData(resolved, run, threshold) {
    const { spec, model } = resolved;
    const { inputShape, featureNames } = run.dataset;
    const width = inputShape[0]!;
    if (inputShape.length > 1 || width < 2) return [];
    if (model.layers[0]!.definition.normalizesOver === 'batch') return [];
    if (model.layers.some(({ definition }) => definition.indexCount)) return [];
    const columns = usualColumns(run).filter(({ std }) => std > 0);
    // Then all columns are said not to be scaled.
    if (columns.some(({ rms }) => rms > notScaled.threshold!.value)) return [];
    const indexOf = (name: string): number =>
      featureNames ? featureNames.indexOf(name) : Number(name.replace('input ', '')) - 1;
    const quantities = columns.filter(({ name }) => !hasFewValues(run, indexOf(name), width));
    if (quantities.length < 2) return [];
    const largest = quantities.reduce((a, b) => (b.std > a.std ? b : a));
    const smallest = quantities.reduce((a, b) => (b.std < a.std ? b : a));
    if (!(largest.std > threshold * smallest.std)) return [];
    const shared = spec.transforms.findLastIndex(({ options }) => (options as { readonly per?: string }).per === 'all');
    const { type } = spec.transforms[shared] ?? {};
    const fix: QuickFix =
      shared < 0
        ? standardizeInputs(spec)
        : { title: `Let ${type} scale each column`, changes: [{ path: ['transforms', shared, 'per'] }] };
    const message = `${largest.name} varies by ${formatRounded(largest.std, 2)} and ${smallest.name} by only ${formatRounded(smallest.std, 2)}, ${formatRounded(largest.std / smallest.std, 2)} times less: the network hardly sees ${smallest.name}.`;
    return [
      shared < 0
        ? warningAt(
            resolved,
            ['data'],
            'unequal-scales',
            `The input columns have different scales: ${message}`,
            'Add "transforms": ["standardize"], which scales each column.',
            fix,
          )
        : warningAt(
            resolved,
            ['transforms', shared],
            'unequal-scales',
            `${type} scales all columns by one statistic ("per": "all"), although they have different units: ${message}`,
            'Use "per": "feature", so that each column is scaled by its own.',
            fix,
          ),
    ];
  },
};

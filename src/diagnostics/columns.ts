// Columns that are not what they are used as: a target that numbers the samples, or is among the inputs; and values
// that stand out by many orders of magnitude.
import { numel } from '../engine/kernels/tensor';
import type { CompiledRun, Resolved, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { formatRounded } from './format';
import { linearError } from './reference-fits';
import { sampleTrainingSplit } from './training-sample';
import { dataWarning } from './warnings';

/** With fewer samples, such columns come about by chance. */
const MIN_SAMPLES = 20;
/** A linear fit that explains more of the targets has found what they depend on. */
const MAX_EXPLAINED = 0.5;

export const columnName = ({ dataset: { featureNames } }: CompiledRun, column: number): string =>
  featureNames?.[column] ?? `input ${column + 1}`;

function targetName({ spec }: Resolved): string {
  const { target } = spec.data.options as { readonly target?: unknown };
  return typeof target === 'string' ? `The target ${target}` : 'The target';
}

/** An id column numbers the samples: distinct whole numbers without gaps, unrelated to the inputs. */
export const targetIsId: SpecRule = {
  id: 'target-is-id',
  summary: 'The targets are distinct consecutive whole numbers that do not follow from the inputs.',
  threshold: {
    value: MAX_EXPLAINED,
    quantity: 'share of the variance of the targets that a linear fit explains',
    source: 'a number that counts rows is independent of them: a fit explains about columns / samples of it',
  },
  checkData(resolved, run, threshold) {
    const { targets, targetSize } = run.dataset;
    if (run.labels !== null || targetSize !== 1 || targets.length < MIN_SAMPLES) return [];
    const distinct = new Set<number>(targets);
    let [low, high] = [Infinity, -Infinity];
    for (const value of targets) [low, high] = [Math.min(low, value), Math.max(high, value)];
    if (distinct.size < targets.length || high - low !== targets.length - 1) return [];
    if (!targets.every(Number.isInteger)) return [];
    const sample = sampleTrainingSplit(run);
    const mean = sample.targets.reduce((sum, value) => sum + value, 0) / sample.samples;
    const variance = sample.targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sample.samples;
    const error = linearError(sample, true);
    if (error === null || 1 - error / variance > threshold) return [];
    return [
      dataWarning(
        resolved,
        'target-is-id',
        `${targetName(resolved)} is a running number: each whole number from ${low} to ${high} occurs once, and it hardly follows from the inputs. A network cannot predict it.`,
        'Choose the column that is to be predicted as the target.',
      ),
    ];
  },
};

/** A target that is an input as well needs no learning, and such a network is useless where the target is unknown. */
export const targetAmongInputs: SpecRule = {
  id: 'target-among-inputs',
  summary: 'An input column equals the target, up to its scale and offset.',
  threshold: {
    value: 1 - 1e-6,
    quantity: 'absolute correlation of an input column with the target',
    source: 'Kaufman, Rosset, Perlich, "Leakage in data mining", 2012; the rest is rounding',
  },
  checkData(resolved, run, threshold) {
    if (run.dataset.inputShape.length > 1 || run.targetWidth !== 1) return [];
    const { inputs, targets, width, samples } = sampleTrainingSplit(run);
    if (width < 2 || samples < MIN_SAMPLES) return [];
    // What follows from one column among few samples with few values may be the task.
    if (new Set(targets).size < MIN_SAMPLES / 2) return [];
    const columns = Array.from({ length: width }, (_, j) => j).filter(
      (j) => Math.abs(correlation(inputs, j, width, targets)) > threshold,
    );
    if (columns.length === 0) return [];
    const names = columns.map((j) => columnName(run, j)).join(', ');
    return [
      dataWarning(
        resolved,
        'target-among-inputs',
        `${targetName(resolved)} is among the inputs: ${names} ${columns.length === 1 ? 'equals' : 'equal'} it, up to scale and offset. The network only copies it.`,
        `Leave ${names} out of the inputs.`,
        leaveOut(resolved, run, columns),
      ),
    ];
  },
};

/** Columns that are named in the spec, or written in it; undefined where they are in a file of arrays. */
function leaveOut({ spec }: Resolved, run: CompiledRun, columns: readonly number[]): QuickFix | undefined {
  const { inputs } = spec.data.options as { readonly inputs?: unknown };
  const { featureNames } = run.dataset;
  const isKept = (_: unknown, column: number): boolean => !columns.includes(column);
  const rows = Array.isArray(inputs) && inputs.every((row): row is unknown[] => Array.isArray(row)) ? inputs : null;
  const names = featureNames?.filter(isKept);
  if (!rows && (!names || (inputs !== undefined && !Array.isArray(inputs)))) return undefined;
  return {
    title: `Leave ${columns.map((column) => columnName(run, column)).join(', ')} out`,
    changes: [
      { path: ['data', 'inputs'], value: rows ? rows.map((row) => row.filter(isKept)) : names },
      ...(rows && names && spec.source.has(['data', 'feature_names'])
        ? [{ path: ['data', 'feature_names'], value: names }]
        : []),
    ],
  };
}

function correlation(inputs: Float64Array, column: number, width: number, targets: Float64Array): number {
  const { length } = targets;
  let [x, y] = [0, 0];
  for (let i = 0; i < length; i++) {
    x += inputs[i * width + column]! / length;
    y += targets[i]! / length;
  }
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [a, b] = [inputs[i * width + column]! - x, targets[i]! - y];
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}

/** More numbers are not searched while the user types. */
const MAX_SEARCHED = 5e6;

export interface Outlier {
  /** Index of the sample in the data. */
  readonly sample: number;
  readonly column: number;
  readonly value: number;
  /** The median of its column. */
  readonly median: number;
  readonly deviation: number;
}

/**
 * Training inputs further from the median of their column than this many median absolute deviations, one for each
 * column.
 */
export function findOutliers(run: CompiledRun, threshold: number): Outlier[] {
  const { dataset, split } = run;
  const { inputs, width, samples } = sampleTrainingSplit(run);
  if (dataset.inputShape.length > 1 || samples < MIN_SAMPLES || numel([split.train.length, width]) > MAX_SEARCHED)
    return [];
  return Array.from({ length: width }, (_, column): Outlier | undefined => {
    const values = Array.from({ length: samples }, (_value, i) => inputs[i * width + column]!);
    const median = middle(values);
    const deviation = middle(values.map((value) => Math.abs(value - median)));
    if (deviation === 0) return undefined;
    const distance = (sample: number): number => Math.abs(dataset.inputs[sample * width + column]! - median);
    const worst = split.train.reduce((a, b) => (distance(b) > distance(a) ? b : a), split.train[0]!);
    if (!(distance(worst) > threshold * deviation)) return undefined;
    return { sample: worst, column, value: dataset.inputs[worst * width + column]!, median, deviation };
  }).filter((each) => each !== undefined);
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** The scale of a column with such a value is that of the value alone. */
export const OUTLIER_DEVIATIONS = 1e4;

export const outlier: SpecRule = {
  id: 'outlier',
  summary: 'An input is orders of magnitude away from all others of its column.',
  threshold: {
    value: OUTLIER_DEVIATIONS,
    quantity: 'distance from the median of the column, in median absolute deviations',
    source: 'Leys et al., "Detecting outliers", 2013: 3 is usual; here only what no heavy tail explains',
  },
  checkData(resolved, run, threshold) {
    const [first] = findOutliers(run, threshold);
    if (!first) return [];
    const { sample, column, value, median, deviation } = first;
    return [
      dataWarning(
        resolved,
        'outlier',
        `${columnName(run, column)} of sample ${sample} (the first is 0) is an outlier: ${formatRounded(value, 3)}, and this column is usually around ${formatRounded(median, 3)} ± ${formatRounded(deviation, 2)}. It outweighs all other samples, and its activations and gradients may overflow.`,
        'Correct this value in the data, or leave the sample out. It may stand for a missing value.',
      ),
    ];
  },
};

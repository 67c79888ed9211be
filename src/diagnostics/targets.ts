// Targets that are not what the loss takes them for: class numbers taken as values, or values that do not follow from
// the inputs.
import type { CompiledRun, Resolved, SpecRule } from '../model-spec';
import type { Problem, QuickFix, SpecChange } from '../protocol/problem';
import { lastLayerOf, setUnits, valueAt } from './quick-fixes';
import { linearAccuracy, linearError, nearestNeighbor, orderedAccuracy, standardizeColumns } from './reference-fits';
import { sampleTrainingSplit } from './training-sample';
import { formatPercent, formatRounded } from './format';
import { dataWarning, lastEffectiveLayer } from './warnings';

/** With two classes, 0 and 1 are as good as values. */
const MIN_CLASSES = 3;
const MAX_CLASSES = 20;
/** Counts and grades are common in the middle and rare at their ends; classes are often about as frequent. */
const MIN_BALANCE = 0.4;
const SAMPLES_PER_CLASS = 8;
/** More codes are rarely told apart by a linear fit. */
const MAX_CODES = 10;

/** Class numbers have no order: between 0 and 2 there is nothing of class 1. */
export const classesAsValues: SpecRule = {
  id: 'classes-as-values',
  summary: 'The targets are a few whole numbers from 0 or 1 on, as frequent as classes, under a loss for values.',
  threshold: {
    value: MIN_BALANCE,
    quantity: 'frequency of the rarest number, as a share of the mean one',
    source: 'Bishop, "Pattern recognition and machine learning", 2006, section 4.1.3: least squares for classification',
  },
  checkData(resolved, run, threshold) {
    if (run.labels !== null || run.targetWidth !== 1 || run.dataset.inputShape.length > 1) return [];
    const { targets } = run.dataset;
    const counts = new Map<number, number>();
    for (const value of targets) {
      if (!Number.isInteger(value) || counts.size > MAX_CLASSES) return [];
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const [count, low] = [counts.size, Math.min(...counts.keys())];
    if (count < MIN_CLASSES || count > MAX_CLASSES || targets.length < SAMPLES_PER_CLASS * count) return [];
    const isCounted = (low === 0 || low === 1) && Math.max(...counts.keys()) === low + count - 1;
    const isBalanced = Math.min(...counts.values()) >= (threshold * targets.length) / count;
    if (!isCounted || !isBalanced) return classCodes(resolved, run, [...counts.keys()]);
    const fix = useClasses(resolved, count);
    return [
      dataWarning(
        resolved,
        'classes-as-values',
        `The targets are the whole numbers ${low} … ${low + count - 1}, about equally often, and look like ${count} classes, but ${resolved.spec.loss.type} takes them as values: it treats class ${low + 1} as halfway between ${low} and ${low + 2}.`,
        `Read them as classes, with ${count} outputs and the loss "cross_entropy". If they are quantities, silence this rule.`,
        fix,
      ),
    ];
  },
};

/** Of the samples, that a linear fit of classes gets right beyond one of values. */
const MORE_AS_CLASSES = 0.15;
const MIN_AS_CLASSES = 0.7;

/** Other whole numbers are codes of classes if a linear fit tells them apart, but not by their size. */
function classCodes(resolved: Resolved, run: CompiledRun, codes: readonly number[]): Problem[] {
  if (codes.length > MAX_CODES) return [];
  const sample = sampleTrainingSplit(run);
  const distinct = codes.toSorted((a, b) => a - b);
  const classes = Int32Array.from(sample.targets, (value) => distinct.indexOf(value));
  if (classes.includes(-1)) return [];
  const asClasses = linearAccuracy(sample, classes, distinct.length);
  // Grades with uneven steps are values as well.
  const asValues = Math.max(
    orderedAccuracy(sample),
    orderedAccuracy({ ...sample, targets: Float64Array.from(classes) }),
  );
  if (!(asClasses > Math.max(MIN_AS_CLASSES, asValues + MORE_AS_CLASSES))) return [];
  return [
    dataWarning(
      resolved,
      'classes-as-values',
      `The targets are only the numbers ${distinct.join(', ')}, and look like codes of ${distinct.length} classes, but ${resolved.spec.loss.type} takes them as values: a linear fit of classes is right for ${formatPercent(Number(asClasses.toFixed(2)))} of the samples, one of values for ${formatPercent(Number(asValues.toFixed(2)))}.`,
      `Read them as classes, with ${distinct.length} outputs and the loss "cross_entropy". If they are quantities, silence this rule.`,
      useClasses(resolved, distinct.length),
    ),
  ];
}

/** Reads the targets as classes; undefined where they are in a file that has no such option. */
function useClasses(resolved: Resolved, count: number): QuickFix | undefined {
  const { spec } = resolved;
  const written = valueAt(spec.source.value, ['data']);
  if (typeof written !== 'object' || written === null) return undefined;
  const data = written as Readonly<Record<string, unknown>>;
  const readAsClasses: SpecChange[] =
    'targets' in data
      ? [{ path: ['data', 'targets'] }, { path: ['data', 'labels'], value: data.targets }]
      : 'path' in data
        ? [{ path: ['data', 'task'], value: 'classes' }]
        : [];
  const units = lastLayerOf(resolved);
  if (readAsClasses.length === 0 || !units) return undefined;
  const last = lastEffectiveLayer(resolved);
  // An activation on the output bounds the logits.
  const activation = last && last.index > units.index ? [{ path: spec.layers[last.index]!.path }] : [];
  return {
    title: 'Read the targets as classes',
    changes: [
      ...activation,
      ...readAsClasses,
      setUnits(spec, units, count),
      { path: ['loss'], value: 'cross_entropy' },
    ],
  };
}

/** With more samples for each, its probability can be learned. */
const FEW_PER_CLASS = 12;
/** As many numbers are no grades. */
const MIN_NUMBERS = 15;

/** Neither the order of numbers nor the distances between them are seen by a loss of classes. */
export const valuesAsClasses: SpecRule = {
  id: 'values-as-classes',
  summary: 'The classes are many numbers, each with few samples, that follow from the inputs as values.',
  threshold: {
    value: 0.3,
    quantity: 'share of the variance of the numbers that a linear fit explains',
    source: 'Bishop, "Pattern recognition and machine learning", 2006, section 1.1: regression for continuous targets',
  },
  checkData(resolved, run, threshold) {
    const { classes, targets, inputShape } = run.dataset;
    if (!classes || !run.labels || run.dataset.targetSize !== 1 || inputShape.length > 1) return [];
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const numbers = classes.map((name) => (name.trim() === '' ? NaN : Number(name)));
    const count = numbers.length;
    if (count < MIN_NUMBERS || !numbers.every(Number.isFinite) || targets.length > FEW_PER_CLASS * count) return [];
    const sample = sampleTrainingSplit(run);
    if (sample.samples < MIN_SAMPLES || !sample.classes || sample.width > sample.samples / 4) return [];
    const values = Float64Array.from(sample.classes, (index) => numbers[index]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const error = linearError({ ...sample, targets: values, targetWidth: 1 }, true);
    if (error === null || !(1 - error / variance > threshold)) return [];
    return [
      dataWarning(
        resolved,
        'values-as-classes',
        `The classes are ${count} different numbers with ${formatRounded(targets.length / count, 2)} samples each, and a linear fit of the numbers explains ${formatPercent(Number((1 - error / variance).toFixed(2)))} of their variance: they are quantities, but ${resolved.spec.loss.type} treats neighboring ones as different as any two.`,
        'Read them as values, with one output and the loss "mse". If they are classes, silence this rule.',
        useValues(resolved),
      ),
    ];
  },
};

/** Reads the targets as values; undefined where they are in a file that has no such option. */
function useValues(resolved: Resolved): QuickFix | undefined {
  const { spec } = resolved;
  const written = valueAt(spec.source.value, ['data']);
  if (typeof written !== 'object' || written === null) return undefined;
  const data = written as Readonly<Record<string, unknown>>;
  const read: SpecChange[] =
    'labels' in data
      ? [{ path: ['data', 'labels'] }, { path: ['data', 'targets'], value: data.labels }]
      : 'path' in data
        ? [{ path: ['data', 'task'], value: 'values' }]
        : [];
  const units = lastLayerOf(resolved);
  if (read.length === 0 || !units) return undefined;
  const last = lastEffectiveLayer(resolved);
  return {
    title: 'Read the targets as values',
    changes: [
      ...(last && last.index > units.index ? [{ path: spec.layers[last.index]!.path }] : []),
      ...read,
      ...('classes' in data ? [{ path: ['data', 'classes'] }] : []),
      setUnits(spec, units, 1),
      { path: ['loss'], value: 'mse' },
    ],
  };
}

/** With more columns, neighbors say little. */
const MAX_COLUMNS = 12;
const MIN_SAMPLES = 80;
const MAX_NEIGHBORS = 400;

/** If values follow from the inputs, similar samples have similar targets, or a linear fit finds them. */
export const unrelatedTargets: SpecRule = {
  id: 'unrelated-targets',
  summary: 'Neither the nearest neighbor nor a linear fit says anything of the target of a training sample.',
  threshold: {
    value: 3,
    quantity: 'standard errors of the correlation between the targets of neighbors',
    source: 'Fisher, "Statistical methods for research workers", 1925: beyond 3, chance is one in 700',
  },
  checkData(resolved, run, threshold) {
    const sample = sampleTrainingSplit(run);
    const { samples, width, targetWidth, targets } = sample;
    if (run.labels !== null || targetWidth !== 1 || run.dataset.inputShape.length > 1) return [];
    if (samples < MIN_SAMPLES || width > MAX_COLUMNS) return [];
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const mean = targets.reduce((sum, value) => sum + value, 0) / samples;
    const variance = targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples;
    const correlation = neighborCorrelation(run, mean, variance);
    const error = linearError(sample, true);
    if (variance === 0 || error === null || !(correlation < threshold / Math.sqrt(Math.min(samples, MAX_NEIGHBORS))))
      return [];
    // A fit to noise explains columns / samples of it.
    const explained = 1 - error / variance;
    const byChance = (width + threshold * Math.sqrt(2 * width)) / samples;
    if (explained > byChance) return [];
    return [
      dataWarning(
        resolved,
        'unrelated-targets',
        `The targets hardly follow from the inputs: the most similar samples have targets as different as any two (correlation ${Number(correlation.toFixed(2))}), and a linear fit explains ${formatPercent(Math.max(0, Number(explained.toFixed(3))))} of their variance. A network can only memorize them.`,
        'Check that targets and inputs were not shuffled apart or shifted by a row, and that the target column is the right one.',
      ),
    ];
  },
};

/** The correlation between the targets of samples and those of their nearest neighbors. */
function neighborCorrelation(run: CompiledRun, mean: number, variance: number): number {
  const { inputs, width, samples, targets } = sampleTrainingSplit(run);
  const scaled = standardizeColumns(inputs, width, samples);
  const count = Math.min(MAX_NEIGHBORS, samples);
  let sum = 0;
  for (let n = 0; n < count; n++) {
    const i = Math.floor((n * samples) / count);
    const { nearest } = nearestNeighbor(scaled, width, samples, i);
    sum += (targets[i]! - mean) * (targets[nearest]! - mean);
  }
  return sum / count / variance;
}

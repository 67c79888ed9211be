// Targets that are not what the loss takes them for: class numbers taken as values, or values that do not follow from
// the inputs.
import type { CompiledRun, Resolved, SpecRule } from '../model-spec';
import type { QuickFix, SpecChange } from '../protocol/problem';
import { lastLayerOf, setUnits, valueAt } from './quick-fixes';
import { linearError, nearestNeighbor, standardizeColumns } from './reference-fits';
import { sampleTrainingSplit } from './training-sample';
import { formatPercent } from './format';
import { dataWarning, lastEffectiveLayer } from './warnings';

/** With two classes, 0 and 1 are as good as values. */
const MIN_CLASSES = 3;
const MAX_CLASSES = 20;
/** Counts and grades are common in the middle and rare at their ends; classes are often about as frequent. */
const MIN_BALANCE = 0.4;
const SAMPLES_PER_CLASS = 8;

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
    const isCounted = (low === 0 || low === 1) && Math.max(...counts.keys()) === low + count - 1;
    if (!isCounted || count < MIN_CLASSES || count > MAX_CLASSES || targets.length < SAMPLES_PER_CLASS * count)
      return [];
    if (Math.min(...counts.values()) < (threshold * targets.length) / count) return [];
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

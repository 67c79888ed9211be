// Options of a loss about classes that take the wrong ones away, or leave padding in.
import { countClasses } from '../engine/datasets/count-classes';
import type { CompiledRun, SpecRule } from '../model-spec';
import { formatPercent, formatRounded } from './format';
import { resetOption, setOption } from './quick-fixes';
import { lossWarning, warningAt } from './warnings';

const optionsOf = ({ model: { loss } }: Pick<CompiledRun, 'model'>) =>
  loss.options as { readonly weight?: readonly number[]; readonly ignore_index?: number };

/** A class counts as often as it occurs, times its weight. */
export const weightlessClass: SpecRule = {
  id: 'weightless-class',
  summary: 'The class weights of the loss leave a class almost no say.',
  threshold: {
    value: 0.05,
    quantity: 'weight of a class, divided by the mean weight of all samples',
    source: 'King, Zeng, "Logistic regression in rare events data", 2001: weights in inverse proportion to frequency',
  },
  checkData(resolved, run, threshold) {
    const { weight } = optionsOf(run);
    const counts = countClasses(run, run.split.train);
    if (!weight || !counts || !run.labels) return [];
    const samples = counts.reduce((sum, count) => sum + count, 0);
    const mean = counts.reduce((sum, count, i) => sum + (count * (weight[i] ?? 0)) / samples, 0);
    const light = counts.flatMap((count, i) => (count > 0 && (weight[i] ?? 0) < threshold * mean ? [i] : []));
    if (light.length === 0) return [];
    const names = light.map((i) => run.labels![i]).join(', ');
    const largest = weight.indexOf(Math.max(...weight));
    return [
      warningAt(
        resolved,
        ['loss', 'weight'],
        'weightless-class',
        `The class weights leave ${names} almost no say: a sample of ${run.labels[light[0]!]} counts ${formatRounded((weight[light[0]!] ?? 0) / mean, 2)} times as much as a mean one, and ${run.labels[largest]} has the weight ${weight[largest]}.`,
        'Remove "weight", or use weights in inverse proportion to how frequent the classes are.',
        resetOption('Weigh all samples alike', ['loss', 'weight']),
      ),
    ];
  },
};

/** Of all targets; padding and background are ignored for a reason. */
const MIN_IGNORED = 0.02;

/** How often a class occurs in a row of targets, and how often the next one is of the same class. */
function runsOf({ dataset, split: { train } }: CompiledRun, index: number) {
  const { targets, targetSize } = dataset;
  let [count, repeated, total, atEnd] = [0, 0, 0, 0];
  for (const sample of train)
    for (let t = 0; t < targetSize; t++) {
      total++;
      if (targets[sample * targetSize + t] !== index) continue;
      count++;
      if (t === targetSize - 1) atEnd++;
      else if (targets[sample * targetSize + t + 1] === index) repeated++;
    }
  return { share: count / Math.max(1, total), repeated: repeated / Math.max(1, count - atEnd) };
}

export const ignoredClass: SpecRule = {
  id: 'ignored-class',
  summary: 'The loss ignores a class that samples have.',
  threshold: {
    value: MIN_IGNORED,
    quantity: 'share of the targets that are ignored, where each sample has one',
    source: 'PyTorch, torch.nn.CrossEntropyLoss: ignore_index is a target value that is no class',
  },
  checkData(resolved, run, threshold) {
    const { ignore_index: index } = optionsOf(run);
    if (index === undefined || !run.labels) return [];
    const { share, repeated } = runsOf(run, index);
    // What fills up sequences comes in runs.
    if (share <= threshold || (run.dataset.targetSize > 1 && repeated > MIN_REPEATED)) return [];
    return [
      warningAt(
        resolved,
        ['loss', 'ignore_index'],
        'ignored-class',
        `ignore_index ${index} is the class ${run.labels[index] ?? index}, which ${formatPercent(Number(share.toPrecision(2)))} of the targets have: the network never learns to predict it.`,
        'Remove "ignore_index", which is for targets that are no class, such as padding.',
        resetOption('Remove ignore_index', ['loss', 'ignore_index']),
      ),
    ];
  },
};

/** A token that repeats itself this often fills up what is left of a sequence. */
const MIN_REPEATED = 0.8;

/** Predicting the padding is easy, and what matters is a small part of the loss. */
export const paddingCounted: SpecRule = {
  id: 'padding-counted',
  summary: 'Most targets of sequences are one class in long runs, as padding is, and the loss counts them.',
  threshold: {
    value: 0.35,
    quantity: 'share of the targets of the class that is repeated',
    source: 'PyTorch, torch.nn.CrossEntropyLoss: ignore_index, for padding',
  },
  checkData(resolved, run, threshold) {
    const { dataset, labels, split } = run;
    const { definition } = run.model.loss;
    if (!labels || dataset.targetSize < 4 || optionsOf(run).ignore_index !== undefined || !definition.atPositions)
      return [];
    const counts = countClasses(run, split.train);
    if (!counts || counts.filter((count) => count > 0).length < 3) return [];
    const index = counts.indexOf(Math.max(...counts));
    const { share, repeated } = runsOf(run, index);
    if (share < threshold || repeated < MIN_REPEATED) return [];
    return [
      lossWarning(
        resolved,
        'padding-counted',
        `${formatPercent(Number(share.toPrecision(2)))} of the targets are ${JSON.stringify(labels[index])}, mostly one after the other: this looks like padding, and the loss counts it. The network is right for most targets by predicting padding, and the accuracy hides the others.`,
        `Set "ignore_index": ${index} in the loss.`,
        {
          title: `Ignore ${JSON.stringify(labels[index])} in the loss`,
          changes: [setOption(resolved.spec, ['loss'], definition.kind, 'ignore_index', index)],
        },
      ),
    ];
  },
};

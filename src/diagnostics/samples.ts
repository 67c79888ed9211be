// Samples that are in two splits, and classes that are written in two ways or never occur.
import { numel } from '../engine/kernels/tensor';
import { countClasses } from '../engine/datasets/count-classes';
import type { CompiledRun, SpecRule } from '../model-spec';
import { formatPercent } from './format';
import { dataWarning } from './warnings';

/** More numbers are not compared while the user types. */
const MAX_COMPARED = 1e6;
const MIN_HELD_OUT = 10;
/** With fewer possible inputs for each sample, equal ones come about by chance. */
const POSSIBLE_INPUTS = 20;

/** How many inputs the values that occur in each column could form; enough is enough. */
function possibleInputs({ dataset: { inputs, inputShape } }: CompiledRun, enough: number): number {
  const width = numel(inputShape);
  let product = 1;
  for (let j = 0; j < width && product < enough; j++) {
    const distinct = new Set<number>();
    for (let at = j; at < inputs.length && distinct.size < enough; at += width) distinct.add(inputs[at]!);
    product *= distinct.size;
  }
  return product;
}

/** A network that has seen a sample in training need not understand it. */
export const leakedSamples: SpecRule = {
  id: 'leaked-samples',
  summary: 'Many held-out samples have the same input as a training sample.',
  threshold: {
    value: 0.2,
    quantity: 'share of the validation or test samples',
    source: 'Kaufman, Rosset, Perlich, "Leakage in data mining", 2012',
  },
  checkData(resolved, run, threshold) {
    const { inputs, inputShape, samples } = run.dataset;
    const width = numel(inputShape);
    const { train, validation, test } = run.split;
    const heldOut = [...validation, ...test];
    if (heldOut.length < MIN_HELD_OUT || inputs.length > MAX_COMPARED) return [];
    // A text repeats itself.
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const keyOf = (sample: number): string => inputs.subarray(sample * width, (sample + 1) * width).join();
    const seen = new Set(Array.from(train, keyOf));
    const share = heldOut.filter((sample) => seen.has(keyOf(sample))).length / heldOut.length;
    const enough = POSSIBLE_INPUTS * samples;
    if (!(share > threshold) || possibleInputs(run, enough) < enough) return [];
    return [
      dataWarning(
        resolved,
        'leaked-samples',
        `${formatPercent(Number(share.toFixed(2)))} of the held-out samples have the same input as a training sample: the validation loss and accuracy measure what the network has memorized.`,
        'Remove repeated rows from the data before it is split.',
      ),
    ];
  },
};

/** More classes are rarely written by hand. */
const MAX_LISTED_CLASSES = 50;
const MIN_SAMPLES = 30;

export const classNames: SpecRule = {
  id: 'class-names',
  codes: ['class-spelling', 'absent-class'],
  summary: 'A class is written in two ways, or has no training sample.',
  checkData(resolved, run) {
    const { labels, dataset, split } = run;
    if (!labels || labels.length > MAX_LISTED_CLASSES || dataset.targetSize > 1) return [];
    const normalized = labels.map((name) => name.trim().toLowerCase());
    const first = normalized.findIndex((name, i) => normalized.indexOf(name) < i);
    const twice = labels.filter((_, i) => normalized[i] === normalized[first]);
    if (first >= 0)
      return [
        dataWarning(
          resolved,
          'class-spelling',
          `${twice.map((name) => JSON.stringify(name)).join(' and ')} are taken as different classes, but look like one that is written in different ways.`,
          'Write each class in one way in the data.',
        ),
      ];
    const counts = countClasses(run, split.train);
    const absent = labels.filter((_, i) => counts?.[i] === 0);
    if (absent.length === 0 || split.train.length < MIN_SAMPLES) return [];
    return [
      dataWarning(
        resolved,
        'absent-class',
        `No training sample has the class ${absent.join(', ')}: the network cannot learn it. If classes are numbered from 1, the one of 0 is none.`,
        'Check "classes" and the labels, or use samples of all classes.',
      ),
    ];
  },
};

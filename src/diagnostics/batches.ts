// How samples come to the network: their order, their number of steps, and what an augmentation leaves of them.
import { pluralize } from '../engine/format-count';
import { augmentations } from '../engine/augmentations';
import type { AugmentationDefinition } from '../engine/augmentations/augmentation';
import type { CompiledRun, SpecRule } from '../model-spec';
import { formatPercent } from './format';
import { setOption } from './quick-fixes';
import { hasHiddenLayer, warningAt } from './warnings';

/** Smaller batches often have one class, or similar targets, by chance. */
const MIN_BATCH = 4;

/** Batches of similar targets pull the network one way, and later ones another. */
export const sortedSamples: SpecRule = {
  id: 'sorted-samples',
  codes: ['sorted-classes', 'sorted-targets'],
  summary: 'Samples are not shuffled, and the targets of a batch are much more alike than those of all samples.',
  threshold: {
    value: 0.5,
    quantity: 'share of the variance of the targets, or of their classes, that lies between batches, beyond chance',
    source:
      'LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.2: shuffle; measured as the intraclass correlation of Fisher, 1925',
  },
  checkData(resolved, run, threshold) {
    const { spec } = resolved;
    const { train } = run.split;
    const batches = Math.ceil(train.length / run.batchSize);
    if (run.dataset.targetSize > 1 || spec.shuffle || batches < 2 || run.batchSize < MIN_BATCH) return [];
    const share = shareBetweenBatches(run);
    if (!(share > threshold)) return [];
    const code = run.labels ? 'sorted-classes' : 'sorted-targets';
    return [
      warningAt(
        resolved,
        ['shuffle'],
        code,
        `The samples are sorted by ${run.labels ? 'class' : 'their targets'} and not shuffled: ${formatPercent(Number(share.toFixed(2)))} of what tells ${run.labels ? 'classes' : 'targets'} apart lies between the ${batches} batches, so each undoes what others taught.`,
        'Remove "shuffle": false.',
        { title: 'Shuffle the samples', changes: [{ path: ['shuffle'] }] },
      ),
    ];
  },
};

/** The intraclass correlation of the targets in batches: 0 by chance, 1 where each batch has one target. */
function shareBetweenBatches({ dataset, labels, split: { train }, batchSize }: CompiledRun): number {
  const valueOf = (sample: number): number => dataset.targets[sample]!;
  const indicators = labels
    ? labels.map((_, index) => (sample: number) => Number(valueOf(sample) === index))
    : [valueOf];
  let [between, within] = [0, 0];
  const batches = Math.ceil(train.length / batchSize);
  for (const indicator of indicators) {
    const mean = average(train, indicator);
    for (let from = 0; from < train.length; from += batchSize) {
      const batch = train.subarray(from, from + batchSize);
      const own = average(batch, indicator);
      between += (batch.length * (own - mean) ** 2) / (batches - 1);
      for (const sample of batch) within += (indicator(sample) - own) ** 2 / Math.max(1, train.length - batches);
    }
  }
  const total = between + (batchSize - 1) * within;
  return total > 0 ? (between - within) / total : 0;
}

const average = (samples: Uint32Array, valueOf: (sample: number) => number): number =>
  samples.reduce((sum, sample) => sum + valueOf(sample), 0) / samples.length;

/** Steps that a run gets from the fix. */
const USUAL_STEPS = 500;
const USUAL_BATCH = 16;

export const fewSteps: SpecRule = {
  id: 'few-steps',
  summary: 'The run ends after a few steps.',
  threshold: {
    value: 10,
    quantity: 'steps of the run',
    source: 'Kingma, Ba, "Adam", 2015, figures 1 to 3: thousands of steps; in 10, a weight moves by 10 · lr at most',
  },
  checkData(resolved, run, threshold) {
    const { length } = run.split.train;
    const steps = run.epochs * Math.ceil(length / run.batchSize);
    if (steps >= threshold || !hasHiddenLayer(resolved)) return [];
    const isFull = run.batchSize >= length && length >= 2 * USUAL_BATCH;
    const batchSize = isFull ? USUAL_BATCH : run.batchSize;
    const epochs = Math.ceil(USUAL_STEPS / Math.ceil(length / batchSize));
    return [
      warningAt(
        resolved,
        ['epochs'],
        'few-steps',
        `The run has only ${pluralize(steps, 'step')}: ${pluralize(run.epochs, 'epoch')} with ${pluralize(steps / run.epochs, 'batch', 'batches')} each. Weights hardly move from where they start.`,
        `Train for longer, such as ${isFull ? `${epochs} epochs with a batch_size of ${batchSize}` : `${epochs} epochs`}.`,
        {
          title: `Train for ${epochs} epochs${isFull ? ` with batches of ${batchSize}` : ''}`,
          changes: [
            { path: ['epochs'], value: epochs },
            ...(isFull ? [{ path: ['batch_size'], value: batchSize }] : []),
          ],
        },
      ),
    ];
  },
};

export const strongAugmentation: SpecRule = {
  id: 'strong-augmentation',
  summary: 'An augmentation removes most of each image.',
  threshold: {
    value: 0.5,
    quantity: 'share of an image that is lost on average',
    source: 'He et al., "Deep residual learning for image recognition", 2016, section 4.2: 4 pixels of 32, 13 %',
  },
  check(resolved, threshold) {
    const { spec, model } = resolved;
    const [width = 1, height = 1] = model.inputShape.toReversed();
    return spec.augment.flatMap(({ type, options }, i) => {
      const definition = augmentations[type] as AugmentationDefinition;
      const lost = definition.lostShare?.(options, height, width) ?? 0;
      const usual = definition.usualOptions?.(height, width);
      if (lost <= threshold) return [];
      const [option, value] = Object.entries((usual ?? {}) as Readonly<Record<string, unknown>>)[0] ?? [];
      return warningAt(
        resolved,
        ['augment', i],
        'strong-augmentation',
        `${type} removes ${formatPercent(Number(lost.toPrecision(2)))} of each image of ${height} × ${width} pixels on average: the network hardly sees what it is to learn.`,
        option === undefined ? `Remove ${type}.` : `Lower "${option}", for example to ${String(value)}.`,
        option === undefined
          ? { title: `Remove ${type}`, changes: [{ path: ['augment', i] }] }
          : {
              title: `Set ${option} of ${type} to ${String(value)}`,
              changes: [setOption(spec, ['augment', i], type, option, value)],
            },
      );
    });
  },
};

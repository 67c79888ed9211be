// How samples come to the network: their order, their number of steps, and what an augmentation leaves of them.
import { pluralize } from '../engine/format-count';
import { augmentations } from '../engine/augmentations';
import type { AugmentationDefinition } from '../engine/augmentations/augmentation';
import type { SpecRule } from '../model-spec';
import { formatPercent } from './format';
import { setOption } from './quick-fixes';
import { hasHiddenLayer, warningAt } from './warnings';

/** Smaller batches often have one class by chance. */
const MIN_BATCH = 4;

/** A batch of one class pulls the network to that class, and the next one away from it. */
export const sortedClasses: SpecRule = {
  id: 'sorted-classes',
  summary: 'Samples are not shuffled, and most batches have a single class.',
  threshold: {
    value: 0.5,
    quantity: 'share of the batches with a single class',
    source: 'LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.2: shuffle the samples',
  },
  checkData(resolved, run, threshold) {
    const { spec } = resolved;
    const { train } = run.split;
    const batches = Math.ceil(train.length / run.batchSize);
    if (!run.labels || run.dataset.targetSize > 1 || spec.shuffle || batches < 2 || run.batchSize < MIN_BATCH)
      return [];
    const classOf = (sample: number): number => run.dataset.targets[sample]!;
    if (train.every((sample) => classOf(sample) === classOf(train[0]!))) return [];
    let single = 0;
    for (let from = 0; from < train.length; from += run.batchSize) {
      const batch = train.subarray(from, from + run.batchSize);
      if (batch.every((sample) => classOf(sample) === classOf(batch[0]!))) single++;
    }
    if (!(single > threshold * batches)) return [];
    return [
      warningAt(
        resolved,
        ['shuffle'],
        'sorted-classes',
        `The samples are sorted by class and not shuffled: ${single} of ${batches} batches have a single class, so each undoes what others taught.`,
        'Remove "shuffle": false.',
        { title: 'Shuffle the samples', changes: [{ path: ['shuffle'] }] },
      ),
    ];
  },
};

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

// What a run comes to: a loss that grows or stays, a network that ignores its input, and splits that disagree.
import { formatCompact, formatNumber, formatPercent } from '../../presentation/numbers';
import { setLearningRate, setOption } from '../quick-fixes';
import { weightNormsOf } from '../../presentation/weight-stats';
import { countClasses } from '../../engine/datasets/count-classes';
import { median, recentLosses } from './progress';
import type { Observation, PastEvaluation, RunRule } from './run-rule';

export const diverging: RunRule = {
  id: 'diverging',
  isFailure: true,
  summary: 'The loss has grown to many times its first value.',
  threshold: {
    value: 5,
    quantity: 'median of the latest losses, divided by the first one',
    source: 'Smith, "Cyclical learning rates", 2017: a range test ends at 4 times the best loss',
  },
  persistence: 3,
  check(observation, threshold) {
    const { past, lr, baseLr, run } = observation;
    const first = past[0];
    if (!first || past.length < 3) return [];
    const now = median(recentLosses(observation, 5));
    if (!(now > threshold * Math.max(first.loss, 1e-3))) return [];
    const lower = Number((baseLr / 10).toPrecision(1));
    return [
      {
        layer: null,
        observation: `The loss diverges: it was ${formatNumber(first.loss)} at step ${first.step} and has grown to ${formatNumber(now)}.`,
        remedy: `Lower lr from ${formatCompact(lr)} to ${formatCompact(lower)}, or scale inputs and targets.`,
        ...(baseLr === run.optimizer.options.lr && { fix: (spec) => setLearningRate(spec, lower) }),
      },
    ];
  },
};

/** Weights below this part of their first norm have decayed. */
const DECAYED = 0.1;
/** A loss above this part of the first one has not been learned. */
const UNLEARNED = 0.5;

export const decayOutweighsLoss: RunRule = {
  id: 'decay-outweighs-loss',
  summary: 'Weight decay or a penalty has pulled the weights to 0, and the loss has hardly fallen.',
  persistence: 3,
  check(observation) {
    const { past, layers, run, model, loss, penalty } = observation;
    const { weight_decay: decay = 0 } = run.optimizer.options as { readonly weight_decay?: number };
    const first = past[0];
    const norms = weightNormsOf(model, layers);
    if (!first || (decay === 0 && !model.penalty) || loss - penalty < UNLEARNED * first.loss) return [];
    const hasDecayed = first.weightNorms.every((norm, layer) => (norms[layer] ?? 0) <= DECAYED * norm);
    if (!hasDecayed && penalty <= 2 * (loss - penalty)) return [];
    const name = decay > 0 ? 'weight_decay' : (model.penalty?.l2 ?? 0) > 0 ? 'l2' : 'l1';
    return [
      {
        layer: null,
        observation: hasDecayed
          ? `${name} has pulled all weights to less than a tenth of their first norm, and the loss is still ${formatNumber(loss)}.`
          : `The penalty of ${formatNumber(penalty)} outweighs the loss of ${formatNumber(loss - penalty)}, which hardly falls.`,
        remedy: `Lower "${name}" to 0.0001 … 0.01.`,
        fix: (spec) => ({
          title: `Set ${name} to 0.0001`,
          changes: [
            name === 'weight_decay'
              ? setOption(spec, ['optimizer'], spec.optimizer.type, name, 0.0001)
              : { path: ['penalty', name], value: 0.0001 },
          ],
        }),
      },
    ];
  },
};

/** Of fewer, all can be of one class by chance. */
const FEW_PREDICTIONS = 16;

export const onePrediction: RunRule = {
  id: 'predicts-one-class',
  isFailure: true,
  summary: 'The network predicts the same class for every training sample.',
  threshold: {
    value: 0.5,
    quantity: 'part of the run after which it is reported',
    source: 'a network starts with a nearly constant output',
  },
  persistence: 5,
  check(observation, threshold) {
    const { sample, step, model } = observation;
    const predicted = sample?.mostPredicted;
    if (!predicted || predicted.share < 1 || step < Math.max(MIN_STEPS, threshold * model.totalSteps)) return [];
    const share = classShares(observation)?.[predicted.index] ?? 0;
    // Where there is only one class it is right.
    if (share === 1) return [];
    // Samples that are not shuffled come in batches of one class.
    const latest = observation.evaluations.at(-1);
    const accuracy = latest?.evaluation.train?.accuracy ?? null;
    if (accuracy !== null && accuracy > share) return [];
    // A few predictions are often equal: then the whole split decides.
    if (predicted.count < FEW_PREDICTIONS && (accuracy === null || latest?.step === 0)) return [];
    const name = model.classes?.[predicted.index] ?? String(predicted.index);
    return [
      {
        layer: null,
        observation: `The network predicts the class ${name} for every sample. Its accuracy of ${formatPercent(share)} is the share of that class.`,
        remedy:
          share > 0.8
            ? 'Repeat samples of the rare classes, or leave out some of the frequent one. Compare the accuracy with that share.'
            : 'Check that inputs are scaled and that labels follow from them. Then try another learning rate or more units.',
      },
    ];
  },
};

/** The share of each class in the training split; null if the targets are values. */
const classShares = ({ run }: Observation): number[] | null =>
  countClasses(run, run.split.train)?.map((count) => count / run.split.train.length) ?? null;

export const worseInEvaluation: RunRule = {
  id: 'worse-in-evaluation',
  summary: 'In evaluation mode the loss of a batch is much larger than in training mode.',
  threshold: {
    value: 2,
    quantity: 'loss in evaluation mode, divided by the loss in training mode',
    source: 'Ioffe, Szegedy, 2015: running statistics follow those of the batches after some tens of steps',
  },
  persistence: 5,
  check({ model, sample, loss, penalty, step, run }, threshold) {
    const layer = run.model.layers.findIndex(({ definition }) => definition.buffers && definition.updateBuffers);
    const info = model.layers[layer];
    const training = loss - penalty;
    if (!info || !sample || step < 50 || !(sample.loss > threshold * training + 0.1)) return [];
    const { momentum } = run.model.layers[layer]?.options as { readonly momentum?: number };
    return [
      {
        layer,
        observation: `In evaluation mode the batch has the loss ${formatNumber(sample.loss)}, in training mode ${formatNumber(training)}: the running statistics of ${info.name} lag behind those of the batches.`,
        remedy: 'Raise the "momentum" of the running statistics, use a larger batch, or a lower learning rate.',
        ...(momentum !== undefined &&
          momentum < 0.1 && {
            fix: (spec) => ({
              title: `Set momentum of ${info.name} to 0.1`,
              changes: [setOption(spec, spec.layers[layer]!.path, info.kind, 'momentum', 0.1)],
            }),
          }),
      },
    ];
  },
};

const validationOf = ({ evaluation }: PastEvaluation) => evaluation.validation;

/** Zhang et al., "Understanding deep learning requires rethinking generalization", 2017. */
export const memorizing: RunRule = {
  id: 'memorizing',
  summary: 'The network is right on the training split and at chance on the validation split.',
  threshold: {
    value: 0.9,
    quantity: 'training accuracy',
    source: 'Zhang et al., "Understanding deep learning requires rethinking generalization", 2017: labels at random',
  },
  persistence: 2,
  check(observation, threshold) {
    const { evaluations, model } = observation;
    const latest = evaluations.at(-1);
    const { train, validation } = latest?.evaluation ?? {};
    if (!train || !validation || train.accuracy === null || validation.accuracy === null) return [];
    // Counting takes longer than this comparison.
    if (train.accuracy < threshold) return [];
    const chance = Math.max(...(classShares(observation) ?? []));
    const deviation = Math.sqrt((chance * (1 - chance)) / model.samples.validation);
    // Where one class dominates, its share is no proof of memory.
    if (train.accuracy < Math.max(threshold, (1 + chance) / 2) || validation.accuracy > chance + deviation) return [];
    return [
      {
        layer: null,
        observation: `The network has memorized the training samples: their accuracy is ${formatPercent(train.accuracy)}, that of the validation split ${formatPercent(validation.accuracy)}, and the largest class has ${formatPercent(chance)}.`,
        remedy: 'Check that labels and inputs belong together. If they do, the inputs do not determine the labels.',
      },
    ];
  },
};

/** Accuracy that overfitting costs at least. */
const MIN_ACCURACY_LOSS = 0.05;

export const overfitting: RunRule = {
  id: 'overfitting',
  summary: 'The validation loss has risen far above its minimum and above the training loss.',
  threshold: {
    value: 2,
    quantity: 'validation loss, divided by its minimum',
    source: 'Prechelt, "Early stopping – but when?", 1998: generalization loss, with a wide margin',
  },
  persistence: 3,
  check(observation, threshold) {
    const { evaluations } = observation;
    if (memorizing.check(observation, memorizing.threshold?.value ?? NaN).length > 0) return [];
    const losses = evaluations.flatMap((each) => {
      const loss = validationOf(each)?.loss;
      return loss === undefined ? [] : [{ step: each.step, loss }];
    });
    const latest = evaluations.at(-1)?.evaluation;
    const best = losses.reduce<(typeof losses)[number] | undefined>(
      (a, b) => (a && a.loss <= b.loss ? a : b),
      undefined,
    );
    const [train, validation] = [latest?.train?.loss, latest?.validation?.loss];
    if (!best || train === undefined || validation === undefined || losses.length < 5) return [];
    // Too sure of what it gets wrong, but not wrong more often.
    const accuracies = evaluations.flatMap((each) => validationOf(each)?.accuracy ?? []);
    const accuracy = latest?.validation?.accuracy ?? null;
    if (accuracy !== null && accuracy > Math.max(...accuracies) - MIN_ACCURACY_LOSS) return [];
    if (!(validation > threshold * best.loss) || !(validation > 2 * train) || !(best.loss > 0.01)) return [];
    return [
      {
        layer: null,
        observation: `The network overfits: the validation loss has risen from ${formatNumber(best.loss)} at step ${best.step} to ${formatNumber(validation)}, and the training loss is ${formatNumber(train)}.`,
        remedy: `Stop near step ${best.step}, or use more data, "dropout", "weight_decay" or fewer units.`,
      },
    ];
  },
};

/** Fewer steps are too few to say that a network does not learn. */
const MIN_STEPS = 50;

/** Observed steps at the end of which the median is taken. */
const STUCK_WINDOW = 9;

/** Where the run has learned nothing by its end, there is no need to wait. */
const atEnd = ({ step, model }: Observation): boolean => step === model.totalSteps;

/** The loss of the training split, at the start and now; null where too little was evaluated. */
function splitLosses({ evaluations, step }: Observation): { readonly first: number; readonly last: number } | null {
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  if (!first?.evaluation.train || !last?.evaluation.train || first.step > 0 || last.step < 0.5 * step) return null;
  return { first: first.evaluation.train.loss, last: last.evaluation.train.loss };
}

/** Why a run at this step has learned nothing, as a sentence; null if it has, or if too little is known. */
function describeStagnation(observation: Observation, threshold: number): string | null {
  const { past, step, run, evaluations } = observation;
  const classes = run.labels?.length ?? 0;
  const accuracy = evaluations.at(-1)?.evaluation.train?.accuracy ?? null;
  if (accuracy !== null && classes > 1 && accuracy <= 1 / classes && (evaluations.at(-1)?.step ?? 0) >= 0.5 * step)
    return `The training accuracy is ${formatPercent(accuracy)}, no better than guessing one of ${classes} classes.`;
  const split = splitLosses(observation);
  if (split && split.first >= MIN_LOSS && split.last >= split.first)
    return `The training loss is ${formatNumber(split.last)}; at the start it was ${formatNumber(split.first)}.`;
  if (past.length < 2 * STUCK_WINDOW) return null;
  const first = median(past.slice(0, STUCK_WINDOW).map(({ loss }) => loss));
  const now = median(recentLosses(observation, STUCK_WINDOW));
  if (!(now > threshold * first) || first < MIN_LOSS) return null;
  const chance = classes > 1 ? Math.log(classes) : null;
  const atChance = chance !== null && Math.abs(now - chance) < 0.02 * chance;
  return `The loss hardly falls: it was ${formatNumber(first)} and is ${formatNumber(now)} at step ${step}.${atChance ? ' That is the loss of guessing the class.' : ''}`;
}

/** A smaller loss leaves nothing to learn. */
const MIN_LOSS = 1e-3;

export const notLearning: RunRule = {
  id: 'not-learning',
  isFailure: true,
  summary: 'Three quarters of the run are done, and the loss has hardly fallen or the accuracy is that of guessing.',
  threshold: {
    value: 0.98,
    quantity: 'median of the latest losses, divided by that of the first ones',
    source: 'a network that learns halves its loss within a few epochs; noise of a batch is a few percent',
  },
  persistence: 3,
  check(observation, threshold) {
    const { step, model } = observation;
    if (step < 0.75 * model.totalSteps) return [];
    const hasDiverged = diverging.check(observation, diverging.threshold?.value ?? NaN).length > 0;
    const reason = hasDiverged ? null : describeStagnation(observation, threshold);
    if (reason === null) return [];
    return [
      {
        layer: null,
        observation: reason,
        remedy: 'Try another learning rate, then a larger network. Check that the targets follow from the inputs.',
        ...(atEnd(observation) && { isCertain: true }),
      },
    ];
  },
};

// Batch norm and dropout where they do more harm than good.
import { numel } from '../engine/kernels/tensor';
import { declaredParameters } from '../engine/network-model';
import type { Resolved, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { formatPercent, formatRounded } from './format';
import { isCopy, removeLayer, resetOption, setOption, standardizeInputs } from './quick-fixes';
import { sampleTrainingSplit } from './training-sample';
import { findSuccessor, isWeighted, lastEffectiveLayer, layerWarning } from './warnings';

/** Batch norm subtracts the mean of each channel, and with it any bias added before. */
export const biasBeforeNorm: SpecRule = {
  id: 'bias-before-norm',
  summary: 'A bias is added before a batch normalization, which removes it.',
  check(resolved) {
    const { model } = resolved;
    return model.layers.flatMap((layer, index) => {
      const { name, definition } = layer;
      const next = findSuccessor(model, index, (other) => other.definition.passThrough === true);
      const biased = definition.macs && declaredParameters(layer).some((own) => own.name === 'bias');
      // At the end of the network, the normalization is what is in question.
      if (!biased || next?.definition.normalizesOver !== 'batch' || next === lastEffectiveLayer(resolved)?.layer)
        return [];
      return layerWarning(
        resolved,
        index,
        'bias-before-norm',
        `${next.name} subtracts the mean, so the bias of ${name} has no effect and its gradient is 0.`,
        `Write "bias": false in ${name}.`,
        {
          title: `Remove the bias of ${name}`,
          changes: [setOption(resolved.spec, resolved.spec.layers[index]!.path, definition.kind, 'bias', false)],
        },
      );
    });
  },
};

/** The mean of a single value is the value: batch norm turns it into 0. */
export const normOfOne: SpecRule = {
  id: 'norm-of-one',
  summary: 'A batch normalization sees a single value per feature.',
  check(resolved) {
    const { batchSize, samples, model } = resolved;
    const smallest = samples.train % batchSize || batchSize;
    return model.layers.flatMap(({ name, definition, inputShape }, index) => {
      if (definition.normalizesOver !== 'batch' || smallest * numel(inputShape.slice(1)) > 1) return [];
      const which = batchSize === 1 ? 'Each batch has' : 'The last batch of an epoch has';
      return layerWarning(
        resolved,
        index,
        'norm-of-one',
        `${which} a single sample, so ${name} sees one value per feature and turns it into 0.`,
        batchSize === 1
          ? 'Choose a larger "batch_size".'
          : `Choose a "batch_size" that does not leave one of the ${samples.train} training samples over.`,
        batchSizeFix(resolved),
      );
    });
  },
};

/** The difference of few values from their mean is one of few numbers: of two, only which one is larger is left. */
export const normOfFewNumbers: SpecRule = {
  id: 'norm-of-few-numbers',
  codes: ['norm-of-one', 'norm-of-few-numbers'],
  summary: 'A normalization of parts of a sample takes a mean and variance over one to three numbers.',
  threshold: {
    value: 3,
    quantity: 'numbers that share a mean and variance',
    source: 'of n normalized numbers, n - 2 are free; Wu, He, "Group normalization", 2018: 16 channels a group',
  },
  check(resolved, threshold) {
    const { model, spec } = resolved;
    return model.layers.flatMap(({ name, definition, options, inputShape }, index) => {
      const count = definition.normalizedCount?.(inputShape, options) ?? Infinity;
      if (count > threshold || isCopy(spec, index)) return [];
      const { path } = spec.layers[index]!;
      const isGrouped = spec.source.has([...path, 'num_groups']) && numel(inputShape) > threshold;
      return layerWarning(
        resolved,
        index,
        count === 1 ? 'norm-of-one' : 'norm-of-few-numbers',
        count === 1
          ? `${name} normalizes each number on its own: a number minus its mean is 0, so nothing of the input is left.`
          : `${name} normalizes groups of only ${count} numbers: ${count === 2 ? 'all that is left of two numbers is which one is larger' : `${count} numbers become one angle`}.`,
        isGrouped ? 'Use fewer groups, such as "num_groups": 1.' : `Remove ${name}.`,
        isGrouped
          ? { title: `Use one group in ${name}`, changes: [{ path: [...path, 'num_groups'], value: 1 }] }
          : removeLayer(spec, index),
      );
    });
  },
};

/** More columns, such as pixels or counts of words, are often of one kind. */
const MAX_TABLE_COLUMNS = 50;

/** The mean of an area, a number of rooms and an age says nothing, and the column of the largest unit decides it. */
export const normOnInput: SpecRule = {
  id: 'norm-on-input',
  summary: 'The columns of a table are normalized sample by sample.',
  check(resolved) {
    const { model, spec, data } = resolved;
    const { definition, name, inputShape, inputs } = model.layers[0]!;
    const isTable = data.inputShape.length === 1 && inputShape.length === 1 && inputShape[0]! <= MAX_TABLE_COLUMNS;
    if (definition.normalizesOver !== 'sample' || !isTable || inputs) return [];
    const isScaled = spec.transforms.some(({ type }) => type === 'standardize');
    return [
      layerWarning(
        resolved,
        0,
        'norm-on-input',
        `${name} normalizes each sample by the mean and variance over its own ${inputShape[0]!} columns: what is common to all of them is lost, and the column with the largest unit decides.`,
        `Remove ${name}${isScaled ? '' : ', and scale each column by "transforms": ["standardize"]'}.`,
        {
          title: isScaled ? `Remove ${name}` : `Standardize the columns instead of ${name}`,
          changes: [...removeLayer(spec, 0).changes, ...(isScaled ? [] : standardizeInputs(spec).changes)],
        },
      ),
    ];
  },
};

interface RunningOptions {
  readonly momentum?: number;
  readonly track_running_stats?: boolean;
  readonly eps?: number;
}

const USUAL_NORM_MOMENTUM = 0.1;
/** Less of the initial statistics is left after this many steps divided by the momentum. */
const TIME_CONSTANTS = 2;

/** PyTorch's momentum is the weight of the new batch, Keras's that of the old statistics. */
export const normMomentum: SpecRule = {
  id: 'norm-momentum',
  summary: 'The running statistics of a batch normalization are those of the last batch, or hardly leave their start.',
  threshold: {
    value: 0.7,
    quantity: 'weight of the last batch in the running statistics',
    source: 'PyTorch, torch.nn.BatchNorm1d: 0.1; Keras writes it as 0.99, the weight of the old statistics',
  },
  checkData(resolved, run, threshold) {
    const { model, spec } = resolved;
    const steps = run.epochs * Math.ceil(run.split.train.length / run.batchSize);
    const found = model.layers.flatMap(({ definition, options, name }, index) => {
      const { momentum, track_running_stats: isTracked } = options as RunningOptions;
      if (!definition.updateBuffers || momentum === undefined || isTracked === false || isCopy(spec, index)) return [];
      const isLast = momentum >= threshold && run.batchSize < run.split.train.length;
      const isBehind = momentum < USUAL_NORM_MOMENTUM && momentum * steps < TIME_CONSTANTS;
      return isLast || isBehind ? [{ index, name, momentum, isLast }] : [];
    });
    const [first] = found;
    if (!first) return [];
    const { index, name, momentum, isLast } = first;
    const left = Math.exp(-momentum * steps);
    return [
      layerWarning(
        resolved,
        index,
        'norm-momentum',
        isLast
          ? `With momentum ${momentum}, the running statistics of ${name} are ${momentum === 1 ? 'those' : 'almost those'} of the last batch alone, whatever it was: in evaluation the network computes something else than in training.`
          : `With momentum ${momentum}, the running statistics of ${name} stay behind: after all ${steps} steps they still are ${formatPercent(Number(left.toFixed(2)))} of their initial mean 0 and variance 1, so evaluation differs from training.`,
        'Leave "momentum" at 0.1, the weight of the new batch. (Keras counts the other way: its 0.9 is 0.1 here.)',
        {
          title: `Use the default momentum of ${found.map((each) => each.name).join(', ')}`,
          changes: found.map((each) => ({ path: [...spec.layers[each.index]!.path, 'momentum'] })),
        },
      ),
    ];
  },
};

/** Added to a variance near 1. */
export const largeNormEps: SpecRule = {
  id: 'large-norm-eps',
  summary: 'The eps of a normalization is as large as the variance that it is to remove.',
  threshold: {
    value: 0.5,
    quantity: 'eps of a normalization',
    source: 'PyTorch, torch.nn.BatchNorm1d: 1e-5; it only avoids division by 0',
  },
  check(resolved, threshold) {
    const { model, spec } = resolved;
    return model.layers.flatMap(({ definition, options, name }, index) => {
      const { eps = 0 } = options as RunningOptions;
      if (!definition.normalizesOver || eps < threshold || isCopy(spec, index)) return [];
      return layerWarning(
        resolved,
        index,
        'large-norm-eps',
        `eps ${eps} of ${name} outweighs the variance of its input: it does not normalize, but divides by about ${formatRounded(Math.sqrt(eps), 2)}, so signals shrink.`,
        'Leave "eps" at its default.',
        resetOption(`Use the default eps of ${name}`, [...spec.layers[index]!.path, 'eps']),
      );
    });
  },
};

export const normOfFew: SpecRule = {
  id: 'norm-of-few',
  summary: 'A batch normalization takes its mean and variance over very few values.',
  threshold: {
    value: 4,
    quantity: 'values of a channel in a batch',
    source: 'Wu, He, "Group normalization", 2018, figure 1: the error grows fast below batches of 8',
  },
  check(resolved, threshold) {
    const { batchSize, samples, model } = resolved;
    if (batchSize < 2 || samples.train <= threshold) return [];
    return model.layers.flatMap(({ name, definition, inputShape }, index) => {
      const values = batchSize * numel(inputShape.slice(1));
      if (definition.normalizesOver !== 'batch' || values > threshold) return [];
      const size = Math.min(32, samples.train);
      return layerWarning(
        resolved,
        index,
        'norm-of-few',
        `${name} takes the mean and variance of ${values} values, in batches of ${batchSize}: they are mostly noise, and normalizing by them removes what tells samples apart.`,
        `Use batches of ${size}, or "layer_norm".`,
        { title: `Set batch_size to ${size}`, changes: [{ path: ['batch_size'], value: size }] },
      );
    });
  },
};

/** The next larger batch size that leaves no single sample over; undefined if there is only one sample. */
function batchSizeFix({ batchSize, samples: { train } }: Resolved): QuickFix | undefined {
  const start = batchSize === 1 ? Math.min(32, train) : batchSize;
  for (let size = start; size <= train; size++)
    if (size > 1 && train % size !== 1)
      return { title: `Set batch_size to ${size}`, changes: [{ path: ['batch_size'], value: size }] };
  return undefined;
}

/** Whether no later layer has weights. */
const isBehindLastWeights = ({ model }: Resolved, index: number): boolean =>
  !model.layers.slice(index).some(({ definition }) => definition.parameters);

/** Predictions that are dropped are wrong regardless of the weights, and the others are scaled. */
export const dropoutOnOutput: SpecRule = {
  id: 'dropout-on-output',
  summary: 'A dropout comes after the last layer with weights, so it drops predictions.',
  check(resolved) {
    return resolved.model.layers.flatMap(({ name, definition, options }, index) => {
      const rate = definition.dropRate?.(options) ?? 0;
      if (rate === 0 || !isBehindLastWeights(resolved, index)) return [];
      return layerWarning(
        resolved,
        index,
        'dropout-on-output',
        `${name} comes after the last layer with weights: in training it sets ${Math.round(100 * rate)} % of the predictions to 0, which no weight can correct.`,
        `Remove ${name}: dropout belongs between hidden layers.`,
        removeLayer(resolved.spec, index),
      );
    });
  },
};

/** Targets with a mean or a standard deviation further from 0 and 1 are out of reach of normalized outputs. */
const [MAX_NORMAL_MEAN, MAX_NORMAL_STD] = [0.5, 2];

/** Without weights of its own, a normalization gives outputs of mean 0 and variance 1, whatever the targets are. */
export const normOnOutput: SpecRule = {
  id: 'norm-on-output',
  summary: 'The output of a regression is normalized, and its targets are not.',
  checkData(resolved, run) {
    const last = lastEffectiveLayer(resolved);
    if (last?.layer.definition.normalizesOver !== 'batch' || declaredParameters(last.layer).length > 0) return [];
    if (run.labels !== null) return [];
    const { targets } = sampleTrainingSplit(run);
    const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length;
    const std = Math.sqrt(targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / targets.length);
    if (Math.abs(mean) <= MAX_NORMAL_MEAN && std <= MAX_NORMAL_STD && std >= 1 / MAX_NORMAL_STD) return [];
    const { name } = last.layer;
    return [
      layerWarning(
        resolved,
        last.index,
        'norm-on-output',
        `${name} is the last layer, so the outputs have mean 0 and standard deviation 1 in every batch, but the targets are around ${formatRounded(mean, 3)} ± ${formatRounded(std, 2)}.`,
        `Remove ${name}: a normalization belongs between hidden layers.`,
        removeLayer(resolved.spec, last.index),
      ),
    ];
  },
};

/** With fewer inputs, there are no others that tell what a dropped one said. */
const MIN_DROPPED_INPUTS = 20;

/** Dropouts one after the other, with nothing in between that sums up what is left. */
export const compoundDropout: SpecRule = {
  id: 'compound-dropout',
  summary: 'Dropouts that follow each other drop most of the values together.',
  threshold: {
    value: 0.7,
    quantity: 'share of values that are dropped together',
    source: 'Srivastava et al., "Dropout", 2014, section 7.3: 0.5 for hidden units',
  },
  check(resolved, threshold) {
    const { model, spec } = resolved;
    const rateOf = (index: number): number =>
      model.layers[index]?.definition.dropRate?.(model.layers[index].options) ?? 0;
    const all: number[][] = [[]];
    for (const [index, layer] of model.layers.entries()) {
      if (isWeighted(layer)) all.push([]);
      else if (rateOf(index) > 0) all.at(-1)!.push(index);
    }
    const keptBy = (series: readonly number[]): number =>
      series.reduce((share, index) => share * (1 - rateOf(index)), 1);
    const series = all.find(
      (each) => each.length > 1 && 1 - keptBy(each) > threshold && each.every((index) => rateOf(index) <= 0.5),
    );
    if (!series) return [];
    const names = series.map((each) => model.layers[each]!.name).join(', ');
    return [
      layerWarning(
        resolved,
        series[1]!,
        'compound-dropout',
        `${names} follow each other and together drop ${Math.round(100 * (1 - keptBy(series)))} % of the values: little of the signal is left.`,
        'Keep one of them.',
        {
          title: `Remove all of these dropouts but ${model.layers[series[0]!]!.name}`,
          changes: series
            .slice(1)
            .toReversed()
            .flatMap((each) => removeLayer(spec, each).changes),
        },
      ),
    ];
  },
};

/** Units of a layer that has none to spare: what is left of half of them differs much from one sample to the next. */
const NARROW = 64;

export const strongDropout: SpecRule = {
  id: 'strong-dropout',
  summary: 'A layer drops most of its values.',
  threshold: {
    value: 0.5,
    quantity: 'share of values that are dropped',
    source: 'Srivastava et al., "Dropout", 2014, section 7.3: 0.5 for hidden units, less for inputs',
  },
  check(resolved, threshold) {
    return resolved.model.layers.flatMap(({ name, definition, options, inputShape }, index) => {
      const rate = definition.dropRate?.(options) ?? 0;
      if (rate <= threshold || isBehindLastWeights(resolved, index)) return [];
      const { path } = resolved.spec.layers[index]!;
      const isInput = !resolved.model.layers.slice(0, index).some(isWeighted);
      const isTable = isInput && numel(inputShape) < MIN_DROPPED_INPUTS;
      const usual = isInput || numel(inputShape) <= NARROW ? 0.2 : 0.5;
      return layerWarning(
        resolved,
        index,
        'strong-dropout',
        `${name} drops ${Math.round(100 * rate)} % of the values: little of the signal is left, and training is slow and noisy.`,
        isTable ? `Remove ${name}: every input counts.` : `Choose "p" of ${usual} or less.`,
        isTable
          ? removeLayer(resolved.spec, index)
          : {
              title: `Set p of ${name} to ${usual}`,
              changes: [setOption(resolved.spec, path, definition.kind, 'p', usual)],
            },
      );
    });
  },
};

// Batch norm and dropout where they do more harm than good.
import { numel } from '../engine/kernels/tensor';
import { declaredParameters } from '../engine/network-model';
import type { Resolved, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { formatRounded } from './format';
import { removeLayer, setOption } from './quick-fixes';
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
      const usual = isInput ? 0.2 : 0.5;
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

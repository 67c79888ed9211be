// Layers that do not do the same in training and evaluation, where they hinder more than they help.
import { sizeOf } from '../../engine/kernels/tensor';
import type { LayerModel } from '../../engine/network';
import type { SpecRule } from '../../spec/resolve';
import { aboutLayer } from './place';

const isBatchNorm = ({ definition: { kind } }: LayerModel): boolean => kind === 'batch_norm1d' || kind === 'batch_norm2d';

/** Batch norm subtracts the mean of each channel, and with it any bias that was added ahead of it. */
export const biasBeforeNorm: SpecRule = {
  id: 'bias-before-norm',
  rule(resolved) {
    const { layers } = resolved.model;
    return layers.flatMap((layer, index) => {
      const { name, definition, inputShape, options } = layer;
      const norm = layers.slice(index + 1).find((next) => next.definition.kind !== 'identity');
      const biased = definition.macs && definition.parameters?.(inputShape, options).some((own) => own.name === 'bias');
      if (!biased || !norm || !isBatchNorm(norm)) return [];
      return aboutLayer(
        resolved, index, 'bias-before-norm',
        `${norm.name} subtracts the mean again, so the bias of ${name} changes nothing and its gradient is 0.`,
        `Write "bias": false in ${name}.`,
      );
    });
  },
};

/** Of one value the mean is the value itself: batch norm makes 0 of it. */
export const normOfOne: SpecRule = {
  id: 'norm-of-one',
  rule(resolved) {
    const { batchSize, samples, model } = resolved;
    const smallest = samples.train % batchSize || batchSize;
    return model.layers.flatMap((layer, index) => {
      if (!isBatchNorm(layer) || smallest * sizeOf(layer.inputShape.slice(1)) > 1) return [];
      const which = batchSize === 1 ? 'Each batch has' : 'The last batch of an epoch has';
      return aboutLayer(
        resolved, index, 'norm-of-one',
        `${which} a single sample, so ${layer.name} sees one value of each feature, and makes 0 of it.`,
        batchSize === 1 ? 'Choose a larger "batch_size".' : `Choose a "batch_size" that does not leave one of the ${samples.train} training samples over.`,
      );
    });
  },
};

export const strongDropout: SpecRule = {
  id: 'strong-dropout',
  rule(resolved) {
    return resolved.model.layers.flatMap(({ name, definition: { kind }, options }, index) => {
      const { p } = options as { p?: number };
      if (kind !== 'dropout' || p === undefined || p <= 0.5) return [];
      return aboutLayer(
        resolved, index, 'strong-dropout',
        `${name} drops ${Math.round(100 * p)} % of the values, so that little of the signal is left and training is slow and noisy.`,
        'Choose "p" of 0.5 or less; 0.5 already draws the most different networks.',
      );
    });
  },
};

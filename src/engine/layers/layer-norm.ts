// Ba, Kiros, Hinton, "Layer normalization", 2016.
import * as z from 'zod/mini';
import { numel } from '../kernels/tensor';
import { positiveNumber } from '../option-schemas';
import { defineLayer, eachPosition } from './layer';
import {
  checkNormalizedShape,
  elementwiseAffine,
  normalizedShape,
  normalizedIndices,
  normalizedShapeOption,
  normalizedSize,
} from './normalized-shape';

const options = z.strictObject({
  normalized_shape: normalizedShapeOption,
  eps: z._default(positiveNumber('Added to the variance to avoid division by 0.'), 1e-5),
  elementwise_affine: elementwiseAffine(
    'Whether to scale the normalized values by `weight` and shift them by `bias`, both trained, element by element.',
  ),
});

/**
 * y = (x - mean) / √(variance + eps) · weight + bias, with the mean and variance of the sample itself, in both modes.
 */
export const layerNorm = defineLayer({
  kind: 'layer_norm',
  aliases: ['layer_normalization'],
  summary:
    'Normalizes every sample to mean 0 and variance 1, in training and in evaluation. Then y = weight · x + bias.',
  formulas({ options: layer, shapes: [input] }) {
    const { at, outer, over, all, entry, samples } = normalizedIndices(input!, layer);
    const where =
      `where n${at} = (x${at} - mu${outer}) / sqrt(var${outer} + ${layer.eps}); mu${outer} = mean(${over}: x${all}); ` +
      `var${outer} = mean(${over}: (x${all} - mu${outer})^2)`;
    const affine = layer.elementwise_affine;
    const scale = affine ? `weight${entry} * ` : '';
    return {
      equations: [
        `y${at} = ${scale}n${at}${affine ? ` + bias${entry}` : ''} ${where}`,
        `dx${at} = (d(n)${at} - mean(${over}: d(n)${all}) - n${at} * mean(${over}: d(n)${all} * n${all})) / ` +
          `sqrt(var${outer} + ${layer.eps}) ${where}; d(n)${at} = ${scale}dy${at}`,
        `d(weight)${entry} = sum(${samples}: dy${at} * n${at}) ${where}`,
        `d(bias)${entry} = sum(${samples}: dy${at})`,
      ],
      symbols: { n: 'normalized' },
    };
  },
  options,
  checkInput: (input, layer) => checkNormalizedShape(input, layer),
  outputShape: (input) => input,
  receptiveField: (layer, input) => (normalizedShape(input, layer).length === 1 ? eachPosition(input) : 'all'),
  normalizesOver: 'sample',
  normalizedCount: (input, layer) => numel(normalizedShape(input, layer)),
  parameters(input, layer) {
    if (!layer.elementwise_affine) return [];
    const shape = normalizedShape(input, layer);
    return [
      { name: 'weight', shape, init: { initializer: { type: 'constant', val: 1 } } },
      { name: 'bias', shape, init: { initializer: { type: 'constant', val: 0 } } },
    ];
  },
  forward({ kernels, options: layer, parameters, input, output }) {
    const size = normalizedSize(input, layer);
    kernels.normalizeRows(output, input, parameters.weight ?? null, parameters.bias ?? null, size, layer.eps);
  },
  backward({ kernels, options: layer, parameters, gradParameters, input, gradOutput, gradInput }) {
    const size = normalizedSize(input, layer);
    kernels.normalizeRowsBackward(
      gradInput,
      gradParameters.weight ?? null,
      gradParameters.bias ?? null,
      gradOutput,
      input,
      parameters.weight ?? null,
      size,
      layer.eps,
    );
  },
});

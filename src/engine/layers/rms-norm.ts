// Zhang and Sennrich, "Root mean square layer normalization", 2019.
import * as z from 'zod/mini';
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

/** y = x / √(mean(x²) + eps) · weight, over the last sizes of a sample, in both modes. */
export const rmsNorm = defineLayer({
  kind: 'rms_norm',
  aliases: ['rmsnorm', 'root_mean_square_norm', 'rms_normalization'],
  summary: 'Scales to mean square 1, without subtracting the mean: y = x / √(mean(x²) + eps) · weight.',
  formulas({ options: layer, shapes: [input] }) {
    const { at, outer, over, all, entry, samples } = normalizedIndices(input!, layer);
    const where = `where n${at} = x${at} / r${outer}; r${outer} = sqrt(mean(${over}: x${all}^2) + ${layer.eps})`;
    const scale = layer.elementwise_affine ? `weight${entry} * ` : '';
    return {
      equations: [
        `y${at} = ${scale}n${at} ${where}`,
        `dx${at} = (d(n)${at} - n${at} * mean(${over}: d(n)${all} * n${all})) / r${outer} ${where}; d(n)${at} = ${scale}dy${at}`,
        `d(weight)${entry} = sum(${samples}: dy${at} * n${at}) ${where}`,
      ],
      symbols: { n: 'x with a mean square of 1' },
    };
  },
  options: z.strictObject({
    normalized_shape: normalizedShapeOption,
    eps: z._default(
      positiveNumber('Added to the mean square to avoid division by 0. By default 2⁻²³, the precision of float32.'),
      2 ** -23,
    ),
    elementwise_affine: elementwiseAffine('Whether to scale the normalized values by `weight`, element by element.'),
  }),
  checkInput: (input, layer) => checkNormalizedShape(input, layer),
  outputShape: (input) => input,
  receptiveField: (layer, input) => (normalizedShape(input, layer).length === 1 ? eachPosition(input) : 'all'),
  normalizesOver: 'sample',
  parameters: (input, layer) =>
    layer.elementwise_affine
      ? [{ name: 'weight', shape: normalizedShape(input, layer), init: { initializer: { type: 'constant', val: 1 } } }]
      : [],
  forward({ kernels, options: layer, parameters, input, output }) {
    kernels.rmsNormalizeRows(output, input, parameters.weight ?? null, normalizedSize(input, layer), layer.eps);
  },
  backward({ kernels, options: layer, parameters, gradParameters, input, gradOutput, gradInput }) {
    kernels.rmsNormalizeRowsBackward(
      gradInput,
      gradParameters.weight ?? null,
      gradOutput,
      input,
      parameters.weight ?? null,
      normalizedSize(input, layer),
      layer.eps,
    );
  },
});

// Ba, Kiros, Hinton, "Layer normalization", 2016.
import * as z from 'zod/mini';
import { numel } from '../kernels/tensor';
import { positiveNumber } from '../option-schemas';
import { defineLayer, eachPosition } from './layer';
import {
  checkNormalizedShape,
  elementwiseAffine,
  normalizedShape,
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
  math: {
    forward: String.raw`y = \gamma \odot \hat{x} + \beta, \quad \hat{x} = \frac{x - \mu}{\sqrt{v + \varepsilon}}, \quad \mu, v \text{: mean and variance of the sample}`,
    input: String.raw`\d{x} = \frac{1}{\sqrt{v + \varepsilon}} \Big(g - \operatorname{mean} g - \hat{x} \odot \operatorname{mean}(g \odot \hat{x})\Big), \quad g = \gamma \odot \d{y}`,
    parameters: {
      weight: String.raw`\d{\gamma} = \sum_{\text{samples}} \d{y} \odot \hat{x}`,
      bias: String.raw`\d{\beta} = \sum_{\text{samples}} \d{y}`,
    },
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

// Ba, Kiros, Hinton, "Layer normalization", 2016.
import * as z from 'zod/mini';
import { formatShape, type Shape, sizeOf, type Tensor } from '../kernels/tensor';
import { count, positive } from '../options';
import { defineLayer } from './layer';

const options = z.strictObject({
  normalized_shape: z.optional(
    z.array(count('Size')).check(z.minLength(1), z.describe("The last sizes of a sample, over which is normalized; all of the sample's unless given.")),
  ),
  eps: z._default(positive('Added to the variance, so that nothing is divided by 0.'), 1e-5),
  elementwise_affine: z._default(
    z.boolean().check(z.describe('Whether what is normalized is then scaled by `weight` and shifted by `bias`, both trained, place by place.')),
    true,
  ),
});

type Options = z.output<typeof options>;

const normalized = (input: Shape, { normalized_shape }: Options): Shape => normalized_shape ?? input;

/** How many numbers are normalized together. */
const sizeIn = ({ shape, data }: Tensor, { normalized_shape }: Options): number =>
  normalized_shape ? sizeOf(normalized_shape) : data.length / shape[0];

/** y = (x - mean) / √(variance + eps) · weight + bias, where mean and variance are those of the sample itself, in both modes. */
export const layerNorm = defineLayer({
  kind: 'layer_norm',
  summary: 'Every sample to mean 0 and variance 1 by itself, in training and evaluation alike. Then y = weight · x + bias.',
  math: {
    forward: String.raw`y = \gamma \odot \hat{x} + \beta, \quad \hat{x} = \frac{x - \mu}{\sqrt{v + \varepsilon}}, \quad \mu, v \text{: mean and variance of the sample}`,
    input: String.raw`\d{x} = \frac{1}{\sqrt{v + \varepsilon}} \Big(g - \operatorname{mean} g - \hat{x} \odot \operatorname{mean}(g \odot \hat{x})\Big), \quad g = \gamma \odot \d{y}`,
    parameters: { weight: String.raw`\d{\gamma} = \sum_{\text{samples}} \d{y} \odot \hat{x}`, bias: String.raw`\d{\beta} = \sum_{\text{samples}} \d{y}` },
  },
  options,
  misfit(input, layer) {
    const wanted = normalized(input, layer);
    const own = input.slice(-wanted.length);
    if (wanted.length <= input.length && wanted.every((size, i) => size === own[i])) return undefined;
    return { needs: `normalizes over ${formatShape(wanted)}`, remedy: 'Leave out "normalized_shape" to normalize over all of a sample.', option: 'normalized_shape' };
  },
  outputShape: (input) => input,
  parameters(input, layer) {
    if (!layer.elementwise_affine) return [];
    const shape = normalized(input, layer);
    return [
      { name: 'weight', shape, start: { initializer: { type: 'constant', val: 1 } } },
      { name: 'bias', shape, start: { initializer: { type: 'constant', val: 0 } } },
    ];
  },
  forward({ kernels, options: layer, parameters, input, output }) {
    const size = sizeIn(input, layer);
    kernels.normalizeRows(output, input, parameters.weight ?? null, parameters.bias ?? null, size, layer.eps);
  },
  backward({ kernels, options: layer, parameters, gradParameters, input, gradOutput, gradInput }) {
    const size = sizeIn(input, layer);
    kernels.normalizeRowsBackward(
      gradInput, gradParameters.weight ?? null, gradParameters.bias ?? null, gradOutput, input, parameters.weight ?? null, size, layer.eps,
    );
  },
});

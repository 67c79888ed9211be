// He, Zhang, Ren, Sun, "Delving deep into rectifiers: surpassing human-level performance on ImageNet classification",
// 2015.
import * as z from 'zod/mini';
import { pluralize } from '../format-count';
import { alias, finiteNumber, positiveInteger } from '../option-schemas';
import { crossesZero, defineLayer } from './layer';

/** y = x where x > 0, else w x; dx = dy where x > 0, else w dy (at 0 too, as in PyTorch); dw = Σ dy x where x ≤ 0. */
export const prelu = defineLayer({
  kind: 'prelu',
  aliases: ['parametric_relu', 'p_relu'],
  summary: 'y = x for x > 0, else weight · x, with a slope that is trained: one for all, or one for each channel.',
  formulas: ({ options: { num_parameters } }) => ({
    equations:
      num_parameters === 1
        ? [
            'y = max(0, x) + weight .* min(0, x)',
            'dx = dy .* (when(x > 0) + weight .* when(x <= 0))',
            'd(weight) = sum(samples: total(dy .* min(0, x)))',
          ]
        : [
            'y[c] = max(0, x[c]) + weight[c] * min(0, x[c])',
            'dx[c] = dy[c] .* (when(x[c] > 0) + weight[c] * when(x[c] <= 0))',
            'd(weight)[c] = sum(samples: total(dy[c] .* min(0, x[c])))',
          ],
  }),
  options: z.strictObject({
    num_parameters: z._default(
      positiveInteger('Number of slopes: 1, or the number of channels of the input.').check(alias('slopes')),
      1,
    ),
    init: z._default(
      finiteNumber('Initial value of every slope.').check(alias('alpha', 'negative_slope', 'slope', 'initial')),
      0.25,
    ),
  }),
  checkInput: ([channels], { num_parameters }) =>
    num_parameters === 1 || num_parameters === channels
      ? undefined
      : {
          requirement: `has ${pluralize(num_parameters, 'slope')}, and gets ${pluralize(channels!, 'channel')}`,
          remedy: `Choose 1 or ${channels!}.`,
          option: 'num_parameters',
        },
  outputShape: (input) => input,
  parameters: (_input, { num_parameters, init }) => [
    { name: 'weight', shape: [num_parameters], init: { initializer: { type: 'constant', val: init } } },
  ],
  receptiveField: () => 'pointwise',
  forward: ({ kernels, parameters, input, output }) => kernels.prelu(output, input, parameters.weight!),
  backward({ kernels, parameters, gradParameters, input, gradOutput, gradInput }) {
    kernels.preluBackward(gradInput, gradParameters.weight!, gradOutput, input, parameters.weight!);
  },
  crossesKink: (a, b) => crossesZero(a, b),
});

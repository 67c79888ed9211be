import * as z from 'zod/mini';
import { BIAS_INIT_ALIASES, initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import { asRows, numel } from '../kernels/tensor';
import { alias, positiveInteger } from '../option-schemas';
import { checkRows, defineLayer, eachPosition, type ParameterDeclaration } from './layer';

/** y = x W + b; x [batch, …, in_features], W [in_features, out_features], y [batch, …, out_features]. */
export const linearTranspose = defineLayer({
  kind: 'linear_transpose',
  aliases: ['transposed_linear', 'tied_linear', 'linear_transposed'],
  summary:
    'A linear layer with its weight transposed: y = x W + b; on sequences, the same at each position. It can share the weight of a linear layer of the opposite sizes, as the decoder of a tied autoencoder does.',
  formulas: ({ options: { bias } }) => ({
    reading: 'rows',
    equations: [
      `y = x @ weight${bias ? ' + bias' : ''}`,
      'dx = dy @ T(weight)',
      'd(weight) = T(x) @ dy',
      'd(bias) = sum(samples: dy)',
    ],
  }),
  options: z.strictObject({
    out_features: positiveInteger('Number of units: the size of the output.').check(
      alias('units', 'neurons', 'nodes', 'outputs', 'size', 'output_size', 'output_dim', 'width'),
    ),
    bias: z._default(z.boolean().check(z.describe('Whether to add a bias.'), alias('use_bias', 'biases')), true),
    init: z._default(initializerOption('Initializer of the weights.', WEIGHT_INIT_ALIASES), {
      type: 'fan_in_uniform',
    }),
    bias_init: z._default(initializerOption('Initializer of the biases.', BIAS_INIT_ALIASES), {
      type: 'fan_in_uniform',
    }),
  }),
  affine: true,
  checkInput: checkRows,
  outputShape: (input, { out_features }) => [...input.slice(0, -1), out_features],
  receptiveField: (_layer, input) => eachPosition(input),
  macs: (input, output) => numel(input) * output.at(-1)!,
  parameters(input, { out_features, bias, init, bias_init }) {
    const inputs = input.at(-1)!;
    const weight: ParameterDeclaration = {
      name: 'weight',
      shape: [inputs, out_features],
      init: { initializer: init },
      fans: { fanIn: inputs, fanOut: out_features },
    };
    return bias ? [weight, { name: 'bias', shape: [out_features], init: { initializer: bias_init } }] : [weight];
  },
  forward({ kernels, parameters, input, output }) {
    kernels.matmul(asRows(output), asRows(input), parameters.weight!, false);
    if (parameters.bias) kernels.addRow(output, parameters.bias);
  },
  backward({ kernels, parameters, input, gradOutput, gradInput, gradParameters }) {
    const upstream = asRows(gradOutput);
    kernels.matmulTransposedA(gradParameters.weight!, asRows(input), upstream, true);
    if (gradParameters.bias) kernels.accumulateRows(gradParameters.bias, upstream);
    if (gradInput) kernels.matmulTransposedB(asRows(gradInput), upstream, parameters.weight!, false);
  },
});

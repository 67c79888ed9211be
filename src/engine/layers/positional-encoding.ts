// Sinusoidal: Vaswani et al., "Attention is all you need", 2017, section 3.5. Learned: a table, as in GPT-2.
import * as z from 'zod/mini';
import { cosPi, exp, log, sinPi } from '../deterministic-math';
import { initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import { numel, type Shape2, type Tensor } from '../kernels/tensor';
import { alias, positiveInteger } from '../option-schemas';
import { checkSequence, defineLayer } from './layer';

const options = z.strictObject({
  encoding: z._default(
    z
      .enum(['learned', 'sinusoidal'])
      .check(
        z.describe(
          '`learned`: a table with a row for each position, trained like any weight. `sinusoidal`: sines and cosines ' +
            'of the position with wavelengths from 2π to 20000π, not trained.',
        ),
        alias('mode', 'kind'),
      ),
    'learned',
  ),
  max_len: z.optional(
    positiveInteger('Positions in the learned table; by default, those of a sample.').check(
      alias('max_length', 'num_positions', 'block_size', 'context_length'),
    ),
  ),
  init: z._default(initializerOption('Initializer of the learned table.', WEIGHT_INIT_ALIASES), {
    type: 'normal',
    mean: 0,
    std: 0.02,
  }),
});

/** Row t: sin(t / 10000^(2i/n)) in column 2i and the cosine of the same angle in column 2i + 1; n columns. */
function sinusoids([positions, features]: Shape2): Float64Array {
  const table = new Float64Array(positions * features);
  const logBase = log(10000);
  for (let t = 0; t < positions; t++)
    for (let j = 0; j < features; j++) {
      const turns = (t * exp((-2 * Math.floor(j / 2) * logBase) / features)) / Math.PI;
      table[t * features + j] = j % 2 === 0 ? sinPi(turns) : cosPi(turns);
    }
  return table;
}

/** The first rows of a table, one for each position of a sample. */
function firstPositions({ shape, data }: Tensor, sample: readonly number[]): Tensor {
  const size = numel(sample);
  return data.length === size ? { shape, data } : { shape: sample, data: data.subarray(0, size) };
}

/** y_t = x_t + P_t; x and y [batch, positions, features], P [positions, features]. */
export const positionalEncoding = defineLayer({
  kind: 'positional_encoding',
  aliases: ['position_embedding', 'positional_embedding', 'position_encoding', 'pos_embedding'],
  summary: 'Adds a vector for each position, so that layers after it can tell positions apart: y_t = x_t + P_t.',
  formulas: ({ options: { encoding }, shapes: [input] }) => ({
    equations: [
      encoding === 'learned'
        ? 'y[t] = x[t] + weight[t]'
        : `y[t, i] = x[t, i] + P[t, i] where P[t, i] = when(mod(i, 2) == 0) * sin(t / 10000^(i / ${input![1]})) + ` +
          `when(mod(i, 2) == 1) * cos(t / 10000^((i - 1) / ${input![1]}))`,
      'dx = dy',
      'd(weight)[t] = sum(samples: dy[t])',
    ],
  }),
  options,
  positionsAs: 'sequence',
  checkInput(input, { encoding, max_len }) {
    const misfit = checkSequence(input);
    if (misfit || encoding !== 'learned' || max_len === undefined || input[0]! <= max_len) return misfit;
    return {
      requirement: `has a table of ${max_len} positions`,
      remedy: `Set "max_len" to ${input[0]!} or more, or omit it.`,
      option: 'max_len',
    };
  },
  outputShape: (input) => input,
  receptiveField: () => 'pointwise',
  macs: () => 0,
  parameters([positions, features], { encoding, max_len, init }) {
    return encoding === 'learned'
      ? [{ name: 'weight', shape: [max_len ?? positions!, features!], init: { initializer: init } }]
      : [];
  },
  buffers: (input, { encoding }) =>
    encoding === 'sinusoidal'
      ? [{ name: 'encoding', shape: input, fill: 0, values: sinusoids(input as unknown as Shape2) }]
      : [],
  forward({ kernels, parameters, buffers, input, output }) {
    kernels.copy(output, input);
    kernels.addRow(output, firstPositions(parameters.weight ?? buffers.encoding!, input.shape.slice(1)));
  },
  backward({ kernels, input, gradOutput, gradInput, gradParameters: { weight } }) {
    if (weight) kernels.accumulateRows(firstPositions(weight, input.shape.slice(1)), gradOutput);
    if (gradInput) kernels.copy(gradInput, gradOutput);
  },
});

import * as z from 'zod/mini';
import { initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import { alias, positiveInteger } from '../option-schemas';
import { defineLayer } from './layer';

const options = z
  .strictObject({
    num_embeddings: positiveInteger('Number of rows in the table: indices are 0 … num_embeddings - 1.').check(
      alias('input_dim', 'vocab_size', 'vocabulary_size', 'n_vocab'),
    ),
    embedding_dim: positiveInteger('Size of each row.').check(
      alias('output_dim', 'dim', 'features', 'embed_dim', 'd_model', 'n_embd'),
    ),
    padding_idx: z.optional(
      z
        .int()
        .check(
          z.gte(0),
          z.describe('An index whose row starts as 0 and gets no gradient, for the padding of short sequences.'),
        ),
    ),
    init: z._default(initializerOption('Initializer of the table.', WEIGHT_INIT_ALIASES), {
      type: 'normal',
      mean: 0,
      std: 1,
    }),
  })
  .check(
    z.refine(({ num_embeddings, padding_idx }) => padding_idx === undefined || padding_idx < num_embeddings, {
      error: '"padding_idx" is not the index of a row.',
      path: ['padding_idx'],
      params: { code: 'out-of-range', remedy: 'Choose an index below "num_embeddings".' },
    }),
  );

type Options = z.output<typeof options>;

/** No index is negative. */
const paddingOf = ({ padding_idx }: Options): number => padding_idx ?? -1;

/** y_t = W[x_t]; x [batch, positions] of indices, W [num_embeddings, embedding_dim], y [batch, positions, features]. */
export const embedding = defineLayer({
  kind: 'embedding',
  aliases: ['lookup', 'token_embedding', 'embed'],
  summary:
    'Turns each index of a sample into the row of a table: y_t = W[x_t]. A row that is used several times gets the sum of its gradients.',
  formulas: ({ options: { padding_idx } }) => ({
    equations: [
      'y[t] = weight[x[t]]',
      'dx = 0',
      `d(weight)[i] = sum(samples, t: when(x[t] == i) * dy[t])${padding_idx === undefined ? '' : ` * (1 - when(i == ${padding_idx}))`}`,
    ],
  }),
  options,
  indexCount: ({ num_embeddings }) => num_embeddings,
  checkInput: (input) =>
    input.length === 1
      ? undefined
      : { requirement: 'needs one row of indices per sample', remedy: 'Add "flatten" before it.' },
  outputShape: ([positions], { embedding_dim }) => [positions!, embedding_dim],
  receptiveField: () => [{ size: 1, stride: 1 }],
  // Nothing is multiplied.
  macs: () => 0,
  parameters(_input, { num_embeddings, embedding_dim, padding_idx, init }) {
    return [
      {
        name: 'weight',
        shape: [num_embeddings, embedding_dim],
        init: { initializer: init, ...(padding_idx !== undefined && { zeroRow: padding_idx }) },
      },
    ];
  },
  forward({ kernels, parameters, input, output }) {
    kernels.lookUpRows(output, parameters.weight!, input);
  },
  surrogateFor({ padding_idx }) {
    if (padding_idx === undefined) return undefined;
    return {
      reason: 'the row of "padding_idx" gets no gradient',
      forward({ kernels, parameters, input, output }) {
        kernels.lookUpRows(output, parameters.weight!, input);
        const width = output.data.length / input.data.length;
        input.data.forEach((index, i) => {
          if (Math.round(index) !== padding_idx) return;
          kernels.fill({ shape: [width], data: output.data.subarray(i * width, (i + 1) * width) }, 0);
        });
      },
    };
  },
  backward({ kernels, options: layer, input, gradOutput, gradInput, gradParameters }) {
    kernels.accumulateAtRows(gradParameters.weight!, gradOutput, input, paddingOf(layer));
    if (gradInput) kernels.fill(gradInput, 0);
  },
});

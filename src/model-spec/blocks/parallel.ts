import * as z from 'zod/mini';
import { alias } from '../../engine/option-schemas';
import { defineBlock, JOIN_KINDS, MAX_LAYERS } from './block';

/** Branches with one input, whose outputs are joined. */
export const parallel = defineBlock({
  kind: 'parallel',
  summary:
    'Feeds its input to several branches and joins their outputs: by sum, by product, or one after the other as features ' +
    'or channels. An empty branch passes the input on.',
  aliases: ['branches', 'branch', 'inception', 'split', 'fork'],
  snippet: {
    type: 'parallel',
    branches: [[{ type: 'linear', out_features: '^${1:4}' }], [{ type: 'linear', out_features: '^${2:4}' }]],
    merge: '${3:concat}',
  },
  joins: true,
  options: (layers) =>
    z.strictObject({
      branches: z
        .array(layers('The layers of a branch, in order.'))
        .check(z.minLength(2), z.maxLength(MAX_LAYERS), z.describe('Two or more lists of layers.')),
      merge: z
        .enum(JOIN_KINDS)
        .check(
          z.describe('How to join the outputs: the sum, the product element by element, or all of them in a row.'),
          alias('join', 'combine', 'mode'),
        ),
    }),
  size: ({ branches }, count) => branches.reduce((sum, branch) => sum + count(branch), 1),
  expand: ({ branches, merge }, input, { append, join }) =>
    join(
      merge,
      branches.map((branch, i) => append(branch, ['branches', i], input)),
    ),
});

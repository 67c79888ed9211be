import * as z from 'zod/mini';
import { alias, positiveInteger } from '../../engine/option-schemas';
import { defineBlock, MAX_LAYERS } from './block';

/** Layers written once in the spec, several times in the network. */
export const repeat = defineBlock({
  kind: 'repeat',
  summary:
    'Repeats a block of layers, as if they were written out. Each copy has its own parameters and name: a given name ' +
    'is numbered, such as hidden1, hidden2. Blocks can be nested.',
  aliases: ['block', 'sequential'],
  snippet: { type: 'repeat', times: '^${1:3}', layers: [{ type: 'linear', out_features: '^${2:4}' }, '${3:tanh}'] },
  joins: false,
  options: (layers) =>
    z.strictObject({
      times: positiveInteger('Number of repetitions.').check(z.lte(MAX_LAYERS), alias('count', 'repeat', 'n')),
      layers: layers('The layers of the block, in order.').check(z.minLength(1)),
    }),
  size: ({ times, layers }, count) => times * count(layers),
  expand({ times, layers }, input, { append }) {
    let source = input;
    for (let index = 0; index < times; index++) source = append(layers, ['layers'], source, { index, times });
    return source;
  },
});

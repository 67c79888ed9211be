// He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016.
import * as z from 'zod/mini';
import { alias } from '../../engine/option-schemas';
import { defineBlock } from './block';

/** y = layers(x) + shortcut(x); without a shortcut, layers(x) + x. */
export const residual = defineBlock({
  kind: 'residual',
  summary:
    'Adds the input of a block of layers to its output: y = layers(x) + x. With `shortcut`, y = layers(x) + shortcut(x), ' +
    'for layers that change the shape.',
  aliases: ['skip', 'skip_connection', 'res_block', 'residual_block', 'shortcut'],
  snippet: { type: 'residual', layers: ['${1:tanh}', { type: 'linear', out_features: '^${2:4}' }] },
  joins: true,
  options: (layers) =>
    z.strictObject({
      layers: layers('The layers whose output is added to the input.').check(z.minLength(1)),
      shortcut: z.optional(
        layers('Layers applied to the input before it is added, such as one linear layer. By default, none.').check(
          z.minLength(1),
          alias('downsample', 'projection', 'skip'),
        ),
      ),
    }),
  size: ({ layers, shortcut = [] }, count) => count(layers) + count(shortcut) + 1,
  expand({ layers, shortcut = [] }, input, { append, join }) {
    return join('add', [append(layers, ['layers'], input), append(shortcut, ['shortcut'], input)]);
  },
  mismatchRemedy: 'Make the last of its layers keep the shape, or add a "shortcut" that changes it too.',
});

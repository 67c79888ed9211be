import * as z from 'zod/mini';
import { noOptions, finiteNumber } from '../option-schemas';
import { defineInitializer } from './initializer';

export const constant = defineInitializer({
  kind: 'constant',
  aliases: ['const', 'fill'],
  summary: 'Every entry is `val`.',
  options: z.strictObject({ val: finiteNumber('The value of every entry.') }),
  isConstant: true,
  mean: ({ val }) => val,
  draw: (_random, _fans, { val }) => val,
});

export const zeros = defineInitializer({
  kind: 'zeros',
  aliases: ['zero'],
  summary: 'Every entry is 0. For biases: weights that start equal stay equal.',
  options: noOptions,
  isConstant: true,
  draw: () => 0,
});

import * as z from 'zod/mini';
import { noOptions, number } from '../options';
import { defineInitializer } from './initializer';

export const constant = defineInitializer({
  kind: 'constant',
  summary: 'Every entry is `val`.',
  options: z.strictObject({ val: number('The value of every entry.') }),
  draw: (_random, _fans, { val }) => val,
});

export const zeros = defineInitializer({
  kind: 'zeros',
  summary: 'Every entry is 0. Weights that all start equal stay equal: use it for biases.',
  options: noOptions,
  draw: () => 0,
});

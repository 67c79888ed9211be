import * as z from 'zod/mini';
import { finiteNumber } from '../option-schemas';
import { defineInitializer } from './initializer';

export const uniform = defineInitializer({
  kind: 'uniform',
  aliases: ['random_uniform', 'rand'],
  summary: 'Uniform in [a, b).',
  options: z.strictObject({
    a: z._default(finiteNumber('Lower bound.'), 0),
    b: z._default(finiteNumber('Upper bound.'), 1),
  }),
  mean: ({ a, b }) => (a + b) / 2,
  std: ({ a, b }) => Math.abs(b - a) / Math.sqrt(12),
  draw: (random, _fans, { a, b }) => random.uniform(a, b),
});

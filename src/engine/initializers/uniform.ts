import * as z from 'zod/mini';
import { number } from '../options';
import { defineInitializer } from './initializer';

export const uniform = defineInitializer({
  kind: 'uniform',
  summary: 'Uniform in [a, b).',
  options: z.strictObject({
    a: z._default(number('Lower end.'), 0),
    b: z._default(number('Upper end.'), 1),
  }),
  draw: (random, _fans, { a, b }) => random.uniform(a, b),
});

import * as z from 'zod/mini';
import { nonNegative, number } from '../options';
import { defineInitializer } from './initializer';

export const normal = defineInitializer({
  kind: 'normal',
  summary: 'Normal with `mean` and `std`.',
  options: z.strictObject({
    mean: z._default(number('Mean.'), 0),
    std: z._default(nonNegative('Standard deviation.'), 1),
  }),
  draw: (random, _fans, { mean, std }) => random.normal(mean, std),
});

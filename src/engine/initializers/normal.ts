import * as z from 'zod/mini';
import { nonNegativeNumber, finiteNumber } from '../option-schemas';
import { defineInitializer } from './initializer';

export const normal = defineInitializer({
  kind: 'normal',
  aliases: ['gaussian', 'random_normal', 'randn'],
  summary: 'Normal with `mean` and `std`.',
  options: z.strictObject({
    mean: z._default(finiteNumber('Mean.'), 0),
    std: z._default(nonNegativeNumber('Standard deviation.'), 1),
  }),
  mean: ({ mean }) => mean,
  std: ({ std }) => std,
  draw: (random, _fans, { mean, std }) => random.normal(mean, std),
});

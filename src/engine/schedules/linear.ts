import * as z from 'zod/mini';
import { positiveInteger } from '../option-schemas';
import { defineSchedule } from './schedule';

const factor = (description: string) => z.number().check(z.gte(0), z.lte(1), z.describe(description));

/** base · (start_factor + (end_factor - start_factor) min(at / total_iters, 1)): PyTorch's LinearLR. */
export const linear = defineSchedule({
  kind: 'linear',
  aliases: ['linear_lr'],
  summary: 'Changes the rate linearly from start_factor to end_factor times the base rate, for a warm-up or a decay.',
  options: z.strictObject({
    start_factor: z._default(factor('Factor of the base rate at the start.').check(z.gt(0)), 1 / 3),
    end_factor: z._default(factor('Factor of the base rate at the end and after it.'), 1),
    total_iters: z._default(positiveInteger('Number of epochs or steps of the change.'), 5),
  }),
  rate: (base, { at }, { start_factor, end_factor, total_iters }) =>
    base * (start_factor + (end_factor - start_factor) * Math.min(at / total_iters, 1)),
});

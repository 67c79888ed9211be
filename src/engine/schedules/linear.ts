import * as z from 'zod/mini';
import { count } from '../options';
import { defineSchedule } from './schedule';

const factor = (description: string) =>
  z.number().check(z.gte(0), z.lte(1), z.describe(description));

/** base · (start_factor + (end_factor - start_factor) min(at / total_iters, 1)): PyTorch's LinearLR. */
export const linear = defineSchedule({
  kind: 'linear',
  summary: 'From start_factor to end_factor times the base rate, in a straight line: up to warm up, down to end.',
  options: z.strictObject({
    start_factor: z._default(factor('Share of the base rate at the start.').check(z.gt(0)), 1 / 3),
    end_factor: z._default(factor('Share of the base rate at the end, and from then on.'), 1),
    total_iters: z._default(count('Epochs or steps from the one to the other.'), 5),
  }),
  rate: (base, { at }, { start_factor, end_factor, total_iters }) =>
    base * (start_factor + (end_factor - start_factor) * Math.min(at / total_iters, 1)),
});

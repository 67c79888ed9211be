import * as z from 'zod/mini';
import { integerPower } from '../deterministic-math';
import { positiveNumber } from '../option-schemas';
import { defineSchedule } from './schedule';

/** base · gamma^at: PyTorch's ExponentialLR. */
export const exponential = defineSchedule({
  kind: 'exponential',
  aliases: ['exponential_lr', 'exponential_decay'],
  summary: 'Multiplies the rate by gamma after every epoch or step.',
  options: z.strictObject({ gamma: positiveNumber('Factor per epoch or step, such as 0.95.') }),
  rate: (base, { at }, { gamma }) => base * integerPower(gamma, at),
});

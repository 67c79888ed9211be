import * as z from 'zod/mini';
import { power } from '../functions';
import { positive } from '../options';
import { defineSchedule } from './schedule';

/** base · gamma^at: PyTorch's ExponentialLR. */
export const exponential = defineSchedule({
  kind: 'exponential',
  summary: 'The rate is multiplied by gamma after every epoch or step.',
  options: z.strictObject({ gamma: positive('Factor from one to the next, such as 0.95.') }),
  rate: (base, { at }, { gamma }) => base * power(gamma, at),
});

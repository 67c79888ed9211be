import * as z from 'zod/mini';
import { power } from '../functions';
import { count, positive } from '../options';
import { defineSchedule } from './schedule';

/** base · gammaᵏ, k = ⌊at / step_size⌋: PyTorch's StepLR. */
export const step = defineSchedule({
  kind: 'step',
  summary: 'The rate is multiplied by gamma after every step_size epochs or steps.',
  options: z.strictObject({
    step_size: count('Epochs or steps from one drop to the next.'),
    gamma: z._default(positive('Factor of each drop.'), 0.1),
  }),
  rate: (base, { at }, { step_size, gamma }) => base * power(gamma, Math.floor(at / step_size)),
});

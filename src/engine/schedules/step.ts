import * as z from 'zod/mini';
import { integerPower } from '../deterministic-math';
import { positiveInteger, positiveNumber } from '../option-schemas';
import { defineSchedule } from './schedule';

/** base · gammaᵏ, k = ⌊at / step_size⌋: PyTorch's StepLR. */
export const step = defineSchedule({
  kind: 'step',
  aliases: ['step_lr', 'step_decay'],
  summary: 'Multiplies the rate by gamma after every step_size epochs or steps.',
  options: z.strictObject({
    step_size: positiveInteger('Number of epochs or steps between drops.'),
    gamma: z._default(positiveNumber('Factor of each drop.'), 0.1),
  }),
  rate: (base, { at }, { step_size, gamma }) => base * integerPower(gamma, Math.floor(at / step_size)),
});

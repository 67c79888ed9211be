// Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, without the restarts.
import * as z from 'zod/mini';
import { cosPi } from '../deterministic-math';
import { positiveInteger, nonNegativeNumber } from '../option-schemas';
import { defineSchedule } from './schedule';

/** eta_min + ½ (base - eta_min) (1 + cos(π at / T_max)): PyTorch's CosineAnnealingLR. */
export const cosine = defineSchedule({
  kind: 'cosine',
  aliases: ['cosine_annealing', 'cosine_annealing_lr', 'cosine_decay'],
  summary: 'Follows half a cosine wave from the base rate down to eta_min.',
  options: z.strictObject({
    T_max: z.optional(
      positiveInteger(
        'Number of epochs or steps to reach eta_min; after that the rate rises again, as in PyTorch. By default, the whole run.',
      ),
    ),
    eta_min: z._default(nonNegativeNumber('The lowest rate.'), 0),
  }),
  spansRun: ({ T_max }) => T_max === undefined,
  rate(base, { at, total }, { T_max, eta_min }) {
    const share = T_max === undefined ? Math.min(1, at / total) : at / T_max;
    return eta_min + 0.5 * (base - eta_min) * (1 + cosPi(share));
  },
});

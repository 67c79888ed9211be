// Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, without the restarts.
import * as z from 'zod/mini';
import { cosPi } from '../functions';
import { count, nonNegative } from '../options';
import { defineSchedule } from './schedule';

/** eta_min + ½ (base - eta_min) (1 + cos(π at / T_max)): PyTorch's CosineAnnealingLR. */
export const cosine = defineSchedule({
  kind: 'cosine',
  summary: 'Half a wave of a cosine from the base rate down to eta_min.',
  options: z.strictObject({
    T_max: z.optional(
      count('Epochs or steps on the way down; beyond them the rate rises again, as in PyTorch. Unless given: the whole run.'),
    ),
    eta_min: z._default(nonNegative('The lowest rate.'), 0),
  }),
  spansRun: ({ T_max }) => T_max === undefined,
  rate(base, { at, total }, { T_max, eta_min }) {
    const share = T_max === undefined ? Math.min(1, at / total) : at / T_max;
    return eta_min + 0.5 * (base - eta_min) * (1 + cosPi(share));
  },
});

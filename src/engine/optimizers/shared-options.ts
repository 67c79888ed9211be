// Options that several optimizers share.
import * as z from 'zod/mini';
import { alias, nonNegativeNumber } from '../option-schemas';

export const weightDecay = (
  fallback: number,
  description = 'Weight decay: adds weight_decay · w to every gradient, biases included. That is the gradient of ½ weight_decay ‖w‖².',
) => z._default(nonNegativeNumber(description).check(alias('l2', 'wd')), fallback);

/** The assignment of `addWeightDecay` in LaTeX, if there is any. */
export const weightDecayRule = ({ weight_decay }: { readonly weight_decay: number }): readonly string[] =>
  weight_decay === 0 ? [] : [String.raw`g \leftarrow g + \lambda w`];

export const eps = (fallback: number) =>
  z._default(nonNegativeNumber('Added to the square root to avoid division by 0.').check(alias('epsilon')), fallback);

const fraction = z.number().check(z.gte(0), z.lt(1));

export const betas = z._default(
  z
    .array(fraction)
    .check(z.length(2), z.describe('Decay rates of the two running means: of the gradient, and of its square.')),
  [0.9, 0.999],
);

/** The decay rate of a running mean. */
export const decayRate = (description: string, fallback: number) =>
  z._default(fraction.check(z.describe(description)), fallback);

// Options that several optimizers share.
import * as z from 'zod/mini';
import { nonNegative } from '../options';

export const weightDecay = (fallback: number) =>
  z._default(
    nonNegative('Weight decay: weight_decay · w is added to every gradient, the gradient of ½ weight_decay ‖w‖². Biases included.'),
    fallback,
  );

export const eps = (fallback: number) =>
  z._default(nonNegative('Added to the square root, so that nothing is divided by 0.'), fallback);

/** A share below 1 of what was before. */
const share = z.number().check(z.gte(0), z.lt(1));

export const betas = z._default(
  z
    .array(share)
    .check(
      z.length(2, 'must be two numbers'),
      z.describe('Shares of the running means that are kept at each step: of the gradient, and of its square.'),
    ),
  [0.9, 0.999],
);

export const decayShare = (description: string, fallback: number) =>
  z._default(z.number().check(z.gte(0), z.lt(1), z.describe(description)), fallback);

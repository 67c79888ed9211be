// How a loss over many samples and outputs becomes one number.
import * as z from 'zod/mini';

export type Reduction = 'mean' | 'sum';

/** The option. @param over what the mean is taken over. */
export const reduction = (over: string) =>
  z._default(
    z
      .enum(['mean', 'sum'])
      .check(
        z.describe(
          `\`mean\` over ${over}, or their \`sum\`, whose gradient grows with the batch. ` +
            'Evaluated on a whole part, a `sum` is shown for one sample, so that parts can be compared.',
        ),
      ),
    'mean',
  );

export const OVER_ALL = 'the batch and the outputs';
export const OVER_BATCH = 'the batch';

/** What the sum is divided by. */
export const divisor = (options: { readonly reduction: Reduction }, count: number): number =>
  options.reduction === 'sum' ? 1 : count;

/** Whether a loss with these options grows with the batch. */
export const isSum = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && 'reduction' in options && options.reduction === 'sum';

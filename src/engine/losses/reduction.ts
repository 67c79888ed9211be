// How the loss of many samples and outputs becomes one number.
import * as z from 'zod/mini';

export type Reduction = 'mean' | 'sum';

/** The option `reduction`. @param over what the mean is taken over */
export const reduction = (over: string) =>
  z._default(
    z
      .enum(['mean', 'sum'])
      .check(
        z.describe(
          `The \`mean\` over ${over}, or the \`sum\`, whose gradient grows with the batch. ` +
            'For whole splits, a `sum` is divided by the number of samples, so that splits can be compared.',
        ),
      ),
    'mean',
  );

export const OVER_ALL = 'the batch and the outputs';
export const OVER_BATCH = 'the batch';

/** The divisor of the sum. */
export const divisor = (options: { readonly reduction: Reduction }, count: number): number =>
  options.reduction === 'sum' ? 1 : count;

/** Whether the loss of a model is a sum, which grows with the batch. */
export const isSumReduction = ({
  definition,
  options,
}: {
  readonly definition: { readonly reduction?: Reduction };
  readonly options: unknown;
}): boolean =>
  definition.reduction === 'sum' ||
  (typeof options === 'object' && options !== null && 'reduction' in options && options.reduction === 'sum');

/** What formulas of a mean divide by: the rows, or all entries. */
export const rows = (options: { readonly reduction: Reduction }): string => (options.reduction === 'sum' ? '' : ' / N');
export const entries = (options: { readonly reduction: Reduction }): string =>
  options.reduction === 'sum' ? '' : ' / (N * K)';

import * as z from 'zod/mini';
import { affine, defineTransform, deviationsOf, groupsOf, meansOf, perOption } from './transform';

/** As scikit-learn's StandardScaler: the deviation divides by n, and what never varies is only shifted. */
export const standardize = defineTransform({
  kind: 'standardize',
  summary: '(x - mean) / std, both of the training part: mean 0 and deviation 1. What does not vary there is only shifted.',
  options: z.strictObject({ per: perOption('feature') }),
  fit(context) {
    const groups = groupsOf(context.shape, context.options.per);
    const mean = meansOf(context, groups);
    const std = deviationsOf(context, groups, mean);
    // Rounding leaves a deviation of a few last places where every value is the same.
    const by = std.map((deviation, i) => (deviation > 10 * Number.EPSILON * Math.abs(mean[i]) ? deviation : 1));
    return {
      values: [{ name: 'mean', shape: groups.shape, values: mean }, { name: 'std', shape: groups.shape, values: std }],
      apply: affine(groups, mean, by),
    };
  },
});

import * as z from 'zod/mini';
import { shiftAndScale, defineTransform, groupStds, featureGroups, groupMeans, perOption } from './transform';

/** As scikit-learn's StandardScaler: the standard deviation divides by n; a constant feature is only shifted. */
export const standardize = defineTransform({
  kind: 'standardize',
  aliases: ['normalize', 'normalization', 'z_score', 'standard_scaler'],
  summary:
    '(x - mean) / std of the training split: mean 0 and standard deviation 1. A constant feature is only shifted.',
  options: z.strictObject({ per: perOption('feature') }),
  fit(context) {
    const groups = featureGroups(context.shape, context.options.per);
    const mean = groupMeans(context, groups);
    const std = groupStds(context, groups, mean);
    // Round-off leaves a tiny deviation where all values are equal.
    const divisors = std.map((deviation, i) => (deviation > 10 * Number.EPSILON * Math.abs(mean[i]!) ? deviation : 1));
    return {
      values: [
        { name: 'mean', shape: groups.shape, values: mean },
        { name: 'std', shape: groups.shape, values: std },
      ],
      apply: shiftAndScale(groups, mean, divisors),
    };
  },
});

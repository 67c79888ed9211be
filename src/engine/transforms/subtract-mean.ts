import * as z from 'zod/mini';
import { shiftAndScale, defineTransform, featureGroups, groupMeans, perOption } from './transform';

export const subtractMean = defineTransform({
  kind: 'subtract_mean',
  aliases: ['center', 'mean_center'],
  summary: 'x - mean of the training split; for images and `per` feature, the mean image.',
  options: z.strictObject({ per: perOption('feature') }),
  fit(context) {
    const groups = featureGroups(context.shape, context.options.per);
    const mean = groupMeans(context, groups);
    return {
      values: [{ name: 'mean', shape: groups.shape, values: mean }],
      apply: shiftAndScale(groups, mean, new Float64Array(groups.count).fill(1)),
    };
  },
});

import * as z from 'zod/mini';
import { affine, defineTransform, groupsOf, meansOf, perOption } from './transform';

export const subtractMean = defineTransform({
  kind: 'subtract_mean',
  summary: 'x - mean of the training part; of images, each by itself, that is the mean image.',
  options: z.strictObject({ per: perOption('feature') }),
  fit(context) {
    const groups = groupsOf(context.shape, context.options.per);
    const mean = meansOf(context, groups);
    return {
      values: [{ name: 'mean', shape: groups.shape, values: mean }],
      apply: affine(groups, mean, new Float64Array(groups.count).fill(1)),
    };
  },
});

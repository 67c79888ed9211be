import * as z from 'zod/mini';
import { number } from '../options';
import { affine, defineTransform, eachOf, groupsOf, perOption } from './transform';

/** As scikit-learn's MinMaxScaler: what never varies goes to `low`. */
export const minMax = defineTransform({
  kind: 'min_max',
  summary: 'Brings the smallest value of the training part to `low` and the largest to `high`; other parts may lie beyond.',
  options: z
    .strictObject({
      per: perOption('feature'),
      low: z._default(number('Where the smallest value goes.'), 0),
      high: z._default(number('Where the largest value goes.'), 1),
    })
    .check(
      z.refine(({ low, high }) => low < high, {
        error: '"low" is not below "high".',
        path: ['high'],
        params: { code: 'out-of-range', remedy: 'Give a "high" above "low".' },
      }),
    ),
  fit(context) {
    const { per, low, high } = context.options;
    const groups = groupsOf(context.shape, per);
    const min = new Float64Array(groups.count).fill(Infinity);
    const max = new Float64Array(groups.count).fill(-Infinity);
    eachOf(context, groups, (value, group) => {
      if (value < min[group]) min[group] = value;
      if (value > max[group]) max[group] = value;
    });
    const by = max.map((largest, i) => (largest > min[i] ? (largest - min[i]) / (high - low) : 1 / (high - low)));
    return {
      values: [{ name: 'min', shape: groups.shape, values: min }, { name: 'max', shape: groups.shape, values: max }],
      apply: affine(groups, min, by, low),
    };
  },
});

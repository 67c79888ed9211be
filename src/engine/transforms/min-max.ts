import * as z from 'zod/mini';
import { finiteNumber } from '../option-schemas';
import { shiftAndScale, defineTransform, forEachTrainValue, featureGroups, perOption } from './transform';

/** As scikit-learn's MinMaxScaler: a constant feature becomes `low`. */
export const minMax = defineTransform({
  kind: 'min_max',
  aliases: ['min_max_scaler', 'rescale'],
  summary:
    'Scales values linearly so that the training split ranges from `low` to `high`. Other splits may exceed the range.',
  options: z
    .strictObject({
      per: perOption('feature'),
      low: z._default(finiteNumber('The new minimum.'), 0),
      high: z._default(finiteNumber('The new maximum.'), 1),
    })
    .check(
      z.refine(({ low, high }) => low < high, {
        error: '"low" must be below "high".',
        path: ['high'],
        params: { code: 'out-of-range', remedy: 'Choose a "high" above "low".' },
      }),
    ),
  fit(context) {
    const { per, low, high } = context.options;
    const groups = featureGroups(context.shape, per);
    const min = new Float64Array(groups.count).fill(Infinity);
    const max = new Float64Array(groups.count).fill(-Infinity);
    forEachTrainValue(context, groups, (value, group) => {
      if (value < min[group]!) min[group] = value;
      if (value > max[group]!) max[group] = value;
    });
    const divisors = max.map((largest, i) =>
      largest > min[i]! ? (largest - min[i]!) / (high - low) : 1 / (high - low),
    );
    return {
      values: [
        { name: 'min', shape: groups.shape, values: min },
        { name: 'max', shape: groups.shape, values: max },
      ],
      apply: shiftAndScale(groups, min, divisors, low),
    };
  },
});

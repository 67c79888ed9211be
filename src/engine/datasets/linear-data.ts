import * as z from 'zod/mini';
import { positiveInteger, nonNegativeNumber, finiteNumber } from '../option-schemas';
import { defineDataset } from './dataset';

/**
 * As scikit-learn's make_regression with every feature informative. By default, the weights are drawn from a standard
 * normal distribution.
 */
export const linearData = defineDataset({
  kind: 'linear',
  aliases: ['make_regression', 'linear_regression'],
  summary: 'Standard normal inputs x and the value w · x + bias with normal noise: a regression with a known solution.',
  options: z
    .strictObject({
      samples: z._default(positiveInteger('Points.'), 200),
      features: z._default(positiveInteger('Number of features of an input.'), 1),
      weight: z.optional(
        z.array(z.number()).check(z.minLength(1), z.describe('The weights w, one per feature. By default, random.')),
      ),
      bias: z._default(finiteNumber('The value at x = 0.'), 0),
      noise: z._default(nonNegativeNumber('Standard deviation of the noise added to the value.'), 0.1),
    })
    .check(
      z.refine(({ weight, features }) => weight === undefined || weight.length === features, {
        error: 'The number of weights differs from the number of features.',
        path: ['weight'],
        params: { code: 'length-mismatch', remedy: 'Write one weight per feature.' },
      }),
    ),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples, features }) => ({ inputShape: [features], targetSize: 1, samples }),
  generate({ options: { samples, features, weight, bias, noise }, random }) {
    const drawn = random.stream('weight');
    const w = weight ?? Array.from({ length: features }, () => drawn.normal());
    const inputs = new Float64Array(samples * features);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      targets[i] = bias;
      for (let j = 0; j < features; j++) {
        inputs[i * features + j] = random.normal();
        targets[i]! += w[j]! * inputs[i * features + j]!;
      }
      targets[i]! += random.normal(0, noise);
    }
    return { samples, inputShape: [features], inputs, targetSize: 1, targets };
  },
});

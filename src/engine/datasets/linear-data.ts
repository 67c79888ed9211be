import * as z from 'zod/mini';
import { count, nonNegative, number } from '../options';
import { defineDataset } from './dataset';

/** As scikit-learn's make_regression with every feature informative, its weights standard normal unless given. */
export const linearData = defineDataset({
  kind: 'linear',
  summary: 'Standard normal inputs x and the value w · x + bias with normal noise: the regression whose answer is known.',
  options: z
    .strictObject({
      samples: z._default(count('Points.'), 200),
      features: z._default(count('Numbers in an input.'), 1),
      weight: z.optional(
        z.array(z.number()).check(z.minLength(1), z.describe('The w to be found, one number for each feature. Unless given: drawn from the seed.')),
      ),
      bias: z._default(number('The value at x = 0.'), 0),
      noise: z._default(nonNegative('Standard deviation of the noise added to the value.'), 0.1),
    })
    .check(
      z.refine(({ weight, features }) => weight === undefined || weight.length === features, {
        error: 'There is not one weight for each feature.',
        path: ['weight'],
        params: { code: 'length-mismatch', remedy: 'Give as many weights as "features".' },
      }),
    ),
  split: { validation: 0.2, test: 0.2 },
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
        targets[i] += w[j] * inputs[i * features + j];
      }
      targets[i] += random.normal(0, noise);
    }
    return { samples, inputShape: [features], inputs, targetSize: 1, targets };
  },
});

import * as z from 'zod/mini';
import { sinPi } from '../deterministic-math';
import { positiveInteger, nonNegativeNumber, positiveNumber } from '../option-schemas';
import { defineDataset } from './dataset';

export const noisySine = defineDataset({
  kind: 'noisy_sine',
  aliases: ['sine', 'sinus', 'sin'],
  summary: 'One input x, uniform in [-1, 1), and the value sin(π · periods · x) with normal noise: a regression.',
  options: z.strictObject({
    samples: z._default(positiveInteger('Points.'), 200),
    noise: z._default(nonNegativeNumber('Standard deviation of the noise added to the value.'), 0.1),
    periods: z._default(positiveNumber('Number of periods over the whole range of x.'), 1),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples }) => ({ inputShape: [1], targetSize: 1, samples }),
  generate({ options: { samples, noise, periods }, random }) {
    const inputs = new Float64Array(samples);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      inputs[i] = random.uniform(-1, 1);
      targets[i] = sinPi(periods * inputs[i]!) + random.normal(0, noise);
    }
    return { samples, inputShape: [1], inputs, targetSize: 1, targets, featureNames: ['x'] };
  },
});

import * as z from 'zod/mini';
import { positiveInteger, nonNegativeNumber } from '../option-schemas';
import { defineDataset } from './dataset';

export const xor = defineDataset({
  kind: 'xor',
  summary:
    'The corners of the unit square, class 1 if exactly one coordinate is 1: no straight line separates the classes.',
  options: z.strictObject({
    samples: z._default(
      positiveInteger(
        'Number of points, which cycle through the four corners: 4 points without noise are the truth table.',
      ),
      4,
    ),
    noise: z._default(nonNegativeNumber('Standard deviation of the noise added to both coordinates.'), 0),
  }),
  defaultSplit: { validation: 0, test: 0 },
  shape: ({ samples }) => ({ inputShape: [2], targetSize: 1, classes: 2, samples }),
  generate({ options: { samples, noise }, random }) {
    const inputs = new Float64Array(samples * 2);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const a = (i >> 1) & 1;
      const b = i & 1;
      inputs[2 * i] = a + random.normal(0, noise);
      inputs[2 * i + 1] = b + random.normal(0, noise);
      targets[i] = a ^ b;
    }
    return { samples, inputShape: [2], inputs, classes: ['0', '1'], targetSize: 1, targets, featureNames: ['a', 'b'] };
  },
});

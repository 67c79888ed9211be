import * as z from 'zod/mini';
import { cosPi, sinPi } from '../functions';
import { nonNegative } from '../options';
import { defineDataset } from './dataset';

/** The shape of scikit-learn's make_moons. The samples alternate between the moons. */
export const moons = defineDataset({
  kind: 'moons',
  summary: 'Two half circles of radius 1 that reach into each other, with normal noise: class 0 above, class 1 below, half a unit lower and one to the right.',
  options: z.strictObject({
    samples: z._default(z.int().check(z.gte(2), z.describe('Points, half of them on each moon.')), 400),
    noise: z._default(nonNegative('Standard deviation of the noise added to both coordinates.'), 0.1),
  }),
  split: { validation: 0.2, test: 0.2 },
  shape: ({ samples }) => ({ inputShape: [2], targetSize: 1, classes: 2, samples }),
  generate({ options: { samples, noise }, random }) {
    const inputs = new Float64Array(samples * 2);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const lower = i % 2;
      const onMoon = lower ? Math.floor(samples / 2) : Math.ceil(samples / 2);
      // Both ends belong to the half circle.
      const turn = onMoon > 1 ? Math.floor(i / 2) / (onMoon - 1) : 0;
      const [x, y] = [cosPi(turn), sinPi(turn)];
      inputs[2 * i] = (lower ? 1 - x : x) + random.normal(0, noise);
      inputs[2 * i + 1] = (lower ? 0.5 - y : y) + random.normal(0, noise);
      targets[i] = lower;
    }
    return { samples, inputShape: [2], inputs, classes: ['upper', 'lower'], targetSize: 1, targets, featureNames: ['x', 'y'] };
  },
});

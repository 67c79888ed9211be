import * as z from 'zod/mini';
import { cosPi, sinPi } from '../deterministic-math';
import { nonNegativeNumber } from '../option-schemas';
import { defineDataset } from './dataset';

/** The shape of scikit-learn's make_moons. The samples alternate between the moons. */
export const moons = defineDataset({
  kind: 'moons',
  aliases: ['make_moons'],
  summary:
    'Two interleaving half circles of radius 1 with normal noise: class 0 above; class 1 below, shifted down by 0.5 and right by 1.',
  options: z.strictObject({
    samples: z._default(z.int().check(z.gte(2), z.describe('Number of points, half of them on each moon.')), 400),
    noise: z._default(nonNegativeNumber('Standard deviation of the noise added to both coordinates.'), 0.1),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples }) => ({ inputShape: [2], targetSize: 1, classes: 2, samples }),
  generate({ options: { samples, noise }, random }) {
    const inputs = new Float64Array(samples * 2);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const lower = i % 2;
      const onMoon = lower ? Math.floor(samples / 2) : Math.ceil(samples / 2);
      // Both end points are part of the half circle.
      const turn = onMoon > 1 ? Math.floor(i / 2) / (onMoon - 1) : 0;
      const [x, y] = [cosPi(turn), sinPi(turn)];
      inputs[2 * i] = (lower ? 1 - x : x) + random.normal(0, noise);
      inputs[2 * i + 1] = (lower ? 0.5 - y : y) + random.normal(0, noise);
      targets[i] = lower;
    }
    return {
      samples,
      inputShape: [2],
      inputs,
      classes: ['upper', 'lower'],
      targetSize: 1,
      targets,
      featureNames: ['x', 'y'],
    };
  },
});

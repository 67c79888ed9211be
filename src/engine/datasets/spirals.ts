import * as z from 'zod/mini';
import { cosPi, sinPi } from '../functions';
import { nonNegative, positive } from '../options';
import { defineDataset } from './dataset';

/** Archimedean: the radius grows evenly with the angle. The samples take the arms in turn. */
export const spirals = defineDataset({
  kind: 'spirals',
  summary: 'Arms of a spiral from the centre to radius 1, one class each, with normal noise: hard for a small network.',
  options: z.strictObject({
    samples: z._default(z.int().check(z.gte(2), z.describe('Points, spread evenly over the arms.')), 400),
    noise: z._default(nonNegative('Standard deviation of the noise added to both coordinates.'), 0.02),
    arms: z._default(z.int().check(z.gte(2), z.lte(20), z.describe('Arms, and classes.')), 2),
    turns: z._default(positive('Turns of each arm around the centre.'), 1),
  }),
  split: { validation: 0.2, test: 0.2 },
  shape: ({ samples, arms }) => ({ inputShape: [2], targetSize: 1, classes: arms, samples }),
  generate({ options: { samples, noise, arms, turns }, random }) {
    const inputs = new Float64Array(samples * 2);
    const targets = new Float64Array(samples);
    const onArm = Math.ceil(samples / arms);
    for (let i = 0; i < samples; i++) {
      const arm = i % arms;
      const radius = (Math.floor(i / arms) + 1) / onArm;
      const turn = 2 * (turns * radius + arm / arms);
      inputs[2 * i] = radius * cosPi(turn) + random.normal(0, noise);
      inputs[2 * i + 1] = radius * sinPi(turn) + random.normal(0, noise);
      targets[i] = arm;
    }
    const classes = Array.from({ length: arms }, (_, arm) => String(arm));
    return { samples, inputShape: [2], inputs, classes, targetSize: 1, targets, featureNames: ['x', 'y'] };
  },
});

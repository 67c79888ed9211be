import * as z from 'zod/mini';
import { cosPi, sinPi } from '../deterministic-math';
import { nonNegativeNumber, positiveNumber } from '../option-schemas';
import { defineDataset } from './dataset';

/** Archimedean spirals: the radius grows linearly with the angle. The samples cycle through the arms. */
export const spirals = defineDataset({
  kind: 'spirals',
  aliases: ['spiral', 'make_spirals'],
  summary: 'Spiral arms from the center to radius 1, one class each, with normal noise: hard for a small network.',
  options: z.strictObject({
    samples: z._default(
      z.int().check(z.gte(2), z.describe('Number of points, distributed evenly over the arms.')),
      400,
    ),
    noise: z._default(nonNegativeNumber('Standard deviation of the noise added to both coordinates.'), 0.02),
    arms: z._default(
      z.int().check(z.gte(2), z.lte(20), z.describe('Number of arms, which is the number of classes.')),
      2,
    ),
    turns: z._default(positiveNumber('Number of turns of each arm around the center.'), 1),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
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

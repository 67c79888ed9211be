import * as z from 'zod/mini';
import { cosPi, sinPi } from '../deterministic-math';
import { nonNegativeNumber } from '../option-schemas';
import { defineDataset } from './dataset';

/** The samples alternate between the circles, so that a batch taken in order has both classes. */
export const circles = defineDataset({
  kind: 'circles',
  aliases: ['make_circles'],
  summary: 'Points on two concentric circles with normal noise: class 0 at radius 1 around class 1 at radius `factor`.',
  options: z.strictObject({
    samples: z._default(z.int().check(z.gte(2), z.describe('Number of points, half of them on each circle.')), 400),
    noise: z._default(nonNegativeNumber('Standard deviation of the noise added to both coordinates.'), 0.1),
    factor: z._default(
      z.number().check(z.gte(0), z.lt(1), z.describe('Radius of the inner circle; the outer one has 1.')),
      0.5,
    ),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples }) => ({ inputShape: [2], targetSize: 1, classes: 2, samples }),
  generate({ options: { samples, noise, factor }, random }) {
    const inputs = new Float64Array(samples * 2);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const inner = i % 2;
      const onCircle = inner ? Math.floor(samples / 2) : Math.ceil(samples / 2);
      const turn = (2 * Math.floor(i / 2)) / onCircle;
      const radius = inner ? factor : 1;
      inputs[2 * i] = radius * cosPi(turn) + random.normal(0, noise);
      inputs[2 * i + 1] = radius * sinPi(turn) + random.normal(0, noise);
      targets[i] = inner;
    }
    return {
      samples,
      inputShape: [2],
      inputs,
      classes: ['outer', 'inner'],
      targetSize: 1,
      targets,
      featureNames: ['x', 'y'],
    };
  },
});

import * as z from 'zod/mini';
import { positiveInteger, positiveNumber } from '../option-schemas';
import { defineDataset } from './dataset';

/** As scikit-learn's make_blobs, in a smaller box. The samples cycle through the blobs. */
export const blobs = defineDataset({
  kind: 'blobs',
  aliases: ['make_blobs', 'clusters'],
  summary: 'Round clouds of points around random centers, one class each.',
  options: z.strictObject({
    samples: z._default(positiveInteger('Number of points, distributed evenly over the blobs.'), 300),
    centers: z._default(
      z.int().check(z.gte(2), z.lte(1000), z.describe('Number of blobs, which is the number of classes.')),
      3,
    ),
    features: z._default(positiveInteger('Number of coordinates of a point.'), 2),
    cluster_std: z._default(positiveNumber('Standard deviation of each coordinate around its center.'), 0.3),
    box: z._default(positiveNumber('Centers are uniform between -box and box in every coordinate.'), 2),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples, features, centers }) => ({ inputShape: [features], targetSize: 1, classes: centers, samples }),
  generate({ options: { samples, centers, features, cluster_std, box }, random }) {
    // A separate stream, so that the number of samples does not affect the centers.
    const places = random.stream('centers');
    const middle = Float64Array.from({ length: centers * features }, () => places.uniform(-box, box));
    const inputs = new Float64Array(samples * features);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const own = i % centers;
      for (let j = 0; j < features; j++)
        inputs[i * features + j] = random.normal(middle[own * features + j], cluster_std);
      targets[i] = own;
    }
    const classes = Array.from({ length: centers }, (_, own) => String(own));
    return { samples, inputShape: [features], inputs, classes, targetSize: 1, targets };
  },
});

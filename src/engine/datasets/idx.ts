import * as z from 'zod/mini';
import type { InPieces } from '../pieces';
import { broken } from './array-file';
import { defineDataset, type Dataset } from './dataset';
import { arrayOptions, fromArrays } from './from-arrays';
import { openIdx } from './idx-format';

const path = (what: string) => z.string().check(z.minLength(1), z.describe(what));

/** MNIST and its kin. */
export const idx = defineDataset({
  kind: 'idx',
  summary:
    'Images and their classes from a pair of IDX files, plain or packed with gzip, as MNIST and its kin come. An image is ' +
    'channels × height × width, with one channel; a `flatten` layer makes a row of it.',
  options: z.strictObject({
    images: path('The file of images, relative to the spec. It must lie in the workspace.'),
    labels: path('The file of their classes.'),
    ...arrayOptions(255),
  }),
  split: { validation: 0.2, test: 0.2 },
  shape: () => undefined,
  *generate(context): InPieces<Dataset> {
    const { files, options } = context;
    const inputs = openIdx(files, files.open(options.images, ['images']), ['images']);
    const targets = openIdx(files, files.open(options.labels, ['labels']), ['labels']);
    if (inputs.shape.length === 1) {
      throw broken(inputs.file, inputs.at, 'it holds one number a sample, as files of labels do', 'Check that "images" and "labels" are not exchanged.');
    }
    const layout = inputs.shape.length === 3 ? 'hw' : 'as_is';
    return yield* fromArrays(context, { inputs, layout, targets, task: 'classes' });
  },
});

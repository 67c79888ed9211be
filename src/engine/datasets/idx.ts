import * as z from 'zod/mini';
import { fileError } from './array-file';
import { defineDataset, type GenerateContext } from './dataset';
import { type ArrayOptions, arrayOptions, pairedArrays } from './from-arrays';
import { openIdx } from './idx-format';

const nonEmptyString = (what: string) => z.string().check(z.minLength(1), z.describe(what));

type Context = GenerateContext<ArrayOptions & { readonly images: string; readonly labels: string }>;

/** MNIST and similar datasets. */
export const idx = defineDataset({
  kind: 'idx',
  summary:
    'Images and their classes from a pair of IDX files, plain or compressed with gzip, such as MNIST. An image is ' +
    'channels × height × width, with one channel; a `flatten` layer converts it to a row.',
  options: z.strictObject({
    images: nonEmptyString('The file of images, relative to the spec. It must lie in the workspace.'),
    labels: nonEmptyString('The file of their classes.'),
    ...arrayOptions(255),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: () => undefined,
  ...pairedArrays(({ files, options }: Context) => {
    const inputs = openIdx(files, files.open(options.images, ['images']), ['images']);
    const targets = openIdx(files, files.open(options.labels, ['labels']), ['labels']);
    if (inputs.shape.length === 1) {
      throw fileError(
        inputs.file,
        inputs.at,
        'it contains one number per sample, like a file of labels',
        'Check that "images" and "labels" are not swapped.',
      );
    }
    const layout = inputs.shape.length === 3 ? 'hw' : 'as_is';
    return { inputs, layout, targets, task: 'classes', canBeValues: false };
  }),
});

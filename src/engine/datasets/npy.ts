import * as z from 'zod/mini';
import type { InPieces } from '../pieces';
import type { ArrayFile } from './array-file';
import { DataError, type Dataset, defineDataset, type GenerateContext, type OptionPath } from './dataset';
import { arrayOptions, fromArrays, layoutOption } from './from-arrays';
import { openNpy } from './npy-format';
import { Npz } from './zip-format';

const name = (what: string) => z.string().check(z.minLength(1), z.describe(what));

/** Exactly one of the two. */
const oneTarget = z.superRefine<{ targets?: string; labels?: string }>(({ targets, labels }, context) => {
  const both = targets !== undefined && labels !== undefined;
  if (!both && (targets ?? labels) !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: both ? ['labels'] : [],
    message: both ? 'Both "targets" and "labels" are given.' : 'The arrays to predict are missing: there is neither "targets" nor "labels".',
    params: {
      code: both ? 'too-many-targets' : 'missing-option',
      remedy: both ? 'Keep "targets" for values or "labels" for classes.' : 'Add "targets" with values, or "labels" with classes.',
    },
    input: undefined,
  });
});

interface Names {
  readonly inputs: string;
  readonly targets?: string;
  readonly labels?: string;
}

type Context = GenerateContext<Names & Parameters<typeof fromArrays>[0]['options'] & { readonly layout: 'as_is' | 'hw' | 'hwc' }>;

function* generate(context: Context, open: (name: string, at: OptionPath) => ArrayFile): InPieces<Dataset> {
  const { inputs, targets, labels, layout } = context.options;
  const wanted = labels ?? targets;
  if (wanted === undefined) throw new DataError('There is neither "targets" nor "labels".', 'Add one of them.');
  const task = labels === undefined ? 'values' : 'classes';
  return yield* fromArrays(context, {
    inputs: open(inputs, ['inputs']), layout, targets: open(wanted, [labels === undefined ? 'targets' : 'labels']), task,
  });
}

const shared = { layout: layoutOption, ...arrayOptions(1) };

export const npy = defineDataset({
  kind: 'npy',
  summary: 'Samples from a pair of NumPy .npy files, one array each; the first axis counts the samples.',
  options: z
    .strictObject({
      inputs: name('The file of inputs, relative to the spec. It must lie in the workspace.'),
      targets: z.optional(name('The file of values to predict. Either this or `labels`.')),
      labels: z.optional(name('The file of classes: one whole number a sample. Either this or `targets`.')),
      ...shared,
    })
    .check(oneTarget),
  split: { validation: 0.2, test: 0.2 },
  shape: () => undefined,
  generate: (context) => generate(context, (path, at) => openNpy(context.files.open(path, at), at)),
});

export const npz = defineDataset({
  kind: 'npz',
  summary: 'Samples from two arrays of a NumPy .npz file; the first axis counts the samples.',
  options: z
    .strictObject({
      path: name('The file, relative to the spec. It must lie in the workspace.'),
      inputs: name('The array of inputs.'),
      targets: z.optional(name('The array of values to predict. Either this or `labels`.')),
      labels: z.optional(name('The array of classes: one whole number a sample. Either this or `targets`.')),
      ...shared,
    })
    .check(oneTarget),
  split: { validation: 0.2, test: 0.2 },
  shape: () => undefined,
  *generate(context): InPieces<Dataset> {
    const { files, options } = context;
    const archive = new Npz(files, files.open(options.path, ['path']), ['path']);
    return yield* generate(context, (array, at) => openNpy(archive.array(array, at), at));
  },
});

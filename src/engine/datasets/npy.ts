// Datasets of two arrays, inputs and targets: in a pair of .npy files, in one .npz or in one .safetensors file.
import * as z from 'zod/mini';
import type { ArrayFile } from './array-file';
import { DataError, type OptionPath } from './data-error';
import { defineDataset, type GenerateContext } from './dataset';
import {
  type ArrayOptions,
  arrayOptions,
  type ArrayPairs,
  type Layout,
  layoutOption,
  pairedArrays,
} from './from-arrays';
import { inputNamesOf, namedInputs } from './named-inputs';
import { openNpy } from './npy-format';
import { SafetensorsFile } from './safetensors-format';
import { NpzArchive } from './npz-archive';

const nonEmptyString = (what: string) => z.string().check(z.minLength(1), z.describe(what));

const inputsOption = (what: string) =>
  z
    .union([z.string().check(z.minLength(1)), namedInputs(z.string().check(z.minLength(1)))])
    .check(
      z.describe(
        `${what} Several inputs have names, as in { "image": "…", "text": "…" }: layers read them with "inputs": ["image"].`,
      ),
    );

/** Requires exactly one of the two. */
const requireOneTarget = z.superRefine<{ targets?: string | undefined; labels?: string | undefined }>(
  ({ targets, labels }, context) => {
    const both = targets !== undefined && labels !== undefined;
    if (!both && (targets ?? labels) !== undefined) return;
    context.addIssue({
      code: 'custom',
      path: both ? ['labels'] : [],
      message: both
        ? 'Both "targets" and "labels" are given.'
        : 'The arrays to predict are missing: there is neither "targets" nor "labels".',
      params: {
        code: both ? 'too-many-targets' : 'missing-option',
        remedy: both
          ? 'Keep "targets" for values or "labels" for classes.'
          : 'Add "targets" with values, or "labels" with classes.',
      },
      input: undefined,
    });
  },
);

interface Names {
  readonly inputs: string | Readonly<Record<string, string>>;
  readonly targets?: string | undefined;
  readonly labels?: string | undefined;
}

type Context = GenerateContext<Names & ArrayOptions & { readonly layout: Layout }>;
type ArchiveContext = GenerateContext<Context['options'] & { readonly path: string }>;

const openPair = (
  { inputs, targets, labels, layout }: Context['options'],
  open: (name: string, at: OptionPath) => ArrayFile,
): ArrayPairs => {
  const wanted = labels ?? targets;
  if (wanted === undefined) throw new DataError('There is neither "targets" nor "labels".', 'Add one of them.');
  return {
    inputs:
      typeof inputs === 'string'
        ? open(inputs, ['inputs'])
        : Object.entries(inputs).map(([name, array]) => ({ name, array: open(array, ['inputs', name]) })),
    layout,
    targets: open(wanted, [labels === undefined ? 'targets' : 'labels']),
    task: labels === undefined ? 'values' : 'classes',
    canBeValues: true,
  };
};

const sharedOptions = { layout: layoutOption, ...arrayOptions(1) };

export const npy = defineDataset({
  kind: 'npy',
  summary: 'Samples from a pair of NumPy .npy files, one array each; the first axis counts the samples.',
  options: z
    .strictObject({
      inputs: inputsOption('The file of inputs, relative to the spec. It must lie in the workspace.'),
      targets: z.optional(nonEmptyString('The file of values to predict. Either this or `labels`.')),
      labels: z.optional(nonEmptyString('The file of classes: one whole number a sample. Either this or `targets`.')),
      ...sharedOptions,
    })
    .check(requireOneTarget),
  defaultSplit: { validation: 0.2, test: 0.2 },
  inputNames: ({ inputs }) => inputNamesOf(inputs),
  shape: () => undefined,
  ...pairedArrays(({ files, options }: Context) => openPair(options, (path, at) => openNpy(files.open(path, at), at))),
});

export const npz = defineDataset({
  kind: 'npz',
  summary: 'Samples from two arrays of a NumPy .npz file; the first axis counts the samples.',
  options: z
    .strictObject({
      path: nonEmptyString('The file, relative to the spec. It must lie in the workspace.'),
      inputs: inputsOption('The array of inputs.'),
      targets: z.optional(nonEmptyString('The array of values to predict. Either this or `labels`.')),
      labels: z.optional(nonEmptyString('The array of classes: one whole number a sample. Either this or `targets`.')),
      ...sharedOptions,
    })
    .check(requireOneTarget),
  defaultSplit: { validation: 0.2, test: 0.2 },
  inputNames: ({ inputs }) => inputNamesOf(inputs),
  shape: () => undefined,
  ...pairedArrays(({ files, options }: ArchiveContext) => {
    const archive = new NpzArchive(files, files.open(options.path, ['path']), ['path']);
    return openPair(options, (array, at) => openNpy(archive.array(array, at), at));
  }),
});

export const safetensors = defineDataset({
  kind: 'safetensors',
  summary: 'Samples from two tensors of a .safetensors file; the first axis counts the samples.',
  options: z
    .strictObject({
      path: nonEmptyString('The file, relative to the spec. It must lie in the workspace.'),
      inputs: inputsOption('The tensor of inputs.'),
      targets: z.optional(nonEmptyString('The tensor of values to predict. Either this or `labels`.')),
      labels: z.optional(nonEmptyString('The tensor of classes: one whole number a sample. Either this or `targets`.')),
      ...sharedOptions,
    })
    .check(requireOneTarget),
  defaultSplit: { validation: 0.2, test: 0.2 },
  inputNames: ({ inputs }) => inputNamesOf(inputs),
  shape: () => undefined,
  ...pairedArrays(({ files, options }: ArchiveContext) => {
    const file = new SafetensorsFile(files.open(options.path, ['path']), ['path']);
    return openPair(options, (name, at) => file.tensor(name, at));
  }),
});

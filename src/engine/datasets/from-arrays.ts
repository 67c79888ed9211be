// From an array of inputs and one of targets or labels to a dataset, for every format that holds arrays.
import { counted } from '../counted';
import * as z from 'zod/mini';
import { formatShape, sizeOf } from '../kernels/tensor';
import { positive } from '../options';
import type { InPieces } from '../pieces';
import { type ArrayFile, broken, readRows } from './array-file';
import type { Dataset, GenerateContext } from './dataset';
import { type Classes, classesOption, encodeLabels } from './labels';
import { assertFits, makeArray, type RowChoice, rowOptions } from './rows';

/** The options that every format of arrays has. */
export const arrayOptions = (divideBy: number) => ({
  classes: classesOption,
  divide_by: z._default(
    positive('What every input is divided by: 255 takes pixels of 0 … 255 to 0 … 1, and 1 leaves them as they are.'),
    divideBy,
  ),
  ...rowOptions,
});

export const layoutOption = z._default(
  z
    .enum(['as_is', 'hw', 'hwc'])
    .check(
      z.describe(
        'What the axes of an input are. Layers for images take channels × height × width: `hw` are images without an axis of ' +
          'channels, which get one; `hwc` have their channels last, which are brought to the front; `as_is` leaves the axes alone.',
      ),
    ),
  'as_is',
);

export type Layout = z.output<typeof layoutOption>;

interface Options extends RowChoice {
  readonly classes?: Classes;
  readonly divide_by: number;
}

export interface Arrays {
  readonly inputs: ArrayFile;
  readonly layout: Layout;
  /** Whole numbers that are classes, or values to predict. */
  readonly targets: ArrayFile;
  readonly task: 'classes' | 'values';
}

/** @throws DataError */
export function* fromArrays(context: GenerateContext<Options>, { inputs, layout, targets, task }: Arrays): InPieces<Dataset> {
  const { options, precision, random } = context;
  const all = inputs.shape[0];
  if (targets.shape[0] !== all) {
    throw broken(targets.file, targets.at, `it has ${counted(targets.shape[0], 'row')}, but ${inputs.file.name} has ${all}`, 'Name two files that belong together.');
  }
  const axes = { as_is: inputs.shape.length, hw: 3, hwc: 4 }[layout];
  if (inputs.shape.length !== axes) {
    throw broken(
      inputs.file, inputs.at,
      `its shape is ${formatShape(inputs.shape)}; samples in the layout "${layout}" have ${axes} axes, the samples themselves among them`,
      'Choose the "layout" that the array has.',
    );
  }
  const samples = Math.min(all, options.limit ?? all);
  const rows = samples < all ? choose(all, samples, options.pick === 'random' ? random.stream('rows') : null) : undefined;
  const rowShape = inputs.shape.length === 1 ? [1] : inputs.shape.slice(1);
  const width = sizeOf(rowShape);
  assertFits(inputs.file.name, samples, width, precision, inputs.at);
  const into = makeArray(precision, samples * width);
  yield* readRows(inputs, { rows, into, divideBy: options.divide_by });
  if (layout === 'hwc') channelsFirst(into, samples, rowShape);
  const [height, wide, channels = 1] = rowShape;
  const common = { samples, inputShape: layout === 'as_is' ? rowShape : [channels, height, wide], inputs: into };

  const targetSize = sizeOf(targets.shape.slice(1));
  if (task === 'values') {
    assertFits(targets.file.name, samples, targetSize, 'float64', targets.at);
    const values = new Float64Array(samples * targetSize);
    yield* readRows(targets, { rows, into: values });
    return { ...common, targetSize, targets: values };
  }
  if (targetSize !== 1 || targets.element.startsWith('float')) {
    throw broken(
      targets.file, targets.at,
      targetSize !== 1
        ? `its shape is ${formatShape(targets.shape)}; labels are one whole number a sample`
        : `its numbers are of type ${targets.element}; labels are whole numbers`,
      'Save the class of each sample as a whole number from 0 up, or name the array as "targets".',
    );
  }
  const labels = new Float64Array(samples);
  yield* readRows(targets, { rows, into: labels });
  return { ...common, targetSize: 1, ...encode(labels, options.classes, targets, rows) };
}

/** `count` of `all` rows, rising: the first, or drawn. */
function choose(all: number, count: number, random: { permutation(n: number): Uint32Array } | null): Uint32Array {
  return random ? random.permutation(all).slice(0, count).sort() : Uint32Array.from({ length: count }, (_, i) => i);
}

function encode(labels: Float64Array, classes: Classes, { file, at }: ArrayFile, rows?: Uint32Array): Pick<Dataset, 'classes' | 'targets'> {
  // Each different label once, with the row where it comes first.
  const firsts = new Map<number, number>();
  labels.forEach((label, i) => {
    if (!firsts.has(label)) firsts.set(label, i);
  });
  const found = [...firsts.keys()];
  const encoded = encodeLabels(found, classes, (i) => {
    const row = firsts.get(found[i]) ?? 0;
    return { words: `${file.name}, row ${(rows ? rows[row] : row) + 1}`, path: at };
  });
  const indexOf = new Map(found.map((label, i) => [label, encoded.indexes[i]]));
  return { classes: encoded.classes, targets: labels.map((label) => indexOf.get(label) ?? NaN) };
}

/** Height × width × channels to channels × height × width, sample by sample, in place. */
function channelsFirst(data: Float32Array | Float64Array, samples: number, [height, width, channels]: readonly number[]): void {
  const pixels = height * width;
  const size = pixels * channels;
  const image = new Float64Array(size);
  for (let i = 0; i < samples; i++) {
    image.set(data.subarray(i * size, (i + 1) * size));
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++) data[i * size + c * pixels + p] = image[p * channels + c];
    }
  }
}

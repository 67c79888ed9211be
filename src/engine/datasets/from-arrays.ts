// Builds a dataset from an array of inputs and one of targets or labels, for every format that holds arrays.
import { pluralize } from '../format-count';
import * as z from 'zod/mini';
import { formatShape, numel, type Precision, type Shape } from '../kernels/tensor';
import { positiveNumber } from '../option-schemas';
import type { CooperativeTask } from '../cooperative-task';
import { type ArrayFile, fileError, findCompleteRows, readRows, visitRows } from './array-file';
import { DataError } from './data-error';
import type { Dataset, GenerateContext } from './dataset';
import { inMemorySource } from './in-memory-source';
import { inputGroups } from './named-inputs';
import { type Classes, classesOption, encodeLabels } from './labels';
import { countMissing, type MissingPolicy, missingNotes, missingOption } from './missing-values';
import { arrayColumns, type SampleSource } from './sample-source';
import { RoundingLoss } from './rounding-loss';
import { assertFitsInMemory, allocateArray, type RowSelection, rowOptions } from './row-selection';

/** Options that all array formats share. */
export const arrayOptions = (divideBy: number) => ({
  classes: classesOption,
  divide_by: z._default(
    positiveNumber('The divisor of every input: 255 scales pixels from 0 … 255 to 0 … 1, and 1 leaves them unchanged.'),
    divideBy,
  ),
  missing: missingOption('which are NaN in an array'),
  ...rowOptions,
});

export const layoutOption = z._default(
  z
    .enum(['as_is', 'hw', 'hwc'])
    .check(
      z.describe(
        'The axes of an input. Image layers take channels × height × width: `hw` is for images without a channel axis, ' +
          'which get one; `hwc` is for images with channels last, which are moved to the front; `as_is` leaves the axes unchanged, as for sequences, time × features.',
      ),
    ),
  'as_is',
);

export type Layout = z.output<typeof layoutOption>;

export interface ArrayOptions extends RowSelection {
  readonly classes?: Classes | undefined;
  readonly divide_by: number;
  readonly missing: MissingPolicy;
}

export interface ArrayPair {
  readonly inputs: ArrayFile;
  /** All arrays of inputs, if there are several: a sample is dropped if a value is missing in one of them. */
  readonly together?: readonly ArrayFile[];
  readonly layout: Layout;
  /** Integers are classes or values, depending on the options. */
  readonly targets: ArrayFile;
  readonly task: 'classes' | 'values';
  /** Whether the dataset also has an option `targets`, for values. */
  readonly canBeValues: boolean;
}

/** The same with one array of inputs, or with several that have names. */
export interface ArrayPairs extends Omit<ArrayPair, 'inputs' | 'together'> {
  readonly inputs: ArrayFile | readonly { readonly name: string; readonly array: ArrayFile }[];
}

const isSingle = ({ inputs }: ArrayPairs): boolean => !Array.isArray(inputs);

/** A pair for each array of inputs. The layout is that of arrays with its number of axes. */
function pairsOf({ inputs, layout, ...pair }: ArrayPairs): readonly ArrayPair[] {
  if (!Array.isArray(inputs)) return [{ ...pair, layout, inputs: inputs as ArrayFile }];
  const together = (inputs as readonly { readonly array: ArrayFile }[]).map(({ array }) => array);
  return together.map((array) => ({
    ...pair,
    inputs: array,
    together,
    layout: array.shape.length === { as_is: 0, hw: 3, hwc: 4 }[layout] ? layout : 'as_is',
  }));
}

/** Samples of several arrays of inputs, one after the other in a row. */
function* fromNamedArrays(context: GenerateContext<ArrayOptions>, pairs: ArrayPairs): CooperativeTask<Dataset> {
  const parts: Dataset[] = [];
  for (const pair of pairsOf(pairs)) parts.push(yield* fromArrays(context, pair));
  const [first] = parts as [Dataset];
  if (isSingle(pairs)) return first;
  const names = (pairs.inputs as readonly { readonly name: string }[]).map(({ name }) => name);
  const groups = inputGroups(parts.map(({ inputShape }, i) => ({ name: names[i]!, shape: inputShape })));
  const width = groups.reduce((sum, { shape }) => sum + numel(shape), 0);
  const { samples } = first;
  assertFitsInMemory(names.join(', '), samples, width, context.precision, ['inputs']);
  const inputs = allocateArray(context.precision, samples * width);
  groups.forEach(({ start, shape }, at) => {
    const size = numel(shape);
    for (let i = 0; i < samples; i++)
      inputs.set(parts[at]!.inputs.subarray(i * size, (i + 1) * size), i * width + start);
  });
  return {
    ...first,
    inputs,
    inputShape: [width],
    groups,
    featureNames: groups.flatMap(({ name, shape }) =>
      Array.from({ length: numel(shape) }, (_, i) => (numel(shape) === 1 ? name : `${name} ${i + 1}`)),
    ),
    ...(parts.some(({ fillMissing }) => fillMissing) && { fillMissing: true }),
    // Rows are dropped from all parts together.
    notes: parts.flatMap(({ notes = [] }, part) => notes.filter(({ code }) => part === 0 || code !== 'rows-dropped')),
  };
}

/** What to do about invalid labels; names only options that the dataset has. */
function labelsRemedy({ shape, dtype }: ArrayFile, targetSize: number, canBeValues: boolean): string {
  const values = canBeValues ? ', or use the array as "targets" if it contains values' : '';
  if (targetSize === 1) return `Save integers: y.astype("int64")${values}.`;
  const isOneHot = shape.length === 2 && !dtype.includes('float') && canBeValues;
  return isOneHot
    ? `Save one number per sample: y.argmax(axis=1) for one-hot rows, y[:, 0] for the first column${values}.`
    : `Save one number per sample, such as the first column: y[:, 0]${values}.`;
}

/** The samples of two arrays that belong together. */
interface PairedRows {
  readonly samples: number;
  /** Rows of the arrays, in ascending order; undefined for all of them. */
  readonly rows: Uint32Array | undefined;
  /** The rows without missing values; undefined if no rows are dropped. */
  readonly complete: Uint32Array | undefined;
  /** Shape of one input in the file. */
  readonly rowShape: Shape;
  /** The same in the layout of the network. */
  readonly inputShape: Shape;
}

/** @throws DataError if the arrays hold different numbers of samples, or do not have the layout */
function* pairRows(
  { options, random }: GenerateContext<ArrayOptions>,
  { inputs, layout, targets, together = [inputs] }: ArrayPair,
): CooperativeTask<PairedRows> {
  const all = inputs.shape[0]!;
  if (targets.shape[0] !== all) {
    throw fileError(
      targets.file,
      targets.at,
      `it has ${pluralize(targets.shape[0]!, 'row')}, but ${inputs.file.name} has ${all}`,
      inputs.shape.length === 2 && inputs.shape[1] === targets.shape[0]
        ? 'If each column of the inputs is a sample, save them transposed: x.T.'
        : 'Use inputs and targets of the same samples.',
      'length-mismatch',
    );
  }
  const axes = { as_is: inputs.shape.length, hw: 3, hwc: 4 }[layout];
  if (inputs.shape.length !== axes) {
    throw fileError(
      inputs.file,
      inputs.at,
      `its shape is ${formatShape(inputs.shape)}; samples in the layout "${layout}" have ${axes} axes, including that of the samples`,
      'Choose the "layout" of the array.',
    );
  }
  const complete = options.missing === 'drop' ? yield* findCompleteRows([...together, targets]) : undefined;
  const available = complete?.length ?? all;
  if (available === 0) {
    throw new DataError(
      `${inputs.file.name} has no sample without a missing value.`,
      'Choose "missing": "mean", or save fewer of its columns.',
      ['missing'],
      'no-rows',
    );
  }
  const samples = Math.min(available, options.limit ?? available);
  const rows = chooseRows(
    all,
    complete,
    samples,
    samples < available && options.pick === 'random' ? random.stream('rows') : null,
  );
  const rowShape = inputs.shape.length === 1 ? [1] : inputs.shape.slice(1);
  const [height, wide, channels = 1] = rowShape as [number, number, number?];
  const inputShape = layout === 'as_is' ? rowShape : [channels, height, wide];
  return { samples, rows, complete, rowShape, inputShape };
}

/** Whether a type has more digits than the precision. */
const losesDigits = ({ dtype }: ArrayFile, precision: Precision): boolean =>
  precision === 'float32' && ['int32', 'uint32', 'int64', 'uint64', 'float64'].includes(dtype);

/** @throws DataError */
function* fromArrays(context: GenerateContext<ArrayOptions>, pair: ArrayPair): CooperativeTask<Dataset> {
  const { options, precision } = context;
  const { inputs, layout, targets, task, canBeValues } = pair;
  const { samples, rows, complete, rowShape, inputShape } = yield* pairRows(context, pair);
  const width = numel(rowShape);
  const rounding = losesDigits(inputs, precision) ? new RoundingLoss(width, precision) : undefined;
  assertFitsInMemory(inputs.file.name, samples, width, precision, inputs.at);
  const into = allocateArray(precision, samples * width);
  const allowMissing = options.missing === 'mean';
  yield* readRows(inputs, { rows, into, divideBy: options.divide_by, precision, allowMissing, rounding });
  const filled = allowMissing ? countMissing(into) : 0;
  if (layout === 'hwc') toChannelsFirst(into, samples, rowShape as [number, number, number]);
  const common = {
    samples,
    inputShape,
    inputs: into,
    ...(filled > 0 && { fillMissing: true }),
    notes: [
      ...missingNotes(inputs.file.name, { dropped: complete ? inputs.shape[0]! - complete.length : 0, filled }),
      ...(rounding?.notes(inputs.file.name, (column) => `input ${column + 1}`, inputs.at) ?? []),
    ],
  };

  const targetSize = numel(targets.shape.slice(1));
  if (task === 'values') {
    assertFitsInMemory(targets.file.name, samples, targetSize, 'float64', targets.at);
    const values = new Float64Array(samples * targetSize);
    yield* readRows(targets, { rows, into: values, precision });
    return { ...common, targetSize, targets: values };
  }
  if (targetSize !== 1 || targets.dtype.includes('float')) {
    throw fileError(
      targets.file,
      targets.at,
      targetSize !== 1
        ? `its shape is ${formatShape(targets.shape)}; labels are one integer per sample`
        : `its numbers are of type ${targets.dtype}; labels are integers`,
      labelsRemedy(targets, targetSize, canBeValues),
      targetSize !== 1 ? 'labels-shape' : 'labels-type',
    );
  }
  const labels = new Float64Array(samples);
  yield* readRows(targets, { rows, into: labels });
  return { ...common, targetSize: 1, ...encodeLabelArray(labels, options.classes, targets, rows) };
}

/** How to generate the samples of a pair of arrays, and how to read them as the files hold them. */
export const pairedArrays = <Context extends GenerateContext<ArrayOptions>>(
  open: (context: Context) => ArrayPairs,
): {
  generate(context: Context): CooperativeTask<Dataset>;
  source(context: Context): CooperativeTask<SampleSource>;
} => ({
  generate: (context) => fromNamedArrays(context, open(context)),
  *source(context) {
    const pairs = open(context);
    const [first] = pairsOf(pairs) as [ArrayPair];
    return isSingle(pairs)
      ? yield* arraySource(context, first)
      : inMemorySource(yield* fromNamedArrays(context, pairs));
  },
});

/** Numbers that are read at a time. */
const SOURCE_BLOCK = 2 ** 18;
/** A column-major file is read as a whole for each block of rows. */
const MAX_COLUMN_MAJOR_BLOCKS = 16;

/** A row of the arrays and the sample that it is; null for a row that is dropped. */
type RowSample = readonly [row: number, sample: number | null];

/**
 * The numbers as the files hold them: not divided, and including NaN and infinities. Only the order of the axes is that
 * of the network.
 */
function* arraySource(context: GenerateContext<ArrayOptions>, pair: ArrayPair): CooperativeTask<SampleSource> {
  const { inputs, layout, targets } = pair;
  const { samples, rows, complete, rowShape, inputShape } = yield* pairRows(context, pair);
  const targetSize = numel(targets.shape.slice(1));
  const width = numel(rowShape);
  const blockRows = Math.max(
    1,
    Math.floor(SOURCE_BLOCK / (width + targetSize)),
    inputs.fortranOrder ? Math.ceil(inputs.shape[0]! / MAX_COLUMN_MAJOR_BLOCKS) : 1,
  );
  const rowOf = (sample: number): number => (rows ? rows[sample]! : sample);
  return {
    columns: arrayColumns(inputShape, targetSize),
    inputShape,
    positions: 'index',
    isMissing: () => false,
    parse: () => NaN,
    *scan(visit, wanted) {
      const visited: Iterator<RowSample> = wanted
        ? Array.from(wanted, (sample): RowSample => [rowOf(sample), sample]).values()
        : rowSamples(samples, rowOf, complete && new Set(complete));
      const cells = new Float64Array(width + targetSize);
      for (;;) {
        const block: RowSample[] = [];
        while (block.length < blockRows) {
          const next = visited.next();
          if (next.done) break;
          block.push(next.value);
        }
        if (block.length === 0) return;
        const blockOf = Uint32Array.from(block, ([row]) => row);
        const blockInputs = new Float64Array(block.length * width);
        const blockTargets = new Float64Array(block.length * targetSize);
        yield* visitRows(inputs, blockOf, (value, _row, _column, index) => (blockInputs[index] = value));
        yield* visitRows(targets, blockOf, (value, _row, _column, index) => (blockTargets[index] = value));
        if (layout === 'hwc') toChannelsFirst(blockInputs, block.length, rowShape as [number, number, number]);
        block.forEach(([row, sample], i) => {
          cells.set(blockInputs.subarray(i * width, (i + 1) * width));
          cells.set(blockTargets.subarray(i * targetSize, (i + 1) * targetSize), width);
          visit({ sample, position: row, cells });
        });
      }
    },
  };
}

/** All samples in order, and between them the rows that are not complete. */
function* rowSamples(
  samples: number,
  rowOf: (sample: number) => number,
  complete: ReadonlySet<number> | undefined,
): Generator<RowSample, undefined> {
  let row = 0;
  for (let sample = 0; sample < samples; sample++) {
    const next = rowOf(sample);
    if (complete) for (; row < next; row++) if (!complete.has(row)) yield [row, null];
    yield [next, sample];
    row = next + 1;
  }
  return undefined;
}

/**
 * `count` rows in ascending order: the first ones, or random ones.
 * @param complete the rows to choose from; by default, all
 * @returns undefined for all rows
 */
function chooseRows(
  all: number,
  complete: Uint32Array | undefined,
  count: number,
  random: { permutation(n: number): Uint32Array } | null,
): Uint32Array | undefined {
  if (count === all) return undefined;
  const places = random
    ?.permutation(complete?.length ?? all)
    .slice(0, count)
    .sort();
  return Uint32Array.from({ length: count }, (_, i) => {
    const place = places ? places[i]! : i;
    return complete ? complete[place]! : place;
  });
}

function encodeLabelArray(
  labels: Float64Array,
  classes: Classes,
  { file, at }: ArrayFile,
  rows?: Uint32Array,
): Pick<Dataset, 'classes' | 'targets'> {
  // Each distinct label with its first row.
  const firsts = new Map<number, number>();
  labels.forEach((label, i) => {
    if (!firsts.has(label)) firsts.set(label, i);
  });
  const found = [...firsts.keys()];
  const encoded = encodeLabels(found, classes, (i) => {
    const row = firsts.get(found[i]!) ?? 0;
    return { words: `${file.name}, row ${(rows ? rows[row]! : row) + 1}`, path: at };
  });
  const indexOf = new Map(found.map((label, i) => [label, encoded.indexes[i]]));
  return { classes: encoded.classes, targets: labels.map((label) => indexOf.get(label) ?? NaN) };
}

/** Converts each sample in place from height × width × channels to channels × height × width. */
function toChannelsFirst(
  data: Float32Array | Float64Array,
  samples: number,
  [height, width, channels]: readonly [number, number, number],
): void {
  const pixels = height * width;
  const size = pixels * channels;
  const image = new Float64Array(size);
  for (let i = 0; i < samples; i++) {
    image.set(data.subarray(i * size, (i + 1) * size));
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++) data[i * size + c * pixels + p] = image[p * channels + c]!;
    }
  }
}

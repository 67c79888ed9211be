// Columns that are not what they are used as: a target that numbers the samples, or is among the inputs; and values
// that stand out by many orders of magnitude.
import { numel } from '../engine/kernels/tensor';
import type { CompiledRun, Resolved, SpecRule } from '../model-spec';
import type { Problem, QuickFix } from '../protocol/problem';
import { formatPercent, formatRounded } from './format';
import { correlate, linearError } from './reference-fits';
import { classShares, columnOf, sampleTrainingSplit, type TrainingSample } from './training-sample';
import { dataWarning } from './warnings';

/** With fewer samples, such columns come about by chance. */
const MIN_SAMPLES = 20;
/** A linear fit that explains more of the targets has found what they depend on. */
const MAX_EXPLAINED = 0.5;

export const columnName = ({ dataset: { featureNames } }: CompiledRun, column: number): string =>
  featureNames?.[column] ?? `input ${column + 1}`;

function targetName({ spec }: Resolved): string {
  const { target } = spec.data.options as { readonly target?: unknown };
  return typeof target === 'string' ? `The target ${target}` : 'The target';
}

/** An id column numbers the samples: distinct whole numbers without gaps, unrelated to the inputs. */
export const targetIsId: SpecRule = {
  id: 'target-is-id',
  summary: 'The targets are distinct consecutive whole numbers that do not follow from the inputs.',
  threshold: {
    value: MAX_EXPLAINED,
    quantity: 'share of the variance of the targets that a linear fit explains',
    source: 'a number that counts rows is independent of them: a fit explains about columns / samples of it',
  },
  checkData(resolved, run, threshold) {
    const { targets, targetSize } = run.dataset;
    if (run.labels !== null || targetSize !== 1 || targets.length < MIN_SAMPLES) return [];
    const distinct = new Set<number>(targets);
    let [low, high] = [Infinity, -Infinity];
    for (const value of targets) [low, high] = [Math.min(low, value), Math.max(high, value)];
    if (distinct.size < targets.length || high - low !== targets.length - 1) return [];
    if (!targets.every(Number.isInteger)) return [];
    const sample = sampleTrainingSplit(run);
    const mean = sample.targets.reduce((sum, value) => sum + value, 0) / sample.samples;
    const variance = sample.targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sample.samples;
    const error = linearError(sample, true);
    if (error === null || 1 - error / variance > threshold) return [];
    return [
      dataWarning(
        resolved,
        'target-is-id',
        `${targetName(resolved)} is a running number: each whole number from ${low} to ${high} occurs once, and it hardly follows from the inputs. A network cannot predict it.`,
        'Choose the column that is to be predicted as the target.',
      ),
    ];
  },
};

/** From this number of samples on, a column that follows from the target by chance is out of the question. */
const MIN_RANKED_SAMPLES = 60;
/** Of ranks that change with the target: the share of their variance that lies between neighboring targets. */
const MAX_UNEXPLAINED = 0.002;

/** A target that is an input as well needs no learning, and such a network is useless where the target is unknown. */
export const targetAmongInputs: SpecRule = {
  id: 'target-among-inputs',
  summary: 'An input column equals the target, or is a function of it.',
  threshold: {
    value: 1 - 1e-6,
    quantity: 'absolute correlation of an input column with the target',
    source: 'Kaufman, Rosset, Perlich, "Leakage in data mining", 2012; the rest is rounding',
  },
  checkData(resolved, run, threshold) {
    if (run.dataset.inputShape.length > 1) return [];
    const sample = sampleTrainingSplit(run);
    const { inputs, targets, width, samples, classes } = sample;
    if (width < 2 || samples < MIN_SAMPLES) return [];
    const all = Array.from({ length: width }, (_, j) => j);
    if (run.labels)
      return classes ? leakOf(resolved, run, classCodes(sample, classes, isGiven(resolved)), 'follows from') : [];
    // What follows from one column among few samples with few values may be the task.
    if (run.targetWidth !== 1 || new Set(targets).size < MIN_SAMPLES / 2) return [];
    const equal = all.filter((j) => Math.abs(correlate(columnOf(sample, j), targets)) > threshold);
    if (equal.length > 0) return leakOf(resolved, run, equal, 'equals');
    if (samples < MIN_RANKED_SAMPLES) return [];
    const unexplained = all.map((j) => unexplainedRanks(inputs, j, width, targets));
    const exact = all.filter((j) => unexplained[j]! < MAX_UNEXPLAINED);
    const noisy = (): number[] =>
      isGiven(resolved) ? all.filter((j) => unexplained[j]! < MAX_NOISE && followsLikeTarget(sample, j)) : [];
    return leakOf(resolved, run, exact.length > 0 ? exact : noisy(), 'follows from');
  },
};

/** Whether samples come from a file or the spec; generated columns leak nothing. */
const isGiven = ({ spec }: Resolved): boolean => {
  const options = spec.data.options as Readonly<Record<string, unknown>>;
  return 'path' in options || 'inputs' in options;
};

/** Of the variance of ranks, in a column that is the target with noise. */
const MAX_NOISE = 0.03;
/** What the others explain of the target: less may be chance, and with more it is a simple one. */
const [MIN_OTHERS, MAX_OTHERS] = [0.25, 0.99];
/** What they explain of a copy of it, as a share of that. */
const AS_MUCH = 0.8;

/** Whether the other columns explain a column as they do the target, which they do not of a cause of its own. */
function followsLikeTarget(sample: TrainingSample, column: number): boolean {
  const { inputs, width, samples, targets } = sample;
  const rest = width - 1;
  if (rest < 2) return false;
  const others = Float64Array.from(
    { length: samples * rest },
    (_, i) => inputs[Math.floor(i / rest) * width + ((i % rest) + Number(i % rest >= column))]!,
  );
  const explained = (values: Float64Array): number => {
    const error = linearError({ ...sample, inputs: others, width: rest, targets: values, targetWidth: 1 }, true);
    const mean = values.reduce((sum, value) => sum + value, 0) / samples;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples;
    return error === null || variance === 0 ? 0 : 1 - error / variance;
  };
  const ofTarget = explained(targets);
  return ofTarget >= MIN_OTHERS && ofTarget <= MAX_OTHERS && explained(columnOf(sample, column)) >= AS_MUCH * ofTarget;
}

function leakOf(resolved: Resolved, run: CompiledRun, columns: readonly number[], relation: string): Problem[] {
  // If all columns do, the target is a simple one.
  if (columns.length === 0 || columns.length === run.dataset.inputShape[0]) return [];
  const names = columns.map((j) => columnName(run, j)).join(', ');
  const isEqual = relation === 'equals';
  return [
    dataWarning(
      resolved,
      'target-among-inputs',
      isEqual
        ? `${targetName(resolved)} is among the inputs: ${names} ${columns.length === 1 ? 'equals' : 'equal'} it, up to scale and offset. The network only copies it.`
        : `${targetName(resolved)} leaks into the inputs: ${names} ${columns.length === 1 ? 'is a function' : 'are functions'} of it, and hardly anything else decides ${columns.length === 1 ? 'its' : 'their'} values. The network only reads the target there.`,
      `Leave ${names} out of the inputs.`,
      leaveOut(resolved, run, columns),
    ),
  ];
}

/**
 * The share of the variance of a column's ranks that the targets do not explain, by the differences between samples
 * with neighboring targets: von Neumann, "Distribution of the ratio of the mean square successive difference to the
 * variance", 1941. About 1 for unrelated columns.
 */
function unexplainedRanks(inputs: Float64Array, column: number, width: number, targets: Float64Array): number {
  const value = (i: number): number => inputs[i * width + column]!;
  const indexes = Array.from(targets, (_, i) => i);
  const ranks = new Float64Array(targets.length);
  // Equal values have one rank.
  let rank = 0;
  [...indexes]
    .sort((a, b) => value(a) - value(b))
    .forEach((i, at, sorted) => {
      if (at === 0 || value(sorted[at - 1]!) < value(i)) rank = at;
      ranks[i] = rank;
    });
  const order = indexes.sort((a, b) => targets[a]! - targets[b]! || ranks[a]! - ranks[b]!);
  const mean = ranks.reduce((sum, each) => sum + each, 0) / ranks.length;
  const variance = ranks.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  let differences = 0;
  for (let i = 1; i < order.length; i++) differences += (ranks[order[i]!]! - ranks[order[i - 1]!]!) ** 2;
  return variance > 0 ? differences / (2 * variance) : 1;
}

/** Of the distance between the means of two classes: a column that varies less within classes is a code of them. */
const MAX_SPREAD_OF_CODE = 0.02;
/** Standard deviations within classes between the means of two: a code with noise. */
const CLEAR_CODE = 8;
/** The next best column of a table that measures something separates some classes less. */
const CLEARER = 4;

interface Separation {
  /** The largest distance from the mean of a class, in distances between the nearest means of two. */
  readonly spread: number;
  /** The distance between the nearest means of two classes, in standard deviations within classes. */
  readonly deviations: number;
}

function separationOf(sample: TrainingSample, column: number, classes: Int32Array): Separation {
  const all = columnOf(sample, column);
  const stats = classShares(classes).map(({ index }) => {
    const values = all.filter((_, i) => classes[i] === index);
    const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
    const squares = values.reduce((sum, each) => sum + (each - mean) ** 2, 0);
    return { mean, squares, spread: Math.max(...values.map((each) => Math.abs(each - mean))) };
  });
  const means = stats.map(({ mean }) => mean).sort((a, b) => a - b);
  const gap = Math.min(...means.slice(1).map((mean, i) => mean - means[i]!));
  const deviation = Math.sqrt(stats.reduce((sum, { squares }) => sum + squares, 0) / all.length);
  return {
    spread: gap > 0 ? Math.max(...stats.map(({ spread }) => spread)) / gap : Infinity,
    deviations: gap > 0 ? gap / deviation : 0,
  };
}

/** Columns with one value for each class, up to noise, where others vary within the classes. */
function classCodes(sample: TrainingSample, classes: Int32Array, isMeasured: boolean): number[] {
  const { inputs, width, samples } = sample;
  const shares = classShares(classes);
  if (samples < MIN_RANKED_SAMPLES || shares.length < 2) return [];
  const all = Array.from({ length: width }, (_, column) => column);
  const separations = all.map((column) => separationOf(sample, column, classes));
  const isQuantity = (column: number): boolean =>
    new Set(Array.from(classes, (_, i) => inputs[i * width + column]!)).size > 3 * shares.length;
  const codes = all.filter((column) => separations[column]!.spread <= MAX_SPREAD_OF_CODE);
  if (codes.length > 0) return all.some((column) => !codes.includes(column) && isQuantity(column)) ? codes : [];
  const [best, next] = all.toSorted((a, b) => separations[b]!.deviations - separations[a]!.deviations);
  const isClear =
    isMeasured &&
    best !== undefined &&
    next !== undefined &&
    separations[best]!.deviations > Math.max(CLEAR_CODE, CLEARER * separations[next]!.deviations);
  return isClear ? [best] : [];
}

/** Columns that are named in the spec, or written in it; undefined where they are in a file of arrays. */
function leaveOut({ spec }: Resolved, run: CompiledRun, columns: readonly number[]): QuickFix | undefined {
  const { inputs } = spec.data.options as { readonly inputs?: unknown };
  const { featureNames } = run.dataset;
  const isKept = (_: unknown, column: number): boolean => !columns.includes(column);
  const rows = Array.isArray(inputs) && inputs.every((row): row is unknown[] => Array.isArray(row)) ? inputs : null;
  const names = featureNames?.filter(isKept);
  if (!rows && (!names || (inputs !== undefined && !Array.isArray(inputs)))) return undefined;
  return {
    title: `Leave ${columns.map((column) => columnName(run, column)).join(', ')} out`,
    changes: [
      { path: ['data', 'inputs'], value: rows ? rows.map((row) => row.filter(isKept)) : names },
      ...(rows && names && spec.source.has(['data', 'feature_names'])
        ? [{ path: ['data', 'feature_names'], value: names }]
        : []),
    ],
  };
}

/** A row number says nothing of a sample, and in a sorted file it gives the target away. */
export const inputIsRowNumber: SpecRule = {
  id: 'input-is-row-number',
  summary: 'An input column of a table of classes counts its rows.',
  threshold: {
    value: 1e-4,
    quantity: 'largest deviation from equal steps, in steps',
    source: 'Kaufman, Rosset, Perlich, "Leakage in data mining", 2012: identifiers; the rest is rounding',
  },
  checkData(resolved, run, threshold) {
    const { inputs, inputShape, samples } = run.dataset;
    const width = inputShape[0]!;
    // Of values, a row number may tell the trend.
    if (!run.labels || inputShape.length > 1 || width < 2 || samples < MIN_RANKED_SAMPLES) return [];
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const columns = Array.from({ length: width }, (_, j) => j).filter((j) => {
      const step = (inputs[(samples - 1) * width + j]! - inputs[j]!) / (samples - 1);
      if (step === 0) return false;
      for (let i = 1; i < samples; i++)
        if (!(Math.abs((inputs[i * width + j]! - inputs[j]!) / step - i) < threshold * samples)) return false;
      return true;
    });
    if (columns.length === 0 || columns.length === width) return [];
    const names = columns.map((j) => columnName(run, j)).join(', ');
    return [
      dataWarning(
        resolved,
        'input-is-row-number',
        `${names} counts the rows of the data. It says nothing of a sample, and where rows are sorted it gives the target away.`,
        `Leave ${names} out of the inputs.`,
        leaveOut(resolved, run, columns),
      ),
    ];
  },
};

/** More numbers are not searched while the user types. */
const MAX_SEARCHED = 5e6;

export interface Outlier {
  /** Index of the sample in the data. */
  readonly sample: number;
  readonly column: number;
  readonly value: number;
  /** The median of its column. */
  readonly median: number;
  readonly deviation: number;
}

/**
 * Training inputs further from the median of their column than this many median absolute deviations, one for each
 * column.
 */
export function findOutliers(run: CompiledRun, threshold: number): Outlier[] {
  const { dataset, split } = run;
  const { inputs, width, samples } = sampleTrainingSplit(run);
  if (dataset.inputShape.length > 1 || samples < MIN_SAMPLES || numel([split.train.length, width]) > MAX_SEARCHED)
    return [];
  return Array.from({ length: width }, (_, column): Outlier | undefined => {
    const values = Array.from({ length: samples }, (_value, i) => inputs[i * width + column]!);
    const median = middle(values);
    const deviation = middle(values.map((value) => Math.abs(value - median)));
    if (deviation === 0) return undefined;
    const distance = (sample: number): number => Math.abs(dataset.inputs[sample * width + column]! - median);
    const worst = split.train.reduce((a, b) => (distance(b) > distance(a) ? b : a), split.train[0]!);
    if (!(distance(worst) > threshold * deviation)) return undefined;
    return { sample: worst, column, value: dataset.inputs[worst * width + column]!, median, deviation };
  }).filter((each) => each !== undefined);
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** The scale of a column with such a value is that of the value alone. */
export const OUTLIER_DEVIATIONS = 1e4;

export const outlier: SpecRule = {
  id: 'outlier',
  summary: 'An input is orders of magnitude away from all others of its column.',
  threshold: {
    value: OUTLIER_DEVIATIONS,
    quantity: 'distance from the median of the column, in median absolute deviations',
    source: 'Leys et al., "Detecting outliers", 2013: 3 is usual; here only what no heavy tail explains',
  },
  checkData(resolved, run, threshold) {
    const sample = sampleTrainingSplit(run);
    // Many of them are no outliers, but values on another scale.
    const first = findOutliers(run, threshold).find(
      ({ column }) => !findStandIn(sample, column) && findTwoUnits(sample, column).factor < MIN_FACTOR,
    );
    if (!first) return [];
    const { sample: index, column, value, median, deviation } = first;
    return [
      dataWarning(
        resolved,
        'outlier',
        `${columnName(run, column)} of sample ${index} (the first is 0) is an outlier: ${formatRounded(value, 3)}, and this column is usually around ${formatRounded(median, 3)} ± ${formatRounded(deviation, 2)}. It outweighs all other samples, and its activations and gradients may overflow.`,
        'Correct this value in the data, or leave the sample out. It may stand for a missing value.',
      ),
    ];
  },
};

/** Fewer samples on one side are outliers. */
const MIN_SHARE_OF_UNIT = 0.03;
const MIN_OF_UNIT = 5;
/** The factor between two units; those of kilometers and miles are too close to be told apart. */
const MIN_FACTOR = 5;
/** Between the groups, as a share of the range of the larger one. */
const MIN_GAP = 0.2;

const sortedColumn = (sample: TrainingSample, column: number): Float64Array => columnOf(sample, column).sort();

/** The factor between two groups, and the share of the smaller one. */
const NO_UNITS: { readonly factor: number; readonly share: number } = { factor: 1, share: 0 };

/** Two groups of values with a gap between them, one spread out by a factor more; transforms change neither. */
function findTwoUnits(sample: TrainingSample, column: number): typeof NO_UNITS {
  const none = NO_UNITS;
  const values = sortedColumn(sample, column);
  const least = Math.max(MIN_OF_UNIT, MIN_SHARE_OF_UNIT * values.length);
  let cut = 0;
  const gapAt = (i: number): number => (i > 0 ? values[i]! - values[i - 1]! : 0);
  for (let i = Math.ceil(least); i <= values.length - least; i++) if (gapAt(i) > gapAt(cut)) cut = i;
  const [low, high] = [values.subarray(0, cut), values.subarray(cut)];
  if (cut === 0 || new Set(low).size < MIN_OF_UNIT || new Set(high).size < MIN_OF_UNIT) return none;
  const ranges = [low, high].map((group) => group.at(-1)! - group[0]!).sort((a, b) => a - b);
  // Nothing lies between two units; the tail of one distribution has smaller gaps.
  if (gapAt(cut) < ranges[0]! || gapAt(cut) < MIN_GAP * ranges[1]!) return none;
  return { factor: ranges[1]! / ranges[0]!, share: Math.min(low.length, high.length) / values.length };
}

/** Between two groups of positive numbers, as a factor. */
const MIN_LOG_GAP = Math.log(3);
/** Of the ranges of two groups on a scale of factors. */
const SIMILAR = 2.5;

/** Two groups of positive values that a factor separates and that spread by about the same one: two units. */
function findTwoScales(run: CompiledRun, sample: TrainingSample, column: number): typeof NO_UNITS {
  const before = beforeTransform(run, column);
  if (!before) return NO_UNITS;
  const values = sortedColumn(sample, column).map(before);
  if (!(values[0]! > 0)) return NO_UNITS;
  const logs = values.map(Math.log);
  const least = Math.ceil(Math.max(MIN_OF_UNIT, MIN_SHARE_OF_UNIT * logs.length));
  let cut = least;
  const gapAt = (i: number): number => logs[i]! - logs[i - 1]!;
  for (let i = least; i <= logs.length - least; i++) if (gapAt(i) > gapAt(cut)) cut = i;
  const groups = [logs.subarray(0, cut), logs.subarray(cut)];
  if (groups.some((group) => new Set(group).size < MIN_OF_UNIT) || gapAt(cut) < MIN_LOG_GAP) return NO_UNITS;
  const ranges = groups.map((group) => group.at(-1)! - group[0]!).sort((a, b) => a - b);
  if (ranges[1]! > SIMILAR * ranges[0]!) return NO_UNITS;
  const [low, high] = groups.map((group) => group[group.length >> 1]!);
  return { factor: Math.exp(high! - low!), share: Math.min(...groups.map(({ length }) => length)) / logs.length };
}

/** Of a value that stands for a missing one from all others, in ranges of these. */
const STAND_IN_DISTANCE = 3;

/** How often a value occurs that is further from all others than these are from each other, and where it is. */
function findStandIn(
  sample: TrainingSample,
  column: number,
): { readonly value: number; readonly count: number; readonly distance: number; readonly isLow: boolean } | null {
  const values = sortedColumn(sample, column);
  for (const isLow of [true, false]) {
    const value = isLow ? values[0]! : values.at(-1)!;
    const others = values.filter((each) => each !== value);
    const count = values.length - others.length;
    if (count < 2 || count > values.length / 2 || new Set(others).size < MIN_OF_UNIT) continue;
    const [low, high] = [others[0]!, others.at(-1)!];
    const distance = (isLow ? low - value : value - high) / (high - low);
    if (distance > STAND_IN_DISTANCE) return { value, count, distance, isLow };
  }
  return null;
}

/** Of a whole number in a file, after transforms in the precision of the network. */
const ROUNDING = 1e-3;

/** What a number of a column was before a transform; undefined where that is unknown. */
function beforeTransform({ transforms }: CompiledRun, column: number): ((value: number) => number) | undefined {
  const [first, ...others] = transforms;
  const of = (name: string): number | undefined => {
    const values = first?.values.find((each) => each.name === name)?.values;
    return values?.[values.length === 1 ? 0 : column];
  };
  const [mean, std] = [first ? of('mean') : 0, of('std') ?? 1];
  return others.length > 0 || mean === undefined ? undefined : (value) => value * std + mean;
}

/** The whole number in the file that a number of a column was before a transform; undefined where that is unknown. */
function valuesInFile(run: CompiledRun, column: number): (value: number) => number | undefined {
  const transformed = beforeTransform(run, column);
  if (!transformed) return () => undefined;
  return (value) => {
    const before = transformed(value);
    const whole = Math.round(before);
    return Math.abs(before - whole) <= ROUNDING * Math.max(1, Math.abs(whole)) ? whole : undefined;
  };
}

/** Whether the target, or a column where it stands for nothing else, has the number that marks missing values. */
function isAlsoValue(run: CompiledRun, mark: number, marks: readonly (number | undefined)[]): boolean {
  const { inputs, classes, targets } = run.dataset;
  if (classes ? classes.some((name) => Number(name) === mark) : targets.includes(mark)) return true;
  return marks.some((own, column) => {
    if (own === mark) return false;
    const inFile = valuesInFile(run, column);
    for (let i = column; i < inputs.length; i += marks.length) if (inFile(inputs[i]!) === mark) return true;
    return false;
  });
}

/** Tables list what stands for missing values, in all of their columns. */
function takeAsMissing({ spec }: Resolved, marks: readonly number[]): QuickFix | undefined {
  const options = spec.data.options as Readonly<Record<string, unknown>>;
  if (!('header' in options)) return undefined;
  const known = Array.isArray(options.missing_values) ? (options.missing_values as readonly unknown[]) : [];
  return {
    title: `Take ${marks.join(', ')} as missing, and fill in the mean`,
    changes: [
      { path: ['data', 'missing_values'], value: [...known, ...marks] },
      ...(options.missing === 'error' ? [{ path: ['data', 'missing'], value: 'mean' }] : []),
    ],
  };
}

/** More are not examined while the user types. */
const MAX_EXAMINED_COLUMNS = 100;

/** Values that are not on the scale of their column: other units, or a number that stands for a missing value. */
export const mixedUnits: SpecRule = {
  id: 'mixed-units',
  codes: ['mixed-units', 'missing-as-number'],
  summary: 'An input column holds values on two scales, or one number far from all others again and again.',
  threshold: {
    value: MIN_FACTOR,
    quantity: 'ranges of two groups of values of a column, divided',
    source: 'Kandel et al., "Wrangler", 2011: tables that mix up units and codes of missing values',
  },
  checkData(resolved, run, threshold) {
    const { inputShape } = run.dataset;
    if (inputShape.length > 1 || inputShape[0]! > MAX_EXAMINED_COLUMNS) return [];
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const sample = sampleTrainingSplit(run);
    if (sample.samples < MIN_RANKED_SAMPLES) return [];
    const standIns = Array.from({ length: sample.width }, (_, column) => findStandIn(sample, column));
    const marks = standIns.map((standIn, column) => (standIn ? valuesInFile(run, column)(standIn.value) : undefined));
    const safe = [...new Set(marks)].filter(
      (mark): mark is number => mark !== undefined && !isAlsoValue(run, mark, marks),
    );
    return standIns.flatMap((standIn, column) => {
      const name = columnName(run, column);
      if (standIn) {
        const { count, distance, isLow } = standIn;
        const isSafe = safe.some((mark) => mark === marks[column]);
        return dataWarning(
          resolved,
          'missing-as-number',
          `${count} of ${sample.samples} training samples have the same number in ${name}, ${formatRounded(distance, 2)} times the range of all others ${isLow ? 'below' : 'above'} them. It probably stands for a missing value, but the network takes it for a quantity.`,
          `Leave these cells empty, or list the number as "missing_values" of a table, and set "missing" to "mean" or "drop"; or leave ${name} out.`,
          (isSafe && takeAsMissing(resolved, safe)) ||
            (sample.width > 1 ? leaveOut(resolved, run, [column]) : undefined),
        );
      }
      const byGap = findTwoUnits(sample, column);
      const { factor, share } = byGap.factor > threshold ? byGap : findTwoScales(run, sample, column);
      if (!(factor > threshold)) return [];
      return dataWarning(
        resolved,
        'mixed-units',
        `${name} seems to mix two units: its values form two groups with a gap between them, one of them on a scale about ${formatRounded(factor, 2)} times as large. The smaller group has ${formatPercent(Number(share.toFixed(2)))} of the training samples.`,
        `Convert ${name} to one unit in the data.`,
      );
    });
  },
};

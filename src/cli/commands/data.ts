// `nablascope data`: what the dataset of a spec holds, as its files have it and as the network gets it. Trains nothing,
// and works where the spec has errors, as long as its data can be read.
import type { CooperativeTask } from '../../engine/cooperative-task';
import { DataError } from '../../engine/datasets/data-error';
import type { SampleSource } from '../../engine/datasets/sample-source';
import { Random } from '../../engine/random';
import { profileTask, type RunSamples } from '../../data-profile/profile';
import { readRowsTask } from '../../data-profile/rows';
import type { ColumnHistogram, ColumnProfile, DataProfile, DataRow } from '../../protocol/data-profile';
import { SPLIT_NAMES } from '../../protocol/position';
import {
  cellsByRole,
  classesAtPositions,
  dataRemarks,
  formatCorrelation,
  inputCellNames,
} from '../../presentation/data-profile';
import { formatInteger, pluralize } from '../../presentation/plain-numbers';
import { numel } from '../../engine/kernels/tensor';
import { type CompiledRun, openSourceTask } from '../../model-spec';
import { setYoungGeneration } from '../../platform/young-generation';
import { type CommandArgs, defineCommand } from '../command';
import { formatPercent, formatShortest, formatTable, shapeText } from '../format';
import { printJson } from '../json';
import { openData, type OpenedData } from '../open-spec';
import { SpecError } from '../spec-error';
import { formatProblem } from '../problems';
import { type IndexRange, indexRange } from '../options';
import { ProgressBar, renderBar, sparkline } from '../progress';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';
import { UsageError } from '../usage-error';

const options = {
  rows: indexRange({
    placeholder: 'A-B',
    help: 'Print samples A to B, counted from 0 (default 0-4)',
    example: '10-19',
  }),
};

export const dataCommand = defineCommand({
  description: [
    'Prints the kind, range, mean, spread, missing values, distinct values and histogram of every column, its ' +
      'correlation with the target, the balance of the classes, duplicates and contradictory samples, and the splits ' +
      'side by side. Columns are described as the files hold them, before the transforms.',
    'Rows are printed both as the file holds them and as the network gets them. A spec with errors is described as ' +
      'far as its data can be read; the exit code is then 2.',
  ],
  options,
  run: data,
});

const DEFAULT_ROWS: IndexRange = { first: 0, last: 4 };

async function data(terminal: Terminal, args: CommandArgs<typeof options>): Promise<ExitCode> {
  const progress = new ProgressBar(terminal);
  const finish = async <Result>(task: CooperativeTask<Result>): Promise<Result> => {
    for (;;) {
      const { done, value } = task.next();
      if (done) return value;
      progress.show(0, () => value);
      await terminal.pause();
      if (terminal.interrupted()) throw new Interrupted();
    }
  };
  const { spec, problems, files, read, locateDataError } = await openSamples(terminal, args);
  setYoungGeneration({ canGrow: false });
  const answer = { command: 'data', file: args.file, name: spec.name, problems };
  try {
    const source = await finish(openSourceTask(spec, files));
    const network = await read((run) => finish(sampleRowsTask(source, args.rows, run.dataset.samples, run)));
    const run = network?.run;
    const profile = await finish(profileTask(source, { random: new Random(spec.seed, 'profile'), run }));
    const rows = network?.rows ?? (await finish(sampleRowsTask(source, args.rows, profile.samples)));
    progress.clear();
    if (args.json) {
      printJson(terminal, { ...answer, outcome: 'finished', ...profile, rows });
    } else {
      printLines(terminal, terminal.err, problems.map(formatProblem));
      printLines(terminal, terminal.out, toLines(spec.name, profile, rows, terminal.out.columns));
    }
    return run ? EXIT.success : EXIT.usageError;
  } catch (error) {
    progress.clear();
    if (error instanceof Interrupted) {
      if (args.json) printJson(terminal, { ...answer, outcome: 'interrupted' });
      return EXIT.interrupted;
    }
    if (error instanceof DataError) {
      // Usually the problem that the spec was loaded with; another one if the data has changed since.
      const found = locateDataError(error);
      const isKnown = problems.some(({ message }) => message === found.message);
      throw new SpecError(isKnown ? problems : [...problems, found]);
    }
    throw error;
  } finally {
    files.close();
  }
}

interface NetworkRows {
  readonly rows: readonly DataRow[];
  readonly run: RunSamples;
}

interface OpenedSamples extends Omit<OpenedData, 'run'> {
  /**
   * Reads rows as the network gets them; undefined if the spec cannot run. Can be called once: then only the splits and
   * classes of the run are left, because its inputs may take most of the memory.
   */
  read(rowsOf: (run: CompiledRun) => Promise<DataRow[]>): Promise<NetworkRows | undefined>;
}

async function openSamples(terminal: Terminal, args: CommandArgs<typeof options>): Promise<OpenedSamples> {
  const { run: opened, ...rest } = await openData(terminal, args);
  let run = opened;
  return {
    ...rest,
    async read(rowsOf) {
      if (!run) return undefined;
      const { split, labels, dataset } = run;
      const { samples, targets, targetSize } = dataset;
      const rows = await rowsOf(run);
      run = undefined;
      return { rows, run: { split, labels, dataset: { samples, targets, targetSize } } };
    },
  };
}

class Interrupted extends Error {}

/** The rows that the call asks for. */
function* sampleRowsTask(
  source: SampleSource,
  range: IndexRange | null,
  samples: number,
  run?: CompiledRun,
): CooperativeTask<DataRow[]> {
  const { first, last } = range ?? DEFAULT_ROWS;
  if (range && first >= samples) throw noSuchSample(first, samples);
  const count = Math.max(0, Math.min(last + 1, samples) - first);
  const wanted = Uint32Array.from({ length: count }, (_, i) => first + i);
  return yield* readRowsTask(source, wanted, run);
}

const noSuchSample = (sample: number, samples: number): UsageError =>
  new UsageError(
    'no-such-sample',
    `There is no sample ${sample}: the data has ${pluralize(samples, 'sample')}.`,
    `Give numbers from 0 to ${samples - 1}.`,
  );

/** Columns that are printed. */
const MAX_COLUMNS = 40;
const MAX_CLASSES = 20;
const MIN_WIDTH = 80;
const MAX_NAME = 16;
const MAX_CELL = 14;
const MAX_FREQUENT = 20;
const HISTOGRAM_WIDTH = 10;
const BAR_WIDTH = 20;

const truncate = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

const formatFigure = (value: number | null, digits = 4): string =>
  value === null ? '·' : formatShortest(Number(value.toPrecision(digits)));

/** All digits where they are few. */
const formatCell = (value: number): string => {
  const exact = formatShortest(value);
  return exact.length > MAX_CELL ? formatFigure(value, 7) : exact;
};

const formatCount = (value: number): string => (value === 0 ? '·' : formatInteger(value));

/** Pairs of bins, so that the tallest is full and an empty one is a dot. */
function formatHistogram(histogram: ColumnHistogram | null): string {
  if (!histogram) return '';
  const { counts } = histogram;
  const cells = Math.min(HISTOGRAM_WIDTH, counts.length);
  const sums = Array.from({ length: cells }, (_, cell) =>
    counts
      .slice(Math.floor((cell * counts.length) / cells), Math.floor(((cell + 1) * counts.length) / cells))
      .reduce((sum, count) => sum + count, 0),
  );
  return sparkline([0, Math.max(...sums), ...sums], cells + 2)
    .slice(2)
    .replace(/./gu, (block, at: number) => (sums[at] === 0 ? '·' : block));
}

function toLines(name: string, profile: DataProfile, rows: readonly DataRow[], columns: number): Line[] {
  const { samples, inputShape, classes, splits } = profile;
  const width = Math.max(MIN_WIDTH, columns);
  const kinds = classes ? pluralize(classes.length, 'class', 'classes') : 'values to predict';
  return [
    `${name}: ${pluralize(samples, 'sample')}, input ${shapeText(inputShape)}${splits ? `, ${kinds}` : ''}`,
    splits
      ? `Splits: ${SPLIT_NAMES.map((split) => `${formatInteger(splits[split])} ${split}`).join(', ')}`
      : 'The spec cannot run, so its data is described without classes and splits.',
    '',
    ...columnLines(profile.columns),
    ...classLines(profile),
    ...dataRemarks(profile).map(({ severity, text }) => (severity === 'warning' ? paint('yellow', text) : text)),
    ...rowLines(profile, rows, width),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[], leftAligned = 1): Line[] {
  const [titles, ...lines] = formatTable(head, rows, leftAligned);
  return [paint('bold', titles), ...lines, ''];
}

/** The first few that fit; classes have a table of their own. */
function frequentValues({ kind, values }: ColumnProfile): string {
  if (kind === 'class' || (values[0]?.count ?? 0) < 2) return '';
  const texts = values.map(({ text, count }) => `${truncate(text, 8)}×${formatInteger(count)}`);
  return texts.filter((_, i) => texts.slice(0, i + 1).join(' ').length <= MAX_FREQUENT).join(' ');
}

function columnLines(columns: readonly ColumnProfile[]): Line[] {
  const shown = columns.slice(0, MAX_COLUMNS);
  const name = ({ name: full }: ColumnProfile): string => truncate(full, MAX_NAME);
  const spread = (moments: { readonly mean: number; readonly std: number } | null): string =>
    moments ? `${formatFigure(moments.mean, 3)} ± ${formatFigure(moments.std, 2)}` : '·';
  const hasRatio = shown.some(({ correlation }) => correlation?.measure === 'eta');
  return [
    ...table(
      ['Column', 'Role', 'Kind', 'Missing', 'Smallest', 'Largest', 'Histogram'],
      shown.map((column) => [
        name(column),
        column.role,
        column.kind,
        column.missing === 0 ? '·' : formatPercent(column.missingShare),
        formatFigure(column.min),
        formatFigure(column.max),
        formatHistogram(column.histogram),
      ]),
      3,
    ),
    ...table(
      ['Column', 'Distinct', 'Mean', 'Std', 'With target', 'Most frequent values'],
      shown.map((column) => [
        name(column),
        `${column.distinctIsExact ? '' : '> '}${formatInteger(column.distinct)}`,
        formatFigure(column.mean),
        formatFigure(column.std),
        formatCorrelation(column.correlation),
        frequentValues(column),
      ]),
      1,
    ),
    ...(hasRatio ? ['With target, η: correlation ratio with the classes, from 0 to 1.', ''] : []),
    ...(shown.some(({ splits }) => splits?.validation ?? splits?.test)
      ? table(
          ['Mean ± std', 'Train', 'Validation', 'Test'],
          shown
            .filter(({ splits }) => splits?.train)
            .map((column) => [name(column), ...SPLIT_NAMES.map((split) => spread(column.splits?.[split] ?? null))]),
        )
      : []),
    ...(shown.length < columns.length
      ? [`… ${pluralize(columns.length - shown.length, 'more column')}; --json has all`, '']
      : []),
  ];
}

function classLines({ classes, splits, samples }: DataProfile): Line[] {
  if (!classes || !splits) return [];
  const shown = classes.slice(0, MAX_CLASSES);
  const largest = Math.max(...classes.map(({ count }) => count));
  const share = (count: number, all: number): string => (all === 0 ? '·' : formatPercent(count / all));
  return [
    ...table(
      ['Class', '', 'Samples', 'Share', 'Train', 'Validation', 'Test'],
      shown.map(({ name, count, splits: counts }) => [
        truncate(name, MAX_NAME),
        renderBar(count / largest, BAR_WIDTH).replaceAll('░', ''),
        formatCount(count),
        share(count, samples),
        ...SPLIT_NAMES.map((split) => share(counts[split], splits[split])),
      ]),
      2,
    ),
    ...(shown.length < classes.length
      ? [`… ${pluralize(classes.length - shown.length, 'more class', 'more classes')}; --json has all`, '']
      : []),
  ];
}

/**
 * The columns that fit.
 * @param total number of columns, some of which are not in `head`
 */
function fitColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { width, total }: { readonly width: number; readonly total: number },
): Line[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  let [count, used] = [0, 0];
  while (count < head.length && used + widths[count]! <= width) used += widths[count++]! + 2;
  const [titles, ...lines] = formatTable(
    head.slice(0, count),
    rows.map((row) => row.slice(0, count)),
    2,
  );
  const hidden = total - count;
  return [
    paint('bold', titles),
    ...lines,
    ...(hidden > 0 ? [`… ${pluralize(hidden, 'more column')}; --json has all`] : []),
  ];
}

/** Enough cells to fill a line. */
const MAX_CELLS = 100;

function rowLines(profile: DataProfile, rows: readonly DataRow[], width: number): Line[] {
  if (rows.length === 0) return [];
  const { columns, inputShape, positions, classes } = profile;
  const inputNames = inputCellNames(profile, MAX_CELLS);
  const targets = columns.filter(({ role }) => role === 'target').map(({ name }) => name);
  const inputs = numel(inputShape);
  const unused = columns.filter(({ role }) => role === 'unused').map(({ name }) => name);
  const cell = (value: string | number): string =>
    typeof value === 'number' ? formatCell(value) : truncate(value.trim(), MAX_CELL);
  // The target is what people look for: ahead of inputs that may be many.
  const inFile = (source: DataRow['source']): string[] => {
    const cells = cellsByRole(profile, source);
    return [...cells.target, ...cells.input.slice(0, MAX_CELLS), ...cells.unused.slice(0, MAX_CELLS)].map(cell);
  };
  const short = (name: string): string => truncate(name, MAX_CELL);
  const place = positions === null ? [] : [positions === 'line' ? 'Line' : 'Index'];
  const isOneHot = classes !== null && rows[0]!.target?.length === classes.length;
  const networkTarget = (values: readonly number[]): string[] => {
    const indexes = classesAtPositions(values, targets.length, classes);
    if (indexes) return indexes.map((each) => (each < 0 ? '·' : String(each)));
    const index = values.indexOf(1);
    return isOneHot
      ? [`${truncate(classes[index]!.name, MAX_CELL)} (class ${index})`]
      : values.map((value) => formatFigure(value, 5));
  };
  const head = ['Sample', 'Split'];
  const lead = ({ sample, split }: DataRow): string[] => [String(sample), split ?? '·'];
  return [
    '',
    positions === null ? 'Before the transforms:' : 'As the file holds them:',
    ...fitColumns(
      [...head, ...place, ...[...targets, ...inputNames, ...unused.slice(0, MAX_CELLS)].map(short)],
      rows.map((row) => [
        ...lead(row),
        ...(row.position === null ? [] : [String(row.position)]),
        ...inFile(row.source),
      ]),
      { width, total: head.length + place.length + targets.length + inputs + unused.length },
    ),
    ...(rows[0]!.target
      ? [
          '',
          'As the network gets them:',
          ...fitColumns(
            [...head, ...(isOneHot ? ['target'] : targets.map(short)), ...inputNames.map(short)],
            rows.map((row) => [
              ...lead(row),
              ...networkTarget(row.target ?? []),
              ...(row.input ?? []).slice(0, MAX_CELLS).map((value) => formatFigure(value, 5)),
            ]),
            { width, total: head.length + (isOneHot ? 1 : targets.length) + inputs },
          ),
        ]
      : []),
  ];
}

// The cells of a table as its file holds them.
import type { CooperativeTask } from '../cooperative-task';
import { numberParser } from './cell-values';
import type { CsvRow } from './csv-reader';
import { assignColumns, type ColumnRoles, type CsvOptions, MissingCells, readTable } from './csv-table';
import type { GenerateContext } from './dataset';
import { GrowableRows, RowSampler } from './row-selection';
import type { SampleSource, SourceColumn } from './sample-source';

type Context = GenerateContext<CsvOptions>;

export function* csvSource(context: Context): CooperativeTask<SampleSource> {
  const { options } = context;
  const { path } = options;
  const { names, roles } = yield* readTable(context, ({ layout: { names: all }, sample }) => ({
    names: all,
    roles: assignColumns(options, { path, names: all, line: sample[0]!.line }),
    isFull: true,
    addRow: () => undefined,
  }));
  const { inputs, target } = roles;
  const unused = names.map((_, i) => i).filter((i) => i !== target && !inputs.includes(i));
  const order = [...inputs, target, ...unused];
  const parse = numberParser(options);
  const missing = new MissingCells(options, roles);
  return {
    columns: order.map((i): SourceColumn => ({
      name: names[i]!,
      role: i === target ? 'target' : inputs.includes(i) ? 'input' : 'unused',
      size: 1,
    })),
    inputShape: [inputs.length],
    positions: 'line',
    isMissing: (cell) => missing.isMissing(cell.trim()),
    parse: (cell) => parse(cell.trim()),
    *scan(visit, wanted) {
      const chosen = yield* chosenRows(context, roles);
      const isWanted = wanted && new Set(wanted);
      const cells: string[] = [];
      let kept = 0;
      let visited = 0;
      yield* readTable(context, () => ({
        get isFull() {
          return visited === isWanted?.size || kept === chosen.end;
        },
        addRow({ line, cells: row }: CsvRow) {
          const isDropped = options.missing === 'drop' && missing.isIncomplete(row);
          const sample = isDropped ? null : chosen.sampleOf(kept++);
          if (sample === undefined || (isWanted && (sample === null || !isWanted.has(sample)))) return;
          visited++;
          order.forEach((column, j) => (cells[j] = row[column] ?? ''));
          visit({ sample, position: line, cells });
        },
      }));
    },
  };
}

/** Which of the rows that are not left out, counted from 0, become samples. */
interface ChosenRows {
  /** No row from here on does. */
  readonly end: number;
  /** @param row not below the one of the call before */
  sampleOf(row: number): number | undefined;
}

/** Rows drawn at random are only known once all of them were counted. */
function* chosenRows(context: Context, roles: ColumnRoles): CooperativeTask<ChosenRows> {
  const { options, random } = context;
  const { limit = Infinity } = options;
  if (limit === Infinity || options.pick === 'first')
    return { end: limit, sampleOf: (row) => (row < limit ? row : undefined) };
  const sampler = new RowSampler(options, random.stream('rows'));
  const missing = new MissingCells(options, roles);
  const dropsRows = options.missing === 'drop';
  const rowOfSample = new GrowableRows(1, 'float64', 0);
  let samples = 0;
  let count = 0;
  yield* readTable(context, () => ({
    columns: dropsRows ? [...roles.inputs, roles.target] : [],
    isFull: false,
    addRow({ cells }: CsvRow) {
      if (dropsRows && missing.isIncomplete(cells)) return;
      const sample = sampler.nextIndex();
      if (sample >= 0) rowOfSample.ensureRow(sample)[sample] = count;
      samples = Math.max(samples, sample + 1);
      count++;
    },
  }));
  const rows = rowOfSample.toArray();
  const byRow = Uint32Array.from({ length: samples }, (_, i) => i).sort((a, b) => rows[a]! - rows[b]!);
  let next = 0;
  return {
    end: Infinity,
    sampleOf(row) {
      while (next < samples && rows[byRow[next]!]! < row) next++;
      return next < samples && rows[byRow[next]!] === row ? byRow[next] : undefined;
    },
  };
}

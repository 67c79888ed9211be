// `nablascope query`: trains the run and answers a query over its steps, row by row.
import { ExpressionError } from '../../expressions';
import { formatInteger, pluralize } from '../../presentation/plain-numbers';
import { describeQueryEnd } from '../../presentation/run-query';
import type { RunQueryCell } from '../../protocol/run-query';
import { RunQuery } from '../../session/run-query';
import { type CommandArgs, defineCommand, stepOption } from '../command';
import { escapeCsv, formatDuration, formatTable } from '../format';
import { printJson } from '../json';
import { openSpec } from '../open-spec';
import { flag } from '../options';
import { ProgressBar } from '../progress';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';
import { requireStep } from '../train-to';
import { UsageError } from '../usage-error';

const options = {
  from: stepOption(1, 'The first step to read (default 1)'),
  to: stepOption(1, 'The last step to read (default: the end of the run)'),
  csv: flag({ help: 'Print the rows as CSV' }),
};

type QueryArgs = CommandArgs<typeof options>;

export const queryCommand = defineCommand({
  description: [
    'Trains the run and reads values at the end of every step, or of those where a condition holds: ' +
      '"step, loss, norm(grad(hidden.weight)) where loss > 2".',
    'A search prints one step: "last changes_sign(hidden.bias[0])", "first loss < 0.1", "bisect isnan(loss)". ' +
      'Text in quotes is a message with expressions in braces. docs/expressions.md describes the language.',
    'With --json and --csv, numbers have all their digits.',
  ],
  argument: { placeholder: 'QUERY', example: 'step, loss where loss > 2' },
  options,
  exclusive: [['json', 'csv']],
  run: query,
});

const SLICE_MS = 40;
/** Columns are as wide as in the rows of the first slices. */
const ROWS_BEFORE_PRINTING = 200;
const SIGNIFICANT_DIGITS = 9;
const MIN_COLUMN_WIDTH = 4;

async function query(terminal: Terminal, args: QueryArgs): Promise<ExitCode> {
  const { argument: text, json, csv } = args;
  const { session, warnings } = await openSpec(terminal, { ...args, json: json || csv });
  if (args.to !== null) requireStep(session, args.to);
  const to = args.to ?? session.totalSteps;
  const from = args.from ?? 1;
  if (from > to)
    throw new UsageError('step-out-of-range', `There is no step from ${from} to ${to}.`, 'Choose a smaller --from.');
  const found = open(() => new RunQuery(session, text, { from, to, lastStep: session.totalSteps }), text);
  const labels = found.columns.map(({ label }) => label);
  const print = json ? null : csv ? csvPrinter(terminal, labels) : tablePrinter(terminal, found);
  const progress = new ProgressBar(terminal);
  const start = terminal.now();
  let isInterrupted = false;
  while (!found.isDone && !isInterrupted) {
    const end = terminal.now() + SLICE_MS;
    while (!found.isDone && terminal.now() < end) found.advance();
    progress.clear();
    print?.(found.rows, found.isDone);
    progress.show(found.step / to, () => `step ${formatInteger(found.step)}, ${pluralize(found.rows.length, 'row')}`);
    await terminal.pause();
    isInterrupted = terminal.interrupted();
  }
  progress.clear();
  const milliseconds = terminal.now() - start;
  const { columns, rows, replayed, end } = found;
  if (json)
    printJson(terminal, {
      command: 'query',
      file: args.file,
      name: session.run.name,
      problems: warnings,
      query: text,
      from,
      to,
      columns,
      rows,
      end: end ?? 'interrupted',
      stepsTrained: replayed,
      milliseconds,
    });
  else {
    if (isInterrupted) print?.(rows, true);
    const note = describeQueryEnd(end, { step: found.step, to });
    const lines = [...summarize(found, milliseconds), ...(note === null ? [] : [note])];
    printLines(terminal, csv ? terminal.err : terminal.out, csv ? lines : ['', ...lines]);
  }
  return isInterrupted ? EXIT.interrupted : EXIT.success;
}

/** @throws UsageError that shows the place of an error in the query */
function open(create: () => RunQuery, text: string): RunQuery {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { message, start, end } = error;
    const part = text.slice(start, Math.max(end, start + 1)).trim();
    throw new UsageError(
      'invalid-query',
      message,
      `It is at column ${start + 1} of the query${part === '' ? '' : `: ${part}`}.`,
    );
  }
}

function summarize({ isSearch, rows, replayed }: RunQuery, milliseconds: number): Line[] {
  const rate =
    milliseconds > 0 ? `, ${formatInteger(Math.round((1000 * replayed) / milliseconds))} steps per second` : '';
  const count = isSearch
    ? rows.length > 0
      ? `Step ${String(rows[0]![0])}`
      : 'No such step'
    : pluralize(rows.length, 'row');
  return [paint('dim', `${count} from ${pluralize(replayed, 'step')} in ${formatDuration(milliseconds)}${rate}.`)];
}

type PrintRows = (rows: RunQuery['rows'], isComplete: boolean) => void;

const toText = (cell: RunQueryCell): string => (cell === null ? '' : String(cell));

function csvPrinter({ out }: Terminal, labels: readonly string[]): PrintRows {
  let printed = 0;
  let hasHead = false;
  return (rows) => {
    const lines = rows.slice(printed).map((row) => row.map((cell) => escapeCsv(toText(cell))).join(','));
    if (!hasHead) lines.unshift(labels.map(escapeCsv).join(','));
    hasHead = true;
    printed = rows.length;
    if (lines.length > 0) out.write(`${lines.join('\n')}\n`);
  };
}

function tablePrinter(terminal: Terminal, { columns }: RunQuery): PrintRows {
  let printed = 0;
  let widths: number[] | null = null;
  const labels = columns.map(({ label }) => label);
  return (rows, isComplete) => {
    if (rows.length === printed || (!isComplete && rows.length < ROWS_BEFORE_PRINTING)) return;
    const cells = rows.slice(printed).map((row) => row.map(formatCell));
    const isFirst = widths === null;
    widths ??= labels.map((label, i) =>
      Math.max(MIN_COLUMN_WIDTH, label.length, ...cells.map((row) => row[i]!.length)),
    );
    // Rows of the same widths as those before.
    const padded = [labels, ...cells].map((row) => row.map((cell, i) => align(cell, widths![i]!, columns[i]!.type)));
    const [head, ...lines] = formatTable(padded[0]!, padded.slice(1), 0);
    printLines(terminal, terminal.out, isFirst ? [paint('bold', head), ...lines] : lines);
    printed = rows.length;
  };
}

const align = (cell: string, width: number, type: string): string =>
  type === 'text' ? cell.padEnd(width) : cell.padStart(width);

function formatCell(cell: RunQueryCell): string {
  if (cell === null) return '·';
  if (typeof cell !== 'number' || Number.isInteger(cell) || !Number.isFinite(cell)) return String(cell);
  return String(Number(cell.toPrecision(SIGNIFICANT_DIGITS)));
}

// A query typed in the debug console: its rows are printed as they are found; a search names the step to go to.
import { parseRunQuery } from '../expressions';
import { formatInteger, pluralize } from '../presentation/plain-numbers';
import { describeQueryEnd } from '../presentation/run-query';
import type { Query } from '../protocol/queries';
import type { RunQueryCell, RunQueryResult } from '../protocol/run-query';

/** Rows that are printed; the others are only counted. */
const MAX_PRINTED = 10_000;

export interface ConsoleQueryCalls {
  readonly query: (query: Query<'run_query'>) => Promise<RunQueryResult>;
  readonly print: (lines: string) => void;
  readonly isCancelled: () => boolean;
}

export interface ConsoleQueryAnswer {
  /** One sentence. */
  readonly result: string;
  /** The step that a search found. */
  readonly foundStep: number | null;
}

/**
 * @param id of the query, unique in the session
 * @param shownStep the step that the debugger shows: a search is about the steps before it
 */
export async function answerConsoleQuery(
  id: string,
  text: string,
  shownStep: number,
  { query, print, isCancelled }: ConsoleQueryCalls,
): Promise<ConsoleQueryAnswer> {
  const { kind } = parseRunQuery(text);
  // The last time is before now.
  const to = kind === 'last' ? shownStep - 1 : kind === 'bisect' ? shownStep : null;
  let after = 0;
  let printed = 0;
  for (;;) {
    const answer = await query({ type: 'run_query', id, text, from: null, to, after });
    const { columns, rows, total, end, error, replayed, stepsPerSecond } = answer;
    if (error) throw new Error(`${error.message} (column ${error.start + 1})`);
    if (after === 0 && rows.length > 0 && kind === 'rows') print(`${columns.map(({ label }) => label).join('\t')}\n`);
    const shown = kind === 'rows' ? rows.slice(0, MAX_PRINTED - printed) : [];
    if (shown.length > 0) print(shown.map((row) => `${row.map(toText).join('\t')}\n`).join(''));
    printed += shown.length;
    after = total;
    const foundStep = kind !== 'rows' && end !== null ? (answer.steps[0] ?? null) : null;
    if (end === null && !isCancelled()) continue;
    const rate = stepsPerSecond === null ? '' : ` at ${formatInteger(Math.round(stepsPerSecond))} steps per second`;
    const replay = `replayed ${pluralize(replayed, 'step')}${rate}`;
    const hidden = total > printed && kind === 'rows' ? `, of which ${formatInteger(printed)} are printed` : '';
    const head =
      kind === 'rows'
        ? `${pluralize(total, 'row')}${hidden}`
        : foundStep === null
          ? 'No such step'
          : `Step ${formatInteger(foundStep)}`;
    const note = describeQueryEnd(end, answer);
    return { result: `${head}: ${replay}.${note === null ? '' : ` ${note}`}`, foundStep };
  }
}

const toText = (cell: RunQueryCell): string => (cell === null ? '·' : String(cell));

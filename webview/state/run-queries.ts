// The query over the run that the view Query shows: asked slice by slice, so that rows appear while it is answered, and
// nothing continues when it is canceled.
import type { ModelInfo, QueryValue } from '../../src/protocol/panel';
import type { Context } from '../context';

export const QUERY_VIEW = 'query';

type Answer = QueryValue<'run_query'>;

export interface RunQueryState {
  readonly text: string;
  /** The last step it reads; null for the furthest that the run has reached. */
  readonly to: number | null;
  /** The latest slice, without its rows; null before the first. */
  readonly answer: Omit<Answer, 'steps' | 'rows'> | null;
  readonly steps: number[];
  readonly rows: Answer['rows'][number][];
  isBusy: boolean;
  /** Why there is no answer. */
  failure: string | null;
}

/** By run, so that they are kept when the view is closed. */
const states = new WeakMap<ModelInfo, RunQueryState>();
let count = 0;

export const runQueryOf = ({ data }: Context): RunQueryState | null => (data.model && states.get(data.model)) ?? null;

/** The text that was asked last, in any run. */
export function lastQueryText({ settings }: Context): string {
  const kept = (settings.viewState[QUERY_VIEW] ?? {}) as { readonly text?: unknown };
  return typeof kept.text === 'string' ? kept.text : '';
}

/** Opens the view with the answer to a query. @param to the last step it reads */
export function openQuery(context: Context, text: string, to: number | null): void {
  context.updateSettings({ view: QUERY_VIEW });
  startQuery(context, text, to);
}

export function cancelQuery(context: Context): void {
  const state = runQueryOf(context);
  if (!state) return;
  state.isBusy = false;
  refresh(context, state.text);
}

export function startQuery(context: Context, text: string, to: number | null): void {
  const { model } = context.data;
  if (!model) return;
  const state: RunQueryState = { text, to, answer: null, steps: [], rows: [], isBusy: true, failure: null };
  const before = states.get(model);
  if (before) before.isBusy = false;
  states.set(model, state);
  refresh(context, text);
  void poll(context, model, state);
}

/** Keeps the text, which redraws the view. */
const refresh = (context: Context, text: string): void => context.setViewState(QUERY_VIEW, { text });

async function poll(context: Context, model: ModelInfo, state: RunQueryState): Promise<void> {
  const { text, to } = state;
  const id = `panel ${++count}`;
  try {
    while (state.isBusy && context.data.model === model) {
      const { value } = await context.query<'run_query'>({
        type: 'run_query',
        id,
        text,
        from: null,
        to,
        after: state.rows.length,
      });
      if (!state.isBusy || !value) break;
      const { steps, rows, ...answer } = value;
      state.steps.push(...steps);
      state.rows.push(...rows);
      Object.assign(state, { answer });
      if (answer.end !== null) state.isBusy = false;
      refresh(context, text);
    }
  } catch (error) {
    state.failure = error instanceof Error ? error.message : String(error);
  }
  state.isBusy = false;
  if (context.data.model === model && states.get(model) === state) refresh(context, text);
}

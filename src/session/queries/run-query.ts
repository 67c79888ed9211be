// A query over all steps of the run, answered by sessions that replay it, one slice per request.
import { ExpressionError } from '../../expressions';
import type { RunQueryRequest, RunQueryResult } from '../../protocol/run-query';
import { ParallelRunQuery } from '../parallel-run-query';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

/** Queries that are kept, so that clients can ask at the same time. */
const MAX_KEPT = 4;

interface QueryState {
  readonly query: ParallelRunQuery;
  readonly trajectoryKey: string;
}

const states = new WeakMap<TrainingSession, Map<string, QueryState>>();

export const runQueryAnswer = defineQuery({
  type: 'run_query',
  resolve(session: TrainingSession, request: RunQueryRequest): RunQueryResult {
    const { after } = request;
    let state: QueryState;
    try {
      state = stateOf(session, request);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const { message, start, end } = error;
      return { ...NO_RESULT, error: { message, start, end } };
    }
    const { query } = state;
    // Steps that were trained with other values answer nothing.
    if (!query.isDone && session.trajectoryKey(query.range.to) !== state.trajectoryKey) query.end = 'run changed';
    if (!query.isDone) query.work();
    const { isSearch, columns, range, step, steps, rows, replayed, end, milliseconds } = query;
    return {
      isSearch,
      columns,
      from: range.from,
      to: range.to,
      step,
      steps: steps.slice(after),
      rows: rows.slice(after),
      total: rows.length,
      replayed,
      stepsPerSecond: milliseconds > 0 ? (1000 * replayed) / milliseconds : null,
      end,
      error: null,
    };
  },
});

const NO_RESULT: Omit<RunQueryResult, 'error'> = {
  isSearch: false,
  columns: [],
  from: 0,
  to: 0,
  step: 0,
  steps: [],
  rows: [],
  total: 0,
  replayed: 0,
  stepsPerSecond: null,
  end: 'complete',
};

/** The query in progress, or a new one. @throws ExpressionError */
function stateOf(session: TrainingSession, { id, text, from, to }: RunQueryRequest): QueryState {
  const known = states.get(session) ?? new Map<string, QueryState>();
  states.set(session, known);
  const key = JSON.stringify([id, text, from, to]);
  const found = known.get(key);
  if (found) return found;
  const { earliestStep, furthestStep } = session;
  const range = {
    from: Math.max(earliestStep + 1, Math.trunc(from ?? 0)),
    to: Math.min(furthestStep, Math.trunc(to ?? furthestStep)),
    lastStep: furthestStep,
  };
  const state = {
    query: new ParallelRunQuery(session, text, range),
    trajectoryKey: session.trajectoryKey(range.to),
  };
  if (known.size >= MAX_KEPT) known.delete(known.keys().next().value!);
  known.set(key, state);
  return state;
}

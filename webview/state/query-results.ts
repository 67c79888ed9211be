// Finds the results that a frame holds of the panel's queries.
import type { QueryResult, QueryValue, Frame, Query, QueryType } from '../../src/protocol/panel';

export const isSameQuery = (a: Query, b: Query): boolean =>
  a.type === b.type && JSON.stringify(a) === JSON.stringify(b);

/** The frame's result of a query; null if it has none. */
export function findResult<Kind extends QueryType>(
  frame: Frame | null,
  question: Query<Kind>,
): QueryValue<Kind> | null {
  const found = frame?.queryResults.find((answered) => isSameQuery(answered.query, question as Query));
  return (found as QueryResult<Kind> | undefined)?.value ?? null;
}

export const hasAllResults = (frame: Frame, questions: readonly Query[]): boolean =>
  questions.every((question) => frame.queryResults.some((answered) => isSameQuery(answered.query, question)));

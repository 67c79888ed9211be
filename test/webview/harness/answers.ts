// The tensor in a frame, for tests of the view that queries it.
import { findResult } from '../../../webview/state/query-results';
import type { QueryResult, QueryValue, Frame, Query } from '../../../src/protocol/panel';

export const tensorQuestionOf = (frame: Frame): Query<'tensor'> | null =>
  (frame.queryResults.find(({ query }) => query.type === 'tensor') as QueryResult<'tensor'> | undefined)?.query ?? null;

export function tensorOf(frame: Frame): QueryValue<'tensor'> | null {
  const question = tensorQuestionOf(frame);
  return question && findResult(frame, question);
}

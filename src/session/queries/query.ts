// The definition of a query's answer. Its request and its value are declared in src/protocol/queries.ts.
import type { Query, QueryType, QueryValue } from '../../protocol/queries';
import type { TrainingSession } from '../session';

export interface QueryDefinition<Type extends QueryType = QueryType> {
  readonly type: Type;
  /**
   * Reads the session and never changes it. Null if there is no value: the step has not computed it yet, or the request
   * names something that does not exist, since it may be older than the run.
   */
  resolve(session: TrainingSession, request: Query<Type>): QueryValue<Type> | null;
}

/** Infers the parameters of `resolve` from the query's name. */
export const defineQuery = <const Type extends QueryType>(definition: QueryDefinition<Type>): QueryDefinition<Type> =>
  definition;

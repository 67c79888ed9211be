// A query over all steps of a run, and its answer.

/** Null if the step has no such value. */
export type RunQueryCell = number | boolean | string | null;

export interface RunQueryColumn {
  /** As it is written in the query. */
  readonly label: string;
  readonly type: 'number' | 'boolean' | 'text';
}

/** Why a query ended. */
export type RunQueryEnd = 'complete' | 'diverged' | 'too many rows' | 'false at the end' | 'run changed';

export interface RunQueryRequest {
  /** Chosen by the client; the query with a new one starts anew. */
  readonly id: string;
  /** `step, loss where loss > 2`, `last changes_sign(hidden.bias[0])`. */
  readonly text: string;
  /** Steps, inclusive; by default all that the run has reached. */
  readonly from: number | null;
  readonly to: number | null;
  /** Rows that the client has. */
  readonly after: number;
}

/** What a slice of work has found. While `end` is null, ask again. */
export interface RunQueryResult {
  /** Whether it looks for one step. */
  readonly isSearch: boolean;
  readonly columns: readonly RunQueryColumn[];
  readonly from: number;
  readonly to: number;
  /** The step that it is at. */
  readonly step: number;
  /** Steps of the rows after those that the client has, and their cells. */
  readonly steps: readonly number[];
  readonly rows: readonly (readonly RunQueryCell[])[];
  /** Rows found so far. */
  readonly total: number;
  /** Steps replayed, and the rate; the rate is null until it is known. */
  readonly replayed: number;
  readonly stepsPerSecond: number | null;
  readonly end: RunQueryEnd | null;
  /** Why it cannot be answered; offsets are UTF-16 units of its text. */
  readonly error: { readonly message: string; readonly start: number; readonly end: number } | null;
}

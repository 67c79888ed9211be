// Threads that answer parts of a query over a run, each in a session of its own. The platform starts them.
import type { Backend } from '../engine/kernels/create-kernels';
import type { RunQueryCell, RunQueryEnd } from '../protocol/run-query';
import type { RunRecord } from '../protocol/run-record';

export interface RunQueryRange {
  /** Steps of the run, inclusive, counted from 1. */
  readonly from: number;
  readonly to: number;
  /** The last step that exists, which `at` can name. */
  readonly lastStep: number;
}

export interface QueryPiece {
  /** Of the query. */
  readonly text: string;
  readonly range: RunQueryRange;
  /** Leads to the steps that the piece reads. */
  readonly record: RunRecord;
  /** Of the run: another one gives other bits. */
  readonly backend: Backend;
}

/** What a piece has found since its last report. */
export interface PieceReport {
  readonly steps: readonly number[];
  readonly rows: readonly (readonly RunQueryCell[])[];
  /** Steps of the piece that are answered, and steps that were replayed for it. */
  readonly answered: number;
  readonly replayed: number;
  readonly end: RunQueryEnd | null;
}

export interface PieceTask {
  /** @returns the reports since the last call; null if the thread failed and others must answer the piece */
  takeReports(): readonly PieceReport[] | null;
}

export interface ReplayThreads {
  /** Threads beside the caller's. */
  readonly size: number;
  /** Begins a piece in a thread; null if all of them are busy. */
  start(piece: QueryPiece): PieceTask | null;
  /** Waits for a report, at most this many milliseconds. */
  wait(milliseconds: number): void;
}

// Samples as their file holds them and as the network gets them, a page at a time.
import type { DataRow } from '../../protocol/data-profile';
import type { DataRowsRequest, DataRowsResult } from '../../protocol/queries';
import { readRowsTask } from '../../data-profile/rows';
import { DataTask } from '../data-task';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

/** Rows of a page, and numbers of an input that are sent: an image of 64 × 64 in three colors. */
const MAX_ROWS = 100;
const MAX_CELLS = 3 * 64 * 64;

interface RowsState {
  readonly key: string;
  readonly task: DataTask<DataRow[]>;
}

const pages = new WeakMap<TrainingSession, RowsState>();

export const dataRows = defineQuery({
  type: 'data_rows',
  /** Null for a page that does not exist. */
  resolve(session: TrainingSession, { split, from, count }: DataRowsRequest): DataRowsResult | null {
    const { run } = session;
    const indices = split === null ? null : run.split[split];
    const total = indices ? indices.length : run.dataset.samples;
    if (!Number.isInteger(from) || from < 0 || from > total || !(count >= 1)) return null;
    const key = JSON.stringify([split, from, count]);
    let state = pages.get(session);
    if (state?.key !== key) {
      state?.task.close();
      const length = Math.min(count, MAX_ROWS, total - from);
      const samples = Uint32Array.from({ length }, (_, i) => (indices ? indices[from + i]! : from + i));
      state = { key, task: new DataTask(session, (source) => readRowsTask(source, samples, run)) };
      pages.set(session, state);
    }
    const { task } = state;
    task.advance();
    const { isDone, progress, error, result } = task;
    return { done: isDone, progress, error, total, rows: result?.map(withoutLongCells) ?? null };
  },
});

/** Without the numbers of an input that is too large to send. */
const withoutLongCells = (row: DataRow): DataRow =>
  (row.input?.length ?? 0) > MAX_CELLS ? { ...row, source: [], input: null } : row;

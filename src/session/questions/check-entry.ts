// One entry of the last gradient check: both values, both slopes, the loss along it.
import type { EntryDetail } from '../../gradcheck/entry-detail';
import { lastCheckOf } from '../check-job';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';

export interface CheckedEntry {
  readonly parameter: string;
  /** Flat, in row-major order. */
  readonly index: number;
  /** How far the curve goes to each side, as a share of max(1, |w|). */
  readonly reach: number;
}

export const checkEntry = defineQuestion({
  about: 'check_entry',
  /** Null where nothing was checked, or there is no such entry. */
  answer: (session: TrainingSession, { parameter, index, reach }: CheckedEntry): EntryDetail | null =>
    lastCheckOf(session)?.entry(parameter, index, reach) ?? null,
});

// Details of one entry of the last gradient check: both values, the one-sided derivatives, the loss along it.

import type { EntryDetail } from '../../protocol/check-report';
import type { CheckEntryRequest } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

export const checkEntry = defineQuery({
  type: 'check_entry',
  /** Null if nothing was checked, or there is no such entry. */
  resolve: (session: TrainingSession, { parameter, index, reach }: CheckEntryRequest): EntryDetail | null =>
    session.lastCheck?.entryDetail(parameter, index, reach) ?? null,
});

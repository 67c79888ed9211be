// The errors that the last gradient check found in one parameter, in its own shape.

import type { ErrorMap } from '../../protocol/check-report';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';
import { MAX_TILE } from './tensor';

export const checkMap = defineQuery({
  type: 'check_map',
  /** Null if nothing was checked, or there is no such parameter. */
  resolve: (session: TrainingSession, { parameter }: { readonly parameter: string }): ErrorMap | null =>
    session.lastCheck?.errorMap(parameter, MAX_TILE) ?? null,
});

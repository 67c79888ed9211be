// The errors that the last gradient check found in one parameter, in its own shape.
import type { ErrorMap } from '../../gradcheck/error-map';
import { lastCheckOf } from '../check-job';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';
import { MAX_TILE } from './tensor';

export const checkMap = defineQuestion({
  about: 'check_map',
  /** Null where nothing was checked, or there is no such parameter. */
  answer: (session: TrainingSession, { parameter }: { readonly parameter: string }): ErrorMap | null =>
    lastCheckOf(session)?.map(parameter, MAX_TILE) ?? null,
});

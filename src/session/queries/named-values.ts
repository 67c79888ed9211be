// The names that expressions can use, for lists of variables and for completion.
import type { NamedValue } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { StepValues } from '../step-values';
import { defineQuery } from './query';

export const namedValues = defineQuery({
  type: 'named_values',
  resolve: (session: TrainingSession): readonly NamedValue[] => new StepValues(session).names,
});

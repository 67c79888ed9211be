// The local derivatives of one layer, for the followed sample: how each of its outputs changes with each input.
import type { TrainingSession } from '../session';
import { type LocalJacobian, localJacobian } from './alone';
import { defineQuestion } from './question';

export const jacobian = defineQuestion({
  about: 'jacobian',
  answer(session: TrainingSession, { layer, sample }: { readonly layer: number; readonly sample: number | null }): LocalJacobian | null {
    return localJacobian(session, layer, sample);
  },
});

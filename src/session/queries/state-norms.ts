// How large a state of a recurrent layer is after each time step, and how much of the gradient arrives there.
import type { StateNorms, StateNormsRequest } from '../../protocol/queries';
import { shownInternals } from '../../engine/network-model';
import { normsByTimeStep } from '../norms-by-time-step';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

export const stateNorms = defineQuery({
  type: 'state_norms',
  resolve({ run, pass, progress }: TrainingSession, { layer, state }: StateNormsRequest): StateNorms | null {
    const model = run.model.layers[layer];
    const isCarried = model && shownInternals(model).some(({ name, carried }) => carried && name === state);
    const value = isCarried && progress.hasOutput(layer) ? pass.internal(layer, state) : undefined;
    const gradient = progress.hasParameterGradients(layer) ? pass.internalGradient(layer, state) : undefined;
    return value ? { state: normsByTimeStep(value), gradient: gradient ? normsByTimeStep(gradient) : null } : null;
  },
});

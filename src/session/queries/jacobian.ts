// The Jacobians of one layer for the followed sample: how each output changes with each input and each parameter.
import type { LayerJacobians } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { layerJacobian, parameterJacobians } from './layer-jacobian';
import { defineQuery } from './query';

export const jacobian = defineQuery({
  type: 'jacobian',
  resolve(
    session: TrainingSession,
    { layer, sample }: { readonly layer: number; readonly sample: number | null },
  ): LayerJacobians | null {
    const own = layerJacobian(session, layer, sample);
    return own && { ...own, parameters: parameterJacobians(session, layer, sample) };
  },
});

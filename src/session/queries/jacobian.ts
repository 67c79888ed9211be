// The Jacobian of one layer for the followed sample: how each output changes with each input.
import type { LayerJacobian } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { layerJacobian } from './layer-jacobian';
import { defineQuery } from './query';

export const jacobian = defineQuery({
  type: 'jacobian',
  resolve(
    session: TrainingSession,
    { layer, sample }: { readonly layer: number; readonly sample: number | null },
  ): LayerJacobian | null {
    return layerJacobian(session, layer, sample);
  },
});

// The phases of a training step, in order: zero gradients, forward, loss, backward, update.

import type { Phase } from '../protocol/position';
export function phasesOf(layers: number): readonly Phase[] {
  const indices = Array.from({ length: layers }, (_, layer) => layer);
  return [
    { kind: 'zero_grad' },
    ...indices.map((layer): Phase => ({ kind: 'forward', layer })),
    { kind: 'loss' },
    { kind: 'loss_backward' },
    ...indices.reverse().map((layer): Phase => ({ kind: 'backward', layer })),
    { kind: 'update' },
  ];
}

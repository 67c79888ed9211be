// How far a step is, layer by layer.
import type { ModelInfo } from './frame';
import type { Progress } from './readings';

/** @param done whether a phase of the shown step is done, by its index. */
export function progressOf({ layers, phases }: ModelInfo, done: (phase: number) => boolean): Progress {
  const at = (kind: 'forward' | 'backward', layer: number): boolean =>
    done(phases.findIndex((phase) => phase.kind === kind && phase.layer === layer));
  return {
    forward: (layer) => at('forward', layer),
    backward: (layer) => at('backward', layer),
    outputGradient: (layer) =>
      layer === layers.length - 1 ? done(phases.findIndex(({ kind }) => kind === 'loss_backward')) : at('backward', layer + 1),
  };
}

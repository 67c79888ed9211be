// Collects what the probes measure at the current step for a frame: only what views subscribe to, and only what this
// step has computed so far.

import type { ModelInfo } from '../protocol/model-info';
import type { LayerStats, ProbeId } from '../protocol/layer-stats';
import { measureActivation, tensorStats } from '../engine/probes/activation-stats';
import { measureGradient } from '../engine/probes/gradient-stats';
import type { Network } from '../engine/network';
import { consumersOf } from '../engine/network-graph';
import { shownInternals } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { normsByTimeStep } from './norms-by-time-step';

/** The progress of a step: layers whose forward and backward passes are done. */
export interface StepProgress {
  readonly forward: (layer: number) => boolean;
  /** Whether dL/d output of the layer is known. */
  readonly outputGradient: (layer: number) => boolean;
  /** Whether dL/d parameters of the layer are known. */
  readonly backward: (layer: number) => boolean;
}

/** @param done whether a phase of the current step is done, by index */
export function stepProgress({ layers, phases }: ModelInfo, done: (phase: number) => boolean): StepProgress {
  const at = (kind: 'forward' | 'backward', layer: number): boolean =>
    done(phases.findIndex((phase) => phase.kind === kind && phase.layer === layer));
  return {
    forward: (layer) => at('forward', layer),
    backward: (layer) => at('backward', layer),
    outputGradient(layer) {
      // Complete with the last contribution, that of the first layer that takes the output.
      const [first] = consumersOf({ layers }, layer);
      return first ? at('backward', first.layer) : done(phases.findIndex(({ kind }) => kind === 'loss_backward'));
    },
  };
}

function measureThroughTime(pass: Pass, layer: number): Pick<LayerStats, 'throughTime'> {
  const [largest] = shownInternals(pass.network.model.layers[layer]!)
    .flatMap(({ name, carried }) => {
      const gradient = carried && pass.internalGradient(layer, name);
      const norms = gradient ? normsByTimeStep(gradient) : [];
      return norms.length > 1 ? [{ first: norms[0]!, last: norms[norms.length - 1]! }] : [];
    })
    .sort((a, b) => b.first / b.last - a.first / a.last);
  return largest ? { throughTime: largest } : {};
}

export function collectLayerStats(
  network: Network,
  pass: Pass,
  progress: StepProgress,
  probes: ReadonlySet<ProbeId>,
  updateRatios: ReadonlyMap<string, number | null>,
): LayerStats[] {
  const { kernels } = network;
  return network.model.layers.map(({ definition }, layer) => ({
    ...(probes.has('gradients') && progress.backward(layer) && measureThroughTime(pass, layer)),
    activation:
      probes.has('activations') && progress.forward(layer)
        ? measureActivation(kernels, pass.outputs[layer]!, definition.idleness)
        : null,
    outputGradient:
      probes.has('gradients') && progress.outputGradient(layer)
        ? measureGradient(kernels, pass.outputGradients[layer]!)
        : null,
    parameters: network.parameters
      .filter((parameter) => parameter.layer === layer)
      .map(({ name, value, gradient }) => {
        const { mean, std, norm } = tensorStats(kernels, value);
        return {
          name,
          norm,
          mean,
          std,
          gradient: probes.has('gradients') && progress.backward(layer) ? measureGradient(kernels, gradient) : null,
          updateRatio: probes.has('updates') ? (updateRatios.get(name) ?? null) : null,
        };
      }),
  }));
}

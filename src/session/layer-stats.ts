// The statistics of each layer for a frame: the parameters' own always, what the probes measure if a view subscribes to
// it, and only what this step has computed so far.

import type { ModelInfo } from '../protocol/model-info';
import type { LayerStats, ProbeId } from '../protocol/layer-stats';
import { measureActivation, tensorStats } from '../engine/probes/activation-stats';
import { measureGradient } from '../engine/probes/gradient-stats';
import type { Network } from '../engine/network';
import { consumersOf } from '../engine/network-graph';
import { shownInternals } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { normsByTimeStep } from './norms-by-time-step';

/** Which passes of which layers are done in the current step. */
export interface StepProgress {
  readonly hasOutput: (layer: number) => boolean;
  /** Whether dL/d output of the layer is known. */
  readonly hasOutputGradient: (layer: number) => boolean;
  /** Whether dL/d parameters of the layer are known. */
  readonly hasParameterGradients: (layer: number) => boolean;
}

/** @param done whether a phase of the current step is done, by index */
export function stepProgress({ layers, phases }: ModelInfo, done: (phase: number) => boolean): StepProgress {
  const at = (kind: 'forward' | 'backward', layer: number): boolean =>
    done(phases.findIndex((phase) => phase.kind === kind && phase.layer === layer));
  return {
    hasOutput: (layer) => at('forward', layer),
    hasParameterGradients: (layer) => at('backward', layer),
    hasOutputGradient(layer) {
      // The layers that take the output add to it in reverse order, so it is complete after the first one's backward.
      const [first] = consumersOf({ layers }, layer);
      return first ? at('backward', first.layer) : done(phases.findIndex(({ kind }) => kind === 'loss_backward'));
    },
  };
}

/** The state of a recurrent layer whose gradient grows most from the last time step to the first. */
function measureThroughTime(pass: Pass, layer: number): Pick<LayerStats, 'throughTime'> {
  const [largest] = shownInternals(pass.network.model.layers[layer]!)
    .flatMap(({ name, carried, reverse }) => {
      const gradient = carried && pass.internalGradient(layer, name);
      const norms = gradient ? normsByTimeStep(gradient) : [];
      const ends = { first: norms[0]!, last: norms[norms.length - 1]! };
      return norms.length > 1 ? [reverse ? { first: ends.last, last: ends.first } : ends] : [];
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
    ...(probes.has('gradients') && progress.hasParameterGradients(layer) && measureThroughTime(pass, layer)),
    activation:
      probes.has('activations') && progress.hasOutput(layer)
        ? measureActivation(kernels, pass.outputs[layer]!, definition.idleness)
        : null,
    outputGradient:
      probes.has('gradients') && progress.hasOutputGradient(layer)
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
          gradient:
            probes.has('gradients') && progress.hasParameterGradients(layer)
              ? measureGradient(kernels, gradient)
              : null,
          updateRatio: probes.has('updates') ? (updateRatios.get(name) ?? null) : null,
        };
      }),
  }));
}

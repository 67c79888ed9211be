// Copies what the probes see of the current step into a frame; only what views asked for, and only what
// this step has computed so far.
import { measureActivation, summarize } from '../engine/probes/activations';
import { measureGradient } from '../engine/probes/gradients';
import type { Network, Pass } from '../engine/network';
import type { LayerReading, ProbeId } from './frame';

/** How far a step has come: layers whose forward, and whose backward pass is done. */
export interface Progress {
  readonly forward: (layer: number) => boolean;
  /** dL/d output of the layer is known. */
  readonly outputGradient: (layer: number) => boolean;
  /** dL/d parameters of the layer are known. */
  readonly backward: (layer: number) => boolean;
}

export function readLayers(
  network: Network,
  pass: Pass,
  progress: Progress,
  probes: ReadonlySet<ProbeId>,
  updateRatios: ReadonlyMap<string, number | null>,
): LayerReading[] {
  const { kernels } = network;
  return network.model.layers.map(({ definition }, layer) => ({
    activation:
      probes.has('activations') && progress.forward(layer)
        ? measureActivation(kernels, pass.outputs[layer], definition.idleness)
        : null,
    outputGradient:
      probes.has('gradients') && progress.outputGradient(layer)
        ? measureGradient(kernels, pass.outputGradients[layer])
        : null,
    parameters: network.parameters
      .filter((parameter) => parameter.layer === layer)
      .map(({ name, value, gradient }) => {
        const { mean, std, norm } = summarize(kernels, value);
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

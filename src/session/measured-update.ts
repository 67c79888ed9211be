// An update that says how large it was beside the weights.
import type { Network } from '../engine/network';
import { beforeUpdate, measureUpdate } from '../engine/probes/updates';
import { clipFactor, updateParameter, type UpdateRule } from '../engine/update';

/** @param step counted from 1. @param ratios gets ‖update‖ / ‖weights‖ by parameter. */
export function measuredUpdate(network: Network, rule: UpdateRule, lr: number, step: number, ratios: Map<string, number | null>): void {
  const { kernels } = network;
  const factor = clipFactor(network, rule.clip);
  for (const parameter of network.parameters) {
    if (parameter.frozen) continue;
    beforeUpdate(kernels, parameter);
    updateParameter(network, rule, parameter, lr, step, factor);
    ratios.set(parameter.name, measureUpdate(kernels, parameter));
  }
}

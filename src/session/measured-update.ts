// The update of a step, and, where somebody looks, how large it was.
import { beforeUpdate, measureUpdate } from '../engine/probes/updates';
import { clipFactor, type UpdateRule, updateParameter } from '../engine/update';
import type { Network } from '../engine/network';

/**
 * @param step counted from 1.
 * @param ratios gets ‖update‖ / ‖weights‖ of each parameter; afterwards its `previous` holds the update itself. Null
 * where nobody looks.
 */
export function update(network: Network, rule: UpdateRule, lr: number, step: number, ratios: Map<string, number | null> | null): void {
  const factor = clipFactor(network, rule.clip);
  for (const parameter of network.parameters) {
    if (parameter.frozen) continue;
    if (ratios) beforeUpdate(network.kernels, parameter);
    updateParameter(network, rule, parameter, lr, step, factor);
    if (ratios) ratios.set(parameter.name, measureUpdate(network.kernels, parameter));
  }
}

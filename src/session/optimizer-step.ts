// The update of a step and, if observed, its size.
import { savePreviousValue, measureUpdateRatio } from '../engine/probes/update-ratio';
import { clipCoefficient, type UpdateRule, updateParameter } from '../engine/update-parameters';
import type { Network } from '../engine/network';

/**
 * @param step counted from 1
 * @param ratios receives ‖update‖ / ‖weights‖ of each parameter, and `previous` then holds the update itself. Null if
 * not observed.
 */
export function optimizerStep(
  network: Network,
  rule: UpdateRule,
  lr: number,
  step: number,
  ratios: Map<string, number | null> | null,
): void {
  const clipScale = clipCoefficient(network, rule.clip);
  for (const parameter of network.parameters) {
    if (parameter.frozen) continue;
    if (ratios) savePreviousValue(network.kernels, parameter);
    updateParameter(network, rule, parameter, lr, step, clipScale);
    if (ratios) ratios.set(parameter.name, measureUpdateRatio(network.kernels, parameter));
  }
}

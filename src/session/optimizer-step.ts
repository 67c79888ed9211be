// The update of a step and, if observed, its size.
import { partsOf } from '../engine/parameter-parts';
import type { Parameter } from '../engine/network-model';
import { measureUpdateRatio, savedToUpdate, savePreviousValue } from '../engine/probes/update-ratio';
import { clipCoefficient, type UpdateRule, updateParameter } from '../engine/update-parameters';
import type { Network } from '../engine/network';

/**
 * @param step counted from 1
 * @param kept parameters whose `previous` then holds the update, without measuring it
 * @param ratios receives ‖update‖ / ‖weights‖ of each parameter, and `previous` then holds the update itself. Null if
 * not observed.
 */
export function optimizerStep(
  network: Network,
  rule: UpdateRule,
  lr: number,
  step: number,
  ratios: Map<string, number | null> | null,
  kept: readonly Parameter[],
): void {
  const clipScale = clipCoefficient(network, rule.clip);
  for (const parameter of network.parameters) {
    if (parameter.frozen) continue;
    if (!ratios && kept.includes(parameter)) {
      for (const part of partsOf(parameter)) {
        savePreviousValue(network.kernels, part);
        updateParameter(network, rule, part, lr, step, clipScale);
        savedToUpdate(network.kernels, part);
      }
      continue;
    }
    if (ratios) savePreviousValue(network.kernels, parameter);
    updateParameter(network, rule, parameter, lr, step, clipScale);
    if (ratios) ratios.set(parameter.name, measureUpdateRatio(network.kernels, parameter));
  }
}

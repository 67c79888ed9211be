// What the ways of perturbing many entries at once have in common: the losses of all copies, and their penalties.
import { numel, type Tensor } from '../engine/kernels/tensor';
import type { LossContext } from '../engine/losses/loss';
import type { Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { isPenalized, scalarPenalty } from '../engine/penalty';

/** The most perturbations at a time. */
export const MAX_PERTURBATIONS = 512;

export interface BatchedLosses {
  /** Perturbations at a time: two or more. */
  readonly capacity: number;
  /**
   * The losses with entry `entries[i]` of the parameter set to `values[i]` and all else unperturbed; valid until the
   * next call. Uses whole arrays, of at most `capacity` elements.
   */
  lossesAt(parameter: Parameter, entries: Uint32Array, values: Float64Array): Tensor['data'];
}

/** Writes the loss of each copy's prediction, [copies, rows, columns], without the penalty. */
export function lossStep(pass: Pass, prediction: Tensor, losses: Tensor): () => void {
  const {
    network: {
      kernels,
      model: {
        loss: { definition, options },
      },
    },
    target,
    prediction: { shape },
  } = pass;
  const context = (one: Tensor): LossContext<unknown> => ({ kernels, options, prediction: one, target });
  const { batchValues } = definition;
  if (batchValues) {
    const all = context(prediction);
    return () => batchValues(all, losses);
  }
  const size = numel(shape);
  const each = Array.from(losses.data, (_, i) =>
    context({ shape, data: prediction.data.subarray(i * size, (i + 1) * size) }),
  );
  return () => each.forEach((one, i) => (losses.data[i] = definition.value(one)));
}

/** Adds the penalty of each copy. @param penalty that of the unperturbed parameters, which is no custom one */
export function addPenalties(
  { network: { model } }: Pass,
  penalty: number,
  parameter: Parameter,
  entries: Uint32Array,
  values: Float64Array,
  losses: Tensor['data'],
): void {
  const penalized = model.penalty && isPenalized(model.penalty, parameter) ? model.penalty : null;
  const { data } = parameter.value;
  for (let i = 0; i < entries.length; i++) {
    const change = penalized ? scalarPenalty(penalized, values[i]!) - scalarPenalty(penalized, data[entries[i]!]!) : 0;
    losses[i] = losses[i]! + penalty + change;
  }
}

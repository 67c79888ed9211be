// Wraps a custom loss and a custom penalty for the gradient check, as guard-custom-layer.ts does for layers: they may
// reject numbers that no run gives them.
import { asCustomLayerError } from '../engine/custom/custom-layer-error';
import type { FunctionArguments } from '../engine/custom/custom-function';
import type { Tensor } from '../engine/kernels/tensor';
import type { LossContext } from '../engine/losses/loss';
import type { NetworkModel } from '../engine/network-model';

/** @param isPerturbing whether numbers are perturbed; only an exception for unperturbed numbers is a fault */
function tolerant(isPerturbing: () => boolean) {
  return <Arguments extends readonly unknown[], Result>(
      work: (...all: Arguments) => Result,
      fallback: (...all: Arguments) => Result,
    ) =>
    (...all: Arguments): Result => {
      try {
        return work(...all);
      } catch (error) {
        const fault = asCustomLayerError(error);
        if (isPerturbing()) return fallback(...all);
        throw fault;
      }
    };
}

export function guardCustomLoss(loss: NetworkModel['loss'], isPerturbing: () => boolean): NetworkModel['loss'] {
  const original = loss.definition;
  if (!original.sourceLocations) return loss;
  const { kinkSides, autograd, operationGraph } = original;
  const guard = tolerant(isPerturbing);
  return {
    ...loss,
    definition: {
      ...original,
      value: guard(
        (context: LossContext<unknown>) => original.value(context),
        () => NaN,
      ),
      gradient: guard(
        (context: LossContext<unknown>, out: Tensor) => original.gradient(context, out),
        (_, out) => void out.data.fill(NaN),
      ),
      ...(kinkSides && { kinkSides: guard(kinkSides, () => new Int8Array(0)) }),
      ...(autograd && { autograd: guard(autograd, () => null) }),
      ...(operationGraph && { operationGraph: guard(operationGraph, () => null) }),
    },
  };
}

export function guardCustomPenalty(
  penalty: NetworkModel['penalty'],
  isPerturbing: () => boolean,
): NetworkModel['penalty'] {
  if (!penalty?.custom) return penalty;
  const original = penalty.custom.definition;
  const { autograd } = original;
  const guard = tolerant(isPerturbing);
  return {
    ...penalty,
    custom: {
      ...penalty.custom,
      definition: {
        ...original,
        value: guard(
          (call: FunctionArguments) => original.value(call),
          () => NaN,
        ),
        gradients: guard(
          (call: FunctionArguments) => original.gradients(call),
          ({ variables }) =>
            Object.fromEntries(Object.entries(variables).map(([name, { data }]) => [name, data.slice().fill(NaN)])),
        ),
        kinkSides: guard(
          (call: FunctionArguments) => original.kinkSides(call),
          () => new Int8Array(0),
        ),
        operationGraph: guard(
          (call: FunctionArguments) => original.operationGraph(call),
          () => null,
        ),
        ...(autograd && { autograd: guard(autograd, () => null) }),
      },
    },
  };
}

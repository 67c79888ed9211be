// Wraps layers for the gradient check: custom ones, and those whose backward differs from their forward on purpose. A
// layer may reject numbers that no run gives it, such as negative ones before a logarithm: it has no value there,
// which is not a fault. NaN and infinity become findings instead of exceptions.
import { asCustomLayerError } from '../engine/custom/custom-layer-error';
import type { BackwardContext, ForwardContext, LayerDefinition } from '../engine/layers/layer';
import type { LayerModel } from '../engine/network-model';

export interface GuardedLayer extends LayerModel {
  /** For the check in isolation: without the surrogate that replaces it while entries of other layers are perturbed. */
  readonly isolated: LayerDefinition;
}

export const isolatedDefinitionOf = (layer: LayerModel): LayerDefinition =>
  (layer as Partial<GuardedLayer>).isolated ?? layer.definition;

/** @param isPerturbing whether numbers are perturbed; only an exception for unperturbed numbers is a fault */
export function guardCustomLayer(layer: LayerModel, isPerturbing: () => boolean): LayerModel {
  const surrogateOf = layer.definition.surrogateFor?.(layer.options);
  if (surrogateOf) {
    const isolated: LayerDefinition = { ...layer.definition, surrogate: surrogateOf };
    const wrapped: GuardedLayer = { ...layer, definition: withSurrogate(isolated, isPerturbing), isolated };
    return wrapped;
  }
  if (!layer.definition.sourceLocations) return layer;
  const original = layer.definition.allowingNonFinite ?? layer.definition;
  const { autograd, kinkSides, operationGraph, surrogate } = original;
  const tryOr = <Result>(compute: () => Result, fallback: () => Result): Result => {
    try {
      return compute();
    } catch (error) {
      const fault = asCustomLayerError(error);
      if (isPerturbing()) return fallback();
      throw fault;
    }
  };
  const fillWithNaN = ({ gradInput, gradParameters }: BackwardContext<unknown>): void => {
    for (const tensor of [gradInput, ...Object.values(gradParameters)]) tensor?.data.fill(NaN);
  };
  const guardForward =
    (forward: LayerDefinition['forward']): LayerDefinition['forward'] =>
    (context) =>
      tryOr(
        () => forward(context),
        () => void context.output.data.fill(NaN),
      );
  const isolated: LayerDefinition = {
    ...original,
    forward: guardForward((context) => original.forward(context)),
    backward: (context) =>
      tryOr(
        () => original.backward(context),
        () => fillWithNaN(context),
      ),
    ...(autograd && {
      autograd: (context: BackwardContext<unknown>) =>
        tryOr(
          () => autograd(context),
          () => false,
        ),
    }),
    ...(kinkSides && {
      kinkSides: (context) =>
        tryOr(
          () => kinkSides(context),
          () => new Int8Array(0),
        ),
    }),
    ...(operationGraph && {
      operationGraph: (context) =>
        tryOr(
          () => operationGraph(context),
          () => null,
        ),
    }),
    ...(surrogate && {
      surrogate: { ...surrogate, forward: guardForward((context) => surrogate.forward(context)) },
    }),
  };
  const guarded: GuardedLayer = { ...layer, definition: withSurrogate(isolated, isPerturbing), isolated };
  return guarded;
}

/**
 * While entries are perturbed, the surrogate s replaces the forward pass f by f(x₀) + s(x) - s(x₀), which has the value
 * of the layer and the derivative that its backward declares.
 */
function withSurrogate(definition: LayerDefinition, isPerturbing: () => boolean): LayerDefinition {
  const { surrogate } = definition;
  if (!surrogate) return definition;
  let offset = new Float64Array(0);
  return {
    ...definition,
    forward(context: ForwardContext<unknown>) {
      const { data } = context.output;
      if (isPerturbing() && data.length === offset.length) {
        surrogate.forward(context);
        for (let i = 0; i < data.length; i++) data[i]! += offset[i]!;
        return;
      }
      surrogate.forward(context);
      const standIn = Float64Array.from(data);
      definition.forward(context);
      offset = Float64Array.from(data, (value, i) => value - standIn[i]!);
    },
  };
}

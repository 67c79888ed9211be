// A layer of the user's own may refuse numbers that no run gives it, such as a logarithm those a step below 0. A check
// tries many such: there the layer has no value, and that is no fault of it.
import { asFault } from '../engine/custom/fault';
import type { BackwardContext } from '../engine/layers/layer';
import type { LayerModel } from '../engine/network';

/** @param trying whether numbers are tried now, in place of those of the run, at which a fault is one. */
export function tolerant(layer: LayerModel, trying: () => boolean): LayerModel {
  const { definition } = layer;
  const { autograd, sides } = definition;
  if (!definition.code) return layer;
  const attempt = <Result>(work: () => Result, otherwise: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      const fault = asFault(error);
      if (trying()) return otherwise();
      throw fault;
    }
  };
  const noGradients = ({ gradInput, gradParameters }: BackwardContext<unknown>): void => {
    for (const tensor of [gradInput, ...Object.values(gradParameters)]) tensor?.data.fill(NaN);
  };
  return {
    ...layer,
    definition: {
      ...definition,
      forward: (context) => attempt(() => definition.forward(context), () => void context.output.data.fill(NaN)),
      backward: (context) => attempt(() => definition.backward(context), () => noGradients(context)),
      ...(autograd && { autograd: (context: BackwardContext<unknown>) => attempt(() => autograd(context), () => false) }),
      ...(sides && { sides: (context) => attempt(() => sides(context), () => new Int8Array(0)) }),
    },
  };
}

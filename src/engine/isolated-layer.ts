// A layer on its own, on tensors that belong to no network.
import type { Kernels } from './kernels/kernels';
import { MemoryPlan, type Shape, type Tensor } from './kernels/tensor';
import type { BackwardContext } from './layers/layer';
import { declaredInternals, declaredParameters, internalShape, type LayerModel, maskShapeOf } from './network-model';

/** All tensors that a layer computes with, for a batch of this size; everything is 0. */
export function createLayerContext(
  kernels: Kernels,
  layer: LayerModel,
  batch: number,
  training: boolean,
): BackwardContext<unknown> {
  const { definition, options, inputShape, otherInputShapes = [], outputShape } = layer;
  const plan = new MemoryPlan(kernels.precision);
  let tensors: readonly Tensor[] = [];
  const reserve = (shape: Shape): (() => Tensor) => {
    const slot = plan.reserve(shape);
    return () => tensors[slot]!;
  };
  const reserveNamed = (declared: readonly { readonly name: string; readonly shape: Shape }[]) => {
    const reserved = declared.map(({ name, shape }) => [name, reserve(shape)] as const);
    return (): Record<string, Tensor> => Object.fromEntries(reserved.map(([name, take]) => [name, take()]));
  };
  const batchOf = (shape: Shape): (() => Tensor) => reserve([batch, ...shape]);
  const [input, output, gradInput, gradOutput] = [inputShape, outputShape, inputShape, outputShape].map(batchOf) as [
    () => Tensor,
    () => Tensor,
    () => Tensor,
    () => Tensor,
  ];
  const [otherInputs, gradOtherInputs] = [otherInputShapes.map(batchOf), otherInputShapes.map(batchOf)];
  const maskShape = training ? maskShapeOf(layer) : null;
  const mask = maskShape && batchOf(maskShape);
  const parameters = reserveNamed(declaredParameters(layer));
  const gradParameters = reserveNamed(declaredParameters(layer));
  const buffers = reserveNamed(definition.buffers?.(inputShape, options) ?? []);
  const ofBatch = declaredInternals(layer).map((declared) => ({
    name: declared.name,
    shape: internalShape(declared, batch),
  }));
  const [internals, gradInternals] = [reserveNamed(ofBatch), reserveNamed(ofBatch)];
  const workspace = (definition.workspace?.(inputShape, options) ?? []).map(reserve);
  tensors = kernels.allocate(plan);
  return {
    kernels,
    options,
    parameters: parameters(),
    buffers: buffers(),
    training,
    input: input(),
    otherInputs: otherInputs.map((take) => take()),
    output: output(),
    mask: mask && mask(),
    workspace: workspace.map((take) => take()),
    internals: internals(),
    gradOutput: gradOutput(),
    gradInput: gradInput(),
    gradOtherInputs: gradOtherInputs.map((take) => take()),
    gradParameters: gradParameters(),
    gradInternals: gradInternals(),
  };
}

// Counterfactuals: other weights, or another input of a sample. Computed on a copy of the network with the same
// kernels, so the run is not affected.
import type { WeightAssignment } from '../../protocol/run-record';
import type { EdgeKind, Counterfactual } from '../../protocol/queries';
import { createKernels } from '../../engine/kernels/create-kernels';
import { numel, type Tensor } from '../../engine/kernels/tensor';
import { Network } from '../../engine/network';
import type { Pass } from '../../engine/pass';
import { EVALUATION_BATCH } from '../../model-spec';
import { MAX_COPY_BYTES } from '../scratch-session';
import type { TrainingSession } from '../session';

/** The forward and backward pass of one sample alone, in evaluation mode. */
export interface CounterfactualPass {
  readonly network: Network;
  readonly pass: Pass;
}

const networkCopies = new WeakMap<TrainingSession, Network>();

/**
 * A copy of the network with its current weights and buffers. Null if there is no such weight or input, and for
 * networks that are too large to copy.
 */
export function copyNetwork(session: TrainingSession, { weights, inputs }: Counterfactual): Network | null {
  const { network, run } = session;
  if (network.memoryBytes > MAX_COPY_BYTES) return null;
  const isValidWeight = ({ parameter, index, value }: WeightAssignment): boolean =>
    index < (network.parameters.find(({ name }) => name === parameter)?.value.data.length ?? 0) &&
    Number.isFinite(value);
  if (
    !weights.every(isValidWeight) ||
    !inputs.every(({ index, value }) => index < numel(run.dataset.inputShape) && Number.isFinite(value))
  )
    return null;
  const { deterministic, backend, simd256 } = session.kernelOptions;
  let copy = networkCopies.get(session);
  if (!copy) {
    copy = new Network(network.model, createKernels(run.precision, { deterministic, backend, simd256 }), {
      batchSize: 1,
      evaluationBatchSize: EVALUATION_BATCH,
      optimizerStateTensors: 0,
    });
    networkCopies.set(session, copy);
  }
  copy.parameters.forEach(({ value }, i) => value.data.set(network.parameters[i]!.value.data));
  copy.buffers.forEach(({ value }, i) => value.data.set(network.buffers[i]!.value.data));
  return copy;
}

export function setWeights(copy: Network, weights: Counterfactual['weights']): void {
  for (const { parameter, index, value } of weights) {
    const tensor = copy.parameters.find(({ name }) => name === parameter)?.value;
    if (tensor) tensor.data[index] = value;
  }
}

/** @param afterForward called before the backward pass, whose memory is still free. @returns the loss */
export function forwardBackward(
  copy: Network,
  { run }: TrainingSession,
  sample: number,
  inputs: Counterfactual['inputs'],
  afterForward: (pass: Pass) => void = () => undefined,
): { readonly pass: Pass; readonly loss: number } {
  const pass = copy.gradientPassInEvaluation(1);
  pass.loadBatch(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
  for (const { index, value } of inputs) pass.input.data[index] = value;
  const loss = pass.evaluate();
  afterForward(pass);
  copy.zeroGradients();
  pass.lossBackward();
  for (let layer = copy.model.layers.length - 1; layer >= 0; layer--) pass.backward(layer, true);
  return { pass, loss };
}

export function runCounterfactual(
  session: TrainingSession,
  sample: number,
  counterfactual: Counterfactual,
): CounterfactualPass | null {
  const network = copyNetwork(session, counterfactual);
  if (!network) return null;
  setWeights(network, counterfactual.weights);
  return { network, pass: forwardBackward(network, session, sample, counterfactual.inputs).pass };
}

/** The weight in the counterfactual, or its gradient of the sample's loss. There is no update. */
export function counterfactualTensor(
  { network }: CounterfactualPass,
  parameter: string,
  kind: EdgeKind,
): Tensor | undefined {
  const own = network.parameters.find(({ name }) => name === parameter);
  return { weight: own?.value, gradient: own?.gradient, update: undefined }[kind];
}

// What is tried for looking only: other weights, or other numbers of a sample's input. Done on a copy of the network, with the
// same kernels; the run is not touched.
import { createKernels } from '../../engine/kernels/create';
import { sizeOf, type Tensor } from '../../engine/kernels/tensor';
import { Network, type Pass } from '../../engine/network';
import { MOST_MEMORY } from '../beside';
import type { WeightSetting } from '../command';
import { EVALUATION_BATCH } from '../evaluation';
import type { TrainingSession } from '../session';
import type { EdgeKind } from './picture';

export interface Tried {
  readonly weights: readonly WeightSetting[];
  /** Numbers of the sample's input, by their place. */
  readonly inputs: readonly { readonly index: number; readonly value: number }[];
}

/** One sample on its way forward and back, by itself and in evaluation mode. */
export interface TriedOut {
  readonly network: Network;
  readonly pass: Pass;
}

const copies = new WeakMap<TrainingSession, Network>();

/** The network with the weights and buffers as they are. Null where there is no such weight or input, and for networks that are too large to copy. */
export function copyFor(session: TrainingSession, { weights, inputs }: Tried): Network | null {
  const { network, run } = session;
  if (network.memory > MOST_MEMORY) return null;
  const known = ({ parameter, index, value }: WeightSetting): boolean =>
    index < (network.parameters.find(({ name }) => name === parameter)?.value.data.length ?? 0) && Number.isFinite(value);
  if (!weights.every(known) || !inputs.every(({ index, value }) => index < sizeOf(run.dataset.inputShape) && Number.isFinite(value))) return null;
  const { deterministic, backend, wideVectors } = session.kernelOptions;
  let copy = copies.get(session);
  if (!copy) {
    copy = new Network(network.model, createKernels(run.precision, { deterministic, backend, wideVectors }), { batch: 1, evaluationBatch: EVALUATION_BATCH, optimizerTensors: 0 });
    copies.set(session, copy);
  }
  copy.parameters.forEach(({ value }, i) => value.data.set(network.parameters[i].value.data));
  copy.buffers.forEach(({ value }, i) => value.data.set(network.buffers[i].value.data));
  return copy;
}

export function setWeights(copy: Network, weights: Tried['weights']): void {
  for (const { parameter, index, value } of weights) {
    const tensor = copy.parameters.find(({ name }) => name === parameter)?.value;
    if (tensor) tensor.data[index] = value;
  }
}

/** @param atLoss looks at it before the way back begins, whose memory is free until then. @returns the loss */
export function thereAndBack(copy: Network, { run }: TrainingSession, sample: number, inputs: Tried['inputs'], atLoss: (pass: Pass) => void = () => undefined): { readonly pass: Pass; readonly loss: number } {
  const pass = copy.passInEvaluation(1);
  pass.load(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
  for (const { index, value } of inputs) pass.input.data[index] = value;
  const loss = pass.evaluate();
  atLoss(pass);
  copy.zeroGradients();
  pass.lossBackward();
  for (let layer = copy.model.layers.length - 1; layer >= 0; layer--) pass.backward(layer, true);
  return { pass, loss };
}

export function tryOut(session: TrainingSession, sample: number, tried: Tried): TriedOut | null {
  const network = copyFor(session, tried);
  if (!network) return null;
  setWeights(network, tried.weights);
  return { network, pass: thereAndBack(network, session, sample, tried.inputs).pass };
}

/** Of a weight as it is tried: itself, or its gradient of the sample's loss. What is only tried is not updated. */
export function tensorTried({ network }: TriedOut, parameter: string, kind: EdgeKind): Tensor | undefined {
  const own = network.parameters.find(({ name }) => name === parameter);
  return { weight: own?.value, gradient: own?.gradient, update: undefined }[kind];
}

// What would follow if some weights, or the numbers of an input, were others: one sample on its way forward and back, by
// itself, before and after. Computed by a copy of the network on the same kernels; the run is not touched.
import { createKernels } from '../../engine/kernels/create';
import { type Shape, sizeOf, type Tensor } from '../../engine/kernels/tensor';
import { Network, type Pass } from '../../engine/network';
import { finish } from '../../engine/pieces';
import { MOST_MEMORY } from '../beside';
import type { WeightSetting } from '../command';
import { EVALUATION_BATCH, evaluate, isCheap } from '../evaluation';
import type { TrainingSession } from '../session';
import { forwardWorkOf } from '../whole-step';
import type { NodeId } from './nodes';
import { defineQuestion } from './question';
import { follow } from './sample';

export interface WhatIfRequest {
  /** Its number in the data; null for the first of the step's batch. */
  readonly sample: number | null;
  readonly weights: readonly WeightSetting[];
  /** Numbers of the sample's input, by their place. */
  readonly inputs: readonly { readonly index: number; readonly value: number }[];
}

/** dL/d input is computed here alone: training has no need of it. */
export type FollowedId = NodeId | { readonly of: 'input_gradient' };

export interface Followed {
  readonly node: FollowedId;
  readonly shape: Shape;
  /** The first MOST of the flat tensor. */
  readonly before: Float64Array;
  readonly after: Float64Array;
}

export interface WhatIfAnswer {
  readonly sample: number;
  /** Of the sample alone, the penalty included. */
  readonly loss: { readonly before: number; readonly after: number };
  /** Over all training samples, for other weights; null where that is not had at once, or the weights are the same. */
  readonly train: { readonly before: number; readonly after: number } | null;
  /** What the loss makes of the last output by itself, where it does: probabilities of logits. */
  readonly probabilities: { readonly before: Float64Array; readonly after: Float64Array } | null;
  /** In the order in which they come about: the input, each output, then dL/d of each, and of each parameter, to that of the input. */
  readonly nodes: readonly Followed[];
}

/** Values of a tensor that are sent. */
const MOST = 64;

const copies = new WeakMap<TrainingSession, Network>();

export const whatIf = defineQuestion({
  about: 'what_if',
  /** Layers are in evaluation mode. Null where there is no such weight or input, and for networks that are too large to copy. */
  answer(session: TrainingSession, { sample, weights, inputs }: WhatIfRequest): WhatIfAnswer | null {
    const { network, run } = session;
    const followed = follow(session, sample);
    if (!followed || network.memory > MOST_MEMORY) return null;
    const known = ({ parameter, index, value }: WeightSetting): boolean =>
      index < (network.parameters.find(({ name }) => name === parameter)?.value.data.length ?? 0) && Number.isFinite(value);
    if (!weights.every(known) || !inputs.every(({ index, value }) => index < sizeOf(run.dataset.inputShape) && Number.isFinite(value))) return null;
    const copy = copyOf(session);
    const all = weights.length > 0 && isCheap(run, forwardWorkOf(session.model.layers));
    const lossOfAll = (): number | undefined => (all ? finish(evaluate(copy, run)).train?.loss : undefined);
    const trainBefore = lossOfAll();
    const before = read(copy, session, followed.sample, []);
    for (const { parameter, index, value } of weights) {
      const tensor = copy.parameters.find(({ name }) => name === parameter)?.value;
      if (tensor) tensor.data[index] = value;
    }
    const after = read(copy, session, followed.sample, inputs);
    const trainAfter = lossOfAll();
    return {
      sample: followed.sample,
      loss: { before: before.loss, after: after.loss },
      train: trainBefore !== undefined && trainAfter !== undefined ? { before: trainBefore, after: trainAfter } : null,
      probabilities: before.probabilities && after.probabilities && { before: before.probabilities, after: after.probabilities },
      nodes: before.nodes.map(({ node, shape, values }, i) => ({ node, shape, before: values, after: after.nodes[i].values })),
    };
  },
});

/** The network with the weights and buffers as they are. */
function copyOf(session: TrainingSession): Network {
  const { network, run, kernelOptions } = session;
  const { deterministic, backend, wideVectors } = kernelOptions;
  let copy = copies.get(session);
  if (!copy) {
    copy = new Network(network.model, createKernels(run.precision, { deterministic, backend, wideVectors }), { batch: 1, evaluationBatch: EVALUATION_BATCH, optimizerTensors: 0 });
    copies.set(session, copy);
  }
  copy.parameters.forEach(({ value }, i) => value.data.set(network.parameters[i].value.data));
  copy.buffers.forEach(({ value }, i) => value.data.set(network.buffers[i].value.data));
  return copy;
}

const values = ({ data }: Tensor): Float64Array => Float64Array.from(data.subarray(0, MOST));

/** Where the loss takes logits. The gradient's memory is free until the way back begins. */
function probabilitiesOf({ kernels, model }: Network, { prediction, outputGradients }: Pass): Float64Array | null {
  const { kind } = model.loss.definition;
  const scratch = outputGradients[outputGradients.length - 1];
  if (!scratch) return null;
  if (kind === 'cross_entropy') kernels.softmax(scratch, prediction);
  else if (kind === 'bce_with_logits') kernels.sigmoid(scratch, prediction);
  else return null;
  return values(scratch);
}

/** One sample forward and back, and what it left. */
function read(copy: Network, { run }: TrainingSession, sample: number, inputs: WhatIfRequest['inputs']) {
  const pass = copy.passInEvaluation(1);
  const { layers } = copy.model;
  pass.load(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
  for (const { index, value } of inputs) pass.input.data[index] = value;
  const loss = pass.evaluate();
  const probabilities = probabilitiesOf(copy, pass);
  copy.zeroGradients();
  pass.lossBackward();
  for (let layer = layers.length - 1; layer >= 0; layer--) pass.backward(layer, true);
  const node = (id: FollowedId, shape: Shape, tensor: Tensor) => ({ node: id, shape, values: values(tensor) });
  const gradients = layers.flatMap(({ outputShape }, layer) => [
    ...copy.parameters.filter((own) => own.layer === layer).map(({ shortName, gradient }) => node({ of: 'parameter_gradient', layer, parameter: shortName }, gradient.shape, gradient)),
    node({ of: 'output_gradient', layer }, outputShape, pass.outputGradients[layer]),
  ]);
  return {
    loss,
    probabilities,
    nodes: [
      node({ of: 'input' }, copy.model.inputShape, pass.input),
      ...layers.map(({ outputShape }, layer) => node({ of: 'output', layer }, outputShape, pass.outputs[layer])),
      ...gradients.reverse(),
      ...(pass.inputGradient ? [node({ of: 'input_gradient' }, copy.model.inputShape, pass.inputGradient)] : []),
    ],
  };
}

// What would follow if some weights, or the numbers of an input, were others: one sample on its way forward and back, by
// itself, before and after.
import type { Shape, Tensor } from '../../engine/kernels/tensor';
import type { Network, Pass } from '../../engine/network';
import { finish } from '../../engine/pieces';
import { evaluate, isCheap } from '../evaluation';
import type { TrainingSession } from '../session';
import { forwardWorkOf } from '../whole-step';
import type { NodeId } from './nodes';
import { defineQuestion } from './question';
import { follow } from './sample';
import { copyFor, setWeights, thereAndBack, type Tried } from './tried';

export interface WhatIfRequest extends Tried {
  /** Its number in the data; null for the first of the step's batch. */
  readonly sample: number | null;
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

export const whatIf = defineQuestion({
  about: 'what_if',
  /** Layers are in evaluation mode. Null where there is no such weight or input, and for networks that are too large to copy. */
  answer(session: TrainingSession, { sample, weights, inputs }: WhatIfRequest): WhatIfAnswer | null {
    const { run } = session;
    const followed = follow(session, sample);
    const copy = followed && copyFor(session, { weights, inputs });
    if (!copy) return null;
    const all = weights.length > 0 && isCheap(run, forwardWorkOf(session.model.layers));
    const lossOfAll = (): number | undefined => (all ? finish(evaluate(copy, run)).train?.loss : undefined);
    const trainBefore = lossOfAll();
    const before = read(copy, session, followed.sample, []);
    setWeights(copy, weights);
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
function read(copy: Network, session: TrainingSession, sample: number, inputs: WhatIfRequest['inputs']) {
  const { layers } = copy.model;
  let probabilities: Float64Array | null = null;
  const { pass, loss } = thereAndBack(copy, session, sample, inputs, (at) => (probabilities = probabilitiesOf(copy, at)));
  const node = (id: FollowedId, shape: Shape, tensor: Tensor) => ({ node: id, shape, values: values(tensor) });
  const gradients = layers.flatMap(({ outputShape }, layer) => [
    ...copy.parameters.filter((own) => own.layer === layer).map(({ shortName, gradient }) => node({ of: 'parameter_gradient', layer, parameter: shortName }, gradient.shape, gradient)),
    node({ of: 'output_gradient', layer }, outputShape, pass.outputGradients[layer]),
  ]);
  return {
    loss,
    probabilities: probabilities as Float64Array | null,
    nodes: [
      node({ of: 'input' }, copy.model.inputShape, pass.input),
      ...layers.map(({ outputShape }, layer) => node({ of: 'output', layer }, outputShape, pass.outputs[layer])),
      ...gradients.reverse(),
      ...(pass.inputGradient ? [node({ of: 'input_gradient' }, copy.model.inputShape, pass.inputGradient)] : []),
    ],
  };
}

// What would change if some weights, or an input, were different: the forward and backward pass of one sample alone,
// before and after.
import type { NodeId, WhatIfRequest, WhatIfResult } from '../../protocol/queries';
import type { Shape, Tensor } from '../../engine/kernels/tensor';
import type { Network } from '../../engine/network';
import type { Pass } from '../../engine/pass';
import { runToCompletion } from '../../engine/cooperative-task';
import { evaluate, canEvaluateImmediately } from '../evaluation';
import type { TrainingSession } from '../session';
import { estimateForwardMacs } from '../fused-step';
import { defineQuery } from './query';
import { followSample } from './followed-sample';
import { copyNetwork, setWeights, forwardBackward } from './counterfactual';

/** Maximum number of values of a tensor that are sent. */
const MAX_VALUES = 64;

export const whatIf = defineQuery({
  type: 'what_if',
  /**
   * Layers are in evaluation mode. Null if there is no such weight or input, and for networks that are too large to
   * copy.
   */
  resolve(session: TrainingSession, { sample, weights, inputs }: WhatIfRequest): WhatIfResult | null {
    const { run } = session;
    const followed = followSample(session, sample);
    const copy = followed && copyNetwork(session, { weights, inputs });
    if (!copy) return null;
    const evaluatesTrainingSplit =
      weights.length > 0 && canEvaluateImmediately(run, estimateForwardMacs(session.model.layers));
    const trainingLoss = (): number | undefined =>
      evaluatesTrainingSplit ? runToCompletion(evaluate(copy, run)).train?.loss : undefined;
    const trainBefore = trainingLoss();
    const before = runSample(copy, session, followed.sample, []);
    setWeights(copy, weights);
    const after = runSample(copy, session, followed.sample, inputs);
    const trainAfter = trainingLoss();
    return {
      sample: followed.sample,
      loss: { before: before.loss, after: after.loss },
      trainingLoss:
        trainBefore !== undefined && trainAfter !== undefined ? { before: trainBefore, after: trainAfter } : null,
      probabilities: before.probabilities &&
        after.probabilities && { before: before.probabilities, after: after.probabilities },
      nodes: before.nodes.map(({ node, shape, values }, i) => ({
        node,
        shape,
        before: values,
        after: after.nodes[i]!.values,
      })),
    };
  },
});

const previewValues = ({ data }: Tensor): Float64Array => Float64Array.from(data.subarray(0, MAX_VALUES));

/**
 * The probabilities if the loss takes logits, computed in the memory of the gradient, which is free before the backward
 * pass.
 */
function probabilitiesOf({ kernels, model }: Network, { prediction, outputGradients }: Pass): Float64Array | null {
  const { definition } = model.loss;
  const scratch = outputGradients[outputGradients.length - 1];
  if (!scratch || !definition.probabilities) return null;
  definition.probabilities(kernels, scratch, prediction);
  return previewValues(scratch);
}

/** Runs one sample forward and backward, and collects the results. */
function runSample(copy: Network, session: TrainingSession, sample: number, inputs: WhatIfRequest['inputs']) {
  const { layers } = copy.model;
  let probabilities: Float64Array | null = null;
  const { pass, loss } = forwardBackward(
    copy,
    session,
    sample,
    inputs,
    (at) => (probabilities = probabilitiesOf(copy, at)),
  );
  const node = (id: NodeId, shape: Shape, tensor: Tensor) => ({ node: id, shape, values: previewValues(tensor) });
  const gradients = layers.flatMap(({ outputShape }, layer) => [
    ...copy.parameters
      .filter((own) => own.layer === layer)
      .map(({ shortName, gradient }) =>
        node({ of: 'parameter_gradient', layer, parameter: shortName }, gradient.shape, gradient),
      ),
    node({ of: 'output_gradient', layer }, outputShape, pass.outputGradients[layer]!),
  ]);
  return {
    loss,
    probabilities: probabilities as Float64Array | null,
    nodes: [
      node({ of: 'input' }, copy.model.inputShape, pass.input),
      ...layers.map(({ outputShape }, layer) => node({ of: 'output', layer }, outputShape, pass.outputs[layer]!)),
      ...gradients.reverse(),
      ...(pass.inputGradient ? [node({ of: 'input_gradient' }, copy.model.inputShape, pass.inputGradient)] : []),
    ],
  };
}

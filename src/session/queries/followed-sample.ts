// One sample in the network: a row of the step's batch if it is in it, otherwise evaluated alone with the current
// weights.
import { type Tensor, numel } from '../../engine/kernels/tensor';
import type { NetworkModel, Parameter } from '../../engine/network-model';
import type { Pass } from '../../engine/pass';
import { inputsOf, NETWORK_INPUT } from '../../engine/network-graph';
import type { TrainingSession } from '../session';

export interface FollowedSample {
  /** Its index in the data, from 0. */
  readonly sample: number;
  /** Its row in the step's batch; null if it is not in it, and then it has no gradient. */
  readonly row: number | null;
  readonly pass: Pass;
  /** The layer's output for it; undefined if the step has not computed it yet. */
  output(layer: number): Tensor['data'] | undefined;
  /** dL/d output, L the loss of the batch. */
  outputGradient(layer: number): Tensor['data'] | undefined;
  /** dL/d input; undefined until the backward pass has reached it, and where the step was not measured. */
  readonly inputGradient: Tensor['data'] | undefined;
  readonly input: Tensor['data'];
  readonly target: Tensor['data'];
}

/** The index of the followed sample: the requested one if it exists, otherwise the first of the step's batch. */
export const followedIndex = ({ run, batchPosition }: TrainingSession, requested: number | null): number =>
  requested !== null && requested < run.dataset.samples ? requested : batchPosition.firstSample;

/**
 * @param requestedSample the index of a sample; null for the first of the step's batch
 * @returns views that are valid until the session moves or another sample is followed
 */
export function followSample(session: TrainingSession, requestedSample: number | null): FollowedSample | null {
  const { run, network, progress } = session;
  const { order, from, size } = session.batch;
  const batch = session.shownStep > 0 ? order.subarray(from, from + size) : new Uint32Array();
  const sample = followedIndex(session, requestedSample);
  const row = batch.indexOf(sample);
  if (row >= 0) {
    const { pass } = session;
    const rowOf = ({ data, shape }: Tensor): Tensor['data'] => {
      const width = data.length / shape[0]!;
      return data.subarray(row * width, (row + 1) * width);
    };
    return {
      sample,
      row,
      pass,
      inputGradient: session.inputGradient && rowOf(session.inputGradient),
      input: rowOf(pass.input),
      target: rowOf(pass.target),
      output: (layer) => (progress.hasOutput(layer) ? rowOf(pass.outputs[layer]!) : undefined),
      outputGradient: (layer) => (progress.hasOutputGradient(layer) ? rowOf(pass.outputGradients[layer]!) : undefined),
    };
  }
  const pass = network.evaluationPass(1);
  pass.loadBatch(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
  pass.forwardAll();
  return {
    sample,
    row: null,
    pass,
    input: pass.input.data.subarray(0, numel(run.dataset.inputShape)),
    target: pass.target.data,
    output: (layer) => pass.outputs[layer]!.data,
    outputGradient: () => undefined,
    inputGradient: undefined,
  };
}

/** The inputs of a layer for the followed sample, in order; null where the step has not come so far. */
export function inputsOfFollowed(
  { input, output }: FollowedSample,
  model: NetworkModel,
  layer: number,
): readonly Tensor['data'][] | null {
  const inputs = inputsOf(model, layer).map((source) => (source === NETWORK_INPUT ? input : output(source)));
  return inputs.every((data) => data !== undefined) ? inputs : null;
}

/**
 * The weights from which a followed sample's numbers were computed: at the end of a step, those before its update. They
 * are the current weights minus the update, so the last digit or two may differ.
 */
export function weightsBeforeUpdate(
  { updateRatios, edits }: TrainingSession,
  { row }: FollowedSample,
  { name, value, previous }: Parameter,
): Tensor['data'] {
  if (row === null || !updateRatios.has(name)) return value.data;
  const weights = value.data.map((after, i) => after - previous.data[i]!);
  // Reverts manual changes since then: the first one knows the value after the update.
  for (const { parameter, index, before } of [...edits].reverse())
    if (parameter === name) weights[index] = before - previous.data[index]!;
  return weights;
}

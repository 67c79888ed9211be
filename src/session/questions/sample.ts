// One sample on its way through the network: a row of the step's batch where it is in it, else evaluated by itself at
// these weights.
import { type Tensor, sizeOf } from '../../engine/kernels/tensor';
import type { Parameter, Pass } from '../../engine/network';
import type { TrainingSession } from '../session';

export interface FollowedSample {
  /** Its number in the data, counted from 0. */
  readonly sample: number;
  /** Its row in the step's batch; null where it is not in it: then there is no gradient of it. */
  readonly row: number | null;
  readonly pass: Pass;
  /** The layer's output for it; undefined where the step has not come so far. */
  output(layer: number): Tensor['data'] | undefined;
  /** dL/d output, L the loss of the batch. */
  outputGradient(layer: number): Tensor['data'] | undefined;
  readonly input: Tensor['data'];
  readonly target: Tensor['data'];
}

/**
 * @param wanted a sample's number; null for the first of the step's batch.
 * @returns views: they hold until the session moves on or another sample is followed.
 */
export function follow(session: TrainingSession, wanted: number | null): FollowedSample | null {
  const { run, network, progress } = session;
  const { order, from, size } = session.batch;
  const batch = session.shownStep > 0 ? order.subarray(from, from + size) : new Uint32Array();
  const first = batch.length > 0 ? batch[0] : run.split.train[0];
  const sample = wanted !== null && wanted < run.dataset.samples ? wanted : first;
  const row = batch.indexOf(sample);
  if (row >= 0) {
    const { pass } = session;
    const rowOf = ({ data, shape }: Tensor): Tensor['data'] => {
      const width = data.length / shape[0];
      return data.subarray(row * width, (row + 1) * width);
    };
    return {
      sample, row, pass,
      input: rowOf(pass.input),
      target: rowOf(pass.target),
      output: (layer) => (progress.forward(layer) ? rowOf(pass.outputs[layer]) : undefined),
      outputGradient: (layer) => (progress.outputGradient(layer) ? rowOf(pass.outputGradients[layer]) : undefined),
    };
  }
  const pass = network.evaluationPass(1);
  pass.load(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
  for (let layer = 0; layer < pass.outputs.length; layer++) pass.forward(layer);
  return {
    sample, row: null, pass,
    input: pass.input.data.subarray(0, sizeOf(run.dataset.inputShape)),
    target: pass.target.data,
    output: (layer) => pass.outputs[layer].data,
    outputGradient: () => undefined,
  };
}

/**
 * The weights that a followed sample's numbers came from: at a step's end those before its update. They are what is
 * there less the update, and so right to the last digit or two.
 */
export function weightsUsed({ updateRatios, edits }: TrainingSession, { row }: FollowedSample, { name, value, previous }: Parameter): Tensor['data'] {
  if (row === null || !updateRatios.has(name)) return value.data;
  const used = value.data.map((after, i) => after - previous.data[i]);
  // What was set by hand since: the first time it was set tells what the update made of it.
  for (const { parameter, index, before } of [...edits].reverse()) if (parameter === name) used[index] = before - previous.data[index];
  return used;
}

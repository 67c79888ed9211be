// Loss and accuracy over a whole part of the data, in chunks, so that a caller can let others work in
// between. It uses memory of its own: the training step being looked at stays as it is.
import { isSum } from '../engine/losses/reduction';
import type { Network } from '../engine/network';
import type { CompiledRun } from '../spec/compiled';
import { EVALUATION_BATCH } from '../spec/memory';
import type { Frame, ModelInfo, Part } from './frame';

// Evaluating during training may take about this share of the time.
const SHARE = 0.1;
// Multiply-adds below which an evaluation is done at once wherever a run comes to rest.
const CHEAP = 5e7;

export { EVALUATION_BATCH };

export type Evaluation = Frame['evaluation'];

export const PARTS: readonly Part[] = ['train', 'validation', 'test'];

/** Epochs from one evaluation of all parts to the next. */
export function evaluationInterval({ split }: CompiledRun): number {
  const evaluated = PARTS.reduce((sum, part) => sum + split[part].length, 0);
  // A training step costs about three forward passes.
  return Math.max(1, Math.ceil(evaluated / (3 * split.train.length) / SHARE));
}

/** Whether all parts are evaluated after a step of training. */
export const isEvaluationDue = (run: CompiledRun, { batchesPerEpoch }: Pick<ModelInfo, 'batchesPerEpoch'>, step: number): boolean =>
  step % (batchesPerEpoch * evaluationInterval(run)) === 0;

/** Whether all parts can be evaluated without anybody waiting. @param work multiply-adds of one sample's way forward */
export function isCheap({ split }: CompiledRun, work: number): boolean {
  return PARTS.reduce((sum, part) => sum + split[part].length, 0) * work < CHEAP;
}

/** Evaluates all parts, the loss for one sample whatever the reduction; yields after each chunk. */
export function* evaluate(network: Network, run: CompiledRun): Generator<void, Evaluation> {
  const result: { [P in Part]?: { loss: number; accuracy: number | null } } = {};
  for (const part of PARTS) {
    const indices = run.split[part];
    if (indices.length === 0) continue;
    let loss = 0;
    let correct = 0;
    for (let from = 0; from < indices.length; from += EVALUATION_BATCH) {
      const size = Math.min(EVALUATION_BATCH, indices.length - from);
      const pass = network.evaluationPass(size);
      pass.load(run.dataset.inputs, run.targets, indices, from);
      loss += pass.evaluate() * (isSum(run.model.loss.options) ? 1 : size);
      if (run.labels) correct += pass.correct();
      yield;
    }
    result[part] = { loss: loss / indices.length, accuracy: run.labels ? correct / indices.length : null };
  }
  return result;
}

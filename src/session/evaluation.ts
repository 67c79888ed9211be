// Loss and accuracy over a whole split, in chunks, so that the caller can let other work run in between. Uses separate
// memory, so the training step on display stays as it is.
import { SPLIT_NAMES, type SplitName } from '../protocol/position';
import type { Evaluation, SplitEvaluation } from '../protocol/frame';
import type { ModelInfo } from '../protocol/model-info';
import { isSumReduction } from '../engine/losses/reduction';
import type { Network } from '../engine/network';
import { type CompiledRun, EVALUATION_BATCH } from '../model-spec';

// The share of the time that evaluation may take during training.
const EVALUATION_TIME_SHARE = 0.1;
// Evaluations with fewer multiply-adds run immediately whenever the run becomes idle.
const IMMEDIATE_MACS = 5e7;

/** Number of epochs between evaluations of all splits. */
export function evaluationInterval({ split }: CompiledRun): number {
  const evaluated = SPLIT_NAMES.reduce((sum, part) => sum + split[part].length, 0);
  // A training step costs about three forward passes.
  return Math.max(1, Math.ceil(evaluated / (3 * split.train.length) / EVALUATION_TIME_SHARE));
}

/** Whether all splits are evaluated after this step. */
export const isEvaluationDue = (
  run: CompiledRun,
  { batchesPerEpoch }: Pick<ModelInfo, 'batchesPerEpoch'>,
  step: number,
): boolean => step % (batchesPerEpoch * evaluationInterval(run)) === 0;

/**
 * Whether all splits can be evaluated without a noticeable wait.
 * @param macsPerSample multiply-adds of one sample's forward pass
 */
export function canEvaluateImmediately({ split }: CompiledRun, macsPerSample: number): boolean {
  return SPLIT_NAMES.reduce((sum, part) => sum + split[part].length, 0) * macsPerSample < IMMEDIATE_MACS;
}

/** Evaluates all splits, with the loss as a mean per sample regardless of the reduction. Yields after each chunk. */
export function* evaluate(network: Network, run: CompiledRun): Generator<void, Evaluation> {
  const result: { [P in SplitName]?: SplitEvaluation } = {};
  const weights = [1, ...(run.model.auxiliaryLosses ?? []).map(({ weight }) => weight)];
  for (const part of SPLIT_NAMES) {
    const indices = run.split[part];
    if (indices.length === 0) continue;
    let [correct, labeled, crossEntropy] = [0, 0, 0];
    const sums = weights.map(() => ({ value: 0, weight: 0 }));
    for (let from = 0; from < indices.length; from += EVALUATION_BATCH) {
      const size = Math.min(EVALUATION_BATCH, indices.length - from);
      const pass = network.evaluationPass(size);
      pass.loadBatch(run.dataset.inputs, run.targets, indices, from);
      pass.forwardAll();
      const values = pass.lossValues();
      pass.losses.forEach((loss, i) => {
        const isSum = isSumReduction({ definition: loss.definition, options: loss.context.options });
        const own = isSum ? 1 : pass.meanWeight(loss);
        const sum = sums[i]!;
        // A batch without targets has no mean.
        if (own > 0) sum.value += values[i]! * own;
        sum.weight += isSum ? size : own;
      });
      if (run.labels) {
        const counts = pass.countCorrect();
        correct += counts.correct;
        labeled += counts.labeled;
        if (hasPerplexity(run)) crossEntropy += network.kernels.crossEntropy(pass.prediction, pass.target);
      }
      yield;
    }
    const losses = sums.map(({ value, weight }) => value / weight);
    result[part] = {
      loss: losses.reduce((total, value, i) => total + weights[i]! * value, 0),
      ...(losses.length > 1 && { losses }),
      accuracy: labeled > 0 ? correct / labeled : null,
      ...(hasPerplexity(run) && labeled > 0 && { perplexity: Math.exp(crossEntropy / labeled) }),
    };
  }
  return result;
}

/** Whether a class is predicted from logits at each position of a sequence. */
const hasPerplexity = ({ labels, dataset, model }: CompiledRun): boolean =>
  labels !== null && dataset.targetSize > 1 && model.loss.definition.takes === 'logits';

// What the rules about a run see of a step: statistics of every layer, and a batch in evaluation mode.
import type { SampleEvaluation } from '../diagnostics';
import type { Tensor } from '../engine/kernels/tensor';
import { isSumReduction } from '../engine/losses/reduction';
import { hasCustomCode } from '../engine/network-model';
import type { ProbeId } from '../protocol/layer-stats';
import { estimateForwardMacs } from './fused-step';
import { collectLayerStats } from './layer-stats';
import type { TrainingSession } from './session';

const ALL_PROBES: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);
/** Multiply-adds above which no batch is evaluated beside the training step. */
const MAX_SAMPLE_MACS = 2e7;

/** Shows the step that was just done to the rules; its update must have been measured. */
export function observeStep(session: TrainingSession): void {
  const { network, pass, progress, updateRatios, monitor, shownStep: step, loss } = session;
  if (loss === null || !Number.isFinite(loss) || session.position.phase > 0 || step <= monitor.lastObservedStep) return;
  monitor.observe({
    step,
    loss,
    penalty: pass.penalty(),
    lr: session.learningRateOf(step),
    baseLr: session.baseLr,
    layers: collectLayerStats(network, pass, progress, ALL_PROBES, updateRatios),
    sample: evaluateBatch(session),
  });
}

/** Custom layers do not run more often than training needs. */
function evaluateBatch({
  network,
  run,
  model,
  batch: { order, from, size },
}: TrainingSession): SampleEvaluation | null {
  if (estimateForwardMacs(model.layers) * size > MAX_SAMPLE_MACS || hasCustomCode(run.model)) return null;
  const count = Math.min(size, network.size.evaluationBatchSize);
  const pass = network.evaluationPass(count);
  pass.loadBatch(run.dataset.inputs, run.targets, order, from);
  pass.forwardAll();
  const loss = pass.losses.reduce((sum, term) => {
    const { definition, context, weight } = term;
    // A sum over fewer samples is smaller.
    const scale = isSumReduction({ definition, options: context.options }) ? size / count : 1;
    return sum + weight * scale * pass.lossValue(term);
  }, 0);
  const { threshold } = run.model.loss.definition;
  return { loss, mostPredicted: run.labels && findMostPredicted(pass.prediction, threshold ?? 0) };
}

/** @param prediction one row for each sample or position @param threshold of a single output */
function findMostPredicted(prediction: Tensor, threshold: number) {
  const predictions = prediction.data;
  const outputs = prediction.shape.at(-1)!;
  const count = predictions.length / outputs;
  const counts = new Uint32Array(Math.max(2, outputs));
  for (let i = 0; i < count; i++) {
    let index = 0;
    if (outputs === 1) index = predictions[i]! > threshold ? 1 : 0;
    else
      for (let j = 1; j < outputs; j++)
        if (predictions[i * outputs + j]! > predictions[i * outputs + index]!) index = j;
    counts[index]!++;
  }
  const most = Math.max(...counts);
  return { index: counts.indexOf(most), share: most / count, count };
}

// Whether the initial loss is that of a sound start, and whether the loss depends on the inputs.
import type { LossInput } from '../engine/losses/loss';
import type { Pass } from '../engine/pass';
import type { InitialLoss, ZeroedInputs } from '../protocol/doctor-report';
import type { TrainingSession } from '../session/session';

/** Training samples in evaluation mode, as many as fit into one pass. */
function loadSamples({ network, run }: TrainingSession): Pass {
  const pass = network.evaluationPass(Math.min(network.size.evaluationBatchSize, run.split.train.length));
  pass.loadBatch(run.dataset.inputs, run.targets, run.split.train, 0);
  return pass;
}

/** A prediction that knows nothing of the input. @param count of outputs */
const uninformed: Readonly<Record<Exclude<LossInput, 'unknown' | 'values'>, (count: number) => number>> = {
  logits: () => 0,
  scores: () => 0,
  probabilities: () => 0.5,
  distribution: (count) => 1 / count,
  log_distribution: (count) => -Math.log(count),
};

/** Karpathy, "A recipe for training neural networks", 2019: verify the loss at initialization. */
export function examineInitialLoss(session: TrainingSession): InitialLoss {
  const pass = loadSamples(session);
  const loss = pass.evaluate();
  const { takes } = session.run.model.loss.definition;
  if (takes === 'unknown') return { loss, expected: null };
  const { targetWidth } = session.run;
  const { data: prediction } = pass.prediction;
  const { data: target } = pass.target;
  if (takes === 'values') {
    const samples = target.length / targetWidth;
    const means = new Float64Array(targetWidth);
    for (const [i, value] of target.entries()) means[i % targetWidth]! += value / samples;
    for (let i = 0; i < prediction.length; i++) prediction[i] = means[i % targetWidth]!;
  } else prediction.fill(uninformed[takes](pass.prediction.shape.at(-1)!));
  return { loss, expected: pass.dataLoss() };
}

/** The same samples with and without their inputs. */
export function examineZeroedInputs(session: TrainingSession): ZeroedInputs {
  const pass = loadSamples(session);
  const loss = pass.evaluate();
  pass.input.data.fill(0);
  return { loss, zeroedLoss: pass.evaluate() };
}

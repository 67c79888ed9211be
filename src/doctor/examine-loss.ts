// Whether the initial loss is that of a sound start, and whether it depends on the inputs. Auxiliary losses are not
// examined.
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

/** The prediction of each of `count` outputs that knows nothing of the input. */
const uninformedPrediction: Readonly<Record<Exclude<LossInput, 'unknown' | 'values'>, (count: number) => number>> = {
  logits: () => 0,
  scores: () => 0,
  probabilities: () => 0.5,
  distribution: (count) => 1 / count,
  log_distribution: (count) => -Math.log(count),
};

/** Karpathy, "A recipe for training neural networks", 2019: verify the loss at initialization. */
export function examineInitialLoss(session: TrainingSession): InitialLoss {
  const pass = loadSamples(session);
  pass.forwardAll();
  const loss = pass.lossValue();
  const { takes, estimates } = session.run.model.loss.definition;
  if (takes === 'unknown') return { loss, expected: null };
  const { targetWidth } = session.run;
  const { data: prediction } = pass.prediction;
  const { data: target } = pass.target;
  if (takes === 'values') {
    const targets = Array.from(target);
    const centers = Array.from({ length: targetWidth }, (_, column) => {
      const values = targets.filter((_value, i) => i % targetWidth === column);
      return estimates === 'median'
        ? values.sort((a, b) => a - b)[values.length >> 1]!
        : values.reduce((a, b) => a + b) / values.length;
    });
    for (let i = 0; i < prediction.length; i++) prediction[i] = centers[i % targetWidth]!;
  } else prediction.fill(uninformedPrediction[takes](pass.prediction.shape.at(-1)!));
  return { loss, expected: pass.lossValue() };
}

/** The same samples with their inputs, and with all inputs set to 0. */
export function examineZeroedInputs(session: TrainingSession): ZeroedInputs {
  const pass = loadSamples(session);
  pass.forwardAll();
  const loss = pass.lossValue();
  pass.input.data.fill(0);
  pass.forwardAll();
  return { loss, zeroedLoss: pass.lossValue() };
}

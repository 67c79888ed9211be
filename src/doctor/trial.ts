// Short trainings of a spec and of its variants, with a measure of success that does not depend on the loss.
import type { Trial } from '../protocol/doctor-report';
import { nextObservedStep } from '../diagnostics';
import { countClasses } from '../engine/datasets/count-classes';
import type { CompiledRun } from '../model-spec';
import { estimateStepMacs } from '../session/fused-step';
import { observeStep } from '../session/observe-step';
import { stepsPerSlice } from '../session/scratch-session';
import { TrainingSession } from '../session/session';

/** What the diagnosis needs from outside. */
export interface DoctorContext {
  readonly isCancelled: () => boolean;
  readonly yieldToEventLoop: () => Promise<void>;
  /** Milliseconds, from any origin. */
  readonly now: () => number;
  /** @param share of the current stage, 0 to 1 */
  readonly onProgress: (stage: string, share: number) => void;
}

export class DoctorCancelledError extends Error {
  override name = 'DoctorCancelledError';
}

/** Multiply-adds of a trial: a few seconds. */
const TRIAL_MACS = 4e9;
/** A run of fewer steps is tried for longer, so that a fix has time to show. */
const USUAL_STEPS = 1000;
const MIN_STEPS = 50;
const MAX_STEPS = 3000;

/** Steps of each trial of a run. */
export function trialSteps({ model, network, totalSteps }: TrainingSession): number {
  const affordable = Math.floor(TRIAL_MACS / Math.max(1, estimateStepMacs(model, network)));
  return Math.max(MIN_STEPS, Math.min(MAX_STEPS, affordable, Math.max(USUAL_STEPS, totalSteps)));
}

/**
 * Trains up to a step, in slices.
 * @param onStep called after each step with a finite loss
 * @returns whether the loss stayed finite
 */
export async function trainTrial(
  session: TrainingSession,
  steps: number,
  context: DoctorContext,
  stage: string,
  onStep: (step: number) => void = () => undefined,
): Promise<boolean> {
  const slice = stepsPerSlice(session);
  while (session.position.step < steps) {
    for (let left = slice; left > 0 && session.position.step < steps; left--) {
      const next = session.position.step + 1;
      session.step(next === nextObservedStep(next - 1) || next === steps);
      if (!Number.isFinite(session.loss ?? NaN)) return false;
      onStep(next);
    }
    context.onProgress(stage, session.position.step / steps);
    await context.yieldToEventLoop();
    if (context.isCancelled()) throw new DoctorCancelledError();
  }
  return true;
}

/** Evaluations of the splits during a trial, for the rules that compare them. */
const EVALUATIONS = 20;

/** Trains a spec for a while and observes the run. */
export async function runTrial(
  session: TrainingSession,
  steps: number,
  context: DoctorContext,
  stage: string,
): Promise<Trial> {
  session.evaluate();
  const interval = Math.max(1, Math.floor(steps / EVALUATIONS));
  const isFinite = await trainTrial(session, steps, context, stage, (step) => {
    if (step % interval === 0) session.evaluate();
    if (step === nextObservedStep(step - 1) || step === steps) observeStep(session);
  });
  const evaluation = isFinite ? session.evaluate() : {};
  const diverged = !isFinite || !Number.isFinite(evaluation.train?.loss ?? NaN);
  return { steps: session.position.step, diverged, evaluation, skill: diverged ? -Infinity : measureSkill(session) };
}

/** Training samples that are looked at. */
const MAX_SAMPLES = 2000;

/** By accuracy above the share of the largest class, or by the share of the targets' variance that is explained. */
function measureSkill({ run, network }: TrainingSession): number {
  const { split, targetWidth, labels } = run;
  const stride = Math.max(1, Math.ceil(split.train.length / MAX_SAMPLES));
  const indices = split.train.filter((_, i) => i % stride === 0);
  const sums = new Float64Array(targetWidth);
  let [correct, labeled, squares, errors] = [0, 0, 0, 0];
  for (let from = 0; from < indices.length; from += network.size.evaluationBatchSize) {
    const size = Math.min(network.size.evaluationBatchSize, indices.length - from);
    const pass = network.evaluationPass(size);
    pass.loadBatch(run.dataset.inputs, run.targets, indices, from);
    pass.evaluate();
    if (labels) {
      const counts = pass.countCorrect();
      correct += counts.correct;
      labeled += counts.labeled;
    }
    const { data: prediction } = pass.prediction;
    for (const [i, target] of pass.target.data.entries()) {
      sums[i % targetWidth]! += target;
      squares += target * target;
      errors += (prediction[i]! - target) ** 2;
    }
  }
  const { length } = indices;
  const counts = countClasses(run, indices);
  if (counts) {
    const largest = Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0);
    return largest === 1 ? 1 : (correct / labeled - largest) / (1 - largest);
  }
  const variance = squares - sums.reduce((sum, each) => sum + (each * each) / length, 0);
  return variance > 0 ? 1 - errors / variance : errors === 0 ? 1 : -Infinity;
}

/** A session of a run that takes no copies to go back to. @param steps that it must be able to do */
export const openTrial = (run: CompiledRun, text: string, steps = 0): TrainingSession => {
  const batches = Math.ceil(run.split.train.length / run.batchSize);
  const epochs = Math.max(run.epochs, Math.ceil(steps / batches));
  return new TrainingSession({ ...run, epochs }, text, { checkpointBudget: 0, checkpointInterval: 2 ** 40 });
};

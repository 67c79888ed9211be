// Short trainings of a spec and of its variants, with a measure of success that does not depend on the loss.
import type { DoctorReport, Trial } from '../protocol/doctor-report';
import { nextObservedStep, usualTargets } from '../diagnostics';
import { countClasses } from '../engine/datasets/count-classes';
import type { Tensor } from '../engine/kernels/tensor';
import type { NetworkModel } from '../engine/network-model';
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

  /** @param results of the checks that were complete */
  constructor(readonly results: Partial<DoctorReport> = {}) {
    super('The diagnosis was cancelled.');
  }
}

/** Multiply-adds of a trial: about a second. */
const TRIAL_MACS = 1e9;
/** Of a trial that is as long as the run: a few seconds. */
const RUN_MACS = 4e9;
/** A run of fewer steps is tried for longer, so that a fix has time to show. */
const USUAL_STEPS = 1000;
const MIN_STEPS = 50;
const MAX_STEPS = 3000;

/** Steps of a run that is tried at its own length, at most. */
const MAX_RUN_STEPS = 12_000;

/** @param macs multiply-adds to spend */
export const affordableSteps = ({ model, network }: TrainingSession, macs = TRIAL_MACS): number =>
  Math.floor(macs / Math.max(1, estimateStepMacs(model, network)));

/** Steps of each trial of a run. */
export const trialSteps = (session: TrainingSession): number =>
  Math.max(
    MIN_STEPS,
    Math.min(
      MAX_STEPS,
      Math.max(affordableSteps(session), Math.min(session.totalSteps, affordableSteps(session, RUN_MACS))),
      Math.max(USUAL_STEPS, session.totalSteps),
    ),
  );

/** Steps that a run may take where its own length matters. */
export const longestRun = (session: TrainingSession): number =>
  Math.max(MIN_STEPS, Math.min(MAX_RUN_STEPS, 2 * affordableSteps(session, RUN_MACS)));

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
  isEnough: () => boolean = () => false,
): Promise<boolean> {
  const slice = stepsPerSlice(session);
  while (session.position.step < steps && !isEnough()) {
    for (let left = slice; left > 0 && session.position.step < steps && !isEnough(); left--) {
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

/** Evaluations of the splits during a trial, for the rules that compare them: fewer where they would take long. */
const [MIN_EVALUATIONS, EVALUATIONS] = [8, 20];
const MAX_EVALUATION_SHARE = 0.2;
/** Measurements of the skill during a trial, spread evenly. */
export const MEASUREMENTS = 8;
/** Samples of each of them. */
const MEASURED_SAMPLES = 500;

/** How often the splits are evaluated: a forward pass costs about a third of a step. */
function evaluationsOf({ run: { split, batchSize } }: TrainingSession, steps: number): number {
  const costInSteps = (split.train.length + split.validation.length + split.test.length) / (3 * batchSize);
  return Math.max(MIN_EVALUATIONS, Math.min(EVALUATIONS, (MAX_EVALUATION_SHARE * steps) / costInSteps));
}

/** What a trial tells while it runs. */
export interface TrialOptions {
  /** Called at each measurement but the last. @returns whether to end the trial, because it clearly loses */
  readonly onMeasure?: (measurement: number, score: number) => boolean;
}

/** Trains a spec for a while and observes the run. */
export async function runTrial(
  session: TrainingSession,
  steps: number,
  context: DoctorContext,
  stage: string,
  { onMeasure = () => false }: TrialOptions = {},
): Promise<Trial> {
  session.evaluate();
  const interval = Math.max(1, Math.floor(steps / evaluationsOf(session, steps)));
  const scores: number[] = [];
  let isLost = false;
  const observe = (step: number): void => {
    if (step % interval === 0) session.evaluate();
    if (step === nextObservedStep(step - 1) || step === steps) observeStep(session);
    // The measurement at the end follows below.
    if (step === steps || Math.floor((step * MEASUREMENTS) / steps) === Math.floor(((step - 1) * MEASUREMENTS) / steps))
      return;
    scores.push(Math.max(0, measureScore(session)));
    isLost ||= onMeasure(scores.length, scores.at(-1)!);
  };
  const isFinite = await trainTrial(session, steps, context, stage, observe, () => isLost);
  const evaluation = isFinite ? session.evaluate() : {};
  const diverged = !isFinite || !Number.isFinite(evaluation.train?.loss ?? NaN);
  const { train, validation } = session.run.split;
  const failed = { skill: -Infinity, error: 0 };
  const { skill, error } = diverged ? failed : measureSkill(session, train);
  const held = validation.length < MIN_VALIDATION ? null : diverged ? failed : measureSkill(session, validation);
  const validationSkill = held?.skill ?? null;
  scores.push(Math.max(0, Math.min(skill, validationSkill ?? Infinity)));
  return {
    steps: session.position.step,
    diverged,
    evaluation,
    skill,
    validationSkill,
    standardError: held && held.skill < skill ? held.error : error,
    pace: scores.reduce((sum, each) => sum + each, 0) / MEASUREMENTS,
  };
}

/** A network that learns less has learned little, which is a finding in any case. */
const LEARNED_LITTLE = 0.5;

/** Whether it has learned little beyond doubt. */
export const hasLearnedLittle = (trial: Trial): boolean =>
  trial.diverged || Math.max(0, scoreOf(trial)) + 2 * trial.standardError < LEARNED_LITTLE;

/** A network that learns more than this share of what there is to learn needs no further fix. */
export const LEARNED_WELL = 0.9;
/** Of values, the rest of the variance is still several times the noise of most data. */
const LEARNED_VALUES_WELL = 0.98;

/** What a repaired spec must learn so that it needs no further fix. */
export const enoughOfRepaired = ({ labels }: CompiledRun): number => (labels ? LEARNED_WELL : LEARNED_VALUES_WELL);

/** What a trial comes to: the smaller of its skills. */
export const scoreOf = ({ skill, validationSkill }: Trial): number => Math.min(skill, validationSkill ?? Infinity);

/** The skill in fewer validation samples is mostly noise. */
const MIN_VALIDATION = 5;
/** Samples that are looked at. */
const MAX_SAMPLES = 2000;

function measureScore(session: TrainingSession): number {
  const { train, validation } = session.run.split;
  const skillIn = (samples: Uint32Array): number => measureSkill(session, samples, MEASURED_SAMPLES).skill;
  return validation.length < MIN_VALIDATION ? skillIn(train) : Math.min(skillIn(train), skillIn(validation));
}

interface Skill {
  readonly skill: number;
  /** The standard error of the skill, as that of a sample of all inputs. */
  readonly error: number;
}

/** Skill: accuracy above the share of the largest class, or the share of the targets' variance that is explained. */
function measureSkill({ run, network }: TrainingSession, samples: Uint32Array, limit = MAX_SAMPLES): Skill {
  const { targetWidth, labels } = run;
  const stride = Math.max(1, Math.ceil(samples.length / limit));
  const indices = samples.filter((_, i) => i % stride === 0);
  const sums = new Float64Array(targetWidth);
  const tally = (labels ?? []).map((): ClassTally => ({ samples: 0, hits: 0 }));
  const isOutlier = outlierTest(run);
  let [correct, labeled, squares, errors, counted] = [0, 0, 0, 0, 0];
  for (let from = 0; from < indices.length; from += network.size.evaluationBatchSize) {
    const size = Math.min(network.size.evaluationBatchSize, indices.length - from);
    const pass = network.evaluationPass(size);
    pass.loadBatch(run.dataset.inputs, run.targets, indices, from);
    pass.evaluate();
    if (labels && run.dataset.targetSize === 1) countClassHits(tally, pass.prediction, pass.target, run.model.loss);
    if (labels) {
      const counts = pass.countCorrect();
      correct += counts.correct;
      labeled += counts.labeled;
    }
    const prediction = predictedTargets(run.model.loss, pass.prediction);
    for (const [i, target] of pass.target.data.entries()) {
      if (isOutlier(target)) continue;
      counted++;
      sums[i % targetWidth]! += target;
      squares += target * target;
      errors += (prediction[i]! - target) ** 2;
    }
  }
  const length = counted / targetWidth;
  // The class that a constant prediction would choose.
  const counts = countClasses(run, run.split.train);
  if (counts) {
    const largest = Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0);
    if (largest === 1) return { skill: 1, error: 0 };
    const balanced = largest >= IMBALANCED ? meanRecall(tally) : null;
    if (balanced) return balanced;
    // Agresti, Coull, "Approximate is better than exact for interval estimation of binomial proportions", 1998.
    const share = (correct + 2) / (labeled + 4);
    return {
      skill: (correct / labeled - largest) / (1 - largest),
      error: Math.sqrt((share * (1 - share)) / labeled) / (1 - largest),
    };
  }
  const variance = squares - sums.reduce((sum, each) => sum + (each * each) / length, 0);
  // Where the targets are constant, beside a prediction of 0.
  const reference = variance > 0 ? variance : squares;
  const skill = reference > 0 ? 1 - errors / reference : Number(errors < ROUNDING);
  // Olkin, Finn, "Correlations redux", 1995: of R² in a large sample.
  const explained = Math.max(0, skill);
  const error = (2 * Math.sqrt(explained) * (1 - explained)) / Math.sqrt(Math.max(1, length));
  return { skill, error: length < MIN_SAMPLES ? 1 : error };
}

interface ClassTally {
  samples: number;
  hits: number;
}

/** From this share of the largest class on, accuracy hides what happens to the others. */
const IMBALANCED = 0.8;

/** Adds the samples of a batch to the classes that they have. */
function countClassHits(
  tally: readonly ClassTally[],
  prediction: Tensor,
  target: Tensor,
  { definition }: NetworkModel['loss'],
): void {
  const outputs = prediction.shape.at(-1)!;
  const classOf = (data: Tensor['data'], row: number, threshold: number): number => {
    if (outputs === 1) return Number(data[row]! > threshold);
    let best = 0;
    for (let j = 1; j < outputs; j++) if (data[row * outputs + j]! > data[row * outputs + best]!) best = j;
    return best;
  };
  for (let row = 0; row < prediction.data.length / outputs; row++) {
    const own = tally[classOf(target.data, row, 0.5)];
    if (!own) continue;
    own.samples++;
    if (classOf(prediction.data, row, definition.threshold ?? 0) === classOf(target.data, row, 0.5)) own.hits++;
  }
}

/**
 * Brodersen et al., "The balanced accuracy and its posterior distribution", 2010.
 * @returns null for a single class
 */
function meanRecall(tally: readonly ClassTally[]): Skill | null {
  const present = tally.filter(({ samples }) => samples > 0);
  if (present.length < 2) return null;
  const chance = 1 / present.length;
  const mean = present.reduce((sum, { samples, hits }) => sum + hits / samples, 0) / present.length;
  const variance = present.reduce((sum, { samples, hits }) => {
    const share = (hits + 2) / (samples + 4);
    return sum + (share * (1 - share)) / samples / present.length ** 2;
  }, 0);
  return { skill: (mean - chance) / (1 - chance), error: Math.sqrt(variance) / (1 - chance) };
}

/** Squared errors below this count as 0. */
const ROUNDING = 1e-6;
/** Fewer say nothing of skill. */
const MIN_SAMPLES = 4;

/** Outliers say nothing of how well all others are predicted. @returns whether a target is one */
function outlierTest(run: CompiledRun): (target: number) => boolean {
  const range = run.labels ? null : usualTargets(run);
  return range ? (target) => target < range[0] || target > range[1] : () => false;
}

/**
 * What a network predicts, on the scale of the targets. Of probabilities, the explained variance is the Brier skill
 * score: Brier, "Verification of forecasts expressed in terms of probability", 1950.
 */
function predictedTargets({ definition }: NetworkModel['loss'], { data, shape }: Tensor): ArrayLike<number> {
  const { takes, target } = definition;
  if (takes === 'logits' && target === 'classes') return softmaxRows(data, shape.at(-1)!);
  if (takes === 'logits') return data.map((value) => 1 / (1 + Math.exp(-value)));
  if (takes === 'log_distribution') return data.map(Math.exp);
  return takes === 'scores' ? data.map((value) => Number(value > 0)) : data;
}

function softmaxRows(logits: Tensor['data'], width: number): Float64Array {
  const out = Float64Array.from(logits);
  for (let from = 0; from < out.length; from += width) {
    const row = out.subarray(from, from + width);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    row.forEach((value, i) => (row[i] = Math.exp(value - largest) / sum));
  }
  return out;
}

/** A session of a run that takes no copies to go back to. @param steps that it must be able to do */
export const openTrial = (run: CompiledRun, text: string, steps = 0): TrainingSession => {
  const batches = Math.ceil(run.split.train.length / run.batchSize);
  const epochs = Math.max(run.epochs, Math.ceil(steps / batches));
  return new TrainingSession({ ...run, epochs }, text, { checkpointBudget: 0, checkpointInterval: 2 ** 40 });
};

// A fix that is tried: the spec with it trains as long as the spec without it.
import { formatNumber, formatPercent, pluralize } from '../presentation/numbers';
import { applyTextEdit, type CompiledRun, editSpec, type LoadedRun, type Spec } from '../model-spec';
import type { Trial } from '../protocol/doctor-report';
import { estimateStepMacs } from '../session/fused-step';
import type { QuickFix } from '../protocol/problem';
import { type DoctorContext, LEARNED_WELL, longestRun, MEASUREMENTS, openTrial, runTrial, scoreOf } from './trial';

/** Loads a variant of the spec. */
export type LoadVariant = (text: string) => Promise<LoadedRun>;

/** The spec as it is, and what it comes to. */
export interface Baseline {
  readonly text: string;
  readonly run: CompiledRun;
  readonly spec: Spec;
  readonly trial: Trial;
  /** Steps of each trial. */
  readonly steps: number;
  /** The rate that the range test suggests. */
  readonly suggestedRate: number | null;
  /** What the trial had learned at each measurement but the last. */
  readonly scores: readonly number[];
  /** Whether it has a fix already, so that a smaller gain is one. */
  readonly isRepaired: boolean;
}

/** Multiply-adds of all trials of usual values: some tens of seconds. */
const GUESS_MACS = 2e10;

/** A fix, what it came to, and what the spec as it is comes to in as many steps. */
export interface Attempt {
  readonly fix: QuickFix;
  readonly trial: Trial;
  readonly before: Trial;
}

/** Tries each fix once. */
export class Attempts {
  readonly #tried = new Map<string, Attempt | null>();
  #own: Trial | null = null;
  #refinements = 0;
  /** Multiply-adds of guesses. */
  #spent = 0;

  constructor(
    readonly baseline: Baseline,
    readonly load: LoadVariant,
    readonly context: DoctorContext,
  ) {}

  get count(): number {
    return this.#tried.size;
  }

  /** Of these, those that only refine another one. */
  get refinements(): number {
    return this.#refinements;
  }

  /** Tries a variant of a fix. */
  async refine(fix: QuickFix): Promise<Attempt | null> {
    const { count } = this;
    const attempt = await this.attempt(fix);
    this.#refinements += this.count - count;
    return attempt;
  }

  /** Whether there is time for another guess. */
  get canGuess(): boolean {
    return this.#spent < GUESS_MACS;
  }

  /**
   * @param isGuess whether to end the trial after half of the steps if it has not learned more than the spec as it is
   * @returns null where the changed spec cannot run
   */
  async attempt(fix: QuickFix, isGuess = false): Promise<Attempt | null> {
    const key = JSON.stringify(fix.changes);
    const known = this.#tried.get(key);
    if (known !== undefined) return known;
    const attempt = await this.#try(fix, isGuess);
    this.#tried.set(key, attempt);
    return attempt;
  }

  /** The spec as it is, in a run of its own length. */
  async trainToEnd(stage: string): Promise<Trial> {
    const { run, text, trial } = this.baseline;
    const session = openTrial(run, text);
    const steps = Math.min(session.totalSteps, longestRun(session));
    this.#own ??= steps === trial.steps ? trial : await runTrial(session, steps, this.context, stage);
    return this.#own;
  }

  /** A fix in a run of the spec's own length. @param own the spec as it is, in such a run */
  async attemptAtOwnLength(fix: QuickFix, own: Trial): Promise<Attempt | null> {
    const { text } = this.baseline;
    const changed = applyTextEdit(text, editSpec(text, fix.changes));
    const { run } = await this.load(changed);
    if (!run) return null;
    const session = openTrial(run, changed, own.steps);
    return { fix, before: own, trial: await runTrial(session, own.steps, this.context, `trying: ${fix.title}`) };
  }

  async #try(fix: QuickFix, isGuess: boolean): Promise<Attempt | null> {
    const { text, steps, trial, scores } = this.baseline;
    const changed = applyTextEdit(text, editSpec(text, fix.changes));
    const { run } = await this.load(changed);
    if (!run) return null;
    const stage = `trying: ${fix.title}`;
    // A fix of the length of the run is compared with the run at its own length.
    const changesLength = fix.changes.some(({ path }) => path[0] === 'epochs');
    const before = changesLength ? await this.trainToEnd(stage) : trial;
    const session = openTrial(run, changed, changesLength ? 0 : steps);
    const length = changesLength ? Math.min(session.totalSteps, longestRun(session)) : steps;
    const onMeasure = (measurement: number, score: number): boolean =>
      isGuess && measurement >= MEASUREMENTS / 2 && !gainsSoFar(score, scores[measurement - 1] ?? 0);
    const tried = await runTrial(session, length, this.context, stage, { onMeasure });
    if (isGuess) this.#spent += tried.steps * estimateStepMacs(session.model, session.network);
    return { fix, before, trial: tried };
  }
}

/** Of skill after half of a trial: what has gained no more by then clearly loses. */
const NO_GAIN = 0.02;
/** The same as a share of what is left to learn, where that is little. */
const NO_GAIN_OF_REST = 0.2;

const gainsSoFar = (score: number, before: number): boolean =>
  score > before + Math.min(NO_GAIN, NO_GAIN_OF_REST * (1 - before));

/** Skill that is more than noise. */
const MIN_GAIN = 0.05;
/** A loss that is lower than by noise. */
const LOWER_LOSS = 0.8;

const hasSameLoss = (fix: QuickFix): boolean => fix.changes.every(({ path }) => path[0] !== 'loss');

/** 0 for a run that learns nothing, or less. */
const learned = (trial: Trial): number => Math.max(0, scoreOf(trial));

export const gainsSkill = ({ trial, before }: Attempt): boolean => learned(trial) > learned(before) + MIN_GAIN;

/** Share of what is not learned yet. */
const MUCH = 0.3;

/** A gain of half of what there is to learn is no noise. */
const MAX_NOISE = 0.5;

/** Whether a fix gains a substantial part of what the spec has not learned. */
export const gainsMuch = ({ trial, before }: Attempt): boolean =>
  !trial.diverged &&
  learned(trial) >
    learned(before) +
      Math.max(2 * MIN_GAIN, MUCH * (1 - learned(before)), Math.min(MAX_NOISE, 2 * before.standardError));

/** Of what is left to learn of values. */
const MUCH_LESS = 0.5;

/** Whether a further fix gains more than noise, or halves what is left where nearly all is learned. */
export const gainsFurther = ({ trial, before }: Attempt): boolean =>
  !trial.diverged &&
  (learned(trial) > learned(before) + Math.max(MIN_GAIN, Math.min(MAX_NOISE, before.standardError)) ||
    (scoreOf(before) >= LEARNED_WELL && 1 - scoreOf(trial) < MUCH_LESS * (1 - scoreOf(before))));

/** Whether the network learns more with a fix, or the same in less time. */
export function helps(attempt: Attempt): boolean {
  const { fix, trial, before } = attempt;
  if (trial.diverged) return false;
  if (before.diverged) return scoreOf(trial) > -MIN_GAIN;
  if (gainsSkill(attempt)) return true;
  if (scoreOf(trial) < scoreOf(before) - MIN_GAIN) return false;
  if (trial.pace > before.pace + MIN_GAIN) return true;
  const [loss, lossBefore] = [trial.evaluation.train?.loss ?? NaN, before.evaluation.train?.loss ?? NaN];
  return hasSameLoss(fix) && loss < LOWER_LOSS * lossBefore;
}

/** "Loss 0.31 instead of NaN after 200 steps." */
export function describeEffect({ trial, before }: Attempt): string {
  // Where the splits disagree, the validation split shows it.
  const split = isGeneralization(trial, before) ? 'validation' : 'train';
  const [now, then] = [trial.evaluation[split], before.evaluation[split]];
  const hasAccuracy = typeof now?.accuracy === 'number';
  const format = (each: typeof now): string =>
    hasAccuracy && typeof each?.accuracy === 'number'
      ? formatPercent(each.accuracy)
      : formatNumber(hasAccuracy ? NaN : (each?.loss ?? NaN));
  const measured = `${split === 'validation' ? 'validation ' : ''}${hasAccuracy ? 'accuracy' : 'loss'}`;
  const after = pluralize(trial.steps, 'step');
  return `${measured[0]!.toUpperCase()}${measured.slice(1)} ${format(now)} instead of ${format(then)} after ${after}.`;
}

const isGeneralization = (trial: Trial, before: Trial): boolean =>
  trial.validationSkill !== null &&
  before.validationSkill !== null &&
  trial.validationSkill - before.validationSkill > MIN_GAIN &&
  trial.skill - before.skill < MIN_GAIN;

// Another way on from a step that was reached: with another learning rate, another seed, or both. It is trained by a
// session beside the run, to the bit what the run would be if it were continued so.
import { History, type HistoryData, seriesName } from '../../history/history';
import { beside, stepsOfSlice } from '../beside';
import { isCheap, isEvaluationDue, PARTS } from '../evaluation';
import type { TrainingSession } from '../session';
import { forwardWorkOf, workOf } from '../whole-step';
import { defineQuestion } from './question';

export interface ForkRequest {
  /** Where it leaves the run: so many updates are those of the run. */
  readonly from: number;
  /** What the schedule starts from; null for the run's own. */
  readonly lr: number | null;
  readonly seed: number | null;
  /** Its last step. */
  readonly to: number;
}

export interface ForkAnswer {
  /** Where it stands; less than `from` while the way there is computed again. Ask again until it is `done`. */
  readonly step: number;
  readonly done: boolean;
  /** The step whose loss is no number any more; it ends there. */
  readonly diverged: number | null;
  /** Losses: of every batch after `from`, and of whole parts from there on. */
  readonly history: HistoryData;
  /** What the run itself goes on with at `from`. */
  readonly own: { readonly lr: number; readonly seed: number };
  /** Whether a seed decides anything after `from`; a full batch without layers that draw leaves nothing to chance. */
  readonly drawn: boolean;
}

interface Forking {
  readonly key: string;
  readonly other: TrainingSession;
  readonly history: History;
  own: ForkAnswer['own'] | null;
  diverged: number | null;
}

const forks = new WeakMap<TrainingSession, Forking>();

export const fork = defineQuestion({
  about: 'fork',
  /** Null where the step was not reached yet or cannot be gone back to. Works for a slice at a time. */
  answer(session: TrainingSession, { from, lr, seed, to }: ForkRequest): ForkAnswer | null {
    if (!Number.isInteger(from) || from < session.earliest || from > session.frontier || !(to >= from && to <= session.totalSteps)) return null;
    const key = JSON.stringify([session.wayTo(from), from, lr, seed, to]);
    let forking = forks.get(session);
    if (forking?.key !== key) {
      forking = { key, other: beside(session, from), history: new History(), own: null, diverged: null };
      forks.set(session, forking);
    }
    for (let left = stepsOfSlice(forking.other); left > 0 && !isDone(forking, to); ) left -= goOn(forking, { from, lr, seed, to }, session.frontier);
    const { other, history, own, diverged } = forking;
    const { step } = other.position;
    return { step, done: isDone(forking, to), diverged, history: history.data(), own: own ?? { lr: session.run.optimizer.options.lr, seed: session.run.seed }, drawn: isDrawn(session, from) };
  },
});

const isDone = ({ other, own, diverged }: Forking, to: number): boolean => own !== null && (diverged !== null || other.position.step >= to);

/** One step, or at `from` the turn to another way. @param frontier where the run was evaluated last @returns how many steps that took as long as. */
function goOn(forking: Forking, { from, lr, seed, to }: ForkRequest, frontier: number): number {
  const { other, history } = forking;
  if (forking.own === null) {
    if (other.position.step < from) {
      other.step();
      return 1;
    }
    forking.own = { lr: other.baseLr, seed: other.seed };
    if (lr !== null) other.setLearningRate(lr);
    if (seed !== null) other.setSeed(seed);
    return evaluateInto(forking);
  }
  other.step();
  const { step } = other.position;
  if (other.loss !== null) history.add(seriesName.batchLoss, step, other.loss);
  if (other.loss !== null && !Number.isFinite(other.loss)) forking.diverged = step;
  else if (step === to || step === frontier || isEvaluationDue(other.run, other.model, step)) return 1 + evaluateInto(forking);
  return 1;
}

/** Losses of whole parts, where they are had at once. */
function evaluateInto({ other, history }: Forking): number {
  const { run, model, network } = other;
  const work = forwardWorkOf(model.layers);
  if (!isCheap(run, work)) return 0;
  const evaluation = other.evaluate();
  for (const part of PARTS) {
    const found = evaluation[part];
    if (found) history.add(seriesName.loss(part), other.position.step, found.loss);
  }
  return (work * run.dataset.samples) / workOf(model, network);
}

function isDrawn({ run, network, model }: TrainingSession, from: number): boolean {
  return from === 0 || (run.shuffle && model.batchesPerEpoch > 1) || run.augmentations.length > 0 || network.model.layers.some(({ definition }) => definition.draw !== undefined);
}


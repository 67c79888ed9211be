// A fork from a step that was reached, with another learning rate, another seed, or both. A scratch session trains it,
// bit for bit as the run would continue with these values.
import { SPLIT_NAMES } from '../../protocol/position';
import type { ForkRequest, ForkResult } from '../../protocol/queries';
import { History, seriesName } from '../../history/history';
import { openScratchSession, stepsPerSlice } from '../scratch-session';
import { canEvaluateImmediately, isEvaluationDue } from '../evaluation';
import type { TrainingSession } from '../session';
import { estimateForwardMacs, estimateStepMacs } from '../fused-step';
import { defineQuery } from './query';

interface ForkState {
  readonly key: string;
  readonly scratch: TrainingSession;
  readonly history: History;
  parentSettings: ForkResult['parentSettings'] | null;
  diverged: number | null;
}

const forks = new WeakMap<TrainingSession, ForkState>();

export const fork = defineQuery({
  type: 'fork',
  /** Null if the step was not reached yet or cannot be replayed. Works for one slice per call. */
  resolve(session: TrainingSession, { from, lr, seed, to }: ForkRequest): ForkResult | null {
    if (
      !Number.isInteger(from) ||
      from < session.earliestStep ||
      from > session.furthestStep ||
      !(to >= from && to <= session.totalSteps)
    )
      return null;
    const key = JSON.stringify([session.trajectoryKey(from), from, lr, seed, to]);
    let state = forks.get(session);
    if (state?.key !== key) {
      state = {
        key,
        scratch: openScratchSession(session, from),
        history: new History(),
        parentSettings: null,
        diverged: null,
      };
      forks.set(session, state);
    }
    for (let left = stepsPerSlice(state.scratch); left > 0 && !isDone(state, to);)
      left -= advanceFork(state, { from, lr, seed, to }, session.furthestStep);
    const { scratch, history, parentSettings, diverged } = state;
    const { step } = scratch.position;
    return {
      step,
      done: isDone(state, to),
      diverged,
      history: history.data(),
      parentSettings: parentSettings ?? { lr: session.run.optimizer.options.lr, seed: session.run.seed },
      seedMatters: dependsOnSeed(session, from),
    };
  },
});

const isDone = ({ scratch, parentSettings, diverged }: ForkState, to: number): boolean =>
  parentSettings !== null && (diverged !== null || scratch.position.step >= to);

/**
 * Does one step; at `from`, first applies the changes of the fork.
 * @param furthestStep the step at which the run was evaluated last
 * @returns the cost in steps
 */
function advanceFork(state: ForkState, { from, lr, seed, to }: ForkRequest, furthestStep: number): number {
  const { scratch, history } = state;
  if (state.parentSettings === null) {
    if (scratch.position.step < from) {
      scratch.step();
      return 1;
    }
    state.parentSettings = { lr: scratch.baseLr, seed: scratch.seed };
    if (lr !== null) scratch.setLearningRate(lr);
    if (seed !== null) scratch.setSeed(seed);
    return recordEvaluation(state);
  }
  scratch.step();
  const { step } = scratch.position;
  if (scratch.loss !== null) history.add(seriesName.batchLoss, step, scratch.loss);
  if (scratch.loss !== null && !Number.isFinite(scratch.loss)) state.diverged = step;
  else if (step === to || step === furthestStep || isEvaluationDue(scratch.run, scratch.model, step))
    return 1 + recordEvaluation(state);
  return 1;
}

/** Losses of whole splits, if they can be evaluated immediately. */
function recordEvaluation({ scratch, history }: ForkState): number {
  const { run, model, network } = scratch;
  const work = estimateForwardMacs(model.layers);
  if (!canEvaluateImmediately(run, work)) return 0;
  const evaluation = scratch.evaluate();
  for (const part of SPLIT_NAMES) {
    const result = evaluation[part];
    if (result) history.add(seriesName.loss(part), scratch.position.step, result.loss);
  }
  return (work * run.dataset.samples) / estimateStepMacs(model, network);
}

function dependsOnSeed({ run, network, model }: TrainingSession, from: number): boolean {
  return (
    from === 0 ||
    (run.shuffle && model.batchesPerEpoch > 1) ||
    run.augmentations.length > 0 ||
    network.model.layers.some(({ definition }) => definition.sampleMask !== undefined)
  );
}

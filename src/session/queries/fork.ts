// A fork from a step that was reached, with another learning rate, another seed, or both. A scratch session trains it,
// bit for bit as the run would continue with these values.
import { SPLIT_NAMES } from '../../protocol/position';
import type { ForkRequest, ForkResult, TrainedFork } from '../../protocol/queries';
import { maskShapeOf } from '../../engine/network-model';
import { History, seriesName } from '../../history/history';
import { MAX_COPY_BYTES, openScratchSession, stepsPerSlice } from '../scratch-session';
import { canEvaluateImmediately, isEvaluationDue } from '../evaluation';
import type { TrainingSession } from '../session';
import { estimateForwardMacs, estimateStepMacs } from '../fused-step';
import { defineQuery } from './query';

/** Forks that are kept, if they fit. */
const MAX_KEPT = 4;

interface ForkState {
  readonly request: ForkRequest;
  readonly scratch: TrainingSession;
  readonly history: History;
  parentSettings: ForkResult['parentSettings'] | null;
  diverged: number | null;
}

/** By what they are, the one used last at the end. */
const states = new WeakMap<TrainingSession, Map<string, ForkState>>();

const keyOf = (session: TrainingSession, { from, lr, seed, to }: ForkRequest): string =>
  JSON.stringify([session.trajectoryKey(from), from, lr, seed, to]);

/** The session of a fork that was trained, at its last step; null if there is none. */
export function forkSession(session: TrainingSession, request: ForkRequest): TrainingSession | null {
  const state = states.get(session)?.get(keyOf(session, request));
  return state && state.parentSettings !== null ? state.scratch : null;
}

export const forks = defineQuery({
  type: 'forks',
  resolve(session: TrainingSession): readonly TrainedFork[] {
    return [...(states.get(session) ?? [])].flatMap(([key, { request, scratch, parentSettings, diverged }]) => {
      const { step } = scratch.position;
      const isOfRun = key === keyOf(session, request) && request.from <= session.furthestStep;
      // The run has become this fork.
      const isRun = session.trajectoryKey(step) === scratch.trajectoryKey(step);
      return isOfRun && parentSettings !== null && !isRun ? { ...request, step, diverged } : [];
    });
  },
});

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
    const request = { from, lr, seed, to };
    const known = states.get(session) ?? new Map<string, ForkState>();
    states.set(session, known);
    const key = keyOf(session, request);
    let state = known.get(key);
    known.delete(key);
    if (!state) {
      const fitting = Math.max(1, Math.min(MAX_KEPT, Math.floor(MAX_COPY_BYTES / session.network.memoryBytes)));
      while (known.size >= fitting) known.delete(known.keys().next().value!);
      state = {
        request,
        scratch: openScratchSession(session, from),
        history: new History(),
        parentSettings: null,
        diverged: null,
      };
    }
    known.set(key, state);
    for (let left = stepsPerSlice(state.scratch); left > 0 && !isDone(state, to);)
      left -= advanceFork(state, request, session.furthestStep);
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
  // The last step is measured, so that all of its values can be read.
  scratch.step(scratch.position.step + 1 === to);
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
    network.model.layers.some((layer) => maskShapeOf(layer) !== null)
  );
}

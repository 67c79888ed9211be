// The difference of a tensor between the current step and another one. The other step is recomputed bit for bit in a
// scratch session.

import type { TensorRequest, TensorDifference } from '../../protocol/queries';
import { advanceToward, openScratchSession } from '../scratch-session';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';
import { toTile, findTensor } from './tensor';

interface ScratchRun {
  readonly trajectoryKey: string;
  readonly since: number;
  readonly scratch: TrainingSession;
}

const scratchRuns = new WeakMap<TrainingSession, ScratchRun>();

export const changedSince = defineQuery({
  type: 'changed_since',
  /** Null if the step was not reached yet or cannot be replayed, or if there is no such tensor. */
  resolve(
    session: TrainingSession,
    { since, ...request }: TensorRequest & { readonly since: number },
  ): TensorDifference | null {
    if (!Number.isInteger(since) || since < session.earliestStep || since > session.furthestStep) return null;
    const trajectoryKey = session.trajectoryKey(since);
    let scratchRun = scratchRuns.get(session);
    if (scratchRun?.trajectoryKey !== trajectoryKey || scratchRun.since !== since) {
      scratchRun = { trajectoryKey, since, scratch: openScratchSession(session, since) };
      scratchRuns.set(session, scratchRun);
    }
    const { scratch } = scratchRun;
    if (!advanceToward(scratch, since))
      return { reachedStep: scratch.position.step, now: null, then: null, difference: null };
    const [now, then] = [findTensor(session, request), findTensor(scratch, request)];
    if (!now || !then) return null;
    const sameShape = now.data.length === then.data.length;
    const difference = sameShape && {
      shape: now.shape,
      data: Float64Array.from(now.data, (value, i) => value - then.data[i]!),
    };
    const { kind } = request;
    return {
      reachedStep: since,
      now: toTile(now, kind),
      then: toTile(then, kind),
      difference: difference ? toTile(difference, kind) : null,
    };
  },
});

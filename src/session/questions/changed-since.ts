// A tensor where the run stands beside the same tensor at another step, and their difference. The other step is computed
// again to the bit, by a session beside the run.
import type { TensorReading, TensorRequest } from '../frame';
import { advance, beside } from '../beside';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';
import { reduce, tensorFor } from './tensor';

export interface ChangedSinceAnswer {
  /** Where the session beside stands; less than `since` while it is on its way: ask again. */
  readonly reached: number;
  /** All null on the way. */
  readonly now: TensorReading | null;
  readonly then: TensorReading | null;
  /** now − then in float64, reduced after it was taken; null where the two differ in shape, as the last batch of an epoch may. */
  readonly difference: TensorReading | null;
}

interface Visit {
  readonly way: string;
  readonly since: number;
  readonly other: TrainingSession;
}

const visits = new WeakMap<TrainingSession, Visit>();

export const changedSince = defineQuestion({
  about: 'changed_since',
  /** Null where the step was not reached yet, cannot be gone back to, or there is no such tensor. */
  answer(session: TrainingSession, { since, ...request }: TensorRequest & { readonly since: number }): ChangedSinceAnswer | null {
    if (!Number.isInteger(since) || since < session.earliest || since > session.frontier) return null;
    const way = session.wayTo(since);
    let visit = visits.get(session);
    if (visit?.way !== way || visit.since !== since) {
      visit = { way, since, other: beside(session, since) };
      visits.set(session, visit);
    }
    const { other } = visit;
    if (!advance(other, since)) return { reached: other.position.step, now: null, then: null, difference: null };
    const [now, then] = [tensorFor(session, request), tensorFor(other, request)];
    if (!now || !then) return null;
    const alike = now.data.length === then.data.length;
    const difference = alike && { shape: now.shape, data: Float64Array.from(now.data, (value, i) => value - then.data[i]) };
    const { kind } = request;
    return { reached: since, now: reduce(now, kind), then: reduce(then, kind), difference: difference ? reduce(difference, kind) : null };
  },
});

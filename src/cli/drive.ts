// Trains a session up to a step in slices, so that Ctrl-C is heard and progress shown. The session does the work.
import { locateNonFinite } from '../session/non-finite';
import type { NonFinite } from '../session/frame';
import type { TrainingSession } from '../session/session';
import type { Terminal } from './terminal';

const SLICE_MS = 40;

export type Outcome =
  | { readonly kind: 'arrived' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'diverged'; readonly nonFinite: NonFinite | null };

/**
 * @param target steps that shall be done.
 * @param each called after every step, and waited for where it gives a promise.
 * @param shown called now and then.
 * @param measured whether the size of this step's update is measured, too.
 */
export async function trainTo(
  { now, pause, interrupted }: Terminal,
  session: TrainingSession,
  target: number,
  each: () => Promise<void> | undefined,
  shown: () => void,
  measured: (step: number) => boolean = () => false,
): Promise<Outcome> {
  while (session.position.step < target) {
    const end = now() + SLICE_MS;
    do {
      session.step(measured(session.position.step + 1));
      if (session.loss !== null && !Number.isFinite(session.loss)) {
        return { kind: 'diverged', nonFinite: locateNonFinite(session) };
      }
      // Not always: a turn of the queue for each step would cost more than a small step.
      const waiting = each();
      if (waiting) await waiting;
    } while (session.position.step < target && now() < end);
    shown();
    await pause();
    if (interrupted()) return { kind: 'interrupted' };
  }
  return { kind: 'arrived' };
}

// A gradient check of where a session stands, in slices between which the event loop can turn.
import { GradientCheck } from '../gradcheck/gradient-check';
import type { CheckProgress, CheckReport } from '../gradcheck/report';
import type { TrainingSession } from './session';

export interface CheckJob {
  readonly cancelled: () => boolean;
  readonly now: () => number;
  readonly turn: () => Promise<void>;
  readonly progress?: (progress: CheckProgress) => void;
}

/** Kept until the next one, so that single entries can be asked about: a float64 copy of the network. */
const lastChecks = new WeakMap<TrainingSession, GradientCheck>();

export const lastCheckOf = (session: TrainingSession): GradientCheck | undefined => lastChecks.get(session);

const SLICE_MS = 8;

// Cancelled with something wrong found, it says why if that takes no longer.
const WHY_MS = 100;

/** Cancelled, it reports what was checked. */
export async function checkGradients(session: TrainingSession, { cancelled, now, turn, progress }: CheckJob): Promise<CheckReport> {
  const check = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: session.position.step,
    options: session.run.gradientCheck,
    kernels: session.kernelOptions,
  });
  let more = true;
  while (more && !cancelled()) {
    const end = now() + SLICE_MS;
    do more = check.advance(check.atOnce);
    while (more && now() < end);
    progress?.(check.progress());
    await turn();
  }
  if (more && check.progress().counts.wrong > 0) for (const end = now() + WHY_MS; now() < end && check.explain(););
  lastChecks.set(session, check);
  return check.report();
}

// A gradient check at the session's current position, in slices between which the event loop can run.
import type { CheckProgress, CheckReport } from '../protocol/check-report';
import { GradientCheck } from '../gradcheck';
import type { TrainingSession } from './session';

export interface CheckJobOptions {
  readonly isCancelled: () => boolean;
  readonly now: () => number;
  readonly yieldToEventLoop: () => Promise<void>;
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined;
}

const SLICE_MS = 8;

// After a cancelled check, the diagnosis may take this long.
const EXPLAIN_MS = 40;

/** If cancelled, it reports what was checked so far. */
export async function checkGradients(
  session: TrainingSession,
  { isCancelled, now, yieldToEventLoop, onProgress }: CheckJobOptions,
): Promise<CheckReport> {
  const check = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: session.position.step,
    options: session.run.gradientCheck,
    kernels: session.kernelOptions,
  });
  let more = true;
  while (more && !isCancelled()) {
    const end = now() + SLICE_MS;
    do more = check.advance(check.preferredChunk);
    while (more && now() < end);
    onProgress?.(check.progress());
    await yieldToEventLoop();
  }
  if (more && check.progress().counts.wrong > 0)
    for (const end = now() + EXPLAIN_MS; now() < end && check.advanceDiagnosis(););
  session.lastCheck = check;
  return check.report();
}

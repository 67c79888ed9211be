// Brings a session to the step that a command is about, and says so where the run does not get there.
import { counted, grouped } from '../gradcheck/words';
import type { NonFinite } from '../session/frame';
import { describeNonFinite } from '../session/non-finite';
import type { TrainingSession } from '../session/session';
import { CallError } from './arguments';
import { type Outcome, trainTo } from './drive';
import { Progress } from './progress';
import type { Terminal } from './terminal';

/** Throws CallError where the run is shorter than that. */
export function requireStep({ totalSteps }: TrainingSession, step: number): void {
  if (step <= totalSteps) return;
  throw new CallError(
    `This run has ${counted(totalSteps, 'step')}, so there is no step ${grouped(step)}.`,
    'Give a smaller --step, or raise "epochs" in the spec.',
  );
}

/** Trains until `step` steps are done. */
export async function reachStep(terminal: Terminal, session: TrainingSession, step: number): Promise<Outcome> {
  const progress = new Progress(terminal);
  const outcome = await trainTo(terminal, session, step, () => undefined, () => {
    const { step: done } = session.position;
    progress.show(done / step, () => `step ${grouped(done)} of ${grouped(step)}`);
  });
  progress.clear();
  return outcome;
}

/** Where and why, in one or two sentences. */
export function divergence(nonFinite: NonFinite | null): string {
  if (!nonFinite) return 'The loss is not finite.';
  const { step, value, remedy } = nonFinite;
  return `The run diverged in step ${grouped(step)}: ${describeNonFinite(nonFinite)} was the first to become ${value}. ${remedy}`;
}

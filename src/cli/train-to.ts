// Trains a session up to a step in slices, so that Ctrl-C is noticed and progress is drawn.
import type { NonFinite } from '../protocol/frame';
import { locateNonFinite } from '../session/locate-non-finite';
import { pluralize, formatInteger } from '../presentation/plain-numbers';
import { describeNonFinite } from '../presentation/non-finite';
import type { TrainingSession } from '../session/session';
import type { CommonArgs } from './command';
import { printJson } from './json';
import type { LocatedProblem } from './problems';
import { ProgressBar } from './progress';
import { EXIT, type ExitCode, printLines, type Terminal } from './terminal';
import { UsageError } from './usage-error';

const SLICE_MS = 40;

export type TrainOutcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'diverged'; readonly nonFinite: NonFinite | null };

/**
 * @param target number of completed steps at the end
 * @param onStep called after every step, and awaited if it returns a promise
 * @param onProgress called once per slice
 * @param shouldMeasure whether to measure the size of this step's update as well
 */
export async function trainTo(
  { now, pause, interrupted }: Terminal,
  session: TrainingSession,
  target: number,
  onStep: () => Promise<void> | undefined,
  onProgress: () => void,
  shouldMeasure: (step: number) => boolean = () => false,
): Promise<TrainOutcome> {
  while (session.position.step < target) {
    const sliceEnd = now() + SLICE_MS;
    do {
      session.step(shouldMeasure(session.position.step + 1));
      if (session.loss !== null && !Number.isFinite(session.loss)) {
        return { kind: 'diverged', nonFinite: locateNonFinite(session) };
      }
      // Awaiting always would cost more than a step of a small network.
      const waiting = onStep();
      if (waiting) await waiting;
    } while (session.position.step < target && now() < sliceEnd);
    onProgress();
    await pause();
    if (interrupted()) return { kind: 'interrupted' };
  }
  return { kind: 'completed' };
}

/** Throws UsageError if the run has fewer steps. */
export function requireStep({ totalSteps }: TrainingSession, step: number): void {
  if (step <= totalSteps) return;
  throw new UsageError(
    'step-out-of-range',
    `This run has ${pluralize(totalSteps, 'step')}, so there is no step ${formatInteger(step)}.`,
    'Choose a smaller --step, or raise "epochs" in the spec.',
  );
}

/** Trains with a progress bar until `step` steps are done. */
export async function reachStep(terminal: Terminal, session: TrainingSession, step: number): Promise<TrainOutcome> {
  const progress = new ProgressBar(terminal);
  const outcome = await trainTo(
    terminal,
    session,
    step,
    () => undefined,
    () => {
      const { step: done } = session.position;
      progress.show(done / step, () => `step ${formatInteger(done)} of ${formatInteger(step)}`);
    },
  );
  progress.clear();
  return outcome;
}

/** The result of a command that Ctrl-C stopped before its step. */
export function stoppedEarly(
  terminal: Terminal,
  { file, json }: CommonArgs,
  command: string,
  session: TrainingSession,
  target: number,
  problems: readonly LocatedProblem[],
): ExitCode {
  const { step } = session.position;
  if (json) printJson(terminal, { command, file, name: session.run.name, problems, complete: false, step });
  else
    printLines(terminal, terminal.err, [
      `Stopped in training, after ${formatInteger(step)} of ${pluralize(target, 'step')}.`,
    ]);
  return EXIT.interrupted;
}

/** Where the run diverged and why, in one or two sentences. */
export function describeDivergence(nonFinite: NonFinite | null): string {
  if (!nonFinite) return 'The loss is not finite.';
  return `The run diverged in step ${formatInteger(nonFinite.step)}: ${describeNonFinite(nonFinite)}`;
}

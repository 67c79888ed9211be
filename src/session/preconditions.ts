// Why a command cannot be executed in the current state of the run, as messages for people.
import type { NonFinite } from '../protocol/frame';
import { pluralize, isOrAre } from '../engine/format-count';
import type { TrainingSession } from './session';

/** A command that the run cannot carry out in its current state. The message is for people. */
export class CommandError extends Error {
  override name = 'CommandError';
}

export function assertFinite(nonFinite: NonFinite | null): void {
  if (!nonFinite) return;
  throw new CommandError(
    `From step ${nonFinite.step} on, the run contains NaN or infinity. Go back to step ${nonFinite.step - 1}, then change the learning rate.`,
  );
}

export function assertNotFinished({ position, totalSteps, model }: TrainingSession): void {
  if (position.step < totalSteps) return;
  throw new CommandError(
    `The run is finished: ${pluralize(model.epochs, 'epoch')} ${isOrAre(model.epochs)} done. Raise "epochs" in the spec to continue.`,
  );
}

/** @throws CommandError if it is not possible to train up to this step */
export function assertValidTarget({ position, totalSteps }: TrainingSession, step: number): void {
  if (!Number.isInteger(step) || step > totalSteps) {
    throw new CommandError(`This run ends at step ${totalSteps}; raise "epochs" in the spec to go further.`);
  }
  if (step > position.step) return;
  if (position.step >= totalSteps)
    throw new CommandError(
      `The run is finished: ${totalSteps === 1 ? 'its one step is' : `all ${totalSteps} steps are`} done.`,
    );
  throw new CommandError(
    `Step ${step} is not ahead: the run is at step ${position.step}. Use the timeline to go back.`,
  );
}

/** @throws CommandError if it is not possible to go to this position */
export function assertSeekable(
  { earliestStep, furthestStep, model }: TrainingSession,
  step: number,
  phase: number,
): void {
  if (!Number.isInteger(step) || step < 0 || step > furthestStep) {
    throw new CommandError(`Step ${step} is not available: this run has steps ${earliestStep} to ${furthestStep}.`);
  }
  if (step < earliestStep) {
    throw new CommandError(
      `Step ${step} was computed before the code of a layer was reloaded: this run can go back only to step ${earliestStep}. Reset it to train again from the start.`,
    );
  }
  if (!Number.isInteger(phase) || phase < 0 || phase >= model.phases.length) {
    throw new CommandError(`A step has phases 0 to ${model.phases.length - 1}.`);
  }
}

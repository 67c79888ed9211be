// Why a command cannot be carried out where a run stands, in words for people.
import { counted, isOrAre } from '../engine/counted';
import { CommandError } from './command';
import type { NonFinite } from './frame';
import type { TrainingSession } from './session';

export function refuseNonFinite(nonFinite: NonFinite | null): void {
  if (!nonFinite) return;
  throw new CommandError(
    `From step ${nonFinite.step} on the run holds values that are no numbers. Go back to step ${nonFinite.step - 1}, then change the learning rate.`,
  );
}

export function refuseAtEnd({ position, totalSteps, model }: TrainingSession): void {
  if (position.step < totalSteps) return;
  throw new CommandError(`The run is finished: ${counted(model.epochs, 'epoch')} ${isOrAre(model.epochs)} done. Raise "epochs" in the spec to go on.`);
}

/** What cannot be trained up to. */
export function refuseTarget({ position, totalSteps }: TrainingSession, step: number): void {
  if (!Number.isInteger(step) || step > totalSteps) {
    throw new CommandError(`This run ends at step ${totalSteps}; raise "epochs" in the spec to go further.`);
  }
  if (step > position.step) return;
  if (position.step >= totalSteps) throw new CommandError(`The run is finished: ${totalSteps === 1 ? 'its one step is' : `all ${totalSteps} steps are`} done.`);
  throw new CommandError(`Step ${step} is not ahead: the run stands at step ${position.step}. Seek it to go back.`);
}

/** Positions that cannot be gone to. */
export function refuseSeek({ earliest, frontier, model }: TrainingSession, step: number, phase: number): void {
  if (!Number.isInteger(step) || step < 0 || step > frontier) {
    throw new CommandError(`Step ${step} was not reached yet: this run goes from ${earliest} to ${frontier}.`);
  }
  if (step < earliest) {
    throw new CommandError(
      `Step ${step} was computed before the code of a layer was loaded anew: this run can go back to step ${earliest}. Reset it to train again from the start.`,
    );
  }
  if (!Number.isInteger(phase) || phase < 0 || phase >= model.phases.length) {
    throw new CommandError(`A step has phases 0 to ${model.phases.length - 1}.`);
  }
}

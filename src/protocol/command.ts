// Commands for a run; the same from a button, a key, the command palette and the terminal.
import type { WeightAssignment } from './run-record';

export type SessionCommand =
  | { readonly type: 'step' }
  | { readonly type: 'stepPhase' }
  | { readonly type: 'backPhase' }
  | { readonly type: 'backStep' }
  /** To the end of the forward pass, of the backward pass, or of the step; or to a breakpoint before it. */
  | { readonly type: 'finishPass' }
  /** To the last position before this one at which training stops at a breakpoint; otherwise to the start. */
  | { readonly type: 'reverseContinue' }
  | { readonly type: 'run' }
  | { readonly type: 'pause' }
  /** Trains until `step` updates are done. */
  | { readonly type: 'runToStep'; readonly step: number }
  /** Trains until the end of this epoch, counted from 1. */
  | { readonly type: 'runToEpoch'; readonly epoch: number }
  /** Goes to any step that the run has reached, bit for bit. */
  | {
      readonly type: 'seek';
      readonly step: number;
      readonly phase?: number;
      /** Also to a step that the run has not reached: trains up to it first, at full speed. */
      readonly train?: true;
    }
  | { readonly type: 'reset' }
  /** Sets the base learning rate of the schedule. */
  | { readonly type: 'setLearningRate'; readonly lr: number }
  /**
   * Goes to a step that the run has reached, changes the learning rate, the seed, or both from there, and trains until
   * `to` updates are done. Nothing is changed if another command comes before the step is reached.
   */
  | {
      readonly type: 'fork';
      readonly step: number;
      readonly lr: number | null;
      readonly seed: number | null;
      readonly to?: number;
    }
  /** Sets weights at the end of the current step, or in the middle of a step at its beginning. Discards later steps. */
  | { readonly type: 'setWeights'; readonly weights: readonly WeightAssignment[] }
  /** Limits the speed of `run` so that the user can watch; null removes the limit. */
  | { readonly type: 'setSpeed'; readonly stepsPerSecond: number | null };

/** Whether a command changes the run itself, not only its position. */
export const isManualChange = ({ type }: SessionCommand): boolean =>
  type === 'setLearningRate' || type === 'setWeights' || type === 'fork' || type === 'reset';

/**
 * What undoing a command would undo; completes "Undo: …". Null if it needs no undo.
 * @param isAtFrontier whether the run has not gone further than where it is
 */
export function undoLabelOf(command: SessionCommand, step: number, isAtFrontier: boolean): string | null {
  if (command.type === 'fork') return `fork from step ${command.step}`;
  if (command.type === 'setWeights')
    return command.weights.length === 1
      ? `change of ${command.weights[0]!.parameter}`
      : `change of ${command.weights.length} weights`;
  if (command.type !== 'setLearningRate' || isAtFrontier) return null;
  return `learning rate ${command.lr} from step ${step} on`;
}

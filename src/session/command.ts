// What can be done to a run; the same from a button, a key, the palette, the terminal, and later a debugger.
import type { WeightChange } from './record';

/** An entry of a parameter, by its place in the flat tensor, and what it is to be. */
export type WeightSetting = Omit<WeightChange, 'step'>;

export type SessionCommand =
  | { readonly type: 'step' }
  | { readonly type: 'stepPhase' }
  | { readonly type: 'backPhase' }
  | { readonly type: 'backStep' }
  | { readonly type: 'run' }
  | { readonly type: 'pause' }
  /** Runs until `step` updates are done. */
  | { readonly type: 'runToStep'; readonly step: number }
  /** Runs until the end of this epoch, counted from 1. */
  | { readonly type: 'runToEpoch'; readonly epoch: number }
  /** Goes to any step that the run has reached, bit for bit. */
  | { readonly type: 'seek'; readonly step: number; readonly phase?: number }
  | { readonly type: 'reset' }
  /** Sets what the schedule starts from: the rate itself where it is constant. */
  | { readonly type: 'setLearningRate'; readonly lr: number }
  /** Goes to a step that was reached, and goes on differently from there: with another rate, another seed, or both. */
  | { readonly type: 'fork'; readonly step: number; readonly lr: number | null; readonly seed: number | null }
  /** Sets weights where the run stands; in the middle of a step, at its beginning. Later steps are forgotten. */
  | { readonly type: 'setWeights'; readonly weights: readonly WeightSetting[] }
  /** How fast `run` goes, to be able to watch; null for as fast as it can. */
  | { readonly type: 'setSpeed'; readonly stepsPerSecond: number | null };

/** A command that cannot be carried out where the run stands; the message is for people. */
export class CommandError extends Error {
  override name = 'CommandError';
}

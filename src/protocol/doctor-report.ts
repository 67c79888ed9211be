// The report of `doctor`: the result of each of its checks, and the findings, most urgent first.
import type { Evaluation } from './frame';
import type { SplitName } from './position';
import type { QuickFix } from './problem';

export interface DataLook {
  readonly samples: { readonly train: number; readonly validation: number; readonly test: number };
  /** The number of values in one sample's input. */
  readonly inputs: number;
  /** The smallest and the largest root mean square of an input column, after the transforms. */
  readonly inputScale: { readonly smallest: number; readonly largest: number };
  /** Null if the targets are classes. */
  readonly target: { readonly mean: number; readonly std: number; readonly min: number; readonly max: number } | null;
  /** Each class's share of the training split; null if the targets are values. */
  readonly classes: readonly { readonly name: string; readonly share: number }[] | null;
  /** The share of the most frequent class in each split; null if the targets are values. */
  readonly largestClass: Readonly<Record<SplitName, number>> | null;
}

export interface InitialLoss {
  readonly loss: number;
  /**
   * The loss of a prediction that ignores the input: equal probabilities, or the mean of the targets. Null for a
   * custom loss that does not say what it takes.
   */
  readonly expected: number | null;
}

export interface ZeroedInputs {
  /** The loss of the trained network. */
  readonly loss: number;
  /** The same with all inputs set to 0. */
  readonly zeroedLoss: number;
}

export interface OverfitResult {
  readonly samples: number;
  readonly steps: number;
  readonly firstLoss: number;
  /** NaN or infinite if the training diverged. */
  readonly lastLoss: number;
  /** The loss of the batch in the first step and in every tenth, before the update. */
  readonly curve: readonly { readonly step: number; readonly loss: number }[];
  readonly accuracy: number | null;
}

export interface LayerDepthStats {
  readonly layer: string;
  readonly outputStd: number | null;
  readonly outputGradientNorm: number | null;
  /** The share of dead or saturated units; null for a layer whose units cannot be either. */
  readonly idle: number | null;
  readonly updateRatio: number | null;
}

export interface RangeTest {
  /** The number of steps trained with each rate. */
  readonly steps: number;
  /** The loss of the training split before the first step. */
  readonly firstLoss: number;
  /** The learning rate of the spec. */
  readonly lr: number;
  readonly rates: readonly number[];
  /** The loss of the training split after training with each rate; NaN if that diverged. */
  readonly losses: readonly number[];
  /** Null if no rate lowers the loss. */
  readonly suggested: number | null;
}

/** A short training of the spec or of a variant of it. */
export interface Trial {
  readonly steps: number;
  readonly diverged: boolean;
  readonly evaluation: Evaluation;
  /**
   * How much was learned, in the training split: 0 for a constant prediction, 1 for a perfect one; by accuracy or R².
   */
  readonly skill: number;
  /** In the validation split; null where it has too few samples. */
  readonly validationSkill: number | null;
  /** The standard error of the smaller skill, by the number of samples. */
  readonly standardError: number;
  /** The mean of the smaller skill over the trial: the faster it learns, the larger. */
  readonly pace: number;
}

export interface DoctorFinding {
  /** The code of the rule that found it. */
  readonly code: string;
  /** The run has failed to learn regardless of the cause. */
  readonly isFailure?: true;
  readonly message: string;
  /** Null if the fix was tried and did not help. */
  readonly remedy: string | null;
  /** Place in the spec as UTF-16 offsets; null for a finding of the run. */
  readonly range: { readonly start: number; readonly end: number } | null;
  /** First step of a finding of the run. */
  readonly since: number | null;
  /** A fix that helped. */
  readonly fix: QuickFix | null;
  readonly trial: Trial | null;
  /** What the fix does, compared with the spec as it is, in one sentence. */
  readonly effect: string | null;
}

export interface DoctorReport {
  readonly data: DataLook;
  readonly initialLoss: InitialLoss;
  /** Null if the run diverged. */
  readonly zeroedInputs: ZeroedInputs | null;
  readonly overfit: OverfitResult;
  /** Null for a network that is too large to check. */
  readonly gradients: {
    readonly passed: boolean;
    /** Beyond doubt: a check without a conclusion is not passed either. */
    readonly isWrong: boolean;
    readonly conclusion: string;
  } | null;
  readonly depth: readonly LayerDepthStats[];
  readonly rangeTest: RangeTest;
  readonly trial: Trial;
  readonly findings: readonly DoctorFinding[];
}

// What `doctor` measured of a spec, step by step, and its findings, what to act on first at the top.
import type { Evaluation } from './frame';
import type { SplitName } from './position';
import type { QuickFix } from './problem';

export interface DataLook {
  readonly samples: { readonly train: number; readonly validation: number; readonly test: number };
  /** Numbers of one input. */
  readonly inputs: number;
  /** Root mean squares of the input columns, after the transforms. */
  readonly inputScale: { readonly smallest: number; readonly largest: number };
  /** Of values. */
  readonly target: { readonly mean: number; readonly std: number; readonly min: number; readonly max: number } | null;
  /** Share of each class in the training split. */
  readonly classes: readonly { readonly name: string; readonly share: number }[] | null;
  /** Share of the most frequent class in each split. */
  readonly largestClass: Readonly<Record<SplitName, number>> | null;
}

export interface InitialLoss {
  readonly loss: number;
  /**
   * Of a prediction that knows nothing of the input: equal probabilities, or the mean of the targets. Null if what the
   * loss takes is not known.
   */
  readonly expected: number | null;
}

export interface ZeroedInputs {
  /** Of the trained network. */
  readonly loss: number;
  readonly zeroedLoss: number;
}

export interface OverfitResult {
  readonly samples: number;
  readonly steps: number;
  readonly firstLoss: number;
  /** Not finite where it diverged. */
  readonly lastLoss: number;
  /** Of the batch, before some of the steps. */
  readonly curve: readonly { readonly step: number; readonly loss: number }[];
  readonly accuracy: number | null;
}

export interface LayerDepthStats {
  readonly layer: string;
  readonly outputStd: number | null;
  readonly outputGradientNorm: number | null;
  /** Share of dead or saturated units; null where units cannot be idle. */
  readonly idle: number | null;
  readonly updateRatio: number | null;
}

export interface RangeTest {
  /** Steps with each rate. */
  readonly steps: number;
  /** Of the training split before the first step. */
  readonly firstLoss: number;
  /** The rate of the spec. */
  readonly lr: number;
  readonly rates: readonly number[];
  /** Of the training split after a short training with each rate; NaN where it diverged. */
  readonly losses: readonly number[];
  /** Null where no rate lowers the loss. */
  readonly suggested: number | null;
}

/** A short training of the spec or of a variant of it. */
export interface Trial {
  readonly steps: number;
  readonly diverged: boolean;
  readonly evaluation: Evaluation;
  /**
   * Share of what there is to learn, in the training split: 0 for a constant prediction, 1 for a perfect one; by
   * accuracy or R².
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
  /** Of its rule. */
  readonly code: string;
  /** The run has failed to learn, whatever the cause. */
  readonly isFailure?: true;
  readonly message: string;
  /** Null where it was tried and did not help. */
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
  /** Null where the run diverged. */
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

// A rule on the numbers of a run: what it sees at a step, and what it reports.
import type { CompiledRun, Spec, Threshold } from '../../model-spec';
import type { Evaluation } from '../../protocol/frame';
import type { LayerStats } from '../../protocol/layer-stats';
import type { ModelInfo } from '../../protocol/model-info';
import type { QuickFix } from '../../protocol/problem';

/** The current batch, or as many training samples, in evaluation mode. */
export interface SampleEvaluation {
  readonly loss: number;
  /** The class that is predicted most often, and its share of `count` predictions; null where targets are values. */
  readonly mostPredicted: { readonly index: number; readonly share: number; readonly count: number } | null;
}

/** What one step shows. */
export interface StepObservation {
  /** Counted from 1. */
  readonly step: number;
  /** The loss of the whole batch, with the penalty. */
  readonly loss: number;
  /** The penalty's part of the loss. */
  readonly penalty: number;
  /** Learning rate of the step. */
  readonly lr: number;
  /** What the schedule starts from. */
  readonly baseLr: number;
  readonly layers: readonly LayerStats[];
  /** Null for a network too large to evaluate at every observation. */
  readonly sample: SampleEvaluation | null;
}

/** What an observed step leaves for later ones. */
export interface PastStep extends Pick<StepObservation, 'step' | 'loss' | 'lr'> {
  /** ‖weights‖ of each layer, biases excluded; 0 for a layer without weights. */
  readonly weightNorms: readonly number[];
}

export interface PastEvaluation {
  readonly step: number;
  readonly evaluation: Evaluation;
}

export interface Observation extends StepObservation {
  readonly run: CompiledRun;
  readonly model: ModelInfo;
  /** Earlier observed steps, the first one included. */
  readonly past: readonly PastStep[];
  /** Evaluations of the splits up to this step. */
  readonly evaluations: readonly PastEvaluation[];
}

/** What a rule reports of a step. */
export interface Detection {
  /** Null where it is the whole run. */
  readonly layer: number | null;
  readonly observation: string;
  readonly remedy: string;
  /** Reported at once, whatever the rule's persistence. */
  readonly isCertain?: boolean;
  /** Called only when the finding is new. */
  readonly fix?: (spec: Spec) => QuickFix;
}

export interface RunRule {
  /** Stable, in kebab case; the code of its findings. */
  readonly id: string;
  /** When it fires, in one sentence. */
  readonly summary: string;
  readonly threshold?: Threshold;
  /** Whether its findings mean that the run has failed to learn regardless of the cause. */
  readonly isFailure?: true;
  /** Observations in a row at which it must hold; 1 by default. */
  readonly persistence?: number;
  /** Why it can never fire for this network, as a sentence; null if it can. */
  readonly impossible?: (model: ModelInfo) => string | null;
  /** @param threshold NaN for a rule without one */
  check(observation: Observation, threshold: number): readonly Detection[];
}

// A frame: what a run shows of itself at one position. It holds copies, so the session may train on meanwhile.
import type { HistoryData } from '../history/history';
import type { RunFinding } from './finding';
import type { LayerStats } from './layer-stats';
import type { BatchPosition, Phase, Position, SplitName } from './position';
import type { QueryResult } from './queries';

/** `seeking` replays toward a step; pausing stops it where it is. */
export type RunStatus = 'ready' | 'running' | 'seeking' | 'paused' | 'finished' | 'diverged';

/** The origin of the first NaN or infinity of a run. */
export interface NonFinite {
  /** The step during which it occurred, counted from 1. */
  readonly step: number;
  readonly phase: Phase;
  /** `linear2`, `loss`, `penalty`, or the name of an auxiliary loss. */
  readonly where: string;
  /** `output`, `weight`, `gradient of weight`, … */
  readonly tensor: string;
  readonly index: readonly number[];
  readonly value: number;
  /** One sentence: what to do. */
  readonly remedy: string;
}

export interface SplitEvaluation {
  readonly loss: number;
  /** With several losses: the value of each, in the order of ModelInfo.losses, not weighted. */
  readonly losses?: readonly number[];
  /** Null for a regression. */
  readonly accuracy: number | null;
  /**
   * For classes at each position of sequences: e to the mean cross-entropy, without class weights and smoothing. The
   * number of equally likely classes that would be as hard to tell.
   */
  readonly perplexity?: number;
}

/** Loss and metrics of each split. */
export type Evaluation = Readonly<Partial<Record<SplitName, SplitEvaluation>>>;

export interface Frame {
  /** Rises by one with every frame. */
  readonly sequence: number;
  readonly status: RunStatus;
  /** The step at which `running` or `seeking` will stop; null when idle. */
  readonly target: number | null;
  readonly position: Position;
  /** The furthest step of this run; it can seek to any step up to it. */
  readonly furthestStep: number;
  readonly batchPosition: BatchPosition;
  /** Learning rate of the next step. */
  readonly lr: number;
  /** Loss of the current batch; null until this step's loss phase. */
  readonly loss: number | null;
  /** With several losses: the value of each, in the order of ModelInfo.losses, not weighted. Null as `loss` is. */
  readonly losses?: readonly number[] | null;
  readonly accuracy: number | null;
  /** The evaluations of splits at exactly this position. */
  readonly evaluation: Evaluation;
  readonly layers: readonly LayerStats[];
  /** Results of the visible views' queries; for each view, all or none. */
  readonly queryResults: readonly QueryResult[];
  readonly nonFinite: NonFinite | null;
  /** Findings of the whole run so far, causes before effects. */
  readonly findings: readonly RunFinding[];
  /** What was added to the history since the previous frame. */
  readonly history: HistoryData;
  /** At full speed: later frames contain the rest of the views or of the history. */
  readonly partial: boolean;
  /**
   * Set if steps after this one are no longer valid (for example, after a change of the learning rate). Discard them
   * first.
   */
  readonly truncatedTo: number | null;
  /** Steps per second over about the last second; null when idle. */
  readonly stepsPerSecond: number | null;
}

// The messages between the threads of a sweep.
import type { FileVersions, ReadableFolders } from '../../data-files/data-files';
import type { TrainingResult } from '../../sweep/train-run';

/** A run to train. */
export interface Task {
  readonly text: string;
  /** The folders of files that the spec names. */
  readonly folders: ReadableFolders;
  /** Versions of data files that all runs of a sweep use. */
  readonly versions?: FileVersions;
  /** Whether its custom layers may run. */
  readonly allowCode?: boolean;
}

export interface TrainedRun {
  readonly trained: TrainingResult;
  readonly milliseconds: number;
  /** Digest of its data. */
  readonly data: string;
}

export type WorkerMessage =
  | { readonly type: 'progress'; readonly step: number; readonly total: number }
  | ({ readonly type: 'done' } & TrainedRun)
  /** The spec of this run cannot run. */
  | {
      readonly type: 'invalid';
      readonly message: string;
      /** Whether the thread ends, too. */
      readonly ends?: true;
    };

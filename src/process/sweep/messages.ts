// What a sweep's threads say to each other.
import type { ReadableFolders } from '../../files/data-files';
import type { Trained } from '../../sweep/train-run';

/** A run to be done. */
export interface Task {
  readonly text: string;
  /** Of files that the spec names. */
  readonly folders: ReadableFolders;
}

export type FromWorker =
  | { readonly type: 'progress'; readonly step: number; readonly total: number }
  | { readonly type: 'done'; readonly trained: Trained; readonly milliseconds: number }
  /** The spec of this run cannot run. */
  | { readonly type: 'refused'; readonly message: string };

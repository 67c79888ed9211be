// Options of a session.
import type { OpenDataFiles } from '../engine/datasets/data-file';
import type { KernelOptions } from '../engine/kernels/create-kernels';
import type { ReplayThreads } from './replay-threads';

/** The default is the fastest kernels that the JavaScript engine supports and the spec allows. */
export interface SessionOptions extends Omit<KernelOptions, 'deterministic'> {
  /** Maximum number of bytes of checkpoints. */
  readonly checkpointBudget?: number | undefined;
  /** Steps between checkpoints; by default, depends on the work of replaying them. */
  readonly checkpointInterval?: number;
  /** Milliseconds, for measurements on request. Training does not use it. */
  readonly now?: () => number;
  /** Opens the data files of the run again, for queries about the data. Only needed if the spec names files. */
  readonly openDataFiles?: () => OpenDataFiles;
  /** Answer parts of long queries over the run. They need `now`. */
  readonly replayThreads?: ReplayThreads | undefined;
  /** The index of each phase is stored here before it runs, so that a watchdog can name what hangs. */
  readonly activity?: Int32Array;
}

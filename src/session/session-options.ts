// What a session may be told beside its run.
import type { Backend } from '../engine/kernels/create';

export interface SessionOptions {
  /** Bytes of checkpoints to go back to. */
  readonly checkpointBudget?: number;
  /** Steps from one checkpoint to the next; chosen by the work of replaying them unless told. */
  readonly checkpointInterval?: number;
  /** The kernels to run on; unless told the fastest that the engine has and the spec allows. */
  readonly backend?: Backend;
  /** Before each phase its index is stored here, so that a watchdog can say what hangs. */
  readonly activity?: Int32Array;
}

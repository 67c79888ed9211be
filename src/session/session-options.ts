// What a session may be told beside its run.
import type { KernelOptions } from '../engine/kernels/create';

/** The kernels to run on are the fastest that the engine has and the spec allows, unless told. */
export interface SessionOptions extends Omit<KernelOptions, 'deterministic'> {
  /** Bytes of checkpoints to go back to. */
  readonly checkpointBudget?: number;
  /** Steps from one checkpoint to the next; chosen by the work of replaying them unless told. */
  readonly checkpointInterval?: number;
  /** Milliseconds, for what is measured on request; nothing that trains looks at it. */
  readonly now?: () => number;
  /** Before each phase its index is stored here, so that a watchdog can say what hangs. */
  readonly activity?: Int32Array;
}

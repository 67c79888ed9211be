// What a gradient check is asked for. Types only: the spec declares the same options with their defaults.
import type { KernelOptions } from '../engine/kernels/create';
import type { Network, Pass } from '../engine/network';

export interface CheckOptions {
  /** h of the central difference for an entry w is step · max(1, |w|). */
  readonly step: number;
  /** Relative tolerance. */
  readonly rtol: number;
  /** Absolute tolerance; two values that are both below it are never called a pass. */
  readonly atol: number;
  /** Which of a layer's modes is checked, where it has two. Training unless told. */
  readonly mode?: Mode;
}

export type Mode = 'training' | 'evaluation';

/** Only read, and copied at once: the network may train on while the check runs. */
export interface CheckRequest {
  /** Of any precision, on any kernels. */
  readonly network: Pick<Network, 'model' | 'parameters' | 'buffers'>;
  /** The batch: its input and target count, nothing else. */
  readonly pass: Pass;
  /** Position of the run, for the report. */
  readonly step: number;
  readonly options: CheckOptions;
  /** What the float64 copy computes on; the fastest unless told. */
  readonly kernels?: KernelOptions;
}

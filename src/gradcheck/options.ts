// The options of a gradient check. Types only: the spec declares the same options with their defaults.
import type { Mode } from '../protocol/check-report';
import type { KernelOptions } from '../engine/kernels/create-kernels';
import type { Network } from '../engine/network';
import type { Pass } from '../engine/pass';

export interface CheckOptions {
  /** The central difference for an entry w uses h = step · max(1, |w|). */
  readonly step: number;
  /** Relative tolerance. */
  readonly rtol: number;
  /** Absolute tolerance. Two values below it never count as a pass. */
  readonly atol: number;
  /** The mode to check, for layers with two; training by default. */
  readonly mode?: Mode;
}

/** Only read, and copied at once, so the network may continue training while the check runs. */
export interface CheckRequest {
  /** The network to check, in any precision, on any backend. */
  readonly network: Pick<Network, 'model' | 'parameters' | 'buffers'>;
  /** The batch: only its input and targets are used. */
  readonly pass: Pass;
  /** The step of the run, for the report. */
  readonly step: number;
  readonly options: CheckOptions;
  /** The kernels of the float64 copy; by default, the fastest. */
  readonly kernels?: KernelOptions;
}

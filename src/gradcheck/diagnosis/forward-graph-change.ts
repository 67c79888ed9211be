// A change to the backward pass of a forward graph.
import type { Cause } from '../../protocol/check-report';
import type { ForwardGraph } from './forward-graph';

export interface Change {
  readonly cause: Cause;
  /** A sentence without its period. */
  readonly description: string;
  readonly edges?: readonly (readonly [edge: number, weight: number])[];
  readonly locals?: readonly (readonly [slot: number, derivative: number])[];
  /** Edges that go to another slot or output. */
  readonly targets?: readonly (readonly [edge: number, target: number])[];
  /** Another output gradient. */
  readonly upstream?: Float64Array;
  /** The gradient of the input in another order: the place that goes to each place of a sample. */
  readonly inputOrder?: (place: number) => number;
  /** Another graph with the same nodes. */
  readonly graph?: ForwardGraph;
  /** Vectors of unknown size that are added to the derivatives with respect to slots. */
  readonly unknown?: readonly Float64Array[];
}

/** Undefined is a point at which the task may pause. */
export type Changes = Iterable<Change | undefined>;

export const divisors = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((k) => n % k === 0);

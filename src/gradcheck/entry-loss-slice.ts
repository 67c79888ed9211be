// The loss along one entry: by the shortcut if the layers' declared structure permits it, otherwise by full forward
// passes.
import type { Parameter } from '../engine/network-model';
import type { IncrementalForward } from './incremental-forward';
import type { InnerKinks } from './inner-kinks';
import type { LossSlice } from './loss-slice';
import type { FullForward } from './full-forward';

/** For one entry at a time: `select` it, evaluate, `release` it. */
export class EntryLossSlice implements LossSlice {
  /** Whether the current entry uses the shortcut. */
  usesFastPath = false;
  /** Whether the declared Jacobian structures have held so far. */
  trustsStructure = true;
  #layer = 0;

  constructor(
    readonly full: FullForward,
    /** Null if no shortcut is valid. */
    readonly incremental: IncrementalForward | null,
    readonly innerKinks: InnerKinks,
  ) {}

  get start(): number {
    return this.full.start;
  }

  select(parameter: Parameter, index: number): void {
    this.#layer = parameter.layer;
    this.full.select(parameter, index);
    this.usesFastPath = this.trustsStructure && (this.incremental?.select(parameter, index) ?? false);
  }

  release(): void {
    this.full.release();
  }

  /** Uses full forward passes from now on. */
  disableFastPath(): void {
    this.trustsStructure = false;
    this.usesFastPath = false;
  }

  lossAt(value: number): number {
    return this.#forward().lossAt(value);
  }

  crossedKink(): boolean {
    return this.#forward().crossedKink() || this.innerKinks.isCrossed(this.#layer);
  }

  nudgeOffKinks(distance: number, side: 1 | -1): number {
    return this.full.nudgeOffKinks(distance, side);
  }

  #forward(): IncrementalForward | FullForward {
    return this.incremental && this.usesFastPath && !this.full.isNudged ? this.incremental : this.full;
  }
}

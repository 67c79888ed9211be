// The loss along one entry by whichever way is shorter: only what the entry reaches where layers say what that
// is, else the plain way.
import type { Parameter } from '../engine/network';
import type { Carrier } from './carrier';
import type { InnerKinks } from './inner-kinks';
import type { LossLine } from './line';
import type { PlainLine } from './plain-line';

/** One entry at a time: `select` it, evaluate, `release` it. */
export class EntryLine implements LossLine {
  /** Whether the entry has a shorter way than the plain one. */
  carried = false;
  /** Whether what layers say they reach has held so far. */
  trusted = true;
  #layer = 0;

  constructor(
    readonly plain: PlainLine,
    /** Null where no shortcut is right. */
    readonly carrier: Carrier | null,
    readonly inner: InnerKinks,
  ) {}

  get start(): number {
    return this.plain.start;
  }

  select(parameter: Parameter, index: number): void {
    this.#layer = parameter.layer;
    this.plain.select(parameter.layer, parameter.value, index);
    this.carried = this.trusted && (this.carrier?.select(parameter, index) ?? false);
  }

  release(): void {
    this.plain.release();
  }

  /** From now on the plain way only. */
  distrust(): void {
    this.trusted = false;
    this.carried = false;
  }

  at(value: number): number {
    return this.#way().at(value);
  }

  crossed(): boolean {
    return this.#way().crossed() || this.inner.crossed(this.#layer);
  }

  nudge(distance: number, side: 1 | -1): number {
    return this.plain.nudge(distance, side);
  }

  #way(): Carrier | PlainLine {
    return this.carrier && this.carried && !this.plain.nudged ? this.carrier : this.plain;
  }
}

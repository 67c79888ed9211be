// How the gradients of each parameter were spread over the run: a bounded number of rows, further apart the longer the
// run is. A row is exact and of one step; steps that nobody looked at have none.
import type { Parameter } from '../engine/network';
import { type Magnitudes, magnitudesOf } from '../engine/probes/magnitudes';

export interface RidgeRow {
  readonly step: number;
  readonly byParameter: ReadonlyMap<string, Magnitudes>;
}

const MOST_ROWS = 24;

export class Ridges {
  #rows: RidgeRow[] = [];
  #spacing = 1;

  /** By rising step. */
  get rows(): readonly RidgeRow[] {
    return this.#rows;
  }

  /** @param parameters with the gradients of that step */
  add(step: number, parameters: readonly Pick<Parameter, 'name' | 'gradient'>[]): void {
    const last = this.#rows[this.#rows.length - 1]?.step ?? -Infinity;
    if (step < last + this.#spacing) return;
    this.#rows.push({ step, byParameter: new Map(parameters.map(({ name, gradient }) => [name, magnitudesOf(gradient)])) });
    while (this.#rows.length > MOST_ROWS) this.#thin();
  }

  truncate(step: number): void {
    this.#rows = this.#rows.filter((row) => row.step <= step);
    if (this.#rows.length === 0) this.#spacing = 1;
  }

  #thin(): void {
    this.#spacing *= 2;
    let last = -Infinity;
    this.#rows = this.#rows.filter(({ step }) => {
      const kept = step >= last + this.#spacing;
      if (kept) last = step;
      return kept;
    });
  }
}

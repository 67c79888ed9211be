// The distribution of each parameter's gradient over the run: a bounded number of rows, farther apart the longer the
// run. A row is exact and belongs to one step. Steps that were not observed have none.
import type { Parameter } from '../engine/network-model';
import { type MagnitudeHistogram, magnitudeHistogram } from '../engine/probes/magnitude-histogram';

export interface GradientHistogramRow {
  readonly step: number;
  readonly byParameter: ReadonlyMap<string, MagnitudeHistogram>;
}

const MAX_ROWS = 24;

export class GradientHistograms {
  #rows: GradientHistogramRow[] = [];
  #spacing = 1;

  /** In ascending order of the step. */
  get rows(): readonly GradientHistogramRow[] {
    return this.#rows;
  }

  /** @param parameters with the gradients of that step */
  add(step: number, parameters: readonly Pick<Parameter, 'name' | 'gradient'>[]): void {
    const last = this.#rows[this.#rows.length - 1]?.step ?? -Infinity;
    if (step < last + this.#spacing) return;
    this.#rows.push({
      step,
      byParameter: new Map(parameters.map(({ name, gradient }) => [name, magnitudeHistogram(gradient)])),
    });
    while (this.#rows.length > MAX_ROWS) this.#thin();
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

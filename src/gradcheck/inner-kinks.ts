// Kinks inside a layer or loss, such as a maximum in a custom one. They are tracked by the side of each on which it
// computes.
import type { Pass } from '../engine/pass';

export class InnerKinks {
  readonly #startSides: readonly (Int8Array | null)[];

  /** @param pass evaluated without perturbation */
  constructor(readonly pass: Pass) {
    this.#startSides = [...pass.outputs.keys(), pass.outputs.length].map((layer) => pass.kinkSides(layer));
  }

  /**
   * Whether any layer from `firstLayer` on now computes on another side of a kink than before, or moved onto or off
   * one.
   */
  isCrossed(firstLayer: number): boolean {
    return this.#startSides.some((start, layer) => {
      if (!start || start.length === 0 || layer < firstLayer) return false;
      const now = this.pass.kinkSides(layer);
      return now?.length !== start.length || start.some((side, i) => side !== now[i]);
    });
  }
}

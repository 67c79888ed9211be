// Kinks that lie within a layer, such as a maximum in a layer of the user's own: told by the side on which the layer
// computes at each of them.
import type { Pass } from '../engine/network';

export class InnerKinks {
  readonly #start: readonly (Int8Array | null)[];

  /** @param pass evaluated, nothing moved. */
  constructor(readonly pass: Pass) {
    this.#start = pass.outputs.map((_, layer) => pass.sides(layer));
  }

  /** Whether any layer from `first` on now computes on another side than it did, or left a kink or came to lie on one. */
  crossed(first: number): boolean {
    return this.#start.some((start, layer) => {
      if (!start || start.length === 0 || layer < first) return false;
      const now = this.pass.sides(layer);
      return now?.length !== start.length || start.some((side, i) => side !== now[i]);
    });
  }
}

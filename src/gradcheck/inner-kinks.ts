// Kinks inside a layer or loss, such as a maximum in a custom one. They are tracked by the side of each on which it
// computes.
import type { Pass } from '../engine/pass';

export class InnerKinks {
  #sides: readonly (Int8Array | null)[];

  /** @param pass evaluated without perturbation */
  constructor(readonly pass: Pass) {
    this.#sides = this.#sidesNow();
  }

  /**
   * Whether any layer from `firstLayer` on now computes on another side of a kink than before, or moved onto or off
   * one.
   */
  isCrossed(firstLayer: number): boolean {
    return this.#sides.some((start, layer) => layer >= firstLayer && isOther(start, () => this.pass.kinkSides(layer)));
  }

  /** The same against the call before instead of the start. */
  moveOn(firstLayer: number): boolean {
    const before = this.#sides;
    const now = this.#sidesNow();
    this.#sides = now;
    return before.some((sides, layer) => layer >= firstLayer && isOther(sides, () => now[layer]!));
  }

  #sidesNow(): (Int8Array | null)[] {
    return [...this.pass.outputs.keys(), this.pass.outputs.length].map((layer) => this.pass.kinkSides(layer));
  }
}

/** @param read the sides now, which are not needed where there were none */
function isOther(before: Int8Array | null, read: () => Int8Array | null): boolean {
  if (!before || before.length === 0) return false;
  const now = read();
  return now?.length !== before.length || before.some((side, i) => side !== now[i]);
}

// A factor in words: a sign, a two, or a size of the layer or the batch that it equals.
import type { Dimension } from './trial';

const same = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-3 * Math.abs(b);

export interface NamedFactor {
  readonly words: string;
  readonly dimension: Dimension | null;
  /** In the network; in the trial it may have been that of another size. */
  readonly factor: number;
}

/** Null for a factor that is nothing in particular. */
export function named(factor: number, dimensions: readonly Dimension[]): NamedFactor | null {
  if (same(factor, -1)) return { words: 'has its sign flipped', dimension: null, factor };
  const flipped = factor < 0 ? ', and its sign is flipped' : '';
  const size = Math.abs(factor);
  // The sizes come first: 2 outputs are more telling than a factor of 2.
  for (const inverse of [false, true]) {
    const equal = dimensions.filter(({ size: n, tried = n }) => tried > 1 && same(size, inverse ? 1 / tried : tried));
    if (equal.length === 0) continue;
    const [{ size: n }] = equal;
    const dimension: Dimension = { name: equal.map(({ name }) => name).join(' or '), size: n };
    const what = inverse ? `is divided by ${n} once too often` : `is ${n} times too large`;
    return { words: `${what}: ${n} is the number of ${dimension.name}${flipped}`, dimension, factor: Math.sign(factor) * (inverse ? 1 / n : n) };
  }
  if (same(size, 2)) return { words: `is twice what it should be${flipped}`, dimension: null, factor };
  if (same(size, 0.5)) return { words: `is half of what it should be${flipped}`, dimension: null, factor };
  return null;
}

export function factorWords(factor: number, dimensions: readonly Dimension[]): string {
  const known = named(factor, dimensions);
  if (known) return known.words;
  const rounded = Math.round(factor);
  if (rounded > 2 && same(factor, rounded)) return `is ${rounded} times too large, as if it were added ${rounded} times`;
  return `is ${Number(factor.toPrecision(4))} times what it should be`;
}

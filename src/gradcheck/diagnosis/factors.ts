// Names a factor: a sign, a two, or the size of the layer or batch that it equals.
import type { Dimension } from './gradient-comparison';

const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-3 * Math.abs(b);

export interface NamedFactor {
  readonly description: string;
  readonly dimension: Dimension | null;
  /** The factor in the network; in isolation it may have been that of another size. */
  readonly factor: number;
}

/** Null for an arbitrary factor. */
export function nameFactor(factor: number, dimensions: readonly Dimension[]): NamedFactor | null {
  if (isClose(factor, -1)) return { description: 'has its sign flipped', dimension: null, factor };
  const flipped = factor < 0 ? ', and its sign is flipped' : '';
  const size = Math.abs(factor);
  // Sizes come first: "2 outputs" says more than "a factor of 2".
  for (const inverse of [false, true]) {
    const equal = dimensions.filter(
      ({ size: n, isolatedSize = n }) => isolatedSize > 1 && isClose(size, inverse ? 1 / isolatedSize : isolatedSize),
    );
    if (equal.length === 0) continue;
    const { size: n } = equal[0]!;
    const dimension: Dimension = {
      name: equal
        .slice(0, 2)
        .map(({ name }) => name)
        .join(' or '),
      size: n,
    };
    const description = inverse ? `is divided by ${n} once too many` : `is ${n} times too large`;
    return {
      description: `${description}: ${n} is the number of ${dimension.name}${flipped}`,
      dimension,
      factor: Math.sign(factor) * (inverse ? 1 / n : n),
    };
  }
  // Before roots: 2 is simpler than the root of 4.
  const four = dimensions.find(({ size: n, isolatedSize = n }) => isolatedSize === 4);
  const root = (name: string): string => (four ? `: ${name}, where 4 is the number of ${four.name}` : '');
  if (isClose(size, 2))
    return { description: `is twice what it should be${flipped}${root('2 = √4')}`, dimension: null, factor };
  if (isClose(size, 0.5))
    return { description: `is half of what it should be${flipped}${root('1/2 = 1/√4')}`, dimension: null, factor };
  return nameRoot(factor, dimensions);
}

/** A factor that is the square root of a size, as in attention. */
function nameRoot(factor: number, dimensions: readonly Dimension[]): NamedFactor | null {
  const size = Math.abs(factor);
  const flipped = factor < 0 ? ', and its sign is flipped' : '';
  for (const isInverse of [false, true]) {
    const equal = dimensions.find(
      ({ size: n, isolatedSize = n }) =>
        isolatedSize > 2 && isClose(isInverse ? 1 / size : size, Math.sqrt(isolatedSize)),
    );
    if (!equal) continue;
    const rounded = Number(size.toPrecision(4));
    return {
      description: `is ${rounded} times what it should be: ${isInverse ? '1 / ' : ''}√${equal.size}, where ${equal.size} is the number of ${equal.name}${flipped}`,
      dimension: { name: equal.name, size: equal.size },
      factor,
    };
  }
  return null;
}

export function describeFactor(factor: number, dimensions: readonly Dimension[]): string {
  const known = nameFactor(factor, dimensions);
  if (known) return known.description;
  const rounded = Math.round(factor);
  if (rounded > 2 && isClose(factor, rounded))
    return `is ${rounded} times too large, as if it were added ${rounded} times`;
  return `is ${Number(factor.toPrecision(4))} times what it should be`;
}

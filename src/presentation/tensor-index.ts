// Positions in a tensor.

/** Row-major index of each dimension for a flat position. */
export function unravelIndex(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  for (let d = shape.length - 1, rest = flat; d >= 0; d--) {
    index[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return index;
}

/** `[3, 0]`; empty for a scalar. */
export const formatIndex = (index: readonly number[]): string => (index.length === 0 ? '' : `[${index.join(', ')}]`);

// Sequences of different lengths in one batch. Short ones are filled up with one index; a position is padding if the
// index there is that one. Indices [n,t] are stored as numbers and rounded; null stands for sequences without padding.
import { exp } from '../deterministic-math';
import type { Shape2, Shape3, Shape4, Tensor } from './tensor';

/** Each row of x[n,heads,t,s]: the softmax of its entries that are no padding, and 0 elsewhere; all 0 without any. */
export function paddedSoftmax(y: Tensor, x: Tensor, indices: Tensor, padding: number, isCausal: boolean): void {
  const [samples, heads, rows, columns] = x.shape as Shape4;
  let from = 0;
  for (let n = 0; n < samples; n++)
    for (let row = 0; row < heads * rows; row++, from += columns) {
      const end = isCausal ? Math.min((row % rows) + 1, columns) : columns;
      const isSeen = (j: number): boolean => j < end && Math.round(indices.data[n * columns + j]!) !== padding;
      let max = -Infinity;
      for (let j = 0; j < end; j++) if (isSeen(j)) max = Math.max(max, x.data[from + j]!);
      let sum = 0;
      for (let j = 0; j < end; j++) if (isSeen(j)) sum += exp(x.data[from + j]! - max);
      for (let j = 0; j < columns; j++) y.data[from + j] = isSeen(j) ? exp(x.data[from + j]! - max) / sum : 0;
    }
}

/** y[i,:] = x[i,:] for every sample i whose given position is padding. */
export function copyPaddedRows(y: Tensor, x: Tensor, indices: Tensor, position: number, padding: number): void {
  const [samples, width] = y.shape as Shape2;
  const length = indices.data.length / samples;
  for (let i = 0; i < samples; i++) {
    if (Math.round(indices.data[i * length + position]!) !== padding) continue;
    for (let j = i * width; j < (i + 1) * width; j++) y.data[j] = x.data[j]!;
  }
}

/** Which positions of a sample count in its mean, and how many. */
function countedPositions(
  indices: Tensor | null,
  sample: number,
  length: number,
  padding: number,
): { readonly count: number; isCounted(t: number): boolean } {
  const isCounted = (t: number): boolean =>
    indices === null || Math.round(indices.data[sample * length + t]!) !== padding;
  let count = 0;
  for (let t = 0; t < length; t++) if (isCounted(t)) count++;
  return { count, isCounted };
}

/** y[i,:] = the mean of x[i,t,:] over the positions t that are no padding; 0 without any. */
export function meanOfPositions(y: Tensor, x: Tensor, indices: Tensor | null, padding: number): void {
  const [samples, length, width] = x.shape as Shape3;
  for (let i = 0; i < samples; i++) {
    const { count, isCounted } = countedPositions(indices, i, length, padding);
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let t = 0; t < length; t++) if (isCounted(t)) sum += x.data[(i * length + t) * width + j]!;
      y.data[i * width + j] = count === 0 ? 0 : sum / count;
    }
  }
}

/** dx[i,t,:] = dy[i,:] / the number of positions that are no padding, and 0 at padding. */
export function meanOfPositionsBackward(dx: Tensor, dy: Tensor, indices: Tensor | null, padding: number): void {
  const [samples, length, width] = dx.shape as Shape3;
  for (let i = 0; i < samples; i++) {
    const { count, isCounted } = countedPositions(indices, i, length, padding);
    for (let t = 0; t < length; t++)
      for (let j = 0; j < width; j++)
        dx.data[(i * length + t) * width + j] = isCounted(t) ? dy.data[i * width + j]! / count : 0;
  }
}

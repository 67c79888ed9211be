// Rows of a table by their index, as embeddings look them up. Indices are stored as numbers and rounded.
import type { Shape2, Tensor } from './tensor';

/** y[i,:] = table[indices[i],:], NaN where the table has no such row. */
export function lookUpRows(y: Tensor, table: Tensor, indices: Tensor): void {
  const [rows, width] = table.shape as Shape2;
  for (let i = 0, to = 0; i < indices.data.length; i++, to += width) {
    const index = Math.round(indices.data[i]!);
    if (index >= 0 && index < rows)
      for (let j = 0, from = index * width; j < width; j++) y.data[to + j] = table.data[from + j]!;
    else y.data.fill(NaN, to, to + width);
  }
}

/** dTable[indices[i],:] += dy[i,:] for every i, so that an index that occurs twice gets both. */
export function accumulateAtRows(dTable: Tensor, dy: Tensor, indices: Tensor, padding: number): void {
  const [rows, width] = dTable.shape as Shape2;
  for (let i = 0, from = 0; i < indices.data.length; i++, from += width) {
    const index = Math.round(indices.data[i]!);
    if (index === padding || !(index >= 0 && index < rows)) continue;
    for (let j = 0, to = index * width; j < width; j++) dTable.data[to + j]! += dy.data[from + j]!;
  }
}

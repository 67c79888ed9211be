// Rows of a table by their index, as embeddings look them up. Indices are stored as numbers and rounded.
import { real } from './real';
import { LANES, loadPartial, SIZE, splat, storePartial, VECTOR } from './vectors';

/** The index at this address; -1 where the table has no such row. */
// @ts-ignore: decorator
@inline
function indexAt(at: usize, rows: i32): i32 {
  const index = Math.floor(<f64>load<real>(at) + 0.5);
  return index >= 0 && index < <f64>rows ? <i32>index : -1;
}

/** y[i,:] = table[indices[i],:], NaN where the table of `rows` rows has no such row. */
export function lookUpRows(y: usize, table: usize, indices: usize, count: i32, rows: i32, width: i32): void {
  const row = <usize>width * SIZE;
  for (; count > 0; count--) {
    const index = indexAt(indices, rows);
    for (let j: usize = 0, n = width; n > 0; n -= LANES, j += VECTOR)
      storePartial(y + j, index < 0 ? splat(<real>NaN) : loadPartial(table + <usize>index * row + j, n), n);
    y += row;
    indices += SIZE;
  }
}

/** dTable[indices[i],:] += dy[i,:] for every i in order, except at the index `padding`. */
export function accumulateAtRows(
  dTable: usize,
  dy: usize,
  indices: usize,
  count: i32,
  rows: i32,
  width: i32,
  padding: i32,
): void {
  const row = <usize>width * SIZE;
  for (; count > 0; count--) {
    const index = indexAt(indices, rows);
    if (index >= 0 && index != padding) {
      const to = dTable + <usize>index * row;
      let n = width,
        j: usize = 0;
      for (; n >= LANES; n -= LANES, j += VECTOR)
        v128.store(to + j, v128.add<real>(v128.load(to + j), v128.load(dy + j)));
      if (n > 0) storePartial(to + j, v128.add<real>(loadPartial(to + j, n), loadPartial(dy + j, n)), n);
    }
    dy += row;
    indices += SIZE;
  }
}

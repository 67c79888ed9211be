// Many numbers of a network moved, each by itself: what becomes of the columns and rows that they reach. Shapes are told in
// src/engine/kernels/kernels.ts. Products and sums are rounded each, as in TypeScript.
import { real } from './real';
import { LANES, loadPart, SIZE, splat, storePart, VECTOR } from './vectors';

/** Row number `places[i]` of a matrix whose rows take so many bytes. */
// @ts-ignore: decorator
@inline
function rowAt(matrix: usize, places: usize, bytes: usize): usize {
  return matrix + <usize>load<real>(places) * bytes;
}

/** Without slopes each column moves by the same everywhere. */
export function moveColumns(out: usize, columns: usize, places: usize, by: usize, slopes: usize, from: usize, moves: i32, m: i32): void {
  const bytes = <usize>m * SIZE;
  for (; moves > 0; moves--) {
    let x = rowAt(columns, places, bytes);
    let slope = slopes == 0 ? 0 : rowAt(slopes, from, bytes);
    const step = splat(load<real>(by));
    for (let left = m; left > 0; left -= LANES) {
      const change = slopes == 0 ? step : v128.mul<real>(step, loadPart(slope, left));
      storePart(out, v128.add<real>(loadPart(x, left), change), left);
      const moved = <usize>min(left, LANES) * SIZE;
      out += moved; x += moved; slope += moved;
    }
    places += SIZE; by += SIZE; from += SIZE;
  }
}

export function placeColumns(y: usize, rows: usize, moved: usize, places: usize, moves: i32, m: i32, n: i32): void {
  const bytes = <usize>n * SIZE;
  for (; moves > 0; moves--) {
    memory.copy(y, rows, <usize>m * bytes);
    let at = y + <usize>load<real>(places) * SIZE;
    for (let i = 0; i < m; i++) {
      store<real>(at, load<real>(moved));
      at += bytes; moved += SIZE;
    }
    y += <usize>m * bytes; places += SIZE;
  }
}

export function addShares(y: usize, rows: usize, moved: usize, columns: usize, weights: usize, places: usize, moves: i32, m: i32, n: i32): void {
  for (; moves > 0; moves--) {
    const weight = rowAt(weights, places, <usize>n * SIZE);
    let column = rowAt(columns, places, <usize>m * SIZE);
    let x = rows;
    for (let i = 0; i < m; i++) {
      const by = splat(load<real>(moved) - load<real>(column));
      let w = weight;
      let left = n;
      for (; left >= LANES; left -= LANES) {
        v128.store(y, v128.add<real>(v128.load(x), v128.mul<real>(by, v128.load(w))));
        y += VECTOR; x += VECTOR; w += VECTOR;
      }
      if (left > 0) {
        storePart(y, v128.add<real>(loadPart(x, left), v128.mul<real>(by, loadPart(w, left))), left);
        y += <usize>left * SIZE; x += <usize>left * SIZE;
      }
      moved += SIZE; column += SIZE;
    }
    places += SIZE;
  }
}

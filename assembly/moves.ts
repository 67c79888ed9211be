// Many numbers of a network moved, each by itself: what becomes of the columns and rows that they reach. Shapes are told in
// src/engine/kernels/kernels.ts. Products and sums are rounded each, as in TypeScript.
import { ADD_SHARES, CROSS_ENTROPIES, describe, described } from './jobs';
import { crossEntropies as crossEntropiesPiece } from './cross-entropy';
import { real } from './real';
import { share } from './threads';
import { LANES, loadPart, SIZE, splat, storePart, VECTOR } from './vectors';

/** Elements of a piece, about, and how many make it worth sharing: of sums, and of exponentials. */
const PIECE: i32 = 4096;
const CHEAP: i32 = 32768;
const DEAR: i32 = 8192;

/** What the job says, by number; how many moves there are, samples, columns. */
const Y = 0, X = 1, MOVED = 2, COLUMNS = 3, WEIGHTS = 4, PLACES = 5, MOVES = 6, M = 7, N = 8, TOGETHER = 9;

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

function addSharesPiece(y: usize, rows: usize, moved: usize, columns: usize, weights: usize, places: usize, moves: i32, m: i32, n: i32): void {
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

/** Moves are shared, some in each piece. */
function shareMoves(kind: i32, moves: i32, m: i32, n: i32, worth: i32): void {
  const together = max(1, PIECE / max(1, m * n));
  describe(kind, MOVES, moves); describe(kind, M, m); describe(kind, N, n); describe(kind, TOGETHER, together);
  share((moves + together - 1) / together, moves * m * n >= worth);
}

export function addShares(y: usize, rows: usize, moved: usize, columns: usize, weights: usize, places: usize, moves: i32, m: i32, n: i32): void {
  describe(ADD_SHARES, Y, y); describe(ADD_SHARES, X, rows); describe(ADD_SHARES, MOVED, moved);
  describe(ADD_SHARES, COLUMNS, columns); describe(ADD_SHARES, WEIGHTS, weights); describe(ADD_SHARES, PLACES, places);
  shareMoves(ADD_SHARES, moves, m, n, CHEAP);
}

export function crossEntropies(out: usize, x: usize, t: usize, moves: i32, m: i32, n: i32): void {
  describe(CROSS_ENTROPIES, Y, out); describe(CROSS_ENTROPIES, X, x); describe(CROSS_ENTROPIES, MOVED, t);
  shareMoves(CROSS_ENTROPIES, moves, m, n, DEAR);
}

export function movesPiece(kind: i32, index: i32): void {
  const m = <i32>described(M), n = <i32>described(N), together = <i32>described(TOGETHER);
  const first = index * together;
  const moves = min(together, <i32>described(MOVES) - first);
  const from = <usize>first * SIZE;
  const samples = from * m, all = samples * n;
  if (kind == CROSS_ENTROPIES) {
    crossEntropiesPiece(described(Y) + from, described(X) + all, described(MOVED), moves, m, n);
    return;
  }
  addSharesPiece(described(Y) + all, described(X), described(MOVED) + samples, described(COLUMNS), described(WEIGHTS), described(PLACES) + from, moves, m, n);
}

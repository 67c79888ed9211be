// Matrix products. Large ones are cut into blocks that fit the caches, and the blocks copied so that the
// inner loop reads straight on; small ones are read where they lie.
import { describe, described, PRODUCT } from './jobs';
import { adjacentFour, distantFour, listedFour } from './wide-tile';
import { real } from './real';
import { copyOfA, copyOfB, edgeTile } from './scratch';
import { share } from './threads';
import { ADD, adjacentRows, distantRows, listedRows, ROWS, SET, storeVector } from './tile';
import { LANES, loadPart, SIZE, splat, storePart, VECTOR } from './vectors';

/** Columns of a tile, and of a panel. */
export const COLUMNS: i32 = 2 * LANES;
/** Sums over the inner dimension run in blocks of so many. */
const BLOCK_K: i32 = 1024 / <i32>SIZE;
/** Most rows and columns of a piece, which is what one thread does at a time; wider pieces where a is copied for each. */
const PIECE_M: i32 = 256;
const PIECE_N: i32 = 4 * COLUMNS;
const PIECE_N_OF_COPIES: i32 = 256;
/** A factor of at most this many bytes is read where it lies. */
const SMALL: i32 = 16384;
/** Multiply-adds that are worth handing a part to another thread: about 20 microseconds. */
const WORTH: i64 = 500000;

/** Bytes of a row of a panel of b: one vector where that is enough, else two; always two where tiles take two panels. */
// @ts-ignore: decorator
@inline
function panelStep(columns: i32): usize {
  return wide || columns > LANES ? 2 * VECTOR : VECTOR;
}

/** k rows of n columns of b, side by side in panels of COLUMNS; the last is filled up with zeros to whole vectors. */
export function copyB(to: usize, b: usize, bRow: usize, bColumn: usize, k: i32, n: i32): void {
  for (let j = 0; j < n; j += COLUMNS) {
    const width = min(COLUMNS, n - j);
    const step = panelStep(width);
    if (bColumn != SIZE) transposePanel(to, b + <usize>j * bColumn, bColumn, k, width, step);
    else {
      let from = b + <usize>j * SIZE;
      let at = to;
      if (width == COLUMNS) {
        for (let p = 0; p < k; p++) {
          v128.store(at, v128.load(from));
          v128.store(at, v128.load(from, VECTOR), VECTOR);
          from += bRow; at += 2 * VECTOR;
        }
      } else {
        for (let p = 0; p < k; p++) {
          v128.store(at, loadPart(from, width));
          if (step > VECTOR) v128.store(at, width > LANES ? loadPart(from + VECTOR, width - LANES) : splat(0), VECTOR);
          from += bRow; at += step;
        }
      }
    }
    to += <usize>k * step;
  }
}

/** LANES rows become LANES columns, a row of them every `step` bytes; z and w where there are four lanes. */
// @ts-ignore: decorator
@inline
export function transpose(to: usize, step: usize, x: v128, y: v128, z: v128, w: v128): void {
  if (sizeof<real>() == 8) {
    v128.store(to, v128.shuffle<f64>(x, y, 0, 2));
    v128.store(to + step, v128.shuffle<f64>(x, y, 1, 3));
    return;
  }
  const xy = v128.shuffle<f32>(x, y, 0, 4, 1, 5), zw = v128.shuffle<f32>(z, w, 0, 4, 1, 5);
  const xy2 = v128.shuffle<f32>(x, y, 2, 6, 3, 7), zw2 = v128.shuffle<f32>(z, w, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(xy, zw, 0, 2));
  v128.store(to + step, v128.shuffle<f64>(xy, zw, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<f64>(xy2, zw2, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<f64>(xy2, zw2, 1, 3));
}

/** `width` rows that lie `distance` apart, each of k elements, become columns: panel[p][q] = from[q][p], zeros in rows of `step` bytes. */
function transposePanel(to: usize, from: usize, distance: usize, k: i32, width: i32, step: usize): void {
  const zero = splat(0);
  for (let rows = width, end = to + step; to < end; to += VECTOR, rows -= LANES) {
    const r0 = from, r1 = r0 + distance, r2 = r1 + distance, r3 = r2 + distance;
    let at = to;
    let o: usize = 0;
    const whole = <usize>(k & -LANES) * SIZE;
    if (rows >= LANES) {
      for (; o < whole; o += VECTOR) {
        const x = v128.load(r0 + o), y = v128.load(r1 + o);
        if (LANES == 4) transpose(at, step, x, y, v128.load(r2 + o), v128.load(r3 + o));
        else transpose(at, step, x, y, zero, zero);
        at += LANES * step;
      }
    } else {
      for (; o < whole; o += VECTOR) {
        const x = rows > 0 ? v128.load(r0 + o) : zero, y = rows > 1 ? v128.load(r1 + o) : zero, z = rows > 2 ? v128.load(r2 + o) : zero;
        transpose(at, step, x, y, z, zero);
        at += LANES * step;
      }
    }
    for (; o < <usize>k * SIZE; o += SIZE) {
      for (let l = 0; l < LANES; l++) store<real>(at + <usize>l * SIZE, l < rows ? load<real>(r0 + <usize>l * distance + o) : 0);
      at += step;
    }
    from += LANES * distance;
  }
}

/** A panel of up to ROWS rows of a, where those lie side by side: k times as many elements, one after the other. */
function copyPanel(to: usize, a: usize, aColumn: usize, rows: i32, k: i32): void {
  const bytes = <usize>rows * SIZE;
  for (let p = 0; p < k; p++) {
    for (let q: usize = 0; q < bytes; q += SIZE) store<real>(to + q, load<real>(a + q));
    to += bytes; a += aColumn;
  }
}

/** Whether this instance's tiles are those of wide-tile.ts. */
let wide: bool = false;

export function useWideTiles(on: bool): void {
  wide = on;
}

/** Of so many rows, those of the next tile: 4 and 4 are faster than 6 and 2. */
// @ts-ignore: decorator
@inline
function rowsOfTile(left: i32): i32 {
  return ROWS == 6 && left == 8 ? 4 : min(ROWS, left);
}

/** All rows of a with one panel of b, or with columns of b where they lie. */
function downPanel(
  m: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, columns: i32, mode: i32, bias: usize,
): void {
  for (let left = m; left > 0; ) {
    const rows = rowsOfTile(left);
    if (aRow == SIZE) adjacentRows(rows, k, a, aColumn, b, bStep, c, cRow, columns, mode, bias);
    else distantRows(rows, k, a, aRow, aColumn, b, bStep, c, cRow, columns, mode, bias);
    a += <usize>rows * aRow; c += <usize>rows * cRow;
    left -= rows;
  }
}

/** Four rows of a with two panels of b, `panel` bytes apart. */
// @ts-ignore: decorator
@inline
function four(k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bStep: usize, panel: usize, c: usize, cRow: usize, mode: i32, bias: usize): void {
  if (aRow == SIZE) adjacentFour(k, a, aColumn, b, bStep, panel, c, cRow, mode, bias);
  else distantFour(k, a, aRow, aColumn, b, bStep, panel, c, cRow, mode, bias);
}

/** The same, of which only the rows from `row` on and some columns are wanted: by way of scratch memory. */
function fourInPart(
  row: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bStep: usize, panel: usize,
  c: usize, cRow: usize, columns: i32, mode: i32, bias: usize,
): void {
  four(k, a, aRow, aColumn, b, bStep, panel, edgeTile(), 4 * VECTOR, SET, 0);
  storeFrom(row, c, cRow, columns, mode, bias);
}

/** Of the tile in scratch memory the rows from `row` on and so many columns. */
function storeFrom(row: i32, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  for (; row < 4; row++) {
    const from = edgeTile() + <usize>row * 4 * VECTOR, to = c + <usize>row * cRow;
    for (let j = 0; j < columns; j += LANES) {
      const offset = <usize>j * SIZE;
      storeVector(to + offset, v128.load(from + offset), mode, bias ? bias + offset : 0, columns - j);
    }
  }
}

/** Rows of a, at least four, with two panels of b that hold so many columns of the result. */
function downPair(
  m: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bStep: usize, panel: usize,
  c: usize, cRow: usize, columns: i32, mode: i32, bias: usize,
): void {
  for (; m >= 4; m -= 4) {
    if (columns == 2 * COLUMNS) four(k, a, aRow, aColumn, b, bStep, panel, c, cRow, mode, bias);
    else fourInPart(0, k, a, aRow, aColumn, b, bStep, panel, c, cRow, columns, mode, bias);
    a += 4 * aRow; c += 4 * cRow;
  }
  if (m == 0) return;
  // The last four rows: some of them once more.
  const again = 4 - m;
  fourInPart(again, k, a - <usize>again * aRow, aRow, aColumn, b, bStep, panel, c - <usize>again * cRow, cRow, columns, mode, bias);
}

/**
 * m rows of a, the elements of each side by side, with two panels of b, COLUMNS columns each, `panel` bytes apart: row p is where
 * number p of the table says, counted from b. So b may be anything that lies in short rows.
 */
export function fromTable(m: i32, k: i32, a: usize, aRow: usize, b: usize, table: usize, panel: usize, c: usize, cRow: usize, mode: i32): void {
  if (!wide || m < 4) {
    for (let half = 0; half < 2; half++) {
      let from = a, to = c;
      for (let left = m; left > 0; ) {
        const rows = rowsOfTile(left);
        listedRows(rows, k, from, aRow, b, table, to, cRow, mode);
        from += <usize>rows * aRow; to += <usize>rows * cRow;
        left -= rows;
      }
      b += panel; c += 2 * VECTOR;
    }
    return;
  }
  for (; m >= 4; m -= 4) {
    listedFour(k, a, aRow, b, table, panel, c, cRow, mode);
    a += 4 * aRow; c += 4 * cRow;
  }
  if (m == 0) return;
  const again = 4 - m;
  listedFour(k, a - <usize>again * aRow, aRow, b, table, panel, edgeTile(), 4 * VECTOR, SET);
  storeFrom(again, c - <usize>again * cRow, cRow, 2 * COLUMNS, mode, 0);
}

/** a where it lies, b in rows of whole vectors, bRow bytes from one to the next; a vector more of it may be read. */
export function fromRows(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bRow: usize, c: usize, cRow: usize, mode: i32, bias: usize,
): void {
  for (let j = 0; j < n; ) {
    const left = n - j;
    const offset = <usize>j * SIZE;
    const biasHere = bias ? bias + offset : 0;
    if (wide && left > COLUMNS && m >= 4) {
      downPair(m, k, a, aRow, aColumn, b + offset, bRow, 2 * VECTOR, c + offset, cRow, min(2 * COLUMNS, left), mode, biasHere);
      j += 2 * COLUMNS;
    } else {
      downPanel(m, k, a, aRow, aColumn, b + offset, bRow, c + offset, cRow, min(COLUMNS, left), mode, biasHere);
      j += COLUMNS;
    }
  }
}

/** a where it lies, b in panels. */
export function fromPanels(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, c: usize, cRow: usize, mode: i32, bias: usize,
): void {
  for (let j = 0; j < n; ) {
    const left = n - j;
    const bStep = panelStep(left);
    const panel = <usize>k * bStep;
    const offset = <usize>j * SIZE;
    const biasHere = bias ? bias + offset : 0;
    if (wide && left > COLUMNS && m >= 4) {
      downPair(m, k, a, aRow, aColumn, b, bStep, panel, c + offset, cRow, min(2 * COLUMNS, left), mode, biasHere);
      b += 2 * panel; j += 2 * COLUMNS;
    } else {
      downPanel(m, k, a, aRow, aColumn, b, bStep, c + offset, cRow, min(COLUMNS, left), mode, biasHere);
      b += panel; j += COLUMNS;
    }
  }
}

/** The same, a few rows of a at a time, copied: for inner indices of a that lie at distances which crowd the cache. */
function fromCopies(
  m: i32, n: i32, k: i32, a: usize, aColumn: usize, b: usize, c: usize, cRow: usize, mode: i32, bias: usize,
): void {
  const panel = copyOfA();
  for (let left = m; left > 0; ) {
    const rows = wide ? min(4, left) : rowsOfTile(left);
    copyPanel(panel, a, aColumn, rows, k);
    fromPanels(rows, n, k, panel, SIZE, <usize>rows * SIZE, b, c, cRow, mode, bias);
    a += <usize>rows * SIZE; c += <usize>rows * cRow;
    left -= rows;
  }
}

/** An inner dimension of 1: both factors are rows of numbers, and there is nothing to keep in registers. */
function outer(m: i32, n: i32, a: usize, b: usize, c: usize, mode: i32, bias: usize): void {
  for (let i = 0; i < m; i++) {
    const x = v128.load_splat<real>(a);
    let from = b, shift = bias, left = n;
    for (; left >= LANES; left -= LANES) {
      let z = v128.mul<real>(x, v128.load(from));
      if (mode == ADD) z = v128.add<real>(v128.load(c), z);
      if (bias) z = v128.add<real>(v128.load(shift), z);
      v128.store(c, z);
      from += VECTOR; shift += VECTOR; c += VECTOR;
    }
    if (left > 0) {
      let z = v128.mul<real>(x, loadPart(from, left));
      if (mode == ADD) z = v128.add<real>(loadPart(c, left), z);
      if (bias) z = v128.add<real>(loadPart(shift, left), z);
      storePart(c, z, left);
      c += <usize>left * SIZE;
    }
    a += SIZE;
  }
}

/**
 * c[m,n] = (or +=) a b (+ bias[n]). Element (i, p) of a is at a + i aRow + p aColumn, (p, j) of b at b + p bRow + j bColumn;
 * of each pair one is the size of an element. c is dense and row-major.
 */
function product(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bRow: usize, bColumn: usize,
  c: usize, mode: i32, bias: usize,
): void {
  if (k == 1) {
    outer(m, n, a, b, c, mode, bias);
    return;
  }
  if (k * n * <i32>SIZE <= SMALL && k * m * <i32>SIZE <= 4 * SMALL) {
    const cRow = <usize>n * SIZE;
    if (bColumn != SIZE) {
      copyB(copyOfB(), b, bRow, bColumn, k, n);
      fromPanels(m, n, k, a, aRow, aColumn, copyOfB(), c, cRow, mode, bias);
      return;
    }
    fromRows(m, n, k, a, aRow, aColumn, b, bRow, c, cRow, mode, bias);
    return;
  }
  const most = crowds(aRow, aColumn, n) ? PIECE_N_OF_COPIES : PIECE_N;
  const rows = parts(m, PIECE_M, 12), columns = parts(n, most, 2 * COLUMNS);
  describe(PRODUCT, 0, m); describe(PRODUCT, 1, n); describe(PRODUCT, 2, k);
  describe(PRODUCT, 3, a); describe(PRODUCT, 4, aRow); describe(PRODUCT, 5, aColumn);
  describe(PRODUCT, 6, b); describe(PRODUCT, 7, bRow); describe(PRODUCT, 8, bColumn);
  describe(PRODUCT, 9, c); describe(PRODUCT, 10, mode); describe(PRODUCT, 11, bias);
  describe(PRODUCT, 12, rows); describe(PRODUCT, 13, columns);
  share(((m + rows - 1) / rows) * ((n + columns - 1) / columns), <i64>m * n * k >= WORTH);
}

/** Whether a's inner indices lie so far apart that few of them fit into the cache; copying pays for many columns only. */
// @ts-ignore: decorator
@inline
function crowds(aRow: usize, aColumn: usize, n: i32): bool {
  return aRow == SIZE && (aColumn & 1023) == 0 && n >= 64;
}

/** The size of equal parts of n, each at most `most` and a multiple of `unit`. */
function parts(n: i32, most: i32, unit: i32): i32 {
  const count = (n + most - 1) / most;
  const size = (n + count - 1) / count;
  return ((size + unit - 1) / unit) * unit;
}

/** One piece of the product that is described: some of the rows and columns of c, over the whole inner dimension. */
export function productPiece(index: i32): void {
  const m = <i32>described(0), n = <i32>described(1), k = <i32>described(2);
  const aRow = described(4), aColumn = described(5), bRow = described(7), bColumn = described(8);
  const mode = <i32>described(10), bias = described(11);
  const rowsOfPiece = <i32>described(12), columnsOfPiece = <i32>described(13);
  const across = (n + columnsOfPiece - 1) / columnsOfPiece;
  const i = (index / across) * rowsOfPiece, j = (index % across) * columnsOfPiece;
  const rows = min(rowsOfPiece, m - i), columns = min(columnsOfPiece, n - j);
  const cRow = <usize>n * SIZE;
  const c = described(9) + <usize>i * cRow + <usize>j * SIZE;
  let a = described(3) + <usize>i * aRow, b = described(6) + <usize>j * bColumn;
  const copy = copyOfB();
  for (let p = 0; p < k; p += BLOCK_K) {
    const depth = min(BLOCK_K, k - p);
    copyB(copy, b, bRow, bColumn, depth, columns);
    const how = p == 0 ? mode : ADD;
    const biasHere = p == 0 && bias ? bias + <usize>j * SIZE : 0;
    if (crowds(aRow, aColumn, n)) fromCopies(rows, columns, depth, a, aColumn, copy, c, cRow, how, biasHere);
    else fromPanels(rows, columns, depth, a, aRow, aColumn, copy, c, cRow, how, biasHere);
    a += <usize>BLOCK_K * aColumn; b += <usize>BLOCK_K * bRow;
  }
}

export function matmul(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, mode: i32): void {
  product(m, n, k, a, <usize>k * SIZE, SIZE, b, <usize>n * SIZE, SIZE, c, mode, 0);
}

export function matmulTransposedA(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, mode: i32): void {
  product(m, n, k, a, SIZE, <usize>m * SIZE, b, <usize>n * SIZE, SIZE, c, mode, 0);
}

export function matmulTransposedB(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, mode: i32, bias: usize): void {
  product(m, n, k, a, <usize>k * SIZE, SIZE, b, SIZE, <usize>k * SIZE, c, mode, bias);
}

// Matrix products. Large ones are cut into blocks that fit the caches, and the blocks copied so that the
// inner loop reads straight on; small ones are read where they lie.
import { real } from './real';
import { ADD, adjacentRows, distantRows, ROWS } from './tile';
import { LANES, loadPart, SIZE, splat, storePart, VECTOR } from './vectors';

/** Columns of a tile. */
const COLUMNS: i32 = 2 * LANES;
/** Blocks: inner dimension, rows of a, columns of b. A block of a takes 120 KB, one of b 512 KB. */
const BLOCK_K: i32 = 1024 / <i32>SIZE;
const BLOCK_M: i32 = 120;
const BLOCK_N: i32 = 512;
/** Where the copies lie; scratch memory ends behind them, see SCRATCH_END. */
const COPY_A: usize = 4096;
const COPY_B: usize = COPY_A + 120 * 1024;
export const SCRATCH_END: usize = COPY_B + 512 * 1024;
/** A factor of at most this many bytes is read where it lies. */
const SMALL: i32 = 16384;

/** Bytes of a row of a panel of b: one vector where that is enough, else two. */
// @ts-ignore: decorator
@inline
function panelStep(columns: i32): usize {
  return columns > LANES ? 2 * VECTOR : VECTOR;
}

/** k rows of n columns of b, side by side in panels of COLUMNS; the last is filled up with zeros to whole vectors. */
function copyB(to: usize, b: usize, bRow: usize, bColumn: usize, k: i32, n: i32): void {
  for (let j = 0; j < n; j += COLUMNS) {
    const width = min(COLUMNS, n - j);
    const step = panelStep(width);
    if (bColumn != SIZE) transposePanel(to, b + <usize>j * bColumn, bColumn, k, width, <i32>(step / SIZE));
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
          if (width > LANES) v128.store(at, loadPart(from + VECTOR, width - LANES), VECTOR);
          from += bRow; at += step;
        }
      }
    }
    to += <usize>k * step;
  }
}

// @ts-ignore: decorator
@inline
function storeColumns(at: usize, x: v128, count: i32): void {
  if (count >= LANES) v128.store(at, x);
  else storePart(at, x, count);
}

/** `width` rows that lie `distance` apart, each of k elements, become columns: panel[p][q] = from[q][p], zeros up to `columns`. */
function transposePanel(to: usize, from: usize, distance: usize, k: i32, width: i32, columns: i32): void {
  const step = <usize>columns * SIZE;
  const zero = splat(0);
  for (let q = 0; q < columns; q += LANES) {
    const rows = width - q;
    const count = columns - q;
    const r0 = from + <usize>q * distance, r1 = r0 + distance, r2 = r1 + distance, r3 = r2 + distance;
    let at = to + <usize>q * SIZE;
    let p = 0;
    for (; p + LANES <= k; p += LANES) {
      const o = <usize>p * SIZE;
      const x = v128.load(r0 + o), y = rows > 1 ? v128.load(r1 + o) : zero;
      if (sizeof<real>() == 8) {
        storeColumns(at, v128.shuffle<f64>(x, y, 0, 2), count); at += step;
        storeColumns(at, v128.shuffle<f64>(x, y, 1, 3), count); at += step;
      } else {
        const z = rows > 2 ? v128.load(r2 + o) : zero, w = rows > 3 ? v128.load(r3 + o) : zero;
        const xy = v128.shuffle<f32>(x, y, 0, 4, 1, 5), zw = v128.shuffle<f32>(z, w, 0, 4, 1, 5);
        const xy2 = v128.shuffle<f32>(x, y, 2, 6, 3, 7), zw2 = v128.shuffle<f32>(z, w, 2, 6, 3, 7);
        storeColumns(at, v128.shuffle<f64>(xy, zw, 0, 2), count); at += step;
        storeColumns(at, v128.shuffle<f64>(xy, zw, 1, 3), count); at += step;
        storeColumns(at, v128.shuffle<f64>(xy2, zw2, 0, 2), count); at += step;
        storeColumns(at, v128.shuffle<f64>(xy2, zw2, 1, 3), count); at += step;
      }
    }
    for (; p < k; p++) {
      for (let l = 0; l < min(LANES, count); l++) {
        store<real>(at + <usize>l * SIZE, l < rows ? load<real>(r0 + <usize>l * distance + <usize>p * SIZE) : 0);
      }
      at += step;
    }
  }
}

/** a's rows side by side in panels of ROWS; the last panel is as wide as there are rows left. */
function copyA(to: usize, a: usize, aRow: usize, aColumn: usize, m: i32, k: i32): void {
  for (let i = 0; i < m; i += ROWS) {
    const width = min(ROWS, m - i);
    const from = a + <usize>i * aRow;
    if (aRow != SIZE) transposePanel(to, from, aRow, k, width, width);
    else {
      let at = to;
      let row = from;
      for (let p = 0; p < k; p++) {
        for (let q: usize = 0; q < <usize>width * SIZE; q += SIZE) store<real>(at + q, load<real>(row + q));
        at += <usize>width * SIZE; row += aColumn;
      }
    }
    to += <usize>width * <usize>k * SIZE;
  }
}

/** a, and unless it is `copied` into panels b, where they lie. */
function inPlace(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bRow: usize, copied: bool,
  c: usize, mode: i32, bias: usize,
): void {
  const cRow = <usize>n * SIZE;
  for (let j = 0; j < n; j += COLUMNS) {
    const columns = min(COLUMNS, n - j);
    const bStep = copied ? panelStep(columns) : bRow;
    const offset = <usize>j * SIZE;
    const biasHere = bias ? bias + offset : 0;
    for (let i = 0; i < m; i += ROWS) {
      const rows = min(ROWS, m - i);
      const from = a + <usize>i * aRow;
      const to = c + <usize>i * cRow + offset;
      if (aRow == SIZE) adjacentRows(rows, k, from, aColumn, b, bStep, to, cRow, columns, mode, biasHere);
      else distantRows(rows, k, from, aRow, aColumn, b, bStep, to, cRow, columns, mode, biasHere);
    }
    b += copied ? <usize>k * bStep : 2 * VECTOR;
  }
}

/** a in panels of ROWS, b in panels of COLUMNS. */
function fromCopies(m: i32, n: i32, k: i32, a: usize, b: usize, c: usize, cRow: usize, mode: i32, bias: usize): void {
  for (let j = 0; j < n; j += COLUMNS) {
    const columns = min(COLUMNS, n - j);
    const bStep = panelStep(columns);
    const offset = <usize>j * SIZE;
    const biasHere = bias ? bias + offset : 0;
    let from = a;
    let to = c + offset;
    for (let i = 0; i < m; i += ROWS) {
      const rows = min(ROWS, m - i);
      adjacentRows(rows, k, from, <usize>rows * SIZE, b, bStep, to, cRow, columns, mode, biasHere);
      from += <usize>rows * <usize>k * SIZE;
      to += <usize>rows * cRow;
    }
    b += <usize>k * bStep;
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
    if (bColumn == SIZE) inPlace(m, n, k, a, aRow, aColumn, b, bRow, false, c, mode, bias);
    else {
      copyB(COPY_B, b, bRow, bColumn, k, n);
      inPlace(m, n, k, a, aRow, aColumn, COPY_B, 0, true, c, mode, bias);
    }
    return;
  }
  const cRow = <usize>n * SIZE;
  for (let j = 0; j < n; j += BLOCK_N) {
    const width = min(BLOCK_N, n - j);
    for (let p = 0; p < k; p += BLOCK_K) {
      const depth = min(BLOCK_K, k - p);
      copyB(COPY_B, b + <usize>p * bRow + <usize>j * bColumn, bRow, bColumn, depth, width);
      for (let i = 0; i < m; i += BLOCK_M) {
        const rows = min(BLOCK_M, m - i);
        copyA(COPY_A, a + <usize>i * aRow + <usize>p * aColumn, aRow, aColumn, rows, depth);
        fromCopies(
          rows, width, depth, COPY_A, COPY_B, c + <usize>i * cRow + <usize>j * SIZE, cRow,
          p == 0 ? mode : ADD, p == 0 && bias ? bias + <usize>j * SIZE : 0,
        );
      }
    }
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

// The inner loop of every matrix product: a tile of up to 6 rows and 2 vectors of the result, kept in registers along
// the inner dimension. The accumulators are written out, since registers cannot be indexed in a loop.
import { real } from './real';
import { LANES, madd, SIZE, splat, storePartial, VECTOR, loadPartial } from './vectors';

/** What to do with the sums. */
export const SET = 0;
/** Adds them to the existing values. */
export const ADD = 1;
/**
 * Rows of the largest tile: limited by the number of registers, with one pair less if a product needs one of its own.
 */
export const ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

// @ts-ignore: decorator
@inline
export function storeVector(at: usize, sum: v128, mode: i32, bias: usize, count: i32): void {
  if (count >= LANES) {
    if (mode == ADD) sum = v128.add<real>(v128.load(at), sum);
    if (bias) sum = v128.add<real>(v128.load(bias), sum);
    v128.store(at, sum);
    return;
  }
  if (mode == ADD) sum = v128.add<real>(loadPartial(at, count), sum);
  if (bias) sum = v128.add<real>(loadPartial(bias, count), sum);
  storePartial(at, sum, count);
}

// @ts-ignore: decorator
@inline
function storeRow(wide: bool, at: usize, low: v128, high: v128, mode: i32, bias: usize, columns: i32): void {
  storeVector(at, low, mode, bias, columns);
  if (wide) storeVector(at + VECTOR, high, mode, bias ? bias + VECTOR : 0, columns - LANES);
}

/**
 * c[rows, columns] = (or +=) a b (+ bias). Element (i, p) of a is at a + i aRow + p aStep; with `transposedA`, aRow is
 * one element. Row p of b is at b + p bRow, or with `indirectB` at b + entry p of a table of 32-bit offsets. Its
 * columns are contiguous, and whole vectors of them are readable.
 */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32,
  wide: bool,
  transposedA: bool,
  indirectB: bool,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  table: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  const zero = splat(0);
  let c00 = zero,
    c01 = zero,
    c10 = zero,
    c11 = zero,
    c20 = zero,
    c21 = zero;
  let c30 = zero,
    c31 = zero,
    c40 = zero,
    c41 = zero,
    c50 = zero,
    c51 = zero;
  let a1 = a + aRow,
    a2 = a1 + aRow,
    a3 = a2 + aRow,
    a4 = a3 + aRow,
    a5 = a4 + aRow;
  for (; k > 0; k--) {
    const from = indirectB ? b + load<u32>(table) : b;
    const b0 = v128.load(from);
    const b1 = wide ? v128.load(from, VECTOR) : b0;
    let x = v128.load_splat<real>(a);
    c00 = madd(x, b0, c00);
    if (wide) c01 = madd(x, b1, c01);
    if (rows > 1) {
      x = transposedA ? v128.load_splat<real>(a, SIZE) : v128.load_splat<real>(a1);
      c10 = madd(x, b0, c10);
      if (wide) c11 = madd(x, b1, c11);
    }
    if (rows > 2) {
      x = transposedA ? v128.load_splat<real>(a, 2 * SIZE) : v128.load_splat<real>(a2);
      c20 = madd(x, b0, c20);
      if (wide) c21 = madd(x, b1, c21);
      x = transposedA ? v128.load_splat<real>(a, 3 * SIZE) : v128.load_splat<real>(a3);
      c30 = madd(x, b0, c30);
      if (wide) c31 = madd(x, b1, c31);
    }
    if (rows > 4) {
      x = transposedA ? v128.load_splat<real>(a, 4 * SIZE) : v128.load_splat<real>(a4);
      c40 = madd(x, b0, c40);
      if (wide) c41 = madd(x, b1, c41);
      x = transposedA ? v128.load_splat<real>(a, 5 * SIZE) : v128.load_splat<real>(a5);
      c50 = madd(x, b0, c50);
      if (wide) c51 = madd(x, b1, c51);
    }
    a += aStep;
    if (!transposedA) {
      if (rows > 1) a1 += aStep;
      if (rows > 2) {
        a2 += aStep;
        a3 += aStep;
      }
      if (rows > 4) {
        a4 += aStep;
        a5 += aStep;
      }
    }
    if (indirectB) table += 4;
    else b += bStep;
  }
  storeRow(wide, c, c00, c01, mode, bias, columns);
  if (rows > 1) storeRow(wide, c + cRow, c10, c11, mode, bias, columns);
  if (rows > 2) {
    c += 2 * cRow;
    storeRow(wide, c, c20, c21, mode, bias, columns);
    storeRow(wide, c + cRow, c30, c31, mode, bias, columns);
  }
  if (rows > 4) {
    c += 2 * cRow;
    storeRow(wide, c, c40, c41, mode, bias, columns);
    storeRow(wide, c + cRow, c50, c51, mode, bias, columns);
  }
}

function tile6(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(6, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function tile4(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(4, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function tile2(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(2, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function tile1(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(1, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow6(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(6, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow4(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(4, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow2(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(2, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow1(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile(1, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function rowMajorA4(
  wide: bool,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  if (wide) tile(4, true, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
  else tile(4, false, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function rowMajorA6(
  wide: bool,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  if (wide) tile(6, true, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
  else tile(6, false, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function rowMajorA2(
  wide: bool,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  if (wide) tile(2, true, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
  else tile(2, false, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}

/** Rows of a whose elements are adjacent: a column of up to ROWS rows of the result, split into tiles. */
export function tilesTransposedA(
  rows: i32,
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  const wide = columns > LANES;
  if (ROWS == 6 && rows == 6) {
    if (wide) tile6(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow6(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    return;
  }
  if (rows >= 4) {
    if (wide) tile4(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow4(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    a += 4 * SIZE;
    c += 4 * cRow;
    rows -= 4;
  }
  if (rows >= 2) {
    if (wide) tile2(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow2(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    a += 2 * SIZE;
    c += 2 * cRow;
    rows -= 2;
  }
  if (rows == 1) {
    if (wide) tile1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
  }
}

/** The same for rows of a that are aRow bytes apart. */
export function tilesRowMajorA(
  rows: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  const wide = columns > LANES;
  if (ROWS == 6 && rows == 6) {
    rowMajorA6(wide, k, a, aRow, aStep, b, bStep, c, cRow, columns, mode, bias);
    return;
  }
  if (rows >= 4) {
    rowMajorA4(wide, k, a, aRow, aStep, b, bStep, c, cRow, columns, mode, bias);
    a += 4 * aRow;
    c += 4 * cRow;
    rows -= 4;
  }
  if (rows >= 2) {
    rowMajorA2(wide, k, a, aRow, aStep, b, bStep, c, cRow, columns, mode, bias);
    a += 2 * aRow;
    c += 2 * cRow;
    rows -= 2;
  }
  if (rows == 1) {
    if (wide) tile1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
  }
}

function indirectB6(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(6, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}
function indirectB4(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(4, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}
function indirectB2(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(2, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}
function indirectB1(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(1, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}

/** Rows of a with contiguous elements, aRow bytes apart, with two vectors of b at the offsets of a table. */
export function tilesIndirectB(
  rows: i32,
  k: i32,
  a: usize,
  aRow: usize,
  b: usize,
  table: usize,
  c: usize,
  cRow: usize,
  mode: i32,
): void {
  if (ROWS == 6 && rows == 6) {
    indirectB6(k, a, aRow, b, table, c, cRow, mode);
    return;
  }
  if (rows >= 4) {
    indirectB4(k, a, aRow, b, table, c, cRow, mode);
    a += 4 * aRow;
    c += 4 * cRow;
    rows -= 4;
  }
  if (rows >= 2) {
    indirectB2(k, a, aRow, b, table, c, cRow, mode);
    a += 2 * aRow;
    c += 2 * cRow;
    rows -= 2;
  }
  if (rows == 1) indirectB1(k, a, aRow, b, table, c, cRow, mode);
}

// The inner loop of every matrix product: a tile of up to 6 rows and 2 vectors of the result, held in
// registers while it runs down the inner dimension. The accumulators are spelled out: there are no arrays
// of registers to loop over.
import { real } from './real';
import { LANES, madd, SIZE, splat, storePart, VECTOR, loadPart } from './vectors';

/** What happens to the sums. */
export const SET = 0;
/** They are added to what is there. */
export const ADD = 1;
/** Rows of the largest tile: as many as registers carry, one fewer pair where a product needs one of its own. */
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
  if (mode == ADD) sum = v128.add<real>(loadPart(at, count), sum);
  if (bias) sum = v128.add<real>(loadPart(bias, count), sum);
  storePart(at, sum, count);
}

// @ts-ignore: decorator
@inline
function storeRow(wide: bool, at: usize, low: v128, high: v128, mode: i32, bias: usize, columns: i32): void {
  storeVector(at, low, mode, bias, columns);
  if (wide) storeVector(at + VECTOR, high, mode, bias ? bias + VECTOR : 0, columns - LANES);
}

/**
 * c[rows, columns] = (or +=) a b (+ bias). Element (i, p) of a lies at a + i aRow + p aStep; when `adjacent`, aRow is one
 * element. Row p of b is at b + p bStep, when `listed` at b + number p of a table of 32 bits each, its columns side by
 * side, whole vectors of them readable.
 */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32, wide: bool, adjacent: bool, listed: bool,
  k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, table: usize,
  c: usize, cRow: usize, columns: i32, mode: i32, bias: usize,
): void {
  const zero = splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero, c40 = zero, c41 = zero, c50 = zero, c51 = zero;
  let a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, a5 = a4 + aRow;
  for (; k > 0; k--) {
    const from = listed ? b + load<u32>(table) : b;
    const b0 = v128.load(from);
    const b1 = wide ? v128.load(from, VECTOR) : b0;
    let x = v128.load_splat<real>(a);
    c00 = madd(x, b0, c00);
    if (wide) c01 = madd(x, b1, c01);
    if (rows > 1) {
      x = adjacent ? v128.load_splat<real>(a, SIZE) : v128.load_splat<real>(a1);
      c10 = madd(x, b0, c10);
      if (wide) c11 = madd(x, b1, c11);
    }
    if (rows > 2) {
      x = adjacent ? v128.load_splat<real>(a, 2 * SIZE) : v128.load_splat<real>(a2);
      c20 = madd(x, b0, c20);
      if (wide) c21 = madd(x, b1, c21);
      x = adjacent ? v128.load_splat<real>(a, 3 * SIZE) : v128.load_splat<real>(a3);
      c30 = madd(x, b0, c30);
      if (wide) c31 = madd(x, b1, c31);
    }
    if (rows > 4) {
      x = adjacent ? v128.load_splat<real>(a, 4 * SIZE) : v128.load_splat<real>(a4);
      c40 = madd(x, b0, c40);
      if (wide) c41 = madd(x, b1, c41);
      x = adjacent ? v128.load_splat<real>(a, 5 * SIZE) : v128.load_splat<real>(a5);
      c50 = madd(x, b0, c50);
      if (wide) c51 = madd(x, b1, c51);
    }
    a += aStep;
    if (!adjacent) {
      if (rows > 1) a1 += aStep;
      if (rows > 2) { a2 += aStep; a3 += aStep; }
      if (rows > 4) { a4 += aStep; a5 += aStep; }
    }
    if (listed) table += 4;
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

function tile6(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(6, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function tile4(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(4, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function tile2(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(2, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function tile1(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(1, true, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow6(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(6, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow4(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(4, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow2(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(2, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function narrow1(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  tile(1, false, true, false, k, a, SIZE, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function apart4(wide: bool, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  if (wide) tile(4, true, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
  else tile(4, false, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function apart6(wide: bool, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  if (wide) tile(6, true, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
  else tile(6, false, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}
function apart2(wide: bool, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  if (wide) tile(2, true, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
  else tile(2, false, false, false, k, a, aRow, aStep, b, bStep, 0, c, cRow, columns, mode, bias);
}

/** Rows of a whose elements lie side by side: a column of up to ROWS rows of the result, cut into tiles. */
export function adjacentRows(
  rows: i32, k: i32, a: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, columns: i32, mode: i32, bias: usize,
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
    a += 4 * SIZE; c += 4 * cRow; rows -= 4;
  }
  if (rows >= 2) {
    if (wide) tile2(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow2(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    a += 2 * SIZE; c += 2 * cRow; rows -= 2;
  }
  if (rows == 1) {
    if (wide) tile1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
  }
}

/** The same for rows of a that lie aRow bytes apart. */
export function distantRows(
  rows: i32, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, columns: i32, mode: i32, bias: usize,
): void {
  const wide = columns > LANES;
  if (ROWS == 6 && rows == 6) {
    apart6(wide, k, a, aRow, aStep, b, bStep, c, cRow, columns, mode, bias);
    return;
  }
  if (rows >= 4) {
    apart4(wide, k, a, aRow, aStep, b, bStep, c, cRow, columns, mode, bias);
    a += 4 * aRow; c += 4 * cRow; rows -= 4;
  }
  if (rows >= 2) {
    apart2(wide, k, a, aRow, aStep, b, bStep, c, cRow, columns, mode, bias);
    a += 2 * aRow; c += 2 * cRow; rows -= 2;
  }
  if (rows == 1) {
    if (wide) tile1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
    else narrow1(k, a, aStep, b, bStep, c, cRow, columns, mode, bias);
  }
}

function listed6(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(6, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}
function listed4(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(4, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}
function listed2(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(2, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}
function listed1(k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  tile(1, true, false, true, k, a, aRow, SIZE, b, 0, table, c, cRow, 2 * LANES, mode, 0);
}

/** Rows of a whose elements lie side by side, the rows aRow bytes apart, with two vectors of b at the places that a table lists. */
export function listedRows(rows: i32, k: i32, a: usize, aRow: usize, b: usize, table: usize, c: usize, cRow: usize, mode: i32): void {
  if (ROWS == 6 && rows == 6) {
    listed6(k, a, aRow, b, table, c, cRow, mode);
    return;
  }
  if (rows >= 4) {
    listed4(k, a, aRow, b, table, c, cRow, mode);
    a += 4 * aRow; c += 4 * cRow; rows -= 4;
  }
  if (rows >= 2) {
    listed2(k, a, aRow, b, table, c, cRow, mode);
    a += 2 * aRow; c += 2 * cRow; rows -= 2;
  }
  if (rows == 1) listed1(k, a, aRow, b, table, c, cRow, mode);
}

// A tile of 4 rows and 4 vectors: too many registers of 128 bits, but with 256-bit vectors nearly twice as fast as the
// others. V8 must find pairs: adjacent stores and loads with constant offsets from one address. Each element is summed
// in the same order as in any other tile.
import { real } from './real';
import { ADD } from './tile';
import { madd, SIZE, splat, VECTOR } from './vectors';

// @ts-ignore: decorator
@inline
function storeRow(at: usize, x0: v128, x1: v128, x2: v128, x3: v128, mode: i32, bias: usize): void {
  if (mode == ADD) {
    v128.store(at, v128.add<real>(v128.load(at), x0));
    v128.store(at, v128.add<real>(v128.load(at, VECTOR), x1), VECTOR);
    v128.store(at, v128.add<real>(v128.load(at, 2 * VECTOR), x2), 2 * VECTOR);
    v128.store(at, v128.add<real>(v128.load(at, 3 * VECTOR), x3), 3 * VECTOR);
  } else if (bias) {
    v128.store(at, v128.add<real>(v128.load(bias), x0));
    v128.store(at, v128.add<real>(v128.load(bias, VECTOR), x1), VECTOR);
    v128.store(at, v128.add<real>(v128.load(bias, 2 * VECTOR), x2), 2 * VECTOR);
    v128.store(at, v128.add<real>(v128.load(bias, 3 * VECTOR), x3), 3 * VECTOR);
  } else {
    v128.store(at, x0);
    v128.store(at, x1, VECTOR);
    v128.store(at, x2, 2 * VECTOR);
    v128.store(at, x3, 3 * VECTOR);
  }
}

/**
 * c[4, 4 vectors] = (or +=) a b, or a b + bias. Element (i, p) of a is at a + i aRow + p aStep; with `transposedA`,
 * aRow is one element. Row p of b is two vectors at b + p bStep, or with `indirectB` at b + entry p of a table of
 * 32-bit offsets, and two more `panel` bytes further. Two steps of k at a time.
 */
// @ts-ignore: decorator
@inline
function tile(
  transposedA: bool,
  indirectB: bool,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  table: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  mode: i32,
  bias: usize,
): void {
  const zero = splat(0);
  let c00 = zero,
    c01 = zero,
    c02 = zero,
    c03 = zero,
    c10 = zero,
    c11 = zero,
    c12 = zero,
    c13 = zero;
  let c20 = zero,
    c21 = zero,
    c22 = zero,
    c23 = zero,
    c30 = zero,
    c31 = zero,
    c32 = zero,
    c33 = zero;
  let d = b + panel;
  let a1 = a + aRow,
    a2 = a1 + aRow,
    a3 = a2 + aRow;
  for (; k > 1; k -= 2) {
    {
      const at = indirectB ? load<u32>(table) : 0;
      const b0 = v128.load(b + at),
        b1 = v128.load(b + at, VECTOR),
        b2 = v128.load(d + at),
        b3 = v128.load(d + at, VECTOR);
      let x = v128.load_splat<real>(a);
      c00 = madd(x, b0, c00);
      c01 = madd(x, b1, c01);
      c02 = madd(x, b2, c02);
      c03 = madd(x, b3, c03);
      x = transposedA ? v128.load_splat<real>(a, SIZE) : v128.load_splat<real>(a1);
      c10 = madd(x, b0, c10);
      c11 = madd(x, b1, c11);
      c12 = madd(x, b2, c12);
      c13 = madd(x, b3, c13);
      x = transposedA ? v128.load_splat<real>(a, 2 * SIZE) : v128.load_splat<real>(a2);
      c20 = madd(x, b0, c20);
      c21 = madd(x, b1, c21);
      c22 = madd(x, b2, c22);
      c23 = madd(x, b3, c23);
      x = transposedA ? v128.load_splat<real>(a, 3 * SIZE) : v128.load_splat<real>(a3);
      c30 = madd(x, b0, c30);
      c31 = madd(x, b1, c31);
      c32 = madd(x, b2, c32);
      c33 = madd(x, b3, c33);
      a += aStep;
      if (indirectB) table += 4;
      else {
        b += bStep;
        d += bStep;
      }
      if (!transposedA) {
        a1 += aStep;
        a2 += aStep;
        a3 += aStep;
      }
    }
    {
      const at = indirectB ? load<u32>(table) : 0;
      const b0 = v128.load(b + at),
        b1 = v128.load(b + at, VECTOR),
        b2 = v128.load(d + at),
        b3 = v128.load(d + at, VECTOR);
      let x = v128.load_splat<real>(a);
      c00 = madd(x, b0, c00);
      c01 = madd(x, b1, c01);
      c02 = madd(x, b2, c02);
      c03 = madd(x, b3, c03);
      x = transposedA ? v128.load_splat<real>(a, SIZE) : v128.load_splat<real>(a1);
      c10 = madd(x, b0, c10);
      c11 = madd(x, b1, c11);
      c12 = madd(x, b2, c12);
      c13 = madd(x, b3, c13);
      x = transposedA ? v128.load_splat<real>(a, 2 * SIZE) : v128.load_splat<real>(a2);
      c20 = madd(x, b0, c20);
      c21 = madd(x, b1, c21);
      c22 = madd(x, b2, c22);
      c23 = madd(x, b3, c23);
      x = transposedA ? v128.load_splat<real>(a, 3 * SIZE) : v128.load_splat<real>(a3);
      c30 = madd(x, b0, c30);
      c31 = madd(x, b1, c31);
      c32 = madd(x, b2, c32);
      c33 = madd(x, b3, c33);
      a += aStep;
      if (indirectB) table += 4;
      else {
        b += bStep;
        d += bStep;
      }
      if (!transposedA) {
        a1 += aStep;
        a2 += aStep;
        a3 += aStep;
      }
    }
  }
  if (k > 0) {
    {
      const at = indirectB ? load<u32>(table) : 0;
      const b0 = v128.load(b + at),
        b1 = v128.load(b + at, VECTOR),
        b2 = v128.load(d + at),
        b3 = v128.load(d + at, VECTOR);
      let x = v128.load_splat<real>(a);
      c00 = madd(x, b0, c00);
      c01 = madd(x, b1, c01);
      c02 = madd(x, b2, c02);
      c03 = madd(x, b3, c03);
      x = transposedA ? v128.load_splat<real>(a, SIZE) : v128.load_splat<real>(a1);
      c10 = madd(x, b0, c10);
      c11 = madd(x, b1, c11);
      c12 = madd(x, b2, c12);
      c13 = madd(x, b3, c13);
      x = transposedA ? v128.load_splat<real>(a, 2 * SIZE) : v128.load_splat<real>(a2);
      c20 = madd(x, b0, c20);
      c21 = madd(x, b1, c21);
      c22 = madd(x, b2, c22);
      c23 = madd(x, b3, c23);
      x = transposedA ? v128.load_splat<real>(a, 3 * SIZE) : v128.load_splat<real>(a3);
      c30 = madd(x, b0, c30);
      c31 = madd(x, b1, c31);
      c32 = madd(x, b2, c32);
      c33 = madd(x, b3, c33);
      a += aStep;
      if (indirectB) table += 4;
      else {
        b += bStep;
        d += bStep;
      }
      if (!transposedA) {
        a1 += aStep;
        a2 += aStep;
        a3 += aStep;
      }
    }
  }
  storeRow(c, c00, c01, c02, c03, mode, bias);
  c += cRow;
  storeRow(c, c10, c11, c12, c13, mode, bias);
  c += cRow;
  storeRow(c, c20, c21, c22, c23, mode, bias);
  c += cRow;
  storeRow(c, c30, c31, c32, c33, mode, bias);
}

/** Four adjacent rows of a. */
export function tileTransposedA4(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  mode: i32,
  bias: usize,
): void {
  tile(true, false, k, a, SIZE, aStep, b, bStep, 0, panel, c, cRow, mode, bias);
}

/** Four rows of a that are aRow bytes apart. */
export function tileRowMajorA4(
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  mode: i32,
  bias: usize,
): void {
  tile(false, false, k, a, aRow, aStep, b, bStep, 0, panel, c, cRow, mode, bias);
}

/** Four rows of a with contiguous elements, with b at the offsets of a table. */
export function tileIndirectB4(
  k: i32,
  a: usize,
  aRow: usize,
  b: usize,
  table: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  mode: i32,
): void {
  tile(false, true, k, a, aRow, SIZE, b, 0, table, panel, c, cRow, mode, 0);
}

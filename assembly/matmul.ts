// Matrix products as kernels: small ones are computed directly, large ones as a job of chunks.
import { gemmPackedB, gemmUnpacked, packB, COLUMNS, thrashesCache } from './gemm';
import { GEMM, setJobField } from './job';
import { parallelFor } from './parallel';
import { real } from './real';
import { packedB } from './scratch';
import { ADD } from './tile';
import { LANES, loadPartial, SIZE, storePartial, VECTOR } from './vectors';

/** Maximum number of rows and columns of a chunk; chunks are wider if a is copied for each. */
const CHUNK_M: i32 = 256;
const CHUNK_N: i32 = 4 * COLUMNS;
const CHUNK_N_PACKED_A: i32 = 256;
/** A factor of at most this many bytes is read in place. */
const MAX_UNPACKED_BYTES: i32 = 16384;
/** Multiply-adds from which a product runs in parallel: about 20 microseconds. */
const PARALLEL_THRESHOLD: i64 = 500000;

/** For an inner dimension of 1, where there is nothing to keep in registers. */
function outerProduct(m: i32, n: i32, a: usize, b: usize, c: usize, mode: i32, bias: usize): void {
  for (let i = 0; i < m; i++) {
    const x = v128.load_splat<real>(a);
    let from = b,
      shift = bias,
      left = n;
    for (; left >= LANES; left -= LANES) {
      let z = v128.mul<real>(x, v128.load(from));
      if (mode == ADD) z = v128.add<real>(v128.load(c), z);
      if (bias) z = v128.add<real>(v128.load(shift), z);
      v128.store(c, z);
      from += VECTOR;
      shift += VECTOR;
      c += VECTOR;
    }
    if (left > 0) {
      let z = v128.mul<real>(x, loadPartial(from, left));
      if (mode == ADD) z = v128.add<real>(loadPartial(c, left), z);
      if (bias) z = v128.add<real>(loadPartial(shift, left), z);
      storePartial(c, z, left);
      c += <usize>left * SIZE;
    }
    a += SIZE;
  }
}

/**
 * c[m,n] = (or +=) a b (+ bias[n]). Element (i, p) of a is at a + i aRow + p aColumn, (p, j) of b at b + p bRow + j
 * bColumn; one of each pair of strides is the size of an element. c is dense and row-major.
 */
function gemm(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  mode: i32,
  bias: usize,
): void {
  if (k == 1) {
    outerProduct(m, n, a, b, c, mode, bias);
    return;
  }
  if (k * n * <i32>SIZE <= MAX_UNPACKED_BYTES && k * m * <i32>SIZE <= 4 * MAX_UNPACKED_BYTES) {
    const cRow = <usize>n * SIZE;
    if (bColumn != SIZE) {
      packB(packedB(), b, bRow, bColumn, k, n);
      gemmPackedB(m, n, k, a, aRow, aColumn, packedB(), c, cRow, mode, bias);
      return;
    }
    gemmUnpacked(m, n, k, a, aRow, aColumn, b, bRow, c, cRow, mode, bias);
    return;
  }
  const most = thrashesCache(aRow, aColumn, n) ? CHUNK_N_PACKED_A : CHUNK_N;
  const rows = chunkExtent(m, CHUNK_M, 12),
    columns = chunkExtent(n, most, 2 * COLUMNS);
  setJobField(GEMM, 0, m);
  setJobField(GEMM, 1, n);
  setJobField(GEMM, 2, k);
  setJobField(GEMM, 3, a);
  setJobField(GEMM, 4, aRow);
  setJobField(GEMM, 5, aColumn);
  setJobField(GEMM, 6, b);
  setJobField(GEMM, 7, bRow);
  setJobField(GEMM, 8, bColumn);
  setJobField(GEMM, 9, c);
  setJobField(GEMM, 10, mode);
  setJobField(GEMM, 11, bias);
  setJobField(GEMM, 12, rows);
  setJobField(GEMM, 13, columns);
  parallelFor(((m + rows - 1) / rows) * ((n + columns - 1) / columns), <i64>m * n * k >= PARALLEL_THRESHOLD);
}

/** The size of equal parts of n, each at most `most` and a multiple of `unit`. */
function chunkExtent(n: i32, most: i32, unit: i32): i32 {
  const count = (n + most - 1) / most;
  const size = (n + count - 1) / count;
  return ((size + unit - 1) / unit) * unit;
}

export function matmul(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, mode: i32): void {
  gemm(m, n, k, a, <usize>k * SIZE, SIZE, b, <usize>n * SIZE, SIZE, c, mode, 0);
}

export function matmulTransposedA(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, mode: i32): void {
  gemm(m, n, k, a, SIZE, <usize>m * SIZE, b, <usize>n * SIZE, SIZE, c, mode, 0);
}

export function matmulTransposedB(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, mode: i32, bias: usize): void {
  gemm(m, n, k, a, <usize>k * SIZE, SIZE, b, SIZE, <usize>k * SIZE, c, mode, bias);
}

// The products of multi-head attention, one small matrix product for each sample and head, which threads share. Head h
// of x[n,t,width] is its slice h of the last axis; pairs of positions are [n,heads,t,s].
import { exponentials, maxOf } from './elementwise';
import { gemmPackedB, gemmUnpacked, packB } from './gemm';
import {
  CAUSAL_SOFTMAX,
  firstJobNumber,
  HEAD_PRODUCTS,
  HEAD_SUMS,
  HEAD_SUMS_TRANSPOSED,
  jobField,
  setJobField,
  setJobNumbers,
} from './job';
import { parallelFor } from './parallel';
import { real } from './real';
import { packedB } from './scratch';
import { ADD, SET } from './tile';
import { LANES, loadPartial, SIZE, splat, storePartial, VECTOR } from './vectors';

/** Multiply-adds of a chunk, if it has several heads. */
const CHUNK_MACS: i32 = 65536;
/** Multiply-adds from which a job runs in parallel, as in matmul.ts. */
const PARALLEL_THRESHOLD: i64 = 500000;
/** Rows of a chunk of a softmax, and numbers from which it runs in parallel. */
const SOFTMAX_ROWS: i32 = 128;
const SOFTMAX_THRESHOLD: i32 = 16384;
/** A block of b that is copied: its inner dimension and columns, half of the scratch memory. */
const BLOCK_K: i32 = 1024 / <i32>SIZE;
const BLOCK_N: i32 = 128;

/** The products of some heads, described by the job. */
function heads(
  kind: i32,
  out: usize,
  a: usize,
  b: usize,
  samples: i32,
  headCount: i32,
  rows: i32,
  columns: i32,
  width: i32,
  scale: f64,
): void {
  const macs = rows * columns * (width / headCount);
  const perChunk = max(1, CHUNK_MACS / max(1, macs));
  setJobField(kind, 0, samples * headCount);
  setJobField(kind, 1, out);
  setJobField(kind, 2, a);
  setJobField(kind, 3, b);
  setJobField(kind, 4, headCount);
  setJobField(kind, 5, rows);
  setJobField(kind, 6, columns);
  setJobField(kind, 7, width);
  setJobField(kind, 8, perChunk);
  setJobNumbers(scale, 0);
  parallelFor((samples * headCount + perChunk - 1) / perChunk, <i64>samples * headCount * macs >= PARALLEL_THRESHOLD);
}

/** pairs[n,h,i,j] = scale a[n,i,head h] · b[n,j,head h]. */
export function headProducts(
  pairs: usize,
  a: usize,
  b: usize,
  samples: i32,
  headCount: i32,
  rows: i32,
  columns: i32,
  width: i32,
  scale: f64,
): void {
  heads(HEAD_PRODUCTS, pairs, a, b, samples, headCount, rows, columns, width, scale);
}

/** y[n,i,head h] = scale Σ_j pairs[n,h,i,j] x[n,j,head h]. */
export function headSums(
  y: usize,
  pairs: usize,
  x: usize,
  samples: i32,
  headCount: i32,
  rows: i32,
  columns: i32,
  width: i32,
  scale: f64,
): void {
  heads(HEAD_SUMS, y, pairs, x, samples, headCount, rows, columns, width, scale);
}

/** y[n,j,head h] = scale Σ_i pairs[n,h,i,j] x[n,i,head h]. */
export function headSumsTransposed(
  y: usize,
  pairs: usize,
  x: usize,
  samples: i32,
  headCount: i32,
  rows: i32,
  columns: i32,
  width: i32,
  scale: f64,
): void {
  heads(HEAD_SUMS_TRANSPOSED, y, pairs, x, samples, headCount, rows, columns, width, scale);
}

/** c[m,n] = scale a bᵀ with rows of k contiguous elements in a and b. */
function productOfRows(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  b: usize,
  row: usize,
  c: usize,
  cRow: usize,
  scale: f64,
): void {
  for (let j = 0; j < n; j += BLOCK_N) {
    const columns = min(BLOCK_N, n - j);
    for (let p = 0; p < k; p += BLOCK_K) {
      const depth = min(BLOCK_K, k - p);
      packB(packedB(), b + <usize>j * row + <usize>p * SIZE, SIZE, row, depth, columns);
      const from = a + <usize>p * SIZE,
        to = c + <usize>j * SIZE;
      gemmPackedB(m, columns, depth, from, row, SIZE, packedB(), to, cRow, p == 0 ? SET : ADD, 0);
    }
  }
  scaleRows(c, m, n, cRow, scale);
}

function scaleRows(at: usize, rows: i32, columns: i32, row: usize, by: f64): void {
  if (by == 1) return;
  const s = splat(<real>by);
  for (; rows > 0; rows--) {
    let to = at,
      n = columns;
    for (; n >= LANES; n -= LANES) {
      v128.store(to, v128.mul<real>(s, v128.load(to)));
      to += VECTOR;
    }
    if (n > 0) storePartial(to, v128.mul<real>(s, loadPartial(to, n)), n);
    at += row;
  }
}

/** One chunk of the current job: some heads. */
export function headChunk(kind: i32, index: i32): void {
  const perChunk = <i32>jobField(8),
    headCount = <i32>jobField(4),
    rows = <i32>jobField(5),
    columns = <i32>jobField(6),
    width = <i32>jobField(7),
    end = min(<i32>jobField(0), (index + 1) * perChunk);
  const out = jobField(1),
    a = jobField(2),
    b = jobField(3),
    scale = firstJobNumber();
  const size = width / headCount;
  const row = <usize>width * SIZE,
    pairRow = <usize>columns * SIZE;
  for (let head = index * perChunk; head < end; head++) {
    const n = <usize>(head / headCount),
      slice = <usize>(head % headCount) * <usize>size * SIZE;
    const pairs = <usize>head * <usize>rows * pairRow,
      atRows = n * <usize>rows * row + slice,
      atColumns = n * <usize>columns * row + slice;
    if (kind == HEAD_PRODUCTS)
      productOfRows(rows, columns, size, a + atRows, b + atColumns, row, out + pairs, pairRow, scale);
    else if (kind == HEAD_SUMS) {
      gemmUnpacked(rows, size, columns, a + pairs, pairRow, SIZE, b + atColumns, row, out + atRows, row, SET, 0);
      scaleRows(out + atRows, rows, size, row, scale);
    } else {
      gemmUnpacked(columns, size, rows, a + pairs, SIZE, pairRow, b + atRows, row, out + atColumns, row, SET, 0);
      scaleRows(out + atColumns, columns, size, row, scale);
    }
  }
}

/** Of m rows that form groups of `rows`, each row i of a group: the softmax of its entries up to i, 0 after them. */
export function causalSoftmax(y: usize, x: usize, m: i32, rows: i32, columns: i32): void {
  setJobField(CAUSAL_SOFTMAX, 0, m);
  setJobField(CAUSAL_SOFTMAX, 1, y);
  setJobField(CAUSAL_SOFTMAX, 2, x);
  setJobField(CAUSAL_SOFTMAX, 3, rows);
  setJobField(CAUSAL_SOFTMAX, 4, columns);
  parallelFor((m + SOFTMAX_ROWS - 1) / SOFTMAX_ROWS, m * columns >= SOFTMAX_THRESHOLD);
}

export function causalSoftmaxChunk(index: i32): void {
  const rows = <i32>jobField(3),
    columns = <i32>jobField(4),
    end = min(<i32>jobField(0), (index + 1) * SOFTMAX_ROWS);
  const step = <usize>columns * SIZE;
  let i = index * SOFTMAX_ROWS;
  let y = jobField(1) + <usize>i * step,
    x = jobField(2) + <usize>i * step;
  for (; i < end; i++) {
    const n = min(columns, (i % rows) + 1);
    const sum = splat(exponentials(y, x, n, maxOf(x, n)));
    let at = y;
    for (let left = n; left > 0; left -= LANES) {
      storePartial(at, v128.div<real>(loadPartial(at, left), sum), left);
      at += VECTOR;
    }
    memory.fill(y + <usize>n * SIZE, 0, <usize>(columns - n) * SIZE);
    y += step;
    x += step;
  }
}

// The products of multi-head attention, one small matrix product for each sample and head, which threads share. Head h
// of x[n,t,width] is its slice h of the last axis; pairs of positions are [n,heads,t,s].
import { SOFTMAX_ROWS } from './attention-chunk';
import { CAUSAL_SOFTMAX, HEAD_PRODUCTS, HEAD_SUMS, HEAD_SUMS_TRANSPOSED, setJobField, setJobNumbers } from './job';
import { parallelFor } from './parallel';

/** Multiply-adds of a chunk, if it has several heads. */
const CHUNK_MACS: i32 = 65536;
/** Multiply-adds from which a job runs in parallel, as in matmul.ts. */
const PARALLEL_THRESHOLD: i64 = 500000;
/** Numbers from which a softmax runs in parallel. */
const SOFTMAX_THRESHOLD: i32 = 16384;

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

/** m rows form groups of `rows`. Row i of a group becomes the softmax of its entries up to i, and 0 after them. */
export function causalSoftmax(y: usize, x: usize, m: i32, rows: i32, columns: i32): void {
  setJobField(CAUSAL_SOFTMAX, 0, m);
  setJobField(CAUSAL_SOFTMAX, 1, y);
  setJobField(CAUSAL_SOFTMAX, 2, x);
  setJobField(CAUSAL_SOFTMAX, 3, rows);
  setJobField(CAUSAL_SOFTMAX, 4, columns);
  parallelFor((m + SOFTMAX_ROWS - 1) / SOFTMAX_ROWS, m * columns >= SOFTMAX_THRESHOLD);
}

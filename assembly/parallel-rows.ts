// Kernels that compute each row, or each prediction, on its own and that threads share where tensors are large. Each
// has the name of the serial kernel that computes its chunks.
import { BATCHED_CROSS_ENTROPY, NORMALIZE_ROWS, setJobField, setJobNumbers } from './job';
import { parallelFor } from './parallel';
import { rowsPerChunk } from './run-chunk';

/** Numbers from which a kernel runs in parallel: one that mostly adds, and one that computes exponentials. */
const NORMALIZE_THRESHOLD: i32 = 32768;
const CROSS_ENTROPY_THRESHOLD: i32 = 8192;

/** Normalizes each row; weight and bias are indexed by the position in the row. */
export function normalizeRows(y: usize, x: usize, weight: usize, bias: usize, rows: i32, size: i32, eps: f64): void {
  setJobField(NORMALIZE_ROWS, 0, rows);
  setJobField(NORMALIZE_ROWS, 1, y);
  setJobField(NORMALIZE_ROWS, 2, x);
  setJobField(NORMALIZE_ROWS, 3, weight);
  setJobField(NORMALIZE_ROWS, 4, bias);
  setJobField(NORMALIZE_ROWS, 5, size);
  setJobNumbers(eps, 0);
  const perChunk = rowsPerChunk(size);
  parallelFor((rows + perChunk - 1) / perChunk, rows * size >= NORMALIZE_THRESHOLD);
}

/** out[i] = `crossEntropy` of x[i,m,n], i from 0 to `count` - 1. */
export function batchedCrossEntropy(out: usize, x: usize, t: usize, count: i32, m: i32, n: i32): void {
  setJobField(BATCHED_CROSS_ENTROPY, 0, count);
  setJobField(BATCHED_CROSS_ENTROPY, 1, out);
  setJobField(BATCHED_CROSS_ENTROPY, 2, x);
  setJobField(BATCHED_CROSS_ENTROPY, 3, t);
  setJobField(BATCHED_CROSS_ENTROPY, 4, m);
  setJobField(BATCHED_CROSS_ENTROPY, 5, n);
  const perChunk = rowsPerChunk(m * n);
  parallelFor((count + perChunk - 1) / perChunk, count * m * n >= CROSS_ENTROPY_THRESHOLD);
}

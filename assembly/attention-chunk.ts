// One chunk of the jobs of attention.ts: the products of some heads, or some rows of a causal softmax.
import { exponentials, maxOf } from './elementwise';
import { gemmPackedB, gemmUnpacked, packB } from './gemm';
import { firstJobNumber, HEAD_PRODUCTS, HEAD_SUMS, jobField } from './job';
import { real } from './real';
import { packedB } from './scratch';
import { ADD, SET } from './tile';
import { LANES, loadPartial, SIZE, splat, storePartial, VECTOR } from './vectors';

/** Rows of a chunk of a softmax. */
export const SOFTMAX_ROWS: i32 = 128;
/** A block of b that is copied: its inner dimension and columns, half of the scratch memory. */
const BLOCK_K: i32 = 1024 / <i32>SIZE;
const BLOCK_N: i32 = 128;

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

// Matrix products. Large ones are split into blocks that fit the caches, and blocks are copied so that the inner loop
// reads contiguous memory; small ones are read in place.
import { jobField } from './job';
import { tileTransposedA4, tileRowMajorA4, tileIndirectB4 } from './simd256-tile';
import { real } from './real';
import { packedA, packedB, edgeTile } from './scratch';
import { ADD, tilesTransposedA, tilesRowMajorA, tilesIndirectB, ROWS, SET, storeVector } from './tile';
import { LANES, loadPartial, SIZE, splat, VECTOR } from './vectors';

/** Columns per tile, and per panel. */
export const COLUMNS: i32 = 2 * LANES;
/** Sums over the inner dimension run in blocks of this length. */
const BLOCK_K: i32 = 1024 / <i32>SIZE;
/** Bytes per row of a panel of b: one vector if that is enough, otherwise two; always two if tiles take two panels. */
// @ts-ignore: decorator
@inline
function panelStep(columns: i32): usize {
  return useSimd256 || columns > LANES ? 2 * VECTOR : VECTOR;
}

/** Copies k rows of n columns of b to panels of COLUMNS columns; the last one is padded with zeros to whole vectors. */
export function packB(to: usize, b: usize, bRow: usize, bColumn: usize, k: i32, n: i32): void {
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
          from += bRow;
          at += 2 * VECTOR;
        }
      } else {
        for (let p = 0; p < k; p++) {
          v128.store(at, loadPartial(from, width));
          if (step > VECTOR)
            v128.store(at, width > LANES ? loadPartial(from + VECTOR, width - LANES) : splat(0), VECTOR);
          from += bRow;
          at += step;
        }
      }
    }
    to += <usize>k * step;
  }
}

/** Transposes LANES rows to LANES columns, `step` bytes apart; z and w are used with four lanes. */
// @ts-ignore: decorator
@inline
export function transpose(to: usize, step: usize, x: v128, y: v128, z: v128, w: v128): void {
  if (sizeof<real>() == 8) {
    v128.store(to, v128.shuffle<f64>(x, y, 0, 2));
    v128.store(to + step, v128.shuffle<f64>(x, y, 1, 3));
    return;
  }
  const xy = v128.shuffle<f32>(x, y, 0, 4, 1, 5),
    zw = v128.shuffle<f32>(z, w, 0, 4, 1, 5);
  const xy2 = v128.shuffle<f32>(x, y, 2, 6, 3, 7),
    zw2 = v128.shuffle<f32>(z, w, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(xy, zw, 0, 2));
  v128.store(to + step, v128.shuffle<f64>(xy, zw, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<f64>(xy2, zw2, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<f64>(xy2, zw2, 1, 3));
}

/**
 * Transposes `width` rows of k elements, `distance` bytes apart: panel[p][q] = from[q][p], padded with zeros to rows of
 * `step` bytes.
 */
function transposePanel(to: usize, from: usize, distance: usize, k: i32, width: i32, step: usize): void {
  const zero = splat(0);
  for (let rows = width, end = to + step; to < end; to += VECTOR, rows -= LANES) {
    const r0 = from,
      r1 = r0 + distance,
      r2 = r1 + distance,
      r3 = r2 + distance;
    let at = to;
    let o: usize = 0;
    const whole = <usize>(k & -LANES) * SIZE;
    if (rows >= LANES) {
      for (; o < whole; o += VECTOR) {
        const x = v128.load(r0 + o),
          y = v128.load(r1 + o);
        if (LANES == 4) transpose(at, step, x, y, v128.load(r2 + o), v128.load(r3 + o));
        else transpose(at, step, x, y, zero, zero);
        at += LANES * step;
      }
    } else {
      for (; o < whole; o += VECTOR) {
        const x = rows > 0 ? v128.load(r0 + o) : zero,
          y = rows > 1 ? v128.load(r1 + o) : zero,
          z = rows > 2 ? v128.load(r2 + o) : zero;
        transpose(at, step, x, y, z, zero);
        at += LANES * step;
      }
    }
    for (; o < <usize>k * SIZE; o += SIZE) {
      for (let l = 0; l < LANES; l++)
        store<real>(at + <usize>l * SIZE, l < rows ? load<real>(r0 + <usize>l * distance + o) : 0);
      at += step;
    }
    from += LANES * distance;
  }
}

/** Copies up to ROWS rows of a, whose columns are contiguous, to a panel. */
function packPanelA(to: usize, a: usize, aColumn: usize, rows: i32, k: i32): void {
  const bytes = <usize>rows * SIZE;
  for (let p = 0; p < k; p++) {
    for (let q: usize = 0; q < bytes; q += SIZE) store<real>(to + q, load<real>(a + q));
    to += bytes;
    a += aColumn;
  }
}

/** Whether this instance uses the tiles of simd256-tile.ts. */
let useSimd256: bool = false;

export function useSimd256Tiles(on: bool): void {
  useSimd256 = on;
}

/** The rows of the next tile: 4 and 4 are faster than 6 and 2. */
// @ts-ignore: decorator
@inline
function tileRows(left: i32): i32 {
  return ROWS == 6 && left == 8 ? 4 : min(ROWS, left);
}

/** All rows of a with one panel of b, or with columns of b in place. */
function multiplyPanel(
  m: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  for (let left = m; left > 0;) {
    const rows = tileRows(left);
    if (aRow == SIZE) tilesTransposedA(rows, k, a, aColumn, b, bStep, c, cRow, columns, mode, bias);
    else tilesRowMajorA(rows, k, a, aRow, aColumn, b, bStep, c, cRow, columns, mode, bias);
    a += <usize>rows * aRow;
    c += <usize>rows * cRow;
    left -= rows;
  }
}

/** Four rows of a with two panels of b, which are `panel` bytes apart. */
// @ts-ignore: decorator
@inline
function tile4x4(
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bStep: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  mode: i32,
  bias: usize,
): void {
  if (aRow == SIZE) tileTransposedA4(k, a, aColumn, b, bStep, panel, c, cRow, mode, bias);
  else tileRowMajorA4(k, a, aRow, aColumn, b, bStep, panel, c, cRow, mode, bias);
}

/** The same if only the rows from `row` on and some columns are needed, by way of scratch memory. */
function partialTile4x4(
  row: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bStep: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  tile4x4(k, a, aRow, aColumn, b, bStep, panel, edgeTile(), 4 * VECTOR, SET, 0);
  storePartialTile(row, c, cRow, columns, mode, bias);
}

/** Stores the rows from `row` on and this many columns of the tile in scratch memory. */
function storePartialTile(row: i32, c: usize, cRow: usize, columns: i32, mode: i32, bias: usize): void {
  for (; row < 4; row++) {
    const from = edgeTile() + <usize>row * 4 * VECTOR,
      to = c + <usize>row * cRow;
    for (let j = 0; j < columns; j += LANES) {
      const offset = <usize>j * SIZE;
      storeVector(to + offset, v128.load(from + offset), mode, bias ? bias + offset : 0, columns - j);
    }
  }
}

/** At least four rows of a with two panels of b that contain this many columns of the result. */
function multiplyPanelPair(
  m: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bStep: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  columns: i32,
  mode: i32,
  bias: usize,
): void {
  for (; m >= 4; m -= 4) {
    if (columns == 2 * COLUMNS) tile4x4(k, a, aRow, aColumn, b, bStep, panel, c, cRow, mode, bias);
    else partialTile4x4(0, k, a, aRow, aColumn, b, bStep, panel, c, cRow, columns, mode, bias);
    a += 4 * aRow;
    c += 4 * cRow;
  }
  if (m == 0) return;
  // The last four rows, some of which are repeated.
  const again = 4 - m;
  partialTile4x4(
    again,
    k,
    a - <usize>again * aRow,
    aRow,
    aColumn,
    b,
    bStep,
    panel,
    c - <usize>again * cRow,
    cRow,
    columns,
    mode,
    bias,
  );
}

/**
 * m rows of a with contiguous elements, and two panels of b with COLUMNS columns each, `panel` bytes apart. Entry p of
 * the table is the offset of row p from b, so b can consist of any short rows.
 */
export function gemmIndirect(
  m: i32,
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
  if (!useSimd256 || m < 4) {
    for (let half = 0; half < 2; half++) {
      let from = a,
        to = c;
      for (let left = m; left > 0;) {
        const rows = tileRows(left);
        tilesIndirectB(rows, k, from, aRow, b, table, to, cRow, mode);
        from += <usize>rows * aRow;
        to += <usize>rows * cRow;
        left -= rows;
      }
      b += panel;
      c += 2 * VECTOR;
    }
    return;
  }
  for (; m >= 4; m -= 4) {
    tileIndirectB4(k, a, aRow, b, table, panel, c, cRow, mode);
    a += 4 * aRow;
    c += 4 * cRow;
  }
  if (m == 0) return;
  const again = 4 - m;
  tileIndirectB4(k, a - <usize>again * aRow, aRow, b, table, panel, edgeTile(), 4 * VECTOR, SET);
  storePartialTile(again, c - <usize>again * cRow, cRow, 2 * COLUMNS, mode, 0);
}

/** a in place, b in rows of whole vectors, bRow bytes apart; one vector after its end may be read. */
export function gemmUnpacked(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  mode: i32,
  bias: usize,
): void {
  for (let j = 0; j < n;) {
    const left = n - j;
    const offset = <usize>j * SIZE;
    const biasHere = bias ? bias + offset : 0;
    if (useSimd256 && left > COLUMNS && m >= 4) {
      multiplyPanelPair(
        m,
        k,
        a,
        aRow,
        aColumn,
        b + offset,
        bRow,
        2 * VECTOR,
        c + offset,
        cRow,
        min(2 * COLUMNS, left),
        mode,
        biasHere,
      );
      j += 2 * COLUMNS;
    } else {
      multiplyPanel(m, k, a, aRow, aColumn, b + offset, bRow, c + offset, cRow, min(COLUMNS, left), mode, biasHere);
      j += COLUMNS;
    }
  }
}

/** a in place, b in panels. */
export function gemmPackedB(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  c: usize,
  cRow: usize,
  mode: i32,
  bias: usize,
): void {
  for (let j = 0; j < n;) {
    const left = n - j;
    const bStep = panelStep(left);
    const panel = <usize>k * bStep;
    const offset = <usize>j * SIZE;
    const biasHere = bias ? bias + offset : 0;
    if (useSimd256 && left > COLUMNS && m >= 4) {
      multiplyPanelPair(
        m,
        k,
        a,
        aRow,
        aColumn,
        b,
        bStep,
        panel,
        c + offset,
        cRow,
        min(2 * COLUMNS, left),
        mode,
        biasHere,
      );
      b += 2 * panel;
      j += 2 * COLUMNS;
    } else {
      multiplyPanel(m, k, a, aRow, aColumn, b, bStep, c + offset, cRow, min(COLUMNS, left), mode, biasHere);
      b += panel;
      j += COLUMNS;
    }
  }
}

/** The same, with a few rows of a at a time copied: for inner indices of a whose distance causes cache conflicts. */
function gemmPackedAB(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aColumn: usize,
  b: usize,
  c: usize,
  cRow: usize,
  mode: i32,
  bias: usize,
): void {
  const panel = packedA();
  for (let left = m; left > 0;) {
    const rows = useSimd256 ? min(4, left) : tileRows(left);
    packPanelA(panel, a, aColumn, rows, k);
    gemmPackedB(rows, n, k, panel, SIZE, <usize>rows * SIZE, b, c, cRow, mode, bias);
    a += <usize>rows * SIZE;
    c += <usize>rows * cRow;
    left -= rows;
  }
}

/** Whether the inner indices of a are so far apart that few fit into the cache; copying pays only for many columns. */
// @ts-ignore: decorator
@inline
export function thrashesCache(aRow: usize, aColumn: usize, n: i32): bool {
  return aRow == SIZE && (aColumn & 1023) == 0 && n >= 64;
}

/** One chunk of the current product: some rows and columns of c, over the whole inner dimension. */
export function gemmChunk(index: i32): void {
  const m = <i32>jobField(0),
    n = <i32>jobField(1),
    k = <i32>jobField(2);
  const aRow = jobField(4),
    aColumn = jobField(5),
    bRow = jobField(7),
    bColumn = jobField(8);
  const mode = <i32>jobField(10),
    bias = jobField(11);
  const rowsPerChunk = <i32>jobField(12),
    columnsPerChunk = <i32>jobField(13);
  const across = (n + columnsPerChunk - 1) / columnsPerChunk;
  const i = (index / across) * rowsPerChunk,
    j = (index % across) * columnsPerChunk;
  const rows = min(rowsPerChunk, m - i),
    columns = min(columnsPerChunk, n - j);
  const cRow = <usize>n * SIZE;
  const c = jobField(9) + <usize>i * cRow + <usize>j * SIZE;
  let a = jobField(3) + <usize>i * aRow,
    b = jobField(6) + <usize>j * bColumn;
  const copy = packedB();
  for (let p = 0; p < k; p += BLOCK_K) {
    const depth = min(BLOCK_K, k - p);
    packB(copy, b, bRow, bColumn, depth, columns);
    const how = p == 0 ? mode : ADD;
    const biasHere = p == 0 && bias ? bias + <usize>j * SIZE : 0;
    if (thrashesCache(aRow, aColumn, n)) gemmPackedAB(rows, columns, depth, a, aColumn, copy, c, cRow, how, biasHere);
    else gemmPackedB(rows, columns, depth, a, aRow, aColumn, copy, c, cRow, how, biasHere);
    a += <usize>BLOCK_K * aColumn;
    b += <usize>BLOCK_K * bRow;
  }
}

// Many perturbations of a network, each independent of the others: their effect on columns and rows. Shapes are
// documented in src/engine/kernels/kernels.ts. Products and sums are rounded separately, as in TypeScript.
import { real } from './real';
import { LANES, loadPartial, SIZE, splat, storePartial, VECTOR } from './vectors';

/** Row `columnIndices[i]` of a matrix with this many bytes per row. */
// @ts-ignore: decorator
@inline
function rowAt(matrix: usize, columnIndices: usize, bytes: usize): usize {
  return matrix + <usize>load<real>(columnIndices) * bytes;
}

/** Without derivatives, every number of a column is shifted by the same step. */
export function perturbColumns(
  out: usize,
  columns: usize,
  columnIndices: usize,
  steps: usize,
  derivatives: usize,
  derivativeIndices: usize,
  perturbations: i32,
  m: i32,
): void {
  const bytes = <usize>m * SIZE;
  for (; perturbations > 0; perturbations--) {
    let x = rowAt(columns, columnIndices, bytes);
    let derivative = derivatives == 0 ? 0 : rowAt(derivatives, derivativeIndices, bytes);
    const step = splat(load<real>(steps));
    for (let left = m; left > 0; left -= LANES) {
      const change = derivatives == 0 ? step : v128.mul<real>(step, loadPartial(derivative, left));
      storePartial(out, v128.add<real>(loadPartial(x, left), change), left);
      const advance = <usize>min(left, LANES) * SIZE;
      out += advance;
      x += advance;
      derivative += advance;
    }
    columnIndices += SIZE;
    steps += SIZE;
    derivativeIndices += SIZE;
  }
}

export function replaceColumns(
  y: usize,
  rows: usize,
  perturbed: usize,
  columnIndices: usize,
  perturbations: i32,
  m: i32,
  n: i32,
): void {
  const bytes = <usize>n * SIZE;
  for (; perturbations > 0; perturbations--) {
    memory.copy(y, rows, <usize>m * bytes);
    let at = y + <usize>load<real>(columnIndices) * SIZE;
    for (let i = 0; i < m; i++) {
      store<real>(at, load<real>(perturbed));
      at += bytes;
      perturbed += SIZE;
    }
    y += <usize>m * bytes;
    columnIndices += SIZE;
  }
}

export function rank1Update(
  y: usize,
  rows: usize,
  perturbed: usize,
  columns: usize,
  weights: usize,
  columnIndices: usize,
  perturbations: i32,
  m: i32,
  n: i32,
): void {
  for (; perturbations > 0; perturbations--) {
    const weight = rowAt(weights, columnIndices, <usize>n * SIZE);
    let column = rowAt(columns, columnIndices, <usize>m * SIZE);
    let x = rows;
    for (let i = 0; i < m; i++) {
      const by = splat(load<real>(perturbed) - load<real>(column));
      let w = weight;
      let left = n;
      for (; left >= LANES; left -= LANES) {
        v128.store(y, v128.add<real>(v128.load(x), v128.mul<real>(by, v128.load(w))));
        y += VECTOR;
        x += VECTOR;
        w += VECTOR;
      }
      if (left > 0) {
        storePartial(y, v128.add<real>(loadPartial(x, left), v128.mul<real>(by, loadPartial(w, left))), left);
        y += <usize>left * SIZE;
        x += <usize>left * SIZE;
      }
      perturbed += SIZE;
      column += SIZE;
    }
    columnIndices += SIZE;
  }
}

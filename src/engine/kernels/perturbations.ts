// The perturbation kernels of `kernels.ts` in plain loops, for backends without their own.
import type { Shape2, Shape3, Tensor } from './tensor';

export function perturbColumns(
  { shape, data: out }: Tensor,
  columns: Tensor,
  { data: columnIndices }: Tensor,
  steps: Tensor,
  derivatives: Tensor | null,
  derivativeIndices: Tensor,
): void {
  const [, m] = shape as Shape2;
  for (let i = 0, at = 0; i < columnIndices.length; i++) {
    const first = columnIndices[i]! * m;
    for (let k = 0; k < m; k++, at++) {
      const derivative = derivatives ? derivatives.data[derivativeIndices.data[i]! * m + k]! : 1;
      out[at] = columns.data[first + k]! + steps.data[i]! * derivative;
    }
  }
}

export function replaceColumns(
  { shape, data: y }: Tensor,
  rows: Tensor,
  perturbed: Tensor,
  { data: columnIndices }: Tensor,
): void {
  const [, m, n] = shape as Shape3;
  for (let i = 0; i < columnIndices.length; i++) {
    y.set(rows.data, i * m * n);
    for (let k = 0; k < m; k++) y[(i * m + k) * n + columnIndices[i]!] = perturbed.data[i * m + k]!;
  }
}

export function rank1Update(
  { shape, data: y }: Tensor,
  rows: Tensor,
  perturbed: Tensor,
  columns: Tensor,
  weights: Tensor,
  { data: columnIndices }: Tensor,
): void {
  const [, m, n] = shape as Shape3;
  for (let i = 0, at = 0; i < columnIndices.length; i++) {
    for (let k = 0, row = 0; k < m; k++) {
      const change = perturbed.data[i * m + k]! - columns.data[columnIndices[i]! * m + k]!;
      for (let j = columnIndices[i]! * n; j < (columnIndices[i]! + 1) * n; j++, row++, at++)
        y[at] = rows.data[row]! + change * weights.data[j]!;
    }
  }
}

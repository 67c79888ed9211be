// Many numbers moved at once, each by itself, in plain loops: what `kernels.ts` says of them, for the backend without any.
import type { Tensor } from './tensor';

export function moveColumns({ shape: [, m], data: out }: Tensor, columns: Tensor, { data: places }: Tensor, by: Tensor, slopes: Tensor | null, from: Tensor): void {
  for (let i = 0, at = 0; i < places.length; i++) {
    const first = places[i] * m;
    for (let k = 0; k < m; k++, at++) {
      const slope = slopes ? slopes.data[from.data[i] * m + k] : 1;
      out[at] = columns.data[first + k] + by.data[i] * slope;
    }
  }
}

export function placeColumns({ shape: [, m, n], data: y }: Tensor, rows: Tensor, moved: Tensor, { data: places }: Tensor): void {
  for (let i = 0; i < places.length; i++) {
    y.set(rows.data, i * m * n);
    for (let k = 0; k < m; k++) y[(i * m + k) * n + places[i]] = moved.data[i * m + k];
  }
}

export function addShares({ shape: [, m, n], data: y }: Tensor, rows: Tensor, moved: Tensor, columns: Tensor, weights: Tensor, { data: places }: Tensor): void {
  for (let i = 0, at = 0; i < places.length; i++) {
    for (let k = 0, row = 0; k < m; k++) {
      const by = moved.data[i * m + k] - columns.data[places[i] * m + k];
      for (let j = places[i] * n; j < (places[i] + 1) * n; j++, row++, at++) y[at] = rows.data[row] + by * weights.data[j];
    }
  }
}

// The products of multi-head attention. Heads are slices of the last axis: head h of x[n,t,e] is x[n,t,h·d … h·d + d),
// with d = e / heads. Pairs of positions are [n,heads,t,s].
import { exp } from '../deterministic-math';
import type { Shape3, Shape4, Tensor } from './tensor';

/** pairs[n,h,i,j] = scale · a[n,i,head h] · b[n,j,head h]. */
export function headProducts(pairs: Tensor, a: Tensor, b: Tensor, scale: number): void {
  const [samples, heads, rows, columns] = pairs.shape as Shape4;
  const [, , width] = a.shape as Shape3;
  const size = width / heads;
  let to = 0;
  for (let n = 0; n < samples; n++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < rows; i++) {
        const left = (n * rows + i) * width + h * size;
        for (let j = 0; j < columns; j++, to++) {
          const right = (n * columns + j) * width + h * size;
          let sum = 0;
          for (let k = 0; k < size; k++) sum += a.data[left + k]! * b.data[right + k]!;
          pairs.data[to] = scale * sum;
        }
      }
}

/** y[n,i,head h] = scale · Σ_j pairs[n,h,i,j] x[n,j,head h]. */
export function headSums(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void {
  const [samples, heads, rows, columns] = pairs.shape as Shape4;
  const [, , width] = x.shape as Shape3;
  const size = width / heads;
  const sums = new Float64Array(size);
  let from = 0;
  for (let n = 0; n < samples; n++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < rows; i++) {
        sums.fill(0);
        for (let j = 0; j < columns; j++, from++) {
          const right = (n * columns + j) * width + h * size;
          const weight = pairs.data[from]!;
          for (let k = 0; k < size; k++) sums[k]! += weight * x.data[right + k]!;
        }
        const to = (n * rows + i) * width + h * size;
        for (let k = 0; k < size; k++) y.data[to + k] = scale * sums[k]!;
      }
}

/** y[n,j,head h] = scale · Σ_i pairs[n,h,i,j] x[n,i,head h]. */
export function headSumsTransposed(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void {
  const [samples, heads, rows, columns] = pairs.shape as Shape4;
  const [, , width] = x.shape as Shape3;
  const size = width / heads;
  const sums = new Float64Array(columns * size);
  for (let n = 0; n < samples; n++)
    for (let h = 0; h < heads; h++) {
      sums.fill(0);
      let from = (n * heads + h) * rows * columns;
      for (let i = 0; i < rows; i++) {
        const right = (n * rows + i) * width + h * size;
        for (let j = 0; j < columns; j++, from++) {
          const weight = pairs.data[from]!;
          for (let k = 0; k < size; k++) sums[j * size + k]! += weight * x.data[right + k]!;
        }
      }
      for (let j = 0; j < columns; j++) {
        const to = (n * columns + j) * width + h * size;
        for (let k = 0; k < size; k++) y.data[to + k] = scale * sums[j * size + k]!;
      }
    }
}

/** Each row i of x[n,heads,t,s]: the softmax of its entries up to i, and 0 after them. */
export function causalSoftmax(y: Tensor, x: Tensor): void {
  const [, , rows, columns] = x.shape as Shape4;
  for (let from = 0, row = 0; from < x.data.length; from += columns, row = (row + 1) % rows) {
    const end = from + Math.min(row + 1, columns);
    let max = -Infinity;
    for (let i = from; i < end; i++) max = Math.max(max, x.data[i]!);
    let sum = 0;
    for (let i = from; i < end; i++) sum += exp(x.data[i]! - max);
    for (let i = from; i < end; i++) y.data[i] = exp(x.data[i]! - max) / sum;
    y.data.fill(0, end, from + columns);
  }
}

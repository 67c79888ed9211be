// The feature map of a kernel function: what is k(x, c) for every centre c, times a matrix. Rows are taken in blocks, so
// that all of it is products of matrices in a workspace of one size. (Such a kernel is not one of these kernels.)
import { exp, power } from '../functions';
import type { Kernels } from './kernels';
import { type Tensor, type TensorData } from './tensor';

/** Linear: x·c. Polynomial: (gamma x·c + coef0)^degree. RBF: exp(-gamma |x - c|²). */
export interface Similarity {
  readonly kernel: 'linear' | 'poly' | 'rbf';
  readonly gamma: number;
  readonly degree: number;
  readonly coef0: number;
}

/** Rows in a block. */
export const BLOCK = 32;

type Products = Pick<Kernels, 'matmul' | 'matmulTransposedB'>;

interface Block {
  readonly from: number;
  readonly rows: Tensor;
  /** The workspace, for so many rows. */
  readonly work: Tensor;
}

/** Views are made once for a tensor and its workspace: a training step makes no garbage. */
const made = new WeakMap<Tensor, WeakMap<Tensor, readonly Block[]>>();

function blocksOf(y: Tensor, workspace: Tensor): readonly Block[] {
  let byWorkspace = made.get(y);
  if (!byWorkspace) made.set(y, (byWorkspace = new WeakMap()));
  let blocks = byWorkspace.get(workspace);
  if (!blocks) {
    const [samples, width] = y.shape;
    blocks = Array.from({ length: Math.ceil(samples / BLOCK) }, (_, i) => {
      const from = i * BLOCK;
      const rows = Math.min(BLOCK, samples - from);
      return {
        from,
        rows: { shape: [rows, width], data: y.data.subarray(from * width, (from + rows) * width) },
        work: { shape: [rows, width], data: workspace.data.subarray(0, rows * width) },
      };
    });
    byWorkspace.set(workspace, blocks);
  }
  return blocks;
}

/** k(x, c) of `size` numbers at two places. */
export function similarity({ kernel, gamma, degree, coef0 }: Similarity, x: TensorData, at: number, c: TensorData, from: number, size: number): number {
  let sum = 0;
  if (kernel === 'rbf') {
    // Not by |x|² + |c|² - 2 x·c, which cancels.
    for (let i = 0; i < size; i++) {
      const difference = x[at + i] - c[from + i];
      sum += difference * difference;
    }
    return exp(-gamma * sum);
  }
  for (let i = 0; i < size; i++) sum += x[at + i] * c[from + i];
  return kernel === 'linear' ? sum : power(gamma * sum + coef0, degree);
}

/** y[n,m] = k(x, centers[m,d]) matrix[m,m]; the workspace is [BLOCK, m]. */
export function featureMap(kernels: Products, y: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: Similarity, workspace: Tensor): void {
  const [count, size] = centers.shape;
  for (const { from, rows, work } of blocksOf(y, workspace)) {
    for (let row = 0; row < rows.shape[0]; row++) {
      for (let j = 0; j < count; j++) work.data[row * count + j] = similarity(f, x.data, (from + row) * size, centers.data, j * size, size);
    }
    kernels.matmul(rows, work, matrix, false);
  }
}

/** dx = Σ over the centres of (dy matrixᵀ) ∂k/∂x. */
export function featureMapBackward(
  kernels: Products, dx: Tensor, dy: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: Similarity, workspace: Tensor,
): void {
  const [count, size] = centers.shape;
  const { kernel, gamma, degree, coef0 } = f;
  const sums = new Float64Array(size);
  for (const { from, rows, work } of blocksOf(dy, workspace)) {
    kernels.matmulTransposedB(work, rows, matrix, false);
    for (let row = 0; row < rows.shape[0]; row++) {
      const at = (from + row) * size;
      sums.fill(0);
      for (let j = 0, c = 0; j < count; j++, c += size) {
        const arriving = work.data[row * count + j];
        if (kernel === 'rbf') {
          const slope = -2 * gamma * arriving * similarity(f, x.data, at, centers.data, c, size);
          for (let i = 0; i < size; i++) sums[i] += slope * (x.data[at + i] - centers.data[c + i]);
          continue;
        }
        let slope = arriving;
        if (kernel === 'poly') {
          let inner = 0;
          for (let i = 0; i < size; i++) inner += x.data[at + i] * centers.data[c + i];
          slope *= degree * gamma * power(gamma * inner + coef0, degree - 1);
        }
        for (let i = 0; i < size; i++) sums[i] += slope * centers.data[c + i];
      }
      for (let i = 0; i < size; i++) dx.data[at + i] = sums[i];
    }
  }
}

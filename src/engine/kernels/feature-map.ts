// The feature map of a kernel function: k(x, c) for every center c, times a matrix. Rows are processed in blocks, so
// that everything is matrix products in a workspace of fixed size. (A kernel function is not one of the kernels of this
// folder.)
import { integerPower } from '../deterministic-math';
import { type KernelFunction, kernelValue } from './kernel-function';
import type { Kernels } from './kernels';
import type { Shape2, Tensor } from './tensor';

/** Rows per block. */
export const BLOCK_ROWS = 32;

type MatmulKernels = Pick<Kernels, 'matmul' | 'matmulTransposedB'>;

interface RowBlock {
  readonly from: number;
  readonly rows: Tensor;
  /** The workspace, for this many rows. */
  readonly workspace: Tensor;
}

/** Views are cached per tensor and workspace, so that training steps allocate nothing. */
const blockCache = new WeakMap<Tensor, WeakMap<Tensor, readonly RowBlock[]>>();

function rowBlocks(y: Tensor, workspace: Tensor): readonly RowBlock[] {
  let byWorkspace = blockCache.get(y);
  if (!byWorkspace) blockCache.set(y, (byWorkspace = new WeakMap()));
  let blocks = byWorkspace.get(workspace);
  if (!blocks) {
    const [samples, width] = y.shape as Shape2;
    blocks = Array.from({ length: Math.ceil(samples / BLOCK_ROWS) }, (_, i) => {
      const from = i * BLOCK_ROWS;
      const rows = Math.min(BLOCK_ROWS, samples - from);
      return {
        from,
        rows: { shape: [rows, width], data: y.data.subarray(from * width, (from + rows) * width) },
        workspace: { shape: [rows, width], data: workspace.data.subarray(0, rows * width) },
      };
    });
    byWorkspace.set(workspace, blocks);
  }
  return blocks;
}

/** y[n,m] = k(x, centers[m,d]) matrix[m,m]; the workspace is [BLOCK, m]. */
export function featureMap(
  kernels: MatmulKernels,
  y: Tensor,
  x: Tensor,
  centers: Tensor,
  matrix: Tensor,
  f: KernelFunction,
  workspace: Tensor,
): void {
  const [count, size] = centers.shape as Shape2;
  for (const { from, rows, workspace: workspaceRows } of rowBlocks(y, workspace)) {
    for (let row = 0; row < rows.shape[0]!; row++) {
      for (let j = 0; j < count; j++)
        workspaceRows.data[row * count + j] = kernelValue(f, x.data, (from + row) * size, centers.data, j * size, size);
    }
    kernels.matmul(rows, workspaceRows, matrix, false);
  }
}

/** dx = Σ over the centers of (dy matrixᵀ) ∂k/∂x. */
export function featureMapBackward(
  kernels: MatmulKernels,
  dx: Tensor,
  dy: Tensor,
  x: Tensor,
  centers: Tensor,
  matrix: Tensor,
  f: KernelFunction,
  workspace: Tensor,
): void {
  const [count, size] = centers.shape as Shape2;
  const { kernel, gamma, degree, coef0 } = f;
  const sums = new Float64Array(size);
  for (const { from, rows, workspace: workspaceRows } of rowBlocks(dy, workspace)) {
    kernels.matmulTransposedB(workspaceRows, rows, matrix, false);
    for (let row = 0; row < rows.shape[0]!; row++) {
      const at = (from + row) * size;
      sums.fill(0);
      for (let j = 0, c = 0; j < count; j++, c += size) {
        const upstream = workspaceRows.data[row * count + j]!;
        if (kernel === 'rbf') {
          const coefficient = -2 * gamma * upstream * kernelValue(f, x.data, at, centers.data, c, size);
          for (let i = 0; i < size; i++) sums[i]! += coefficient * (x.data[at + i]! - centers.data[c + i]!);
          continue;
        }
        let coefficient = upstream;
        if (kernel === 'poly') {
          let inner = 0;
          for (let i = 0; i < size; i++) inner += x.data[at + i]! * centers.data[c + i]!;
          coefficient *= degree * gamma * integerPower(gamma * inner + coef0, degree - 1);
        }
        for (let i = 0; i < size; i++) sums[i]! += coefficient * centers.data[c + i]!;
      }
      for (let i = 0; i < size; i++) dx.data[at + i] = sums[i]!;
    }
  }
}

// Products of matrices, and of stacks of them.
import { formatShape, numel, type Tensor } from '../../kernels/tensor';
import { broadcastShape, broadcastIndices } from '../broadcast';
import { requireTensor, type Operation } from '../operation';
import { OperationError } from '../tape';

/** y[m,n] = a[m,k] b[k,n]; da = dy bᵀ, db = aᵀ dy. Axes in front are broadcast. */
export const matmul: Operation<[a: Tensor, b: Tensor]> = (tape, left, right) => {
  const a = requireTensor('matmul', left);
  const b = requireTensor('matmul', right);
  const [m, k] = a.shape.slice(-2) as [number, number];
  const [rows, n] = b.shape.slice(-2) as [number, number];
  if (a.shape.length < 2 || b.shape.length < 2 || k !== rows) {
    throw new OperationError(
      `matmul: a matrix of ${formatShape(a.shape)} cannot be multiplied with one of ${formatShape(b.shape)}.`,
    );
  }
  const stackA = a.shape.slice(0, -2);
  const stackB = b.shape.slice(0, -2);
  const stack = broadcastShape('matmul', stackA, stackB);
  const inA = broadcastIndices(stackA, stack);
  const inB = broadcastIndices(stackB, stack);
  /** Visits each product with the offsets of its matrices in a, b and y. */
  const each = (work: (a: number, b: number, y: number) => void): void => {
    for (let s = 0; s < numel(stack); s++) work((inA ? inA[s]! : s) * m * k, (inB ? inB[s]! : s) * k * n, s * m * n);
  };
  const y = tape.allocate(numel(stack) * m * n);
  each((atA, atB, atY) => {
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < k; l++) {
        const factor = a.data[atA + i * k + l]!;
        for (let j = 0; j < n; j++) y[atY + i * n + j]! += factor * b.data[atB + l * n + j]!;
      }
    }
  });
  return tape.record([a, b], [...stack, m, n], y, (dy) => {
    const da = tape.allocate(a.data.length);
    const db = tape.allocate(b.data.length);
    each((atA, atB, atY) => {
      for (let i = 0; i < m; i++) {
        for (let l = 0; l < k; l++) {
          let sum = 0;
          const factor = a.data[atA + i * k + l]!;
          for (let j = 0; j < n; j++) {
            const up = dy[atY + i * n + j]!;
            sum += up * b.data[atB + l * n + j]!;
            db[atB + l * n + j]! += factor * up;
          }
          da[atA + i * k + l]! += sum;
        }
      }
    });
    return [da, db];
  });
};

import { numel, type Shape, type Tensor } from '../kernels/tensor';
import { noOptions } from '../option-schemas';
import { defineLayer } from './layer';

/** The matrix of one sample, in the memory of the batch. */
function matrixOf({ shape: [, ...shape], data }: Tensor, sample: number): Tensor {
  const size = numel(shape);
  return { shape, data: data.subarray(sample * size, (sample + 1) * size) };
}

/** y = x₁ x₂ of each sample; x₁ [batch, m, k], x₂ [batch, k, n], y [batch, m, n]; dx₁ = dy x₂ᵀ, dx₂ = x₁ᵀ dy. */
export const matmul = defineLayer({
  kind: 'matmul',
  aliases: ['bmm', 'dot', 'matrix_product'],
  summary: 'y = x₁ x₂: the matrix product of its two inputs, sample by sample.',
  formulas: () => ({
    equations: ['y = x @ x2', 'dx = dy @ T(x2)', 'd(x2) = T(x) @ dy'],
  }),
  options: noOptions,
  inputCount: { min: 2, max: 2 },
  checkInputs(inputs) {
    const [a, b] = inputs as readonly [Shape, Shape];
    const areMatrices = inputs.every(({ length }) => length === 2);
    if (areMatrices && a[1] === b[0]) return undefined;
    return {
      requirement: 'multiplies matrices m × k and k × n',
      positions: [0, 1],
      remedy: areMatrices
        ? 'Give the second as many rows as the first has columns.'
        : 'Give it two matrices per sample.',
    };
  },
  outputShape: ([rows], _options, [other] = []) => [rows!, other![1]!],
  macs: ([, columns], output) => columns! * numel(output),
  forward({ kernels, input, otherInputs, output }) {
    for (let i = 0; i < input.shape[0]!; i++)
      kernels.matmul(matrixOf(output, i), matrixOf(input, i), matrixOf(otherInputs[0]!, i), false);
  },
  backward({ kernels, input, otherInputs, gradOutput, gradInput, gradOtherInputs: [gradOther] }) {
    for (let i = 0; i < input.shape[0]!; i++) {
      const upstream = matrixOf(gradOutput, i);
      if (gradInput) kernels.matmulTransposedB(matrixOf(gradInput, i), upstream, matrixOf(otherInputs[0]!, i), false);
      if (gradOther) kernels.matmulTransposedA(matrixOf(gradOther, i), matrixOf(input, i), upstream, false);
    }
  },
});

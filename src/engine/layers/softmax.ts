import { noOptions } from '../option-schemas';
import { checkRows, defineLayer, eachPosition } from './layer';

/** y_i = exp(x_i) / Σ_j exp(x_j) over the last dimension; dx = y (dy - dy·y). */
export const softmax = defineLayer({
  kind: 'softmax',
  question: 'softmax-sharpens',
  summary: 'y_i = exp(x_i) / Σ_j exp(x_j): positive numbers that sum to 1.',
  formulas: () => ({
    reading: 'row',
    equations: ['y[i] = exp(x[i]) / sum(j: exp(x[j]))', 'dx[i] = y[i] * (dy[i] - sum(j: y[j] * dy[j]))'],
  }),
  options: noOptions,
  checkInput: checkRows,
  outputShape: (input) => input,
  receptiveField: (_layer, input) => eachPosition(input),
  outputRange: () => [0, 1],
  outputMeaning: 'distribution',
  forward: ({ kernels, input, output }) => kernels.softmax(output, input),
  backward({ kernels, output, gradOutput, gradInput }) {
    if (gradInput) kernels.softmaxBackward(gradInput, gradOutput, output);
  },
});

import { noOptions } from '../option-schemas';
import { checkRows, defineLayer, eachPosition } from './layer';

/** y_i = x_i - log Σ_j exp(x_j) over the last dimension; dx = dy - exp(y) Σ dy. */
export const logSoftmax = defineLayer({
  kind: 'log_softmax',
  summary:
    'y_i = x_i - log Σ_j exp(x_j): the logarithm of the softmax, finite even where the softmax rounds to 0. For the loss nll.',
  formulas: () => ({
    reading: 'row',
    equations: ['y[i] = x[i] - log(sum(j: exp(x[j])))', 'dx[i] = dy[i] - exp(y[i]) * sum(j: dy[j])'],
  }),
  options: noOptions,
  checkInput: checkRows,
  outputShape: (input) => input,
  receptiveField: (_layer, input) => eachPosition(input),
  outputRange: () => [-Infinity, 0],
  outputMeaning: 'log_distribution',
  forward: ({ kernels, input, output }) => kernels.logSoftmax(output, input),
  backward({ kernels, output, gradOutput, gradInput }) {
    if (gradInput) kernels.logSoftmaxBackward(gradInput, gradOutput, output);
  },
});

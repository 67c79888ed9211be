import { noOptions } from '../option-schemas';
import { allInputGradients, checkEqualShapes, TWO_OR_MORE } from './join';
import { defineLayer } from './layer';

/** y = x₁ + x₂ + …; dxᵢ = dy. */
export const add = defineLayer({
  kind: 'add',
  aliases: ['sum', 'plus'],
  summary: 'y = x₁ + x₂ + …: the sum of its inputs, which have the same shape.',
  formulas: ({ inputs }) => ({
    equations: [`y = ${inputs.join(' + ')}`, ...inputs.map((name) => `d(${name}) = dy`)],
  }),
  options: noOptions,
  affine: true,
  inputCount: TWO_OR_MORE,
  checkInputs: checkEqualShapes('adds'),
  outputShape: (input) => input,
  receptiveField: () => 'pointwise',
  forward({ kernels, input, otherInputs, output }) {
    kernels.copy(output, input);
    for (const other of otherInputs) kernels.axpby(output, other, 1, 1);
  },
  backward(context) {
    for (const gradient of allInputGradients(context)) if (gradient) context.kernels.copy(gradient, context.gradOutput);
  },
});

import { noOptions } from '../option-schemas';
import { checkEqualShapes } from './join';
import { defineLayer } from './layer';

/** y = x₁ - x₂; dx₁ = dy, dx₂ = -dy. */
export const subtract = defineLayer({
  kind: 'subtract',
  aliases: ['sub', 'minus', 'difference'],
  summary: 'y = x₁ - x₂: the difference of its two inputs, which have the same shape.',
  formulas: () => ({
    equations: ['y = x - x2', 'dx = dy', 'd(x2) = -dy'],
  }),
  options: noOptions,
  affine: true,
  inputCount: { min: 2, max: 2 },
  checkInputs: checkEqualShapes('subtracts'),
  outputShape: (input) => input,
  receptiveField: () => 'pointwise',
  forward({ kernels, input, otherInputs, output }) {
    kernels.subtract(output, input, otherInputs[0]!);
  },
  backward({ kernels, gradOutput, gradInput, gradOtherInputs: [gradOther] }) {
    if (gradInput) kernels.copy(gradInput, gradOutput);
    if (gradOther) kernels.scale(gradOther, gradOutput, -1);
  },
});

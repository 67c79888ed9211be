import { noOptions } from '../option-schemas';
import { allInputGradients, allInputs, checkEqualShapes, TWO_OR_MORE } from './join';
import { defineLayer } from './layer';

/** y = x₁ x₂ …, element by element; dxᵢ = dy times the product of the other inputs. */
export const multiply = defineLayer({
  kind: 'multiply',
  aliases: ['mul', 'product', 'gate', 'hadamard'],
  summary: 'y = x₁ ⊙ x₂ ⊙ …: the product of its inputs, element by element. They have the same shape.',
  formulas: ({ inputs }) => ({
    equations: [
      `y = ${inputs.join(' .* ')}`,
      ...inputs.map((name) => `d(${name}) = dy .* ${inputs.filter((other) => other !== name).join(' .* ')}`),
    ],
  }),
  options: noOptions,
  inputCount: TWO_OR_MORE,
  checkInputs: checkEqualShapes('multiplies'),
  outputShape: (input) => input,
  receptiveField: () => 'pointwise',
  forward({ kernels, input, otherInputs, output }) {
    kernels.copy(output, input);
    for (const other of otherInputs) kernels.multiply(output, output, other);
  },
  backward(context) {
    const { kernels, gradOutput } = context;
    const inputs = allInputs(context);
    allInputGradients(context).forEach((gradient, i) => {
      if (!gradient) return;
      kernels.copy(gradient, gradOutput);
      inputs.forEach((other, j) => {
        if (j !== i) kernels.multiply(gradient, gradient, other);
      });
    });
  },
});

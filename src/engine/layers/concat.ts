import { formatShape, numel, type Tensor } from '../kernels/tensor';
import { noOptions } from '../option-schemas';
import { allInputGradients, allInputs, TWO_OR_MORE } from './join';
import { defineLayer } from './layer';

const sampleSize = ({ shape }: Tensor): number => numel(shape.slice(1));

/** y = [x₁, x₂, …] along the first axis of a sample: features, or the channels of images; dxᵢ is that part of dy. */
export const concat = defineLayer({
  kind: 'concat',
  aliases: ['concatenate', 'cat'],
  summary: 'y = [x₁, x₂, …]: joins its inputs along the first axis of a sample, features or the channels of images.',
  math: {
    forward: String.raw`y = [x_1, x_2, \dots]`,
    input: String.raw`\Big[\d{x_1}, \d{x_2}, \dots\Big] = \d{y}`,
  },
  options: noOptions,
  inputCount: TWO_OR_MORE,
  checkInputs(inputs) {
    const other = inputs.findIndex((shape) => formatShape(shape.slice(1)) !== formatShape(inputs[0]!.slice(1)));
    return other < 0
      ? undefined
      : {
          requirement: 'joins inputs that differ in their first axis only',
          positions: [0, other],
          remedy: 'Give both the same height and width.',
        };
  },
  outputShape: (input, _options, otherInputs = []) => [
    [input, ...otherInputs].reduce((sum, shape) => sum + shape[0]!, 0),
    ...input.slice(1),
  ],
  receptiveField: () => 'pointwise',
  forward(context) {
    let offset = 0;
    for (const input of allInputs(context)) {
      const size = sampleSize(input);
      context.kernels.copyColumns(context.output, offset, input, 0, size);
      offset += size;
    }
  },
  backward(context) {
    const inputs = allInputs(context);
    let offset = 0;
    allInputGradients(context).forEach((gradient, i) => {
      const size = sampleSize(inputs[i]!);
      if (gradient) context.kernels.copyColumns(gradient, 0, context.gradOutput, offset, size);
      offset += size;
    });
  },
});

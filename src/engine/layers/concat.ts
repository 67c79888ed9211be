import * as z from 'zod/mini';
import { formatShape, numel, type Shape, type Tensor } from '../kernels/tensor';
import { alias } from '../option-schemas';
import { allInputGradients, allInputs, TWO_OR_MORE } from './join';
import { defineLayer } from './layer';

const options = z.strictObject({
  dim: z._default(
    z.int().check(
      z.describe(
        'The dimension to join along, counted as in PyTorch: 0 is the batch, 1 the first axis of a sample, -1 the last one.',
      ),
      z.refine((dim) => dim !== 0, {
        error: 'Dimension 0 is the batch, whose samples stay apart.',
        params: { code: 'out-of-range', remedy: 'Write 1 for the first axis of a sample, or -1 for the last one.' },
      }),
      alias('axis'),
    ),
    1,
  ),
});

type Options = z.output<typeof options>;

/** The axis of a sample; may not exist. */
const axisOf = (sample: Shape, { dim }: Options): number => (dim < 0 ? sample.length + dim : dim - 1);

/** A tensor as rows that are joined one by one: all axes before that of `dim` together, and the others together. */
function asJoinedRows({ shape, data }: Tensor, layer: Options): Tensor {
  const rows = numel(shape.slice(0, 1 + axisOf(shape.slice(1), layer)));
  return { shape: [rows, data.length / rows], data };
}

/** y = [x₁, x₂, …] along an axis of a sample: features, positions or channels of images; dxᵢ is that part of dy. */
export const concat = defineLayer({
  kind: 'concat',
  aliases: ['concatenate', 'cat'],
  summary:
    'y = [x₁, x₂, …]: joins its inputs along an axis of a sample, by default the first one: features, the positions of sequences, or the channels of images.',
  formulas({ options: layer, inputs, shapes }) {
    const axis = axisOf(shapes[0]!, layer);
    const before = ['i', 'j'].slice(0, axis);
    const at = (name: string): string => (axis > 0 ? `${name}[${before.join(', ')}]` : name);
    let end = 0;
    return {
      equations: [
        `${at('y')} = concat(${inputs.map(at).join(', ')})`,
        ...inputs.map((name, i) => {
          const start = end;
          end += shapes[i]![axis]!;
          return `${at(`d(${name})`)} = dy[${[...before, `${start}:${end}`].join(', ')}]`;
        }),
      ],
    };
  },
  options,
  affine: true,
  inputCount: TWO_OR_MORE,
  checkInput(input, layer) {
    const axis = axisOf(input, layer);
    return axis >= 0 && axis < input.length
      ? undefined
      : {
          requirement: `joins along dimension ${layer.dim}`,
          remedy: `Choose 1 to ${input.length}, or -${input.length} to -1.`,
          option: 'dim',
        };
  },
  checkInputs(inputs, layer) {
    const [first] = inputs as readonly [Shape];
    const axis = axisOf(first, layer);
    const others = (shape: Shape): string => formatShape([...shape.slice(0, axis), 0, ...shape.slice(axis + 1)]);
    const other = inputs.findIndex((shape) => shape.length !== first.length || others(shape) !== others(first));
    return other < 0
      ? undefined
      : {
          requirement: `joins inputs that differ in ${axis === 0 ? 'their first axis' : `dimension ${layer.dim}`} only`,
          positions: [0, other],
          remedy: 'Give both the same other sizes.',
        };
  },
  outputShape(input, layer, otherInputs = []) {
    const axis = axisOf(input, layer);
    return input.map((size, i) => (i === axis ? otherInputs.reduce((sum, shape) => sum + shape[i]!, size) : size));
  },
  receptiveField: () => 'pointwise',
  forward(context) {
    const output = asJoinedRows(context.output, context.options);
    let offset = 0;
    for (const input of allInputs(context)) {
      const rows = asJoinedRows(input, context.options);
      const size = rows.shape[1]!;
      context.kernels.copyColumns(output, offset, rows, 0, size);
      offset += size;
    }
  },
  backward(context) {
    const inputs = allInputs(context);
    const gradOutput = asJoinedRows(context.gradOutput, context.options);
    let offset = 0;
    allInputGradients(context).forEach((gradient, i) => {
      const size = asJoinedRows(inputs[i]!, context.options).shape[1]!;
      if (gradient) context.kernels.copyColumns(asJoinedRows(gradient, context.options), 0, gradOutput, offset, size);
      offset += size;
    });
  },
});

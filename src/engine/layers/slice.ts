// As torch.narrow of the features, then torch.reshape.
import * as z from 'zod/mini';
import { cached } from '../kernels/cached';
import { formatShape, numel, type Tensor, view } from '../kernels/tensor';
import { alias } from '../option-schemas';
import { defineLayer } from './layer';

const options = z.strictObject({
  start: z._default(
    z.int().check(z.gte(0), z.describe('The first number to take, counted from 0.'), alias('from', 'offset', 'begin')),
    0,
  ),
  shape: z
    .array(z.int().check(z.gte(1)))
    .check(
      z.minLength(1),
      z.describe('The shape of the numbers that it takes: [3] for three of them, or [4, 2] for a sequence of 4 × 2.'),
      alias('size', 'sizes', 'length'),
    ),
});

const asRows = cached((tensor: Tensor) => view(tensor, [tensor.shape[0]!, numel(tensor.shape.slice(1))]));

/** y = x[start : start + n] in another shape; dx = dy there, 0 elsewhere. */
export const slice = defineLayer({
  kind: 'slice',
  aliases: ['narrow', 'select', 'columns'],
  summary:
    'y = x[start : start + n]: takes some of the numbers of a row, in a shape of their own. Named inputs of the data are such layers.',
  formulas({ options: { start, shape } }) {
    const end = start + numel(shape);
    return {
      equations: [`y = x[${start}:${end}]`, `dx[i] = when(${start} <= i) * when(i < ${end}) * vec(dy)[i - ${start}]`],
    };
  },
  options,
  affine: true,
  checkInput(input, { start, shape }) {
    if (input.length !== 1) return { requirement: 'takes numbers of a row', remedy: 'Add "flatten" before it.' };
    const end = start + numel(shape);
    return end <= input[0]!
      ? undefined
      : {
          requirement: `takes the numbers ${start} to ${end - 1}, in the shape ${formatShape(shape)}`,
          remedy: `Take numbers from 0 to ${input[0]! - 1}.`,
          option: 'shape',
        };
  },
  outputShape: (_input, { shape }) => shape,
  forward({ kernels, options: { start, shape }, input, output }) {
    kernels.copyColumns(asRows(output), 0, input, start, numel(shape));
  },
  backward({ kernels, options: { start, shape }, gradOutput, gradInput }) {
    if (!gradInput) return;
    kernels.fill(gradInput, 0);
    kernels.copyColumns(gradInput, start, asRows(gradOutput), 0, numel(shape));
  },
});

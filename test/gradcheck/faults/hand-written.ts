// Hand-written layers, each with one mistake in its backward; none is a variant of a built-in layer.
import {
  defineLayer,
  type BackwardContext,
  type ForwardContext,
  type LayerDefinition,
  type ParameterDeclaration,
} from '../../../src/engine/layers/layer';
import { noOptions } from '../../../src/engine/option-schemas';
import type { Shape } from '../../../src/engine/kernels/tensor';
import type { Cause } from './fault';

export interface HandWritten {
  readonly kind: string;
  readonly causes: readonly Cause[];
  readonly tensor: string;
  readonly definition: LayerDefinition;
}

type Forward = (context: ForwardContext<unknown>) => void;
type Backward = (context: BackwardContext<unknown>) => void;

const handWritten = (
  kind: string,
  tensor: string,
  causes: readonly Cause[],
  forward: Forward,
  backward: Backward,
  parameters?: (shape: Shape) => readonly ParameterDeclaration[],
): HandWritten => ({
  kind,
  tensor,
  causes,
  definition: defineLayer({
    kind: 'hand_written',
    summary: kind,
    options: noOptions,
    outputShape: (input) => input,
    ...(parameters && { parameters }),
    forward,
    backward,
  }) as LayerDefinition,
});

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** y from x element by element, dx from dy, x and y. */
export const pointwise = (
  kind: string,
  causes: readonly Cause[],
  f: (x: number) => number,
  dx: (dy: number, x: number, y: number) => number,
): HandWritten =>
  handWritten(
    kind,
    'input',
    causes,
    ({ input, output }) => input.data.forEach((x, i) => (output.data[i] = f(x))),
    ({ input, output, gradOutput, gradInput }) =>
      gradInput?.data.forEach((_, i) => (gradInput.data[i] = dx(gradOutput.data[i], input.data[i], output.data[i]))),
  );

/** y = gain x + shift by feature; `mistake` replaces its backward. */
export const affine = (
  kind: string,
  tensor: string,
  causes: readonly Cause[],
  mistake: (
    at: { dy: number; x: number; y: number; gain: number; j: number; n: number; sample: number; batch: number },
    add: (name: string, value: number) => void,
    set: (name: string, value: number) => void,
  ) => number,
): HandWritten =>
  handWritten(
    kind,
    tensor,
    causes,
    ({ input, output, parameters: { gain, shift } }) =>
      input.data.forEach(
        (x, i) => (output.data[i] = gain.data[i % gain.data.length] * x + shift.data[i % gain.data.length]),
      ),
    ({ input, output, gradOutput, gradInput, parameters: { gain }, gradParameters }) => {
      const n = gain.data.length;
      input.data.forEach((x, i) => {
        const j = i % n;
        const add = (name: string, value: number): void => void (gradParameters[name].data[j] += value);
        const set = (name: string, value: number): void => void (gradParameters[name].data[j] = value);
        const dx = mistake(
          {
            dy: gradOutput.data[i],
            x,
            y: output.data[i],
            gain: gain.data[j],
            j,
            n,
            sample: Math.floor(i / n),
            batch: input.shape[0],
          },
          add,
          set,
        );
        if (gradInput) gradInput.data[i] = dx;
      });
    },
    (shape) => [
      { name: 'gain', shape, init: { initializer: { type: 'uniform', a: 0.5, b: 1.5 } } },
      { name: 'shift', shape, init: { initializer: { type: 'uniform', a: -0.5, b: 0.5 } } },
    ],
  );

/** Each sample independently. */
export const samplewise = (
  kind: string,
  causes: readonly Cause[],
  f: (x: number[]) => number[],
  dx: (dy: number[], x: number[], y: number[]) => number[],
): HandWritten =>
  handWritten(
    kind,
    'input',
    causes,
    ({
      input: {
        data,
        shape: [batch],
      },
      output,
    }) => {
      const n = data.length / batch;
      for (let row = 0; row < batch; row++) output.data.set(f([...data.subarray(row * n, (row + 1) * n)]), row * n);
    },
    ({
      input: {
        data,
        shape: [batch],
      },
      output,
      gradOutput,
      gradInput,
    }) => {
      const n = data.length / batch;
      const of = (values: typeof data, row: number): number[] => [...values.subarray(row * n, (row + 1) * n)];
      for (let row = 0; row < batch; row++)
        gradInput?.data.set(dx(of(gradOutput.data, row), of(data, row), of(output.data, row)), row * n);
    },
  );

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i], 0);
const norm = (x: readonly number[]): number => Math.sqrt(dot(x, x) + 1e-3);
const cumulativeSum = (x: readonly number[]): number[] => x.map((_, i) => x.slice(0, i + 1).reduce((a, b) => a + b, 0));
const movingAverage = (x: readonly number[]): number[] => x.map((value, i) => (value + (x[i + 1] ?? 0)) / 2);

export const HAND_WRITTEN: readonly HandWritten[] = [
  pointwise(
    'x²: the 2 forgotten',
    ['factor'],
    (x) => x * x,
    (dy, x) => dy * x,
  ),
  pointwise(
    'swish: half of the product rule',
    ['wrong_derivative'],
    (x) => x * sigmoid(x),
    (dy, x) => dy * sigmoid(x),
  ),
  pointwise(
    'swish: taken at the output',
    ['derivative_at_output', 'wrong_derivative'],
    (x) => x * sigmoid(x),
    (dy, _, y) => dy * (sigmoid(y) + y * sigmoid(y) * (1 - sigmoid(y))),
  ),
  pointwise('sine: cosine with the wrong sign', ['sign'], Math.sin, (dy, x) => -dy * Math.cos(x)),
  pointwise(
    'x + tanh x: the way around forgotten',
    ['skip_missing', 'wrong_derivative'],
    (x) => x + Math.tanh(x),
    (dy, x) => dy * (1 - Math.tanh(x) ** 2),
  ),
  pointwise(
    'hard clip: gradient not clipped',
    ['derivative_missing'],
    (x) => Math.max(-0.5, Math.min(0.5, x)),
    (dy) => dy,
  ),
  pointwise(
    'leaky: one slope for both sides',
    ['derivative_missing', 'wrong_derivative', 'derivative_of_another'],
    (x) => (x > 0 ? x : 0.2 * x),
    (dy) => dy,
  ),
  affine(
    'gain: = in place of +=',
    'gain',
    ['one_sample'],
    ({ dy, x, gain }, add, set) => (set('gain', dy * x), add('shift', dy), dy * gain),
  ),
  affine(
    'gain: made with the output',
    'gain',
    ['derivative_at_output'],
    ({ dy, y, gain }, add) => (add('gain', dy * y), add('shift', dy), dy * gain),
  ),
  affine(
    'gain: without the input',
    'gain',
    ['input_ignored'],
    ({ dy, gain }, add) => (add('gain', dy), add('shift', dy), dy * gain),
  ),
  affine(
    'shift: averaged over the batch',
    'shift',
    ['factor'],
    ({ dy, x, gain, batch }, add) => (add('gain', dy * x), add('shift', dy / batch), dy * gain),
  ),
  affine(
    'gain not in what is handed back',
    'input',
    ['derivative_missing'],
    ({ dy, x }, add) => (add('gain', dy * x), add('shift', dy), dy),
  ),
  affine(
    'divided by the gain',
    'input',
    ['derivative_inverted', 'wrong_derivative'],
    ({ dy, x, gain }, add) => (add('gain', dy * x), add('shift', dy), dy / gain),
  ),
  affine(
    'shift: first sample only',
    'shift',
    ['one_sample'],
    ({ dy, x, gain, sample }, add) => (add('gain', dy * x), add('shift', sample === 0 ? dy : 0), dy * gain),
  ),
  samplewise(
    'reversal: handed back as it came',
    ['derivative_missing', 'reversed'],
    (x) => x.toReversed(),
    (dy) => dy,
  ),
  samplewise('running sum: not transposed', ['not_transposed'], cumulativeSum, cumulativeSum),
  samplewise('neighbours averaged: not transposed', ['not_transposed'], movingAverage, movingAverage),
  samplewise(
    'unit length: projection forgotten',
    ['sum_missing', 'wrong_derivative'],
    (x) => x.map((value) => value / norm(x)),
    (dy, x) => dy.map((value) => value / norm(x)),
  ),
  samplewise(
    'centred: mean of the gradient not taken off',
    ['derivative_missing'],
    (x) =>
      x.map(
        (value) =>
          value -
          dot(
            x,
            x.map(() => 1 / x.length),
          ),
      ),
    (dy) => dy,
  ),
  samplewise(
    'softmax: only the diagonal',
    ['diagonal_only'],
    (x) => x.map((value) => Math.exp(value) / x.reduce((sum, each) => sum + Math.exp(each), 0)),
    (dy, _, y) => dy.map((value, i) => value * y[i] * (1 - y[i])),
  ),
  samplewise(
    'product of halves: factors swapped',
    ['permuted', 'wrong_derivative'],
    (x) => x.map((value, i) => value * x[(i + 1) % x.length]),
    (dy, x) => dy.map((value, i) => value * x[i] + dy[(i + dy.length - 1) % dy.length] * x[(i + 1) % x.length]),
  ),
];

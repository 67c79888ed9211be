// Losses with the gradient of another loss, and further hand-written layers.
import { losses, type LossKind } from '../../../src/engine/losses';
import type { LossDefinition } from '../../../src/engine/losses/loss';
import { afterLossGradient, type Cause, type Fault } from './fault';
import { affine, samplewise, type HandWritten, pointwise } from './hand-written';

/** dL/d prediction element by element, for one loss. */
const elementwiseLossFault = (
  kind: string,
  causes: readonly Cause[],
  loss: LossKind,
  by: (z: number, y: number, count: { readonly samples: number; readonly all: number }, right: number) => number,
): Fault => ({
  kind,
  causes,
  fits: (site) => site.loss === loss && site.kind === 'loss',
  loss: (inner) => ({
    ...inner,
    gradient(context, out) {
      inner.gradient(context, out);
      const { prediction, target } = context;
      const count = { samples: out.shape[0], all: out.data.length };
      out.data.forEach((right, i) => (out.data[i] = by(prediction.data[i], target.data[i], count, right)));
    },
  }),
});

/** The gradient of another loss. */
const otherLossFault = (kind: string, loss: LossKind, other: LossKind): Fault => ({
  kind,
  causes: ['derivative_of_another'],
  fits: (site) => site.loss === loss && site.kind === 'loss',
  loss: (inner) => {
    const wrong = losses[other] as LossDefinition;
    const options = wrong.options.parse({});
    return { ...inner, gradient: (context, out) => wrong.gradient({ ...context, options }, out) };
  },
});

export const LOSS_FAULTS: readonly Fault[] = [
  elementwiseLossFault(
    'cross-entropy: softmax forgotten',
    ['activation_missing'],
    'cross_entropy',
    (z, y, { samples }) => (z - y) / samples,
  ),
  elementwiseLossFault(
    'binary cross-entropy: sigmoid forgotten',
    ['activation_missing'],
    'bce_with_logits',
    (z, y, { all }) => (z - y) / all,
  ),
  elementwiseLossFault(
    'cross-entropy: target of the right class only',
    ['sum_missing', 'single_entries'],
    'cross_entropy',
    (_z, y, _count, right) => (y > 0 ? right : 0),
  ),
  otherLossFault('Huber: not cut off', 'huber', 'mse'),
  otherLossFault('absolute error: as the squared one', 'mae', 'mse'),
  otherLossFault('squared error: as the absolute one', 'mse', 'mae'),
  otherLossFault('hinge: as the squared one', 'hinge', 'squared_hinge'),
  otherLossFault('cross-entropy with logits: as for probabilities', 'bce_with_logits', 'bce'),
  {
    kind: 'loss: divided by the samples, not by all numbers',
    causes: ['factor'],
    fits: ({ kind, loss, outputs }) =>
      kind === 'loss' && (loss === 'mse' || loss === 'mae' || loss === 'bce_with_logits') && outputs > 1,
    loss: (inner, { outputs }) =>
      afterLossGradient(inner, ({ data }) => data.forEach((value, i) => (data[i] = value * outputs))),
  },
];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const softmax = (x: readonly number[], temperature: number): number[] => {
  const e = x.map((value) => Math.exp(value / temperature));
  return e.map((value) => value / sum(e));
};

export const MORE_HAND_WRITTEN: readonly HandWritten[] = [
  pointwise(
    'log of 1 + x²: taken at the output',
    ['derivative_at_output'],
    (x) => Math.log(1 + x * x),
    (dy, _, y) => (dy * 2 * y) / (1 + y * y),
  ),
  pointwise(
    'x³: 3 x in place of 3 x²',
    ['wrong_derivative'],
    (x) => x ** 3,
    (dy, x) => 3 * dy * x,
  ),
  pointwise(
    'scaled tanh: inner factor forgotten',
    ['factor'],
    (x) => 1.7 * Math.tanh(0.6 * x),
    (dy, x) => 1.7 * dy * (1 - Math.tanh(0.6 * x) ** 2),
  ),
  pointwise(
    'Gaussian: the inner derivative forgotten',
    ['wrong_derivative', 'derivative_missing'],
    (x) => Math.exp(-x * x),
    (dy, _, y) => dy * y,
  ),
  pointwise(
    'soft sign: not squared',
    ['wrong_derivative'],
    (x) => x / (1 + Math.abs(x)),
    (dy, x) => dy / (1 + Math.abs(x)),
  ),
  pointwise(
    'hard sigmoid: 1 outside too',
    ['wrong_derivative', 'derivative_missing'],
    (x) => Math.max(0, Math.min(1, 0.25 * x + 0.5)),
    (dy) => 0.25 * dy,
  ),
  samplewise(
    'softmax with a temperature: forgotten on the way back',
    ['factor'],
    (x) => softmax(x, 2.5),
    (dy, _, y) => dy.map((value, i) => y[i] * (value - sum(dy.map((each, k) => each * y[k])))),
  ),
  samplewise(
    'largest taken off: also from the gradient of others',
    ['wrong_derivative', 'derivative_missing'],
    (x) => x.map((value) => value - Math.max(...x)),
    (dy) => dy,
  ),
  samplewise(
    'next one added: handed to the one before',
    ['not_transposed'],
    (x) => x.map((value, i) => value + x[(i + 1) % x.length]),
    (dy) => dy.map((value, i) => value + dy[(i + 1) % dy.length]),
  ),
  samplewise(
    'weighted by its own mean: the mean held constant',
    ['sum_missing', 'statistics_constant'],
    (x) => x.map((value) => (value * sum(x)) / x.length),
    (dy, x) => dy.map((value) => (value * sum(x)) / x.length),
  ),
  samplewise(
    'every second one swapped: swapped only once',
    ['derivative_missing', 'permuted'],
    (x) => x.map((_, i) => x[Math.min(i ^ 1, x.length - 1)]),
    (dy) => dy,
  ),
  affine(
    'gain: with the sign of the input',
    'gain',
    ['input_sign'],
    ({ dy, x, gain }, add) => (add('gain', dy * Math.sign(x)), add('shift', dy), dy * gain),
  ),
  affine(
    'gain: the square of the input',
    'gain',
    ['input_squared'],
    ({ dy, x, gain }, add) => (add('gain', dy * x * x), add('shift', dy), dy * gain),
  ),
  affine(
    'shift: also times the gain',
    'shift',
    ['scale_missing'],
    ({ dy, x, gain }, add) => (add('gain', dy * x), add('shift', dy * gain), dy * gain),
  ),
  affine(
    'shift: of positive gradients only',
    'shift',
    ['masked_by_gradient'],
    ({ dy, x, gain }, add) => (add('gain', dy * x), add('shift', Math.max(0, dy)), dy * gain),
  ),
  affine(
    'gain: every second sample',
    'gain',
    ['sample_missing'],
    ({ dy, x, gain, sample }, add) => (add('gain', sample % 2 === 0 ? dy * x : 0), add('shift', dy), dy * gain),
  ),
];

// Measures the figures that the answers to course A quote.
import { buildModel } from '../../src/session/gradient-cost';
import '../support/allclose';
import type { TrainingSession } from '../../src/session/session';
import { describe, expect, it } from 'vitest';
import {
  advanceToUpdate,
  example,
  exampleVariant,
  gradient,
  gradientCheckReport,
  train,
  values,
} from '../support/examples';
import { holdFigures } from '../support/figures';
import { mean, meanOver, norm, output, outputGradient, trained } from '../support/trained';

const accuracy = (session: TrainingSession): number => session.evaluate().test!.accuracy!;
const loss = (session: TrainingSession): number => session.evaluate().train!.loss;

const epochs = (name: string, count: number, settings = {}): TrainingSession => {
  const session = exampleVariant(name, settings);
  return train(session, count * session.model.batchesPerEpoch);
};

/** Multiply-adds of one gradient of a network with this many hidden layers of 16 units, by both methods. */
function cost(depth: number): { backprop: number; naive: number; forward: number; parameters: number } {
  const { layers } = buildModel(example('circles').run, { depth, width: 16 });
  const macs = layers.map(
    ({ definition, inputShape, outputShape, options }) => definition.macs?.(inputShape, outputShape, options) ?? 0,
  );
  const forward = macs.reduce((a, b) => a + b, 0);
  const parameters = layers
    .filter(({ definition }) => definition.kind === 'linear')
    .reduce((sum, { inputShape, outputShape }) => sum + outputShape[0] * (inputShape[0] + 1), 0);
  return { forward, parameters, backprop: 3 * forward - macs[0], naive: parameters * forward };
}

holdFigures('A', {
  splits: () => {
    const { samples } = example('circles').model;
    return { train: samples.train, validation: samples.validation, test: samples.test };
  },
  'number-of-samples': () => {
    const at = (samples: number, part: 'train' | 'test'): number =>
      meanOver([1, 2, 3, 4], 'samples', { 'data.samples': samples }, part);
    return {
      fewTrain: at(40, 'train'),
      fewTest: at(40, 'test'),
      manyTrain: at(2560, 'train'),
      manyTest: at(2560, 'test'),
    };
  },
  'why-activations': () => ({
    tanh: accuracy(trained('circles')),
    none: accuracy(trained('circles', { 'layers.1': 'identity' })),
  }),
  'layer-sizes': () => {
    const at = (units: number): number =>
      trained('circles', { 'layers.0.out_features': units }).evaluate().validation!.loss;
    return { one: at(1), two: at(2), three: at(3), four: at(4) };
  },
  'targets-and-predictions': () => {
    const session = advanceToUpdate(example('circles-probabilities'));
    const [first, second] = output(session, 3);
    return { first, second };
  },
  'why-softmax': () => {
    const [logit0, logit1] = output(advanceToUpdate(example('circles-probabilities')), 2);
    return { logit0, logit1, probability: Math.exp(logit0) / (Math.exp(logit0) + Math.exp(logit1)) };
  },
  'loss-direction': () => {
    const session = example('scalar-network');
    const half = loss(session);
    const end = loss(train(session));
    return { half, p: Math.exp(-end), end };
  },
  'loss-choice': () => {
    const first = (name: string): number => norm(outputGradient(advanceToUpdate(example(name)), 2));
    return { entropy: first('circles-probabilities'), squares: first('circles-mse') };
  },
  'descent-variants': () => {
    const [full, mini, online] = ['circles-full-batch', 'circles', 'circles-online'].map(example);
    return {
      full: full.model.batchesPerEpoch,
      mini: mini.model.batchesPerEpoch,
      online: online.model.batchesPerEpoch,
      fullLoss: loss(epochs('circles-full-batch', 5)),
      miniLoss: loss(epochs('circles', 5)),
      onlineLoss: loss(epochs('circles-online', 5)),
    };
  },
  'learning-rate': () => {
    const at = (lr: number): number => loss(trained('circles', { 'optimizer.lr': lr, epochs: 20 }));
    return { small: at(0.001), middle: at(0.1), large: at(10) };
  },
  'backprop-requirements': () => ({
    step: norm(gradient(advanceToUpdate(example('step-function')), 'hidden.weight')),
    argmax: norm(gradient(advanceToUpdate(example('argmax')), 'output.weight')),
    stepAccuracy: accuracy(trained('step-function')),
    sigmoidAccuracy: accuracy(trained('step-function', { 'layers.1': 'sigmoid' })),
  }),
  'fused-loss': () => ({ fused: advanceToUpdate(example('large-logits')).loss! }),
  'logits-gradient': () => {
    const session = advanceToUpdate(exampleVariant('circles', { batch_size: 1 }));
    const logits = output(session, 2);
    const exponentials = logits.map(Math.exp);
    const sum = exponentials[0] + exponentials[1];
    const [p0, p1] = exponentials.map((each) => each / sum);
    const [g0, g1] = outputGradient(session, 2);
    const [y0, y1] = [...session.pass.target.data];
    const [shared0, shared1] = outputGradient(advanceToUpdate(example('circles')), 2);
    return { p0, p1, y0, y1, g0, g1, shared0, shared1 };
  },
  'batch-gradient': () => {
    const batch = gradient(advanceToUpdate(example('circles')), 'output.weight')[0];
    // At a rate of 0 the weights stay, and the samples follow in the order of the batch.
    const single = exampleVariant('circles', { batch_size: 1, 'optimizer.lr': 0 });
    const each = Array.from({ length: 32 }, () => gradient(train(single, 1), 'output.weight')[0]);
    return { batch, mean: mean(each) };
  },
  'same-seed': () => ({ first: loss(trained('circles')), other: loss(trained('circles', { seed: 2 })) }),
  'gradient-check': () => {
    const { pass, wrong } = gradientCheckReport(example('circles')).counts;
    return { entries: wrong === 0 ? pass : NaN };
  },
  'svm-kernels': () => ({
    linear: accuracy(trained('svm', { 'layers.0.kernel': 'linear' })),
    poly: accuracy(trained('svm', { 'layers.0.kernel': 'poly' })),
    rbf: accuracy(trained('svm')),
  }),
  'svm-c': () => {
    const at = (l2: number): number => norm(values(trained('svm', { 'penalty.l2': l2 }), 'decision.weight'));
    return { weak: at(0.005), strong: at(0.5) };
  },
  'circles-tanh': () => ({ accuracy: accuracy(trained('circles')) }),
  'circles-relu': () => ({ accuracy: accuracy(trained('circles-relu')) }),
  'circles-squared-error': () => ({ accuracy: accuracy(trained('circles-mse')) }),
  'naive-gradient': () => {
    const [shallow, deep] = [cost(1), cost(8)];
    return { shallow: shallow.naive / shallow.backprop, ratio: deep.naive / deep.backprop };
  },
  'cost-of-backprop': () => {
    const { parameters, backprop, forward } = cost(8);
    return { parameters, backprop: backprop / forward };
  },
  'predictions-above-1': () => {
    const largest = (session: TrainingSession): number => Math.max(...session.pass.prediction.data);
    return {
      softmax: largest(trained('circles-mse')),
      line: largest(trained('circles-mse', { 'layers.3': 'identity', 'optimizer.lr': 0.1 })),
    };
  },
  'left-over-sums': () => ({ wrong: gradientCheckReport(example('wrong-left-over-sum')).counts.wrong }),
});

describe('rules of course A', () => {
  const session = advanceToUpdate(example('circles'));
  const [x, h, dy] = [[...session.pass.input.data], output(session, 1), outputGradient(session, 2)];
  const rows = Array.from({ length: session.pass.batchSize }, (_, row) => row);

  it('output-gradients: error times hidden value, summed over the batch', () => {
    const weight = [0, 1].flatMap((i) =>
      [0, 1, 2, 3].map((j) => rows.reduce((sum, row) => sum + dy[2 * row + i] * h[4 * row + j], 0)),
    );
    expect(gradient(session, 'output.weight')).toBeAllclose(weight, { rtol: 1e-4, atol: 1e-7 });
    const bias = [0, 1].map((i) => rows.reduce((sum, row) => sum + dy[2 * row + i], 0));
    expect(gradient(session, 'output.bias')).toBeAllclose(bias, { rtol: 1e-4, atol: 1e-7 });
  });

  it('hidden-gradients: back through the weights, times 1 - h², times the input', () => {
    const w = values(session, 'output.weight');
    const hidden = h.map((value, i) => {
      const [row, unit] = [Math.floor(i / 4), i % 4];
      return (dy[2 * row] * w[unit] + dy[2 * row + 1] * w[4 + unit]) * (1 - value ** 2);
    });
    expect(outputGradient(session, 0)).toBeAllclose(hidden, { rtol: 1e-4, atol: 1e-8 });
    const weight = [0, 1, 2, 3].flatMap((i) =>
      [0, 1].map((j) => rows.reduce((sum, row) => sum + hidden[4 * row + i] * x[2 * row + j], 0)),
    );
    expect(gradient(session, 'hidden.weight')).toBeAllclose(weight, { rtol: 1e-4, atol: 1e-7 });
  });

  it('accuracy-or-loss: a network trained on its answers has no gradient, and no step changes it', () => {
    const argmax = example('argmax');
    const start = values(argmax, 'hidden.weight');
    train(argmax, 10);
    for (const { name } of argmax.network.parameters)
      expect(gradient(argmax, name).every((each) => each === 0)).toBe(true);
    expect(values(argmax, 'hidden.weight')).toEqual(start);
  });
});

// Measures the figures that the answers to course E quote.
import { describe, expect, it } from 'vitest';
import '../support/allclose';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
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
import { mean, meanOver, norm, output, outputGradient, sweepValues, trained } from '../support/trained';

const loss = (session: TrainingSession): number => session.evaluate().train!.loss;
const relu = advanceToUpdate(example('two-layers-relu'));
const tanhSquares = advanceToUpdate(example('two-layers-tanh-sigmoid'));
const tanhBce = advanceToUpdate(example('two-layers-tanh-bce'));
const target = [...relu.pass.target.data];

/** The Jacobian of a layer for the first sample of the batch, row by row. */
function jacobian(session: TrainingSession, layer: number): number[] {
  const { value } = runQuery(session, { type: 'jacobian', layer, sample: session.batch.order[session.batch.from] });
  return [...value!.values];
}

const ACTIVATIONS = ['sigmoid', 'tanh', 'relu', 'identity'] as const;
const block = (activation: (typeof ACTIVATIONS)[number]): Record<string, unknown> => ({
  'layers.0': sweepValues('depth', 'layers.0')[ACTIVATIONS.indexOf(activation)],
});

/** The final training losses of three runs of the network with eight layers. */
const depthLosses = (activation: (typeof ACTIVATIONS)[number]): number[] =>
  [1, 2, 3].map((seed) => loss(trained('depth', { ...block(activation), seed })));

/** The gradient norm of the first layer's weight in the first step, divided by that of the last. */
function gradientRatio(activation: (typeof ACTIVATIONS)[number]): number {
  const session = advanceToUpdate(exampleVariant('depth', block(activation)));
  return norm(gradient(session, 'linear1.weight')) / norm(gradient(session, 'linear8.weight'));
}

/** The probabilities of softmax(k x) for x = (1, 2, 3). */
const sharp = (k: number): number[] => {
  const session = advanceToUpdate(exampleVariant('soft-argmax', { 'layers.0.options.start': k }));
  const row = [...session.pass.input.data].findIndex((_, i, all) => i % 3 === 0 && all[i] === 1 && all[i + 1] === 2);
  return output(session, 1).slice(row, row + 3);
};

/** The gradient at s2 of the first output, for the first sample whose target there is 0, with a bias of 6. */
function sureAndWrong(name: string): number {
  const session = advanceToUpdate(exampleVariant(name, { 'layers.2.bias': [6, 0.1] }));
  const row = [0, 1, 2, 3].find((each) => session.pass.target.data[2 * each] === 0)!;
  return outputGradient(session, 2)[2 * row];
}

holdFigures('E', {
  'five-steps': () => ({ phases: relu.model.phases.length }),
  'two-layer-forward': () => {
    const [[s0, s1, s2], [a0, a1, a2]] = [output(relu, 0), output(relu, 1)];
    return { s0, s1, s2, a0, a1, a2 };
  },
  'squared-distance': () => {
    const [e0, e1] = output(relu, 3).map((y, i) => y - target[i]);
    const [g0, g1] = outputGradient(relu, 3);
    return { e0, e1, g0, g1 };
  },
  'activation-derivative': () => {
    const matrix = jacobian(relu, 1);
    return { d0: matrix[0], d1: matrix[4], d2: matrix[8] };
  },
  'identity-derivative': () => {
    const [diagonal, other] = jacobian(relu, 3);
    return { diagonal, other };
  },
  'tanh-and-sigmoid': () => {
    const [t, g] = [jacobian(tanhSquares, 1), jacobian(tanhSquares, 3)];
    return { t0: t[0], t1: t[4], t2: t[8], g0: g[0], g1: g[3] };
  },
  'bce-with-sigmoid': () => ({
    error: output(tanhBce, 3)[0] - tanhBce.pass.target.data[0],
    gradient: outputGradient(tanhBce, 2)[0],
  }),
  'cost-derivative': () => {
    const session = advanceToUpdate(train(example('two-layers-tanh-bce'), 499));
    return {
      prediction: output(session, 3)[0],
      atOutput: outputGradient(session, 3)[0],
      atSum: outputGradient(session, 2)[0],
    };
  },
  'squares-with-sigmoid': () => ({
    squaresStart: outputGradient(tanhSquares, 2)[0],
    bceStart: outputGradient(tanhBce, 2)[0],
    squares: sureAndWrong('two-layers-tanh-sigmoid'),
    bce: sureAndWrong('two-layers-tanh-bce'),
  }),
  'softmax-or-sigmoid': () => {
    const session = advanceToUpdate(train(exampleVariant('two-layers-tanh-bce', { epochs: 501 }), 500));
    const [y, p] = [[...session.pass.target.data], output(session, 3)];
    const sumFor = (value: number): number => {
      const row = [0, 1, 2, 3].find((each) => y[2 * each] === value && y[2 * each + 1] === value)!;
      return p[2 * row] + p[2 * row + 1];
    };
    return { both: sumFor(1), none: sumFor(0) };
  },
  'relu-gradients': () => {
    const hidden = output(advanceToUpdate(example('two-layers-relu-bce')), 1);
    return { share: hidden.filter((each) => each === 0).length / hidden.length };
  },
  'relu-at-zero': () => {
    const { counts } = gradientCheckReport(
      exampleVariant('leaky-relu', { 'layers.0.weight': [[1]], 'layers.1': 'relu' }),
    );
    expect(counts.wrong).toBe(0);
    return { kink: counts.kink };
  },
  'dead-units': () => ({ loss: loss(trained('two-layers-relu', { 'optimizer.lr': 0.5 })) }),
  'leaky-relu': () => ({
    leaky: loss(trained('leaky-relu')),
    relu: loss(trained('leaky-relu', { 'layers.1': 'relu' })),
  }),
  'activations-and-depth': () => ({
    sigmoid: gradientRatio('sigmoid'),
    tanh: gradientRatio('tanh'),
    relu: gradientRatio('relu'),
    identity: gradientRatio('identity'),
    sigmoidLoss: mean(depthLosses('sigmoid')),
    reluLoss: mean(depthLosses('relu')),
  }),
  'linear-and-nonlinear': () => ({
    identity: meanOver([1, 2, 3], 'depth', block('identity'), 'train', 'accuracy'),
    relu: meanOver([1, 2, 3], 'depth', block('relu'), 'train', 'accuracy'),
  }),
  'zero-centered': () => {
    const [first, second, third] = depthLosses('tanh');
    return {
      first,
      second,
      third,
      tanh: mean(depthLosses('tanh')),
      identity: mean(depthLosses('identity')),
      sigmoid: Math.min(...depthLosses('sigmoid')),
    };
  },
  'soft-argmax': () => ({ k0: sharp(0)[2], k1: sharp(1)[2], k10: sharp(10)[2] }),
  'softmax-sharpens': () => ({ ratio1: sharp(1)[2] / sharp(1)[1], ratio3: sharp(3)[2] / sharp(3)[1] }),
  'softmax-shift': () => {
    const [first, second] = output(advanceToUpdate(example('large-logits-separate')), 1);
    return { first, second, loss: advanceToUpdate(example('large-logits')).loss! };
  },
  'training-k': () => {
    const session = train(example('soft-argmax'), 100);
    const [k100] = values(session, 'scaled.k');
    return { k100, k500: values(train(session, 400), 'scaled.k')[0] };
  },
  'batch-mean': () => ({ gradient: outputGradient(relu, 3)[0] }),
  'bce-or-cross-entropy': () => ({ value: advanceToUpdate(example('scalar-network')).loss! }),
  'tanh-network': () => ({
    start: loss(example('two-layers-tanh-sigmoid')),
    end: loss(trained('two-layers-tanh-sigmoid')),
  }),
  'relu-bce-network': () => ({
    start: loss(example('two-layers-relu-bce')),
    end: loss(trained('two-layers-relu-bce')),
  }),
  'bce-factor': () => ({ factor: gradientCheckReport(example('wrong-bce-factor')).diagnosis!.factor! }),
  'distance-without-square': () => ({ wrong: gradientCheckReport(example('wrong-distance')).counts.wrong }),
});

describe('rules of course E', () => {
  const x = [...relu.pass.input.data];
  const delta = outputGradient(relu, 0);

  it('weight-derivatives: delta times input, summed over the batch', () => {
    const product = [0, 1, 2].flatMap((unit) =>
      [0, 1].map((input) => [0, 1, 2, 3].reduce((sum, row) => sum + delta[3 * row + unit] * x[2 * row + input], 0)),
    );
    expect(gradient(relu, 'linear1.weight')).toBeAllclose(product);
    expect(gradient(relu, 'linear1.bias')).toBeAllclose(
      [0, 1, 2].map((unit) => [0, 1, 2, 3].reduce((sum, row) => sum + delta[3 * row + unit], 0)),
    );
  });

  it('weight-jacobian: unit i depends on row i of the weight, with the factors x', () => {
    const [w, s, e] = [values(relu, 'linear1.weight'), output(relu, 0).slice(0, 3), 1e-6];
    for (const row of [0, 1, 2])
      for (const column of [0, 1]) {
        const weight = [0, 1, 2].map((i) => [0, 1].map((j) => w[2 * i + j] + (i === row && j === column ? e : 0)));
        const moved = output(advanceToUpdate(exampleVariant('two-layers-relu', { 'layers.0.weight': weight })), 0);
        const derivatives = s.map((each, unit) => (moved[unit] - each) / e);
        expect(derivatives).toBeAllclose(
          [0, 1, 2].map((unit) => (unit === row ? x[column] : 0)),
          { rtol: 1e-6, atol: 1e-8 },
        );
      }
  });
});

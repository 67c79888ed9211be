// Measures the figures that the answers to course D quote.
import { describe, expect, it } from 'vitest';
import '../support/allclose';
import { runQuery } from '../../src/session/queries';
import { advanceToUpdate, example, exampleVariant, gradient, train, values } from '../support/examples';
import { holdFigures } from '../support/figures';
import { mean, meanOver, output, outputGradient, spreadOver, sweepValues, trained } from '../support/trained';

const deviation = (of: readonly number[]): number => Math.sqrt(mean(of.map((each) => each ** 2)) - mean(of) ** 2);
const nodes = advanceToUpdate(example('node-by-node'));

const SEEDS = [1, 2, 3, 4];
const UNITS = [0, 1, 2, 3, 10, 50, 100];
const withUnits = (units: number, part: 'train' | 'test'): number =>
  meanOver(
    SEEDS,
    'sine-hidden-units',
    { layers: sweepValues('sine-hidden-units', 'layers')[UNITS.indexOf(units)] },
    part,
  );
const overfitted = (units: number, part: 'train' | 'test'): number =>
  meanOver(SEEDS, 'sine-overfit', { 'layers.0.out_features': units }, part);

/** The mean test loss and its spread, with 280 test points instead of 10. */
function moreTestPoints(units: number): [loss: number, spread: number] {
  const split = { 'data.samples': 400, 'data.split.validation': 0.25, 'data.split.test': 0.7 };
  const settings = { ...split, 'layers.0.out_features': units };
  return [meanOver(SEEDS, 'sine-overfit', settings, 'test'), spreadOver(SEEDS, 'sine-overfit', settings, 'test')];
}
const overfittedSpread = (units: number): number =>
  spreadOver(SEEDS, 'sine-overfit', { 'layers.0.out_features': units }, 'test');

/** Final training losses of a sweep's runs. */
const finalLosses = (name: string, option: string, value: unknown): number[] =>
  (sweepValues(name, 'seed') as number[]).map(
    (seed) => trained(name, { [option]: value, seed }).evaluate().train!.loss,
  );

/** The prediction of the trained network with ten units, from its weights. */
function predictAt(x: number): number {
  const session = trained('noisy-sine');
  const [w, b] = [values(session, 'linear1.weight'), values(session, 'linear1.bias')];
  const [v, [c]] = [values(session, 'linear2.weight'), values(session, 'linear2.bias')];
  return w.reduce((sum, each, i) => sum + v[i] / (1 + Math.exp(-(each * x + b[i]))), c);
}

/** The validation losses of the example that overfits, every ten steps. */
const validationCurve = (() => {
  const session = example('sine-overfit');
  const losses = Array.from({ length: session.totalSteps / 10 }, () => train(session, 10).evaluate().validation!.loss);
  const lowest = Math.min(...losses);
  const points = session.model.samples.validation;
  return { step: 10 * (losses.indexOf(lowest) + 1), lowest, end: losses.at(-1)!, points };
})();

holdFigures('D', {
  'logistic-regression': () => ({ accuracy: trained('softmax-regression').evaluate().test!.accuracy! }),
  'one-over-root-n': () => {
    const session = advanceToUpdate(example('softmax-regression'));
    return { deviation: deviation(values(session, 'logits.weight')), logits: deviation(output(session, 1)) };
  },
  'logits-and-probabilities': () => {
    const first = output(advanceToUpdate(example('softmax-regression')), 2).slice(0, 10);
    return { largest: Math.max(...first) };
  },
  'weight-images': () => ({ rows: example('softmax-regression').network.parameters[0].value.shape[0] }),
  'regression-output': () => {
    const { dataset, split } = trained('noisy-sine').run;
    const predictions = [...split.train].map((sample) => predictAt(dataset.inputs[sample]));
    return { low: Math.min(...predictions), high: Math.max(...predictions) };
  },
  'noise-floor': () => ({ test: trained('noisy-sine').evaluate().test!.loss }),
  'no-hidden-units': () => {
    const line = { layers: sweepValues('sine-hidden-units', 'layers')[0] };
    return {
      train: withUnits(0, 'train'),
      trainSpread: spreadOver(SEEDS, 'sine-hidden-units', line, 'train'),
      test: withUnits(0, 'test'),
      testSpread: spreadOver(SEEDS, 'sine-hidden-units', line, 'test'),
    };
  },
  'number-of-units': () => ({
    one: withUnits(1, 'test'),
    two: withUnits(2, 'test'),
    three: withUnits(3, 'test'),
    ten: withUnits(10, 'test'),
  }),
  'many-units': () => ({
    ten: withUnits(10, 'test'),
    fifty: withUnits(50, 'test'),
    hundred: withUnits(100, 'test'),
  }),
  'sine-overfitting': () => {
    const [[more3, moreSpread3], [more50, moreSpread50], [more100, moreSpread100]] = [3, 50, 100].map(moreTestPoints);
    return {
      train3: overfitted(3, 'train'),
      train50: overfitted(50, 'train'),
      train100: overfitted(100, 'train'),
      test3: overfitted(3, 'test'),
      spread3: overfittedSpread(3),
      test50: overfitted(50, 'test'),
      spread50: overfittedSpread(50),
      test100: overfitted(100, 'test'),
      spread100: overfittedSpread(100),
      more3,
      moreSpread3,
      more50,
      moreSpread50,
      more100,
      moreSpread100,
      single: trained('sine-overfit').evaluate().test!.loss,
    };
  },
  'early-stopping': () => validationCurve,
  'different-optima': () => {
    const losses = finalLosses('sine-two-units', 'layers.0.out_features', 2);
    return { low: Math.min(...losses), high: Math.max(...losses) };
  },
  'avoid-bad-optima': () => ({ eight: Math.max(...finalLosses('sine-two-units', 'layers.0.out_features', 8)) }),
  'hidden-unit-roles': () => {
    const session = trained('noisy-sine');
    return { place: -values(session, 'linear1.bias')[0] / values(session, 'linear1.weight')[0] };
  },
  'train-and-test-error': () => ({
    train0: withUnits(0, 'train'),
    test0: withUnits(0, 'test'),
    train10: withUnits(10, 'train'),
    test10: withUnits(10, 'test'),
    train50: overfitted(50, 'train'),
    test50: overfitted(50, 'test'),
  }),
  'outside-the-data': () => ({ far: predictAt(3), farther: predictAt(30) }),
  'relu-or-sigmoid': () => {
    const [relu, sigmoid] = sweepValues('sine-relu-or-sigmoid', 'layers').map((layers) =>
      finalLosses('sine-relu-or-sigmoid', 'layers', layers),
    );
    return {
      reluLow: Math.min(...relu),
      reluHigh: Math.max(...relu),
      sigmoidLow: Math.min(...sigmoid),
      sigmoidHigh: Math.max(...sigmoid),
    };
  },
  'loss-node': () => ({
    error: output(nodes, 4)[0] - nodes.pass.target.data[0],
    gradient: outputGradient(nodes, 4)[0],
  }),
  'bias-node': () => ({ bias: gradient(nodes, 'ŷ.b2')[0] }),
  'weight-node': () => {
    const [rows, columns] = nodes.pass.outputs[2].shape;
    return { rows, columns };
  },
  'hidden-node': () => ({ factor: mean(output(nodes, 2).map((z) => z * (1 - z))) }),
  'mean-or-sum': () => {
    const sum = advanceToUpdate(exampleVariant('node-by-node', { loss: { type: 'mse', reduction: 'sum' } }));
    return { ratio: gradient(sum, 'ŷ.b2')[0] / gradient(nodes, 'ŷ.b2')[0] };
  },
  'number-of-hidden-units': () => ({ zero: withUnits(0, 'test'), ten: withUnits(10, 'test') }),
});

describe('rules of course D', () => {
  it('input-node: back through W1, as numeric derivatives say', () => {
    const session = advanceToUpdate(example('node-by-node'));
    const [w, dz] = [values(session, 'z1.W1'), outputGradient(session, 0)];
    const { value } = runQuery(session, {
      type: 'jacobian',
      layer: 0,
      sample: session.batch.order[session.batch.from],
    });
    expect([...value!.values]).toBeAllclose(w);
    const x = [...session.pass.input.data];
    const product = w.map((_, unit) => x.reduce((sum, each, row) => sum + each * dz[w.length * row + unit], 0));
    expect(gradient(session, 'z1.W1')).toBeAllclose(product);
  });

  it('gradient-shapes: every gradient has the shape of its value', () => {
    for (const { value, gradient: g } of nodes.network.parameters) expect(g.shape).toEqual(value.shape);
    nodes.pass.outputs.forEach(({ shape }, i) => expect(nodes.pass.outputGradients[i].shape).toEqual(shape));
  });
});

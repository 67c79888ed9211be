// Examples that were worked out by hand and published, to the printed digits.
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/engine/kernels/reference-kernels';
import type { Network } from '../../src/engine/network';
import type { Pass } from '../../src/engine/pass';
import type { GoldenStack } from '../support/golden';
import type { Nested } from '../support/nested-lists';
import { forwardAndBackward, createNetwork, optimizerOf, loadedPass, update } from '../support/network-fixtures';
import '../support/allclose';

const FLOAT64 = new ReferenceKernels('float64');

interface Example extends GoldenStack {
  readonly input: Nested;
  readonly target: Nested;
  readonly inputs: number;
}

function start(example: Example): { network: Network; pass: Pass; loss: number } {
  const network = createNetwork(FLOAT64, example, [example.inputs], { batchSize: 8 });
  const pass = loadedPass(network, example.input, example.target);
  return { network, pass, loss: forwardAndBackward(network, pass) };
}

const named = (network: Network, layer: number, shortName: string) =>
  network.parameters.filter((parameter) => parameter.layer === layer && parameter.shortName === shortName)[0];

function descend(network: Network, lr: number): void {
  const definition = optimizerOf('sgd');
  update(network, definition, definition.options.parse({ lr }), 1);
}

describe('two inputs, two sigmoid units twice, half the sum of squares', () => {
  const example: Example = {
    name: 'two by two by two',
    layers: [
      { type: 'linear', freeze: ['bias'] },
      { type: 'sigmoid' },
      { type: 'linear', freeze: ['bias'] },
      { type: 'sigmoid' },
    ],
    parameters: [
      {
        weight: [
          [0.15, 0.2],
          [0.25, 0.3],
        ],
        bias: [0.35, 0.35],
      },
      {},
      {
        weight: [
          [0.4, 0.45],
          [0.5, 0.55],
        ],
        bias: [0.6, 0.6],
      },
      {},
    ],
    lossKind: 'sum_squared_error',
    lossOptions: { scale: 0.5 },
    input: [[0.05, 0.1]],
    target: [[0.01, 0.99]],
    inputs: 2,
  };

  it('has the printed outputs, loss and gradient', () => {
    const { network, pass, loss } = start(example);
    expect(pass.prediction.data[0]).toBeCloseTo(0.75136507, 8);
    expect(pass.prediction.data[1]).toBeCloseTo(0.772928465, 9);
    expect(loss).toBeCloseTo(0.298371109, 9);
    expect(named(network, 2, 'weight').gradient.data[0]).toBeCloseTo(0.082167041, 9);
  });

  it('has the printed weights after one step, and the loss that they really have', () => {
    const { network, pass } = start(example);
    descend(network, 0.5);
    expect(named(network, 2, 'weight').value.data[0]).toBeCloseTo(0.35891648, 8);
    expect(named(network, 0, 'weight').value.data[0]).toBeCloseTo(0.149780716, 9);
    expect(Array.from(named(network, 0, 'bias').value.data)).toEqual([0.35, 0.35]);
    expect(Array.from(named(network, 2, 'bias').value.data)).toEqual([0.6, 0.6]);
    const loss = pass.evaluate();
    expect(loss).toBeCloseTo(0.291027774, 9);
    // The value printed in the source is an erratum.
    expect(Math.abs(loss - 0.291027924)).toBeGreaterThan(1e-7);
  });
});

describe('one tanh neuron', () => {
  const example: Example = {
    name: 'tanh neuron',
    layers: [{ type: 'linear' }, { type: 'tanh' }],
    parameters: [{ weight: [[-3, 1]], bias: [6.8813735870195432] }, {}],
    lossKind: 'mse',
    lossOptions: {},
    input: [[2, 0]],
    target: [[0]],
    inputs: 2,
  };

  it('has the printed output, and gradients for an output gradient of 1', () => {
    const network = createNetwork(FLOAT64, example, [2]);
    const pass = loadedPass(network, example.input, example.target);
    pass.evaluate();
    expect(pass.prediction.data[0]).toBeCloseTo(0.7071, 4);
    pass.outputGradients[1].data.fill(1);
    pass.backward(1);
    pass.backward(0, true);
    expect(pass.inputGradient).toBeDefined();
    expect(pass.inputGradient ?? []).toBeAllclose([-1.5, 0.5], { rtol: 1e-9 });
    const { data } = named(network, 0, 'weight').gradient;
    expect(data[0]).toBeCloseTo(1, 9);
    expect(data[1]).toBe(0);
  });
});

describe('binary cross-entropy with logits', () => {
  const printed = [1.3132617, 0.3132617, 0.6931472, 0.3132617, 1.3132617, 0.6931472, 0.6931472];
  const logits = [1, -1, 0, 1, -1, 0, 0];
  const labels = [0, 0, 0, 1, 1, 1, 0.5];
  const one = (logit: number, label: number): number =>
    start({
      name: 'one logit',
      layers: [{ type: 'identity' }],
      parameters: [{}],
      lossKind: 'bce_with_logits',
      lossOptions: {},
      input: [[logit]],
      target: [[label]],
      inputs: 1,
    }).loss;

  it.each(logits.map((logit, i) => [logit, labels[i], printed[i]]))(
    'of logit %d, label %d is %d',
    (logit, label, loss) => {
      expect(one(logit, label)).toBeCloseTo(loss, 7);
    },
  );
});

it('softmax(-1, 0, 1) is as printed', () => {
  const { pass } = start({
    name: 'softmax',
    layers: [{ type: 'softmax' }],
    parameters: [{}],
    lossKind: 'cross_entropy_on_probabilities',
    lossOptions: {},
    input: [[-1, 0, 1]],
    target: [[0, 0, 1]],
    inputs: 3,
  });
  [0.09003058, 0.24472848, 0.66524094].forEach((p, i) => expect(pass.prediction.data[i]).toBeCloseTo(p, 7));
});

describe('system C: a scalar network by hand', () => {
  // The course's weights are inputs by outputs; here, as in PyTorch, they are outputs by inputs.
  const example = (fused: boolean): Example => ({
    name: 'scalar network',
    layers: [
      { type: 'linear' },
      { type: 'sigmoid' },
      { type: 'linear' },
      ...(fused ? [] : [{ type: 'softmax' as const }]),
    ],
    parameters: [
      {
        weight: [
          [1, -1],
          [1, -1],
          [1, -1],
        ],
        bias: [0, 0, 0],
      },
      {},
      {
        weight: [
          [1, -1, -1],
          [1, -1, -1],
        ],
        bias: [0, 0],
      },
      {},
    ],
    lossKind: fused ? 'cross_entropy' : 'cross_entropy_on_probabilities',
    lossOptions: {},
    input: [[1, -1]],
    target: [[1, 0]],
    inputs: 2,
  });

  it.each([
    ['softmax then cross-entropy', false],
    ['fused', true],
  ])('%s: gradients and the step after', (_name, fused) => {
    const { network } = start(example(fused));
    const d = 0.44039853898894116;
    expect(named(network, 2, 'weight').gradient).toBeAllclose([
      [-d, -d, -d],
      [d, d, d],
    ]);
    expect(named(network, 2, 'bias').gradient).toBeAllclose([-0.5, 0.5]);
    // Each hidden unit's outgoing weights are equal, and the softmax gradient sums to zero, so the hidden gradient is
    // 0.
    expect(named(network, 0, 'weight').gradient.data.every((g) => g === 0)).toBe(true);
    expect(named(network, 0, 'bias').gradient.data.every((g) => g === 0)).toBe(true);
    descend(network, 0.1);
    const up = 1.0440398538988942;
    const down = 0.9559601461011059;
    expect(named(network, 2, 'weight').value).toBeAllclose([
      [up, -down, -down],
      [down, -up, -up],
    ]);
    expect(named(network, 2, 'bias').value).toBeAllclose([0.05, -0.05]);
    expect(Array.from(named(network, 0, 'weight').value.data)).toEqual([1, -1, 1, -1, 1, -1]);
  });
});

describe('local derivatives, as matrices', () => {
  /** Row i is the gradient of output i with respect to every input: one backward pass for each. */
  function jacobian(layer: GoldenStack['layers'][number], input: number[]): number[][] {
    const stack = { name: '', layers: [layer], parameters: [{}], lossKind: 'mse' as const, lossOptions: {} };
    const network = createNetwork(FLOAT64, stack, [input.length]);
    const pass = loadedPass(network, [input], [input.map(() => 0)]);
    pass.forward(0);
    return input.map((_, i) => {
      pass.outputGradients[0].data.fill(0);
      pass.outputGradients[0].data[i] = 1;
      pass.backward(0, true);
      return Array.from(pass.inputGradient?.data ?? []);
    });
  }

  it('system E: f = 5 ReLU has 5 on the diagonal where s > 0, else 0; g = identity has 1', () => {
    expect(jacobian({ type: 'relu', scale: 5 }, [2, -1, 0, 0.5])).toEqual([
      [5, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 5],
    ]);
    expect(jacobian({ type: 'identity' }, [2, -1])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('system C: softmax has y_i (δ_ij - y_j); after cross-entropy on the target, y - onehot remains', () => {
    const logits = [-1, 0, 1];
    const powers = logits.map(Math.exp);
    const y = powers.map((power) => power / powers.reduce((a, b) => a + b));
    const found = jacobian({ type: 'softmax' }, logits);
    expect(found).toBeAllclose(y.map((yi, i) => y.map((yj, j) => yi * ((i === j ? 1 : 0) - yj))));
    expect(found[2].map((entry) => -entry / y[2])).toBeAllclose([y[0], y[1], y[2] - 1]);
  });
});

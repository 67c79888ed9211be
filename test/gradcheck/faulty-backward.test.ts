// Faults in the backward code of single layers and losses: each must be found, in the right tensors.
import type { CheckReport } from '../../src/protocol/check-report';
import { describe, expect, it } from 'vitest';
import type { BackwardContext, LayerDefinition } from '../../src/engine/layers/layer';
import { layers, type LayerKind } from '../../src/engine/layers';
import { losses, type LossKind } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import type { Tensor } from '../../src/engine/kernels/tensor';
import { checkNet, type LayerRecipe, layerOf, linear, makeNet } from './nets';

type Context = BackwardContext<unknown>;

/** The layer, with its gradients corrupted after its own backward. */
function withFault(kind: LayerKind, corrupt: (context: Context) => void): LayerDefinition {
  const definition = layers[kind] as LayerDefinition;
  return {
    ...definition,
    backward(context) {
      definition.backward(context);
      corrupt(context);
    },
  };
}

const scale = (tensor: Tensor | null, factor: number): void => {
  if (tensor) for (let i = 0; i < tensor.data.length; i++) tensor.data[i] *= factor;
};

function transpose({ shape: [n], data }: Tensor): void {
  const before = data.slice();
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) data[i * n + j] = before[j * n + i];
}

function shift({ data }: Tensor): void {
  const before = data.slice();
  for (let i = 0; i < data.length; i++) data[i] = before[(i + 1) % data.length];
}

/** dx recomputed from dy, x and y, element by element. */
const activation = (kind: LayerKind, inputGradient: (dy: number, x: number, y: number) => number): LayerDefinition => ({
  ...layerOf(kind),
  backward({ gradInput, gradOutput, input, output }) {
    if (!gradInput) return;
    for (let i = 0; i < gradInput.data.length; i++) {
      gradInput.data[i] = inputGradient(gradOutput.data[i], input.data[i], output.data[i]);
    }
  },
});

const wrongTensors = (report: CheckReport): string[] =>
  report.parameters.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name);

/** 5-5-5-3 with the second of three linear layers square, batch 6. */
function net(faulty: {
  linear?: LayerDefinition;
  activation?: LayerDefinition;
  kind?: LayerKind;
  loss?: LossDefinition;
}) {
  const kind = faulty.kind ?? 'tanh';
  const recipe: readonly LayerRecipe[] = [
    linear(5),
    { kind, definition: faulty.activation },
    { ...linear(5), definition: faulty.linear },
    { kind: 'tanh' },
    linear(3),
  ];
  return makeNet({
    inputs: 5,
    batch: 6,
    layers: recipe,
    loss: faulty.loss ? { definition: faulty.loss } : 'cross_entropy',
    seed: 3,
  });
}

it('finds nothing in the same network without a fault', () => {
  for (const kind of ['tanh', 'sigmoid', 'relu', 'softmax', 'identity'] as const) {
    const report = checkNet(net({ kind }));
    expect(report.counts.wrong).toBe(0);
    expect(report.passed).toBe(true);
  }
});

describe('a fault in parameter gradients shows only in that layer', () => {
  const cases: readonly (readonly [string, (context: Context) => void, readonly string[]])[] = [
    ['sign of the weights', ({ gradParameters: { weight } }) => scale(weight, -1), ['weight']],
    ['twice the weights', ({ gradParameters: { weight } }) => scale(weight, 2), ['weight']],
    ['half the bias', ({ gradParameters: { bias } }) => scale(bias, 0.5), ['bias']],
    ['one per mille too much', ({ gradParameters: { weight } }) => scale(weight, 1.001), ['weight']],
    [
      'divided by the batch once more',
      ({ gradParameters: { weight }, input }) => scale(weight, 1 / input.shape[0]),
      ['weight'],
    ],
    ['weights transposed', ({ gradParameters: { weight } }) => transpose(weight), ['weight']],
    ['weights one off', ({ gradParameters: { weight } }) => shift(weight), ['weight']],
    ['weights never written', ({ gradParameters: { weight } }) => scale(weight, 0), ['weight']],
    [
      'weights and bias accumulated twice',
      ({ gradParameters: { weight, bias } }) => (scale(weight, 2), scale(bias, 2)),
      ['weight', 'bias'],
    ],
    [
      'bias of the first sample only',
      ({ gradParameters: { bias }, gradOutput }) => bias.data.set(gradOutput.data.subarray(0, bias.data.length)),
      ['bias'],
    ],
    [
      'bias averaged over the batch',
      ({ gradParameters: { bias }, input }) => scale(bias, 1 / input.shape[0]),
      ['bias'],
    ],
    ['weights not a number', ({ gradParameters: { weight } }) => weight.data.fill(NaN), ['weight']],
    ['an infinite bias', ({ gradParameters: { bias } }) => bias.data.fill(Infinity), ['bias']],
  ];
  it.each(cases)('%s', (_, spoil, tensors) => {
    const report = checkNet(net({ linear: withFault('linear', spoil) }));
    expect(wrongTensors(report)).toEqual(tensors.map((name) => `linear2.${name}`));
    expect(report.passed).toBe(false);
  });
});

describe('a fault in an input gradient shows in all layers before it', () => {
  const ahead = ['linear1.weight', 'linear1.bias'];
  it.each([
    ['sign', ({ gradInput }: Context) => scale(gradInput, -1)],
    ['factor', ({ gradInput }: Context) => scale(gradInput, 3)],
    [
      'weights not transposed',
      ({ kernels, gradInput, gradOutput, parameters }: Context) =>
        gradInput && kernels.matmulTransposedB(gradInput, gradOutput, parameters.weight, false),
    ],
    ['one off', ({ gradInput }: Context) => gradInput && shift(gradInput)],
  ])('linear: %s', (_, spoil) => {
    expect(wrongTensors(checkNet(net({ linear: withFault('linear', spoil) })))).toEqual(ahead);
  });

  const cases: readonly (readonly [string, LayerKind, (dy: number, x: number, y: number) => number])[] = [
    ['derivative missing', 'tanh', (dy) => dy],
    ['derivative taken at the input', 'tanh', (dy, x) => dy * (1 - x * x)],
    ['upstream gradient ignored', 'tanh', (_dy, _x, y) => 1 - y * y],
    ['derivative applied twice', 'tanh', (dy, _x, y) => dy * (1 - y * y) * (1 - y * y)],
    ['derivative missing', 'sigmoid', (dy) => dy],
    ['derivative of tanh', 'sigmoid', (dy, _x, y) => dy * (1 - y * y)],
    ['mask missing', 'relu', (dy) => dy],
    ['mask of the gradient', 'relu', (dy) => Math.max(0, dy)],
    ['mask the wrong way round', 'relu', (dy, x) => (x > 0 ? 0 : dy)],
    ['only the diagonal of the Jacobian', 'softmax', (dy, _x, y) => dy * y * (1 - y)],
    ['sign', 'identity', (dy) => -dy],
  ];
  it.each(cases)('%s in %s (%#)', (_, kind, slope) => {
    const report = checkNet(net({ kind, activation: activation(kind, slope) }));
    expect(wrongTensors(report)).toEqual(ahead);
  });
});

describe('a fault in a loss shows in every tensor', () => {
  const lossCases: readonly (readonly [LossKind, number])[] = [
    ['cross_entropy', 3],
    ['mse', 0.5],
    ['sum_squared_error', -1],
    ['bce_with_logits', 3],
  ];
  it.each(lossCases)('%s times %d', (kind, factor) => {
    const definition = losses[kind] as LossDefinition;
    const loss: LossDefinition = {
      ...definition,
      gradient(context, out) {
        definition.gradient(context, out);
        scale(out, factor);
      },
    };
    const report = checkNet(net({ loss }));
    expect(report.parameters.every(({ verdict }) => verdict === 'wrong')).toBe(true);
    expect(report.counts.pass).toBe(0);
  });

  it('reports a mean over outputs in the gradient only as a factor of their number', () => {
    const definition = losses.cross_entropy as LossDefinition;
    const report = checkNet(net({ loss: { ...definition, value: (context) => definition.value(context) / 3 } }));
    for (const { worst } of report.parameters) expect((worst?.analytic ?? 0) / (worst?.numeric ?? 0)).toBeCloseTo(3, 3);
  });

  it('finds probabilities that are clipped in the value but not in the gradient', () => {
    const definition = losses.cross_entropy_on_probabilities as LossDefinition;
    const clipped: LossDefinition = {
      ...definition,
      value(context) {
        const { prediction } = context;
        const data = prediction.data.map((p) => Math.min(0.9999, Math.max(0.0001, p)));
        return definition.value({ ...context, prediction: { ...prediction, data } });
      },
    };
    const confident = makeNet({
      inputs: 2,
      batch: 8,
      spread: 12,
      seed: 4,
      loss: { definition: clipped },
      layers: [linear(3, { init: { type: 'normal', std: 4 } }), { kind: 'softmax' }],
    });
    const { prediction, target } = confident.pass;
    confident.pass.evaluate();
    expect(prediction.data.some((p, i) => target.data[i] === 1 && p < 0.0001)).toBe(true);
    // The faulty loss allocates its own array, which only the reference backend can read.
    const report = checkNet(confident, {}, 'reference');
    expect(wrongTensors(report)).toEqual(['linear1.weight', 'linear1.bias']);
    expect(report.passed).toBe(false);
  });
});

it('finds and names one flipped element among ten thousand', () => {
  const flip = withFault('linear', ({ gradParameters: { weight } }) => (weight.data[7342] *= -1));
  const big = makeNet({
    inputs: 100,
    batch: 2,
    layers: [{ ...linear(100), definition: flip }, { kind: 'tanh' }, linear(2)],
    loss: 'cross_entropy',
  });
  const report = checkNet(big);
  expect(report.counts.wrong).toBe(1);
  expect(report.parameters[0]).toMatchObject({
    name: 'linear1.weight',
    verdict: 'wrong',
    worst: { index: [73, 42], verdict: 'wrong' },
  });
});

it('is not affected by a backward that overwrites weights and input, except for its own result', () => {
  const vandal = withFault('linear', ({ parameters: { weight }, input }) => {
    weight.data.fill(7);
    input.data.fill(7);
  });
  const clean = net({});
  const report = checkNet(net({ linear: vandal }));
  expect(report.loss).toBe(checkNet(clean).loss);
  // Its own gradients were computed before the damage, and linear1's output gradient too, but tanh1's output was
  // overwritten.
  expect(wrongTensors(report)).toEqual(['linear1.weight', 'linear1.bias']);
});

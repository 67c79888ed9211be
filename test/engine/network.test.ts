import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../src/engine/kernels/create';
import type { Kernels } from '../../src/engine/kernels/kernels';
import { Network, predictMemory } from '../../src/engine/network';
import '../support/allclose';
import { BACKENDS } from '../support/backends';
import { golden, type GoldenNetwork, type GoldenStack } from '../support/golden';
import { flat, type Nested, shapeOf } from '../support/nested';
import { forwardAndBackward, modelOf, networkOf, passWith } from '../support/units';

const FLOAT64 = kernelsOf('reference', 'float64');
const traces = golden('networks.json');
const inputShapeOf = ({ values }: GoldenNetwork) => shapeOf(values[0]).slice(1);

/** Both passes over a trace's batch, with room for more samples than it has. */
function run(kernels: Kernels, trace: GoldenNetwork) {
  const network = networkOf(kernels, trace, inputShapeOf(trace), { batch: 7 });
  const pass = passWith(network, trace.values[0], trace.target);
  const loss = forwardAndBackward(network, pass);
  return { network, pass, loss };
}

describe.each(BACKENDS)('whole networks agree with PyTorch on %s', (backend) => {
  const float64 = kernelsOf(backend, 'float64');
  const float32 = kernelsOf(backend, 'float32');

  it.each(traces)('$name: every intermediate and gradient, float64 within 1e-12', (trace) => {
    const { network, pass, loss } = run(float64, trace);
    const values = [pass.input, ...pass.outputs];
    const gradients = [pass.inputGradient ?? [], ...pass.outputGradients];
    expect(values.length).toBe(trace.values.length);
    values.forEach((value, i) => expect(value).toBeAllclose(trace.values[i]));
    expect(loss).toBeAllclose(trace.loss);
    gradients.forEach((gradient, i) => expect(gradient).toBeAllclose(trace.gradients[i]));
    const expected = trace.gradParameters.flatMap((layer) => Object.values(layer));
    expect(network.parameters.length).toBe(expected.length);
    network.parameters.forEach(({ gradient }, i) => expect(gradient).toBeAllclose(expected[i]));
  });

  it.each(traces)('$name: float32 within 1e-5 of the largest number of each tensor', (trace) => {
    const { network, pass, loss } = run(float32, trace);
    const close = (actual: { data: ArrayLike<number> }, expected: Nested): void => {
      const largest = Math.max(...flat(expected).map(Math.abs));
      // System C's first layer is exactly 0 in float64; in float32 it cancels to a rounding of 1.
      expect(actual).toBeAllclose(expected, { rtol: 1e-5, atol: Math.max(1e-5 * largest, 1e-7) });
    };
    expect(loss).toBeAllclose(trace.loss, { rtol: 1e-5 });
    [pass.input, ...pass.outputs].forEach((value, i) => close(value, trace.values[i]));
    pass.outputGradients.forEach((gradient, i) => close(gradient, trace.gradients[i + 1]));
    const expected = trace.gradParameters.flatMap((layer) => Object.values(layer));
    network.parameters.forEach(({ gradient }, i) => close(gradient, expected[i]));
  });

  it('fused and separate cross-entropy give the same gradients, in float64 to 1e-12', () => {
    const fused = run(float64, traces.filter(({ name }) => name === 'A, tanh, fused cross-entropy, batch of 5')[0]);
    const apart = run(float64, traces.filter(({ name }) => name === 'A, tanh, softmax then cross-entropy, batch of 5')[0]);
    expect(apart.loss).toBeAllclose(fused.loss);
    fused.network.parameters.forEach(({ gradient }, i) => {
      expect(apart.network.parameters[i].gradient).toBeAllclose(gradient);
    });
  });
});

/** A stack whose weights are drawn. */
const DRAWN: GoldenStack = {
  name: 'drawn',
  layers: [{ type: 'linear', out_features: 5 }, { type: 'tanh' }, { type: 'linear', out_features: 3 }],
  parameters: [{}, {}, {}],
  lossKind: 'cross_entropy',
  lossOptions: {},
};
const SIZE = { batch: 8, evaluationBatch: 0, optimizerTensors: 0 };

/** Rows of numbers that a test can tell apart. */
const batchOf = (rows: number, width: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: width }, (__, j) => Math.sin(3 * i + j + 1)));
const classesOf = (rows: number, width: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: width }, (__, j) => (j === i % width ? 1 : 0)));

const ALL = BACKENDS.flatMap((backend) => [kernelsOf(backend, 'float64'), kernelsOf(backend, 'float32')]);

describe.each(ALL)('a smaller last batch in $precision on $backend', (kernels) => {
  it('gives the same bits as its rows alone, whatever the larger batch left behind', () => {
    const used = networkOf(kernels, DRAWN, [4], SIZE);
    forwardAndBackward(used, passWith(used, batchOf(8, 4), classesOf(8, 3)));
    const rest = batchOf(11, 4).slice(8);
    const usedPass = passWith(used, rest, classesOf(3, 3));
    const usedLoss = forwardAndBackward(used, usedPass);

    const fresh = networkOf(kernels, DRAWN, [4], { ...SIZE, batch: 3 });
    const freshPass = passWith(fresh, rest, classesOf(3, 3));
    expect(usedLoss).toBe(forwardAndBackward(fresh, freshPass));
    expect(usedPass.outputs.map(({ data }) => data)).toEqual(freshPass.outputs.map(({ data }) => data));
    expect(used.parameters.map(({ gradient }) => gradient.data)).toEqual(fresh.parameters.map(({ gradient }) => gradient.data));
  });

  it('gives each row the output that it has by itself', () => {
    const network = networkOf(kernels, DRAWN, [4], SIZE);
    const inputs = batchOf(5, 4);
    const together = passWith(network, inputs, classesOf(5, 3));
    together.evaluate();
    const rows = Array.from(together.prediction.data);
    inputs.forEach((row, i) => {
      const alone = passWith(network, [row], classesOf(1, 3));
      alone.evaluate();
      expect(Array.from(alone.prediction.data)).toEqual(rows.slice(i * 3, i * 3 + 3));
    });
  });
});

describe('initialize', () => {
  const valuesOf = (network: Network): number[][] => network.parameters.map(({ value }) => Array.from(value.data));

  it('gives the same bits for a seed and others for another', () => {
    const network = networkOf(FLOAT64, DRAWN, [4], SIZE);
    network.initialize(5);
    const first = valuesOf(network);
    network.initialize(6);
    expect(valuesOf(network)).not.toEqual(first);
    network.initialize(5);
    expect(valuesOf(network)).toEqual(first);
  });

  it('draws every entry apart, inside ±1/√fan_in, for a bias by the fan of its weights', () => {
    const network = networkOf(FLOAT64, { ...DRAWN, layers: [{ type: 'linear', out_features: 400 }] }, [9], SIZE);
    const [weight, bias] = valuesOf(network);
    for (const values of [weight, bias]) {
      expect(new Set(values).size).toBe(values.length);
      const largest = Math.max(...values.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(1 / 3);
      expect(largest).toBeGreaterThan(0.9 / 3);
    }
    expect(weight.slice(0, 400)).not.toEqual(bias);
  });

  it('draws a parameter the same when a layer of another name is put in front', () => {
    const model = modelOf(DRAWN, [4]);
    const [front] = modelOf({ ...DRAWN, layers: [{ type: 'linear', out_features: 4 }] }, [4]).layers;
    const alone = new Network(model, FLOAT64, SIZE);
    const behind = new Network({ ...model, layers: [{ ...front, name: 'front' }, ...model.layers] }, FLOAT64, SIZE);
    alone.initialize(3);
    behind.initialize(3);
    expect(valuesOf(behind).slice(2)).toEqual(valuesOf(alone));
  });

  it('takes explicit values exactly and clears gradients and optimizer state', () => {
    const stack = { ...DRAWN, layers: [{ type: 'linear' as const }], parameters: [{ weight: [[0.1, 0.2], [0.3, 0.4]], bias: [5, 6] }] };
    const network = networkOf(FLOAT64, stack, [2], { ...SIZE, optimizerTensors: 1 });
    for (const { value, gradient, optimizerState } of network.parameters) {
      for (const tensor of [value, gradient, ...optimizerState]) tensor.data.fill(9);
    }
    network.initialize(1);
    expect(valuesOf(network)).toEqual([[0.1, 0.2, 0.3, 0.4], [5, 6]]);
    for (const { gradient, optimizerState } of network.parameters) {
      expect([gradient, ...optimizerState].every(({ data }) => data.every((x) => x === 0))).toBe(true);
    }
  });
});

describe('memory', () => {
  it('is predicted to the byte before it is allocated', () => {
    const model = modelOf(DRAWN, [4]);
    const size = { batch: 6, evaluationBatch: 20, optimizerTensors: 2 };
    for (const kernels of ALL) {
      const network = new Network(model, kernels, size);
      expect(network.memory).toBe(predictMemory(model, kernels.precision, size));
      if (kernels.backend !== 'reference') continue;
      expect(network.parameters[0].value.data.buffer.byteLength).toBe(network.memory);
    }
  });

  it('is predicted without allocating: a layer of 1e9 by 1e9 has a number, too', () => {
    const model = modelOf({ ...DRAWN, layers: [{ type: 'linear', out_features: 1e9 }], lossKind: 'mse' }, [1e9]);
    const bytes = predictMemory(model, 'float64', { batch: 1, evaluationBatch: 0, optimizerTensors: 0 });
    // Value, gradient and previous value of the weights alone.
    expect(bytes).toBeGreaterThanOrEqual(3 * 8e18);
  });

  it('holds no tensor over another', () => {
    const network = networkOf(FLOAT64, DRAWN, [4], { batch: 3, evaluationBatch: 2, optimizerTensors: 1 });
    const pass = network.pass(3);
    const evaluation = network.evaluationPass(2);
    const tensors = [
      ...network.parameters.flatMap(({ value, gradient, previous, optimizerState }) => [value, gradient, previous, ...optimizerState]),
      pass.input, pass.target, ...pass.outputs, ...pass.outputGradients,
      evaluation.input, evaluation.target, ...evaluation.outputs,
    ];
    tensors.forEach(({ data }, i) => data.fill(i + 1));
    tensors.forEach(({ data }, i) => expect(data.every((x) => x === i + 1)).toBe(true));
  });
});

describe('a pass', () => {
  it('loads the samples that the indices name, in their order', () => {
    const network = networkOf(FLOAT64, DRAWN, [2], SIZE);
    const pass = network.pass(2);
    const inputs = Float64Array.from([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
    const targets = Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]);
    pass.load(inputs, targets, Uint32Array.from([9, 3, 1]), 1);
    expect(Array.from(pass.input.data)).toEqual([3, 3.5, 1, 1.5]);
    expect(Array.from(pass.target.data)).toEqual([1, 0, 0, 0, 1, 0]);
  });

  it('of evaluation disturbs nothing of a training step that is under way', () => {
    const network = networkOf(FLOAT64, DRAWN, [4], { ...SIZE, evaluationBatch: 4 });
    const pass = passWith(network, batchOf(3, 4), classesOf(3, 3));
    forwardAndBackward(network, pass);
    const state = () => [
      pass.input, pass.target, ...pass.outputs, ...pass.outputGradients, ...network.parameters.flatMap(({ value, gradient }) => [value, gradient]),
    ].map(({ data }) => Array.from(data));
    const before = state();
    const evaluation = network.evaluationPass(4);
    evaluation.load(Float64Array.from(flat(batchOf(4, 4))), Float64Array.from(flat(classesOf(4, 3))), Uint32Array.from([3, 2, 1, 0]), 0);
    evaluation.evaluate();
    expect(state()).toEqual(before);
  });

  it('leaves the input gradient of the first layer alone unless asked', () => {
    const network = networkOf(FLOAT64, DRAWN, [4], SIZE);
    const pass = passWith(network, batchOf(2, 4), classesOf(2, 3));
    forwardAndBackward(network, pass);
    const asked = Array.from(pass.inputGradient?.data ?? []);
    expect(asked.some((x) => x !== 0)).toBe(true);
    pass.inputGradient?.data.fill(NaN);
    pass.backward(0);
    expect(pass.inputGradient?.data.every(Number.isNaN)).toBe(true);
    pass.backward(0, true);
    expect(Array.from(pass.inputGradient?.data ?? [])).toEqual(asked);
  });

  it('larger than the network has room for is refused', () => {
    expect(() => networkOf(FLOAT64, DRAWN, [4], SIZE).pass(9)).toThrow(RangeError);
    expect(() => networkOf(FLOAT64, DRAWN, [4], SIZE).evaluationPass(1)).toThrow('without room for evaluation');
  });

  it('counts right predictions', () => {
    const weights = [[1, 0], [0, 1]];
    const stack = { ...DRAWN, layers: [{ type: 'linear' as const }], parameters: [{ weight: weights, bias: [0, 0] }] };
    const network = networkOf(FLOAT64, stack, [2], SIZE);
    const pass = passWith(network, [[2, 1], [1, 2], [5, -5]], [[1, 0], [1, 0], [1, 0]]);
    pass.evaluate();
    expect(pass.correct()).toBe(2);
  });
});

describe('zeroGradients', () => {
  it('clears all of them; without it they add up over two backward passes', () => {
    const network = networkOf(FLOAT64, DRAWN, [4], SIZE);
    const pass = passWith(network, batchOf(3, 4), classesOf(3, 3));
    forwardAndBackward(network, pass);
    const once = network.parameters.map(({ gradient }) => Array.from(gradient.data));
    for (let layer = 2; layer >= 0; layer--) pass.backward(layer);
    network.parameters.forEach(({ gradient }, i) => expect(gradient).toBeAllclose(once[i].map((g) => 2 * g)));
    network.zeroGradients();
    expect(network.parameters.every(({ gradient }) => gradient.data.every((g) => g === 0))).toBe(true);
  });
});

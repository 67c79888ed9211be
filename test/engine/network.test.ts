import { describe, expect, it } from 'vitest';
import { createBackend } from '../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../src/engine/kernels/kernels';
import { Network } from '../../src/engine/network';
import { estimateMemory } from '../../src/engine/network-tensors';
import '../support/allclose';
import { BACKENDS } from '../support/backends';
import { golden, type GoldenNetwork, type GoldenStack } from '../support/golden';
import { flat, type Nested, shapeOf } from '../support/nested-lists';
import { forwardAndBackward, createModel, createNetwork, loadedPass } from '../support/network-fixtures';

const FLOAT64 = createBackend('reference', 'float64');
const traces = golden('networks.json');
const inputShapeOf = ({ values }: GoldenNetwork) => shapeOf(values[0]).slice(1);

/** Both passes over a trace's batch, with capacity for more samples. */
function run(kernels: Kernels, trace: GoldenNetwork) {
  const network = createNetwork(kernels, trace, inputShapeOf(trace), { batchSize: 7 });
  const pass = loadedPass(network, trace.values[0], trace.target);
  const loss = forwardAndBackward(network, pass);
  return { network, pass, loss };
}

describe.each(BACKENDS)('whole networks agree with PyTorch on %s', (backend) => {
  const float64 = createBackend(backend, 'float64');
  const float32 = createBackend(backend, 'float32');

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
    const apart = run(
      float64,
      traces.filter(({ name }) => name === 'A, tanh, softmax then cross-entropy, batch of 5')[0],
    );
    expect(apart.loss).toBeAllclose(fused.loss);
    fused.network.parameters.forEach(({ gradient }, i) => {
      expect(apart.network.parameters[i].gradient).toBeAllclose(gradient);
    });
  });
});

/** A stack with random weights. */
const NETWORK_WITH_DROPOUT: GoldenStack = {
  name: 'drawn',
  layers: [{ type: 'linear', out_features: 5 }, { type: 'tanh' }, { type: 'linear', out_features: 3 }],
  parameters: [{}, {}, {}],
  lossKind: 'cross_entropy',
  lossOptions: {},
};
const SIZE = { batchSize: 8, evaluationBatchSize: 0, optimizerStateTensors: 0 };

/** Distinct rows of numbers. */
const batchOf = (rows: number, width: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: width }, (__, j) => Math.sin(3 * i + j + 1)));
const classesOf = (rows: number, width: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: width }, (__, j) => (j === i % width ? 1 : 0)));

const ALL = BACKENDS.flatMap((backend) => [createBackend(backend, 'float64'), createBackend(backend, 'float32')]);

describe.each(ALL)('a smaller last batch in $precision on $backend', (kernels) => {
  it('gives the same bits as its rows alone, whatever a larger batch left behind', () => {
    const used = createNetwork(kernels, NETWORK_WITH_DROPOUT, [4], SIZE);
    forwardAndBackward(used, loadedPass(used, batchOf(8, 4), classesOf(8, 3)));
    const rest = batchOf(11, 4).slice(8);
    const usedPass = loadedPass(used, rest, classesOf(3, 3));
    const usedLoss = forwardAndBackward(used, usedPass);

    const fresh = createNetwork(kernels, NETWORK_WITH_DROPOUT, [4], { ...SIZE, batchSize: 3 });
    const freshPass = loadedPass(fresh, rest, classesOf(3, 3));
    expect(usedLoss).toBe(forwardAndBackward(fresh, freshPass));
    expect(usedPass.outputs.map(({ data }) => data)).toEqual(freshPass.outputs.map(({ data }) => data));
    expect(used.parameters.map(({ gradient }) => gradient.data)).toEqual(
      fresh.parameters.map(({ gradient }) => gradient.data),
    );
  });

  it('gives each row the same output as alone', () => {
    const network = createNetwork(kernels, NETWORK_WITH_DROPOUT, [4], SIZE);
    const inputs = batchOf(5, 4);
    const together = loadedPass(network, inputs, classesOf(5, 3));
    together.evaluate();
    const rows = Array.from(together.prediction.data);
    inputs.forEach((row, i) => {
      const alone = loadedPass(network, [row], classesOf(1, 3));
      alone.evaluate();
      expect(Array.from(alone.prediction.data)).toEqual(rows.slice(i * 3, i * 3 + 3));
    });
  });
});

describe('initialize', () => {
  const valuesOf = (network: Network): number[][] => network.parameters.map(({ value }) => Array.from(value.data));

  it('gives the same bits for the same seed and others for another', () => {
    const network = createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [4], SIZE);
    network.initialize(5);
    const first = valuesOf(network);
    network.initialize(6);
    expect(valuesOf(network)).not.toEqual(first);
    network.initialize(5);
    expect(valuesOf(network)).toEqual(first);
  });

  it('draws every entry independently, inside ±1/√fan_in, for a bias by the fan of its weights', () => {
    const network = createNetwork(
      FLOAT64,
      { ...NETWORK_WITH_DROPOUT, layers: [{ type: 'linear', out_features: 400 }] },
      [9],
      SIZE,
    );
    const [weight, bias] = valuesOf(network);
    for (const values of [weight, bias]) {
      expect(new Set(values).size).toBe(values.length);
      const largest = Math.max(...values.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(1 / 3);
      expect(largest).toBeGreaterThan(0.9 / 3);
    }
    expect(weight.slice(0, 400)).not.toEqual(bias);
  });

  it('draws a parameter the same when a layer of another name is added before it', () => {
    const model = createModel(NETWORK_WITH_DROPOUT, [4]);
    const [front] = createModel({ ...NETWORK_WITH_DROPOUT, layers: [{ type: 'linear', out_features: 4 }] }, [4]).layers;
    const alone = new Network(model, FLOAT64, SIZE);
    const behind = new Network({ ...model, layers: [{ ...front, name: 'front' }, ...model.layers] }, FLOAT64, SIZE);
    alone.initialize(3);
    behind.initialize(3);
    expect(valuesOf(behind).slice(2)).toEqual(valuesOf(alone));
  });

  it('uses explicit values exactly and clears gradients and optimizer state', () => {
    const stack = {
      ...NETWORK_WITH_DROPOUT,
      layers: [{ type: 'linear' as const }],
      parameters: [
        {
          weight: [
            [0.1, 0.2],
            [0.3, 0.4],
          ],
          bias: [5, 6],
        },
      ],
    };
    const network = createNetwork(FLOAT64, stack, [2], { ...SIZE, optimizerStateTensors: 1 });
    for (const { value, gradient, optimizerState } of network.parameters) {
      for (const tensor of [value, gradient, ...optimizerState]) tensor.data.fill(9);
    }
    network.initialize(1);
    expect(valuesOf(network)).toEqual([
      [0.1, 0.2, 0.3, 0.4],
      [5, 6],
    ]);
    for (const { gradient, optimizerState } of network.parameters) {
      expect([gradient, ...optimizerState].every(({ data }) => data.every((x) => x === 0))).toBe(true);
    }
  });
});

describe('memory', () => {
  it('is predicted to the byte before it is allocated', () => {
    const model = createModel(NETWORK_WITH_DROPOUT, [4]);
    const size = { batchSize: 6, evaluationBatchSize: 20, optimizerStateTensors: 2 };
    for (const kernels of ALL) {
      const network = new Network(model, kernels, size);
      expect(network.memoryBytes).toBe(estimateMemory(model, kernels.precision, size));
      if (kernels.backend !== 'reference') continue;
      expect(network.parameters[0].value.data.buffer.byteLength).toBe(network.memoryBytes);
    }
  });

  it('is predicted without allocating, even for a layer of 1e9 by 1e9', () => {
    const model = createModel(
      { ...NETWORK_WITH_DROPOUT, layers: [{ type: 'linear', out_features: 1e9 }], lossKind: 'mse' },
      [1e9],
    );
    const bytes = estimateMemory(model, 'float64', { batchSize: 1, evaluationBatchSize: 0, optimizerStateTensors: 0 });
    // Value, gradient and previous value of the weights alone.
    expect(bytes).toBeGreaterThanOrEqual(3 * 8e18);
  });

  it('has no overlapping tensors', () => {
    const network = createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [4], {
      batchSize: 3,
      evaluationBatchSize: 2,
      optimizerStateTensors: 1,
    });
    const pass = network.trainingPass(3);
    const evaluation = network.evaluationPass(2);
    const tensors = [
      ...network.parameters.flatMap(({ value, gradient, previous, optimizerState }) => [
        value,
        gradient,
        previous,
        ...optimizerState,
      ]),
      pass.input,
      pass.target,
      ...pass.outputs,
      ...pass.outputGradients,
      evaluation.input,
      evaluation.target,
      ...evaluation.outputs,
    ];
    tensors.forEach(({ data }, i) => data.fill(i + 1));
    tensors.forEach(({ data }, i) => expect(data.every((x) => x === i + 1)).toBe(true));
  });
});

describe('a pass', () => {
  it('loads the samples of the indices, in order', () => {
    const network = createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [2], SIZE);
    const pass = network.trainingPass(2);
    const inputs = Float64Array.from([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
    const targets = Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]);
    pass.loadBatch(inputs, targets, Uint32Array.from([9, 3, 1]), 1);
    expect(Array.from(pass.input.data)).toEqual([3, 3.5, 1, 1.5]);
    expect(Array.from(pass.target.data)).toEqual([1, 0, 0, 0, 1, 0]);
  });

  it('for evaluation does not disturb a training step in progress', () => {
    const network = createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [4], { ...SIZE, evaluationBatchSize: 4 });
    const pass = loadedPass(network, batchOf(3, 4), classesOf(3, 3));
    forwardAndBackward(network, pass);
    const state = () =>
      [
        pass.input,
        pass.target,
        ...pass.outputs,
        ...pass.outputGradients,
        ...network.parameters.flatMap(({ value, gradient }) => [value, gradient]),
      ].map(({ data }) => Array.from(data));
    const before = state();
    const evaluation = network.evaluationPass(4);
    evaluation.loadBatch(
      Float64Array.from(flat(batchOf(4, 4))),
      Float64Array.from(flat(classesOf(4, 3))),
      Uint32Array.from([3, 2, 1, 0]),
      0,
    );
    evaluation.evaluate();
    expect(state()).toEqual(before);
  });

  it('computes the input gradient of the first layer only on request', () => {
    const network = createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [4], SIZE);
    const pass = loadedPass(network, batchOf(2, 4), classesOf(2, 3));
    forwardAndBackward(network, pass);
    const asked = Array.from(pass.inputGradient?.data ?? []);
    expect(asked.some((x) => x !== 0)).toBe(true);
    pass.inputGradient?.data.fill(NaN);
    pass.backward(0);
    expect(pass.inputGradient?.data.every(Number.isNaN)).toBe(true);
    pass.backward(0, true);
    expect(Array.from(pass.inputGradient?.data ?? [])).toEqual(asked);
  });

  it("larger than the network's capacity is rejected", () => {
    expect(() => createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [4], SIZE).trainingPass(9)).toThrow(RangeError);
    expect(() => createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [4], SIZE).evaluationPass(1)).toThrow(RangeError);
  });

  it('counts correct predictions', () => {
    const weights = [
      [1, 0],
      [0, 1],
    ];
    const stack = {
      ...NETWORK_WITH_DROPOUT,
      layers: [{ type: 'linear' as const }],
      parameters: [{ weight: weights, bias: [0, 0] }],
    };
    const network = createNetwork(FLOAT64, stack, [2], SIZE);
    const pass = loadedPass(
      network,
      [
        [2, 1],
        [1, 2],
        [5, -5],
      ],
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    );
    pass.evaluate();
    expect(pass.countCorrect()).toEqual({ correct: 2, labeled: 3 });
  });
});

describe('zeroGradients', () => {
  it('clears all gradients; without it, they accumulate over two backward passes', () => {
    const network = createNetwork(FLOAT64, NETWORK_WITH_DROPOUT, [4], SIZE);
    const pass = loadedPass(network, batchOf(3, 4), classesOf(3, 3));
    forwardAndBackward(network, pass);
    const once = network.parameters.map(({ gradient }) => Array.from(gradient.data));
    for (let layer = 2; layer >= 0; layer--) pass.backward(layer);
    network.parameters.forEach(({ gradient }, i) => expect(gradient).toBeAllclose(once[i].map((g) => 2 * g)));
    network.zeroGradients();
    expect(network.parameters.every(({ gradient }) => gradient.data.every((g) => g === 0))).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../../src/engine/kernels/create';
import { optimizers, type OptimizerKind } from '../../../src/engine/optimizers';
import '../../support/allclose';
import { BACKENDS } from '../../support/backends';
import { golden } from '../../support/golden';
import { flat, shapeOf } from '../../support/nested';
import { filled, tensorOf, zeros } from '../../support/tensors';
import { forwardAndBackward, networkOf, optimizerOf, passWith, update } from '../../support/units';

const FLOAT64 = kernelsOf('reference', 'float64');
const kinds = Object.keys(optimizers) as OptimizerKind[];
const traces = golden('optimizers.json');

describe.each(BACKENDS)('twenty steps agree with PyTorch after each one on %s', (backend) => {
  const kernels = kernelsOf(backend, 'float64');

  it.each(traces)('$name', (trace) => {
    const definition = optimizerOf(trace.kind);
    const options = definition.options.parse(trace.options);
    const network = networkOf(kernels, trace, [3], { batch: 4, optimizerTensors: definition.state(options).length });
    trace.steps.forEach(({ loss, parameters }, step) => {
      const { input, target } = trace.batches[step % trace.batches.length];
      const found = forwardAndBackward(network, passWith(network, input, target));
      expect(found).toBeAllclose(loss);
      update(network, definition, options);
      // Every parameter's rounding has passed through the steps before; it is still below 1e-12.
      network.parameters.forEach(({ value }, i) => expect(value).toBeAllclose(parameters[i]));
    });
    expect(trace.steps.length).toBe(20);
  });
});

describe.each(kinds)('optimizer %s', (kind) => {
  const definition = optimizerOf(kind);

  it('is filed under its own kind and says its formula', () => {
    expect(definition.kind).toBe(kind);
    expect(definition.summary).not.toBe('');
  });

  it('has golden values', () => {
    expect(traces.some((trace) => trace.kind === kind)).toBe(true);
  });

  it.each([{}, { momentum: 0.9 }].map((options) => ({ lr: 0.05, ...options })))('lowers a quadratic with %o', (given) => {
    // L = ½ Σ a (w - c)², curvatures 1, 2 and 4.
    const options = definition.options.parse(given);
    const curvature = [1, 2, 4];
    const centre = [3, -1, 0.5];
    const value = tensorOf(FLOAT64, [0, 0, 0]);
    const state = definition.state(options).map(() => zeros(FLOAT64, [3]));
    const loss = (): number => curvature.reduce((sum, a, i) => sum + (a * (value.data[i] - centre[i]) ** 2) / 2, 0);
    const start = loss();
    for (let step = 0; step < 200; step++) {
      const gradient = filled(FLOAT64, [3], curvature.map((a, i) => a * (value.data[i] - centre[i])));
      definition.update({ kernels: FLOAT64, options, lr: options.lr, value, gradient, state });
    }
    expect(loss()).toBeLessThan(1e-4 * start);
  });

  it('uses the learning rate of the step, not the one it was made with', () => {
    const options = definition.options.parse({ lr: 1 });
    const value = tensorOf(FLOAT64, [5, 6]);
    const state = definition.state(options).map(() => zeros(FLOAT64, [2]));
    definition.update({ kernels: FLOAT64, options, lr: 0, value, gradient: tensorOf(FLOAT64, [1, 2]), state });
    expect(Array.from(value.data)).toEqual([5, 6]);
  });

  it('refuses options that it does not know, and a negative learning rate', () => {
    expect(definition.options.safeParse({ learning_rate: 0.1 }).success).toBe(false);
    expect(definition.options.safeParse({ lr: -0.1 }).success).toBe(false);
  });
});

describe('sgd', () => {
  it('keeps state only when it has momentum', () => {
    const { options, state } = optimizerOf('sgd');
    expect(state(options.parse({}))).toEqual([]);
    expect(state(options.parse({ momentum: 0.9 }))).toHaveLength(1);
  });

  it('moves by lr times the gradient, then by the sum of decayed gradients', () => {
    const definition = optimizerOf('sgd');
    const options = definition.options.parse({ lr: 0.5, momentum: 0.5 });
    const value = tensorOf(FLOAT64, [0]);
    const state = [zeros(FLOAT64, [1])];
    const path: number[] = [];
    for (let step = 0; step < 4; step++) {
      definition.update({ kernels: FLOAT64, options, lr: 0.5, value, gradient: tensorOf(FLOAT64, [1]), state });
      path.push(value.data[0]);
    }
    // Velocities 1, 1.5, 1.75, 1.875.
    expect(path).toEqual([-0.5, -1.25, -2.125, -3.0625]);
  });
});

it('the golden traces include a smaller last batch', () => {
  expect(traces.every(({ batches }) => new Set(batches.map(({ input }) => shapeOf(input)[0])).size === 2)).toBe(true);
  expect(traces.every(({ steps }) => steps.every(({ parameters }) => flat(parameters).length === 32))).toBe(true);
});

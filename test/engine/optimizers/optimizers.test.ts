import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import { optimizers, type OptimizerKind } from '../../../src/engine/optimizers';
import '../../support/allclose';
import { learningRate, type Schedule } from '../../../src/engine/schedules/learning-rate';
import { schedules } from '../../../src/engine/schedules';
import type { ScheduleDefinition } from '../../../src/engine/schedules/schedule';
import { BACKENDS } from '../../support/backends';
import { golden, type GoldenOptimizer } from '../../support/golden';
import { flat, shapeOf } from '../../support/nested-lists';
import { tensorFrom, tensorOf, zeros } from '../../support/tensors';
import { forwardAndBackward, createNetwork, optimizerOf, loadedPass, update } from '../../support/network-fixtures';

const FLOAT64 = createBackend('reference', 'float64');
const kinds = Object.keys(optimizers) as OptimizerKind[];
const traces = [...golden('optimizers.json'), ...golden('optimizers-images.json')];

/** Options for each that decrease a quadratic; an optimizer without an entry here is a type error. */
const EXAMPLES: Record<OptimizerKind, object[]> = {
  sgd: [{ lr: 0.05 }, { lr: 0.05, momentum: 0.9 }, { lr: 0.05, momentum: 0.9, nesterov: true }],
  adagrad: [{ lr: 1 }],
  rmsprop: [{ lr: 0.02 }, { lr: 0.01, momentum: 0.5 }],
  adam: [{ lr: 0.1 }],
  adamw: [{ lr: 0.1, weight_decay: 0 }],
};

/** The schedule of a trace, counted in steps. */
function scheduleOf({ schedule }: GoldenOptimizer): Schedule | undefined {
  if (!schedule) return undefined;
  const { type, per, warmup = 0, ...options } = schedule;
  const definition = schedules[type] as ScheduleDefinition;
  return { definition, per, warmup, options: definition.options.parse(options) };
}

describe.each(BACKENDS)('twenty steps agree with PyTorch after each one on %s', (backend) => {
  const kernels = createBackend(backend, 'float64');

  it.each(traces)('$name', (trace) => {
    const definition = optimizerOf(trace.kind);
    const options = definition.options.parse(trace.options);
    const schedule = scheduleOf(trace);
    const network = createNetwork(kernels, trace, shapeOf(trace.batches[0].input).slice(1), {
      batchSize: 4,
      optimizerStateTensors: definition.state(options).length,
    });
    trace.steps.forEach(({ loss, lr: expected, parameters, buffers = [] }, step) => {
      const { input, target } = trace.batches[step % trace.batches.length];
      const found = forwardAndBackward(network, loadedPass(network, input, target));
      expect(found).toBeAllclose(loss, buffers.length > 0 ? { rtol: 1e-10 } : { rtol: 1e-12, atol: 2 ** -52 });
      network.buffers.forEach(({ value }, i) => expect(value).toBeAllclose(buffers[i], { rtol: 1e-10 }));
      const lr = schedule ? learningRate(schedule, options.lr, step, { epochs: 1, batchesPerEpoch: 20 }) : options.lr;
      if (expected !== undefined) expect(lr).toBeAllclose(expected);
      const gradients = network.parameters.map(({ gradient }) => gradient.data.slice());
      update(network, definition, options, step + 1, { lr, clip: trace.clip });
      expect(network.parameters.map(({ gradient }) => gradient.data)).toEqual(gradients);
      // Rounding accumulates over the steps, but stays below 1e-12, or one ulp of 1.
      const tolerance = buffers.length > 0 ? { rtol: 1e-10, atol: 1e-12 } : { rtol: 1e-12, atol: 2 ** -52 };
      network.parameters.forEach(({ value }, i) => expect(value).toBeAllclose(parameters[i], tolerance));
    });
    expect(trace.steps.length).toBe(20);
  });
});

it('has a golden trace for every schedule', () => {
  expect(new Set(traces.map(({ schedule }) => schedule?.type ?? 'constant'))).toEqual(new Set(Object.keys(schedules)));
});

describe.each(kinds)('optimizer %s', (kind) => {
  const definition = optimizerOf(kind);

  it('is listed under its own kind and has a formula', () => {
    expect(definition.kind).toBe(kind);
    expect(definition.summary).not.toBe('');
  });

  it('has golden values', () => {
    expect(traces.some((trace) => trace.kind === kind)).toBe(true);
  });

  it.each(EXAMPLES[kind])('decreases a quadratic with %o', (given) => {
    // L = ½ Σ a (w - c)², curvatures 1, 2 and 4.
    const options = definition.options.parse(given);
    const curvature = [1, 2, 4];
    const centre = [3, -1, 0.5];
    const value = tensorOf(FLOAT64, [0, 0, 0]);
    const state = definition.state(options).map(() => zeros(FLOAT64, [3]));
    const scratch = zeros(FLOAT64, [3]);
    const loss = (): number => curvature.reduce((sum, a, i) => sum + (a * (value.data[i] - centre[i]) ** 2) / 2, 0);
    const start = loss();
    for (let step = 0; step < 400; step++) {
      const gradient = tensorFrom(
        FLOAT64,
        [3],
        curvature.map((a, i) => a * (value.data[i] - centre[i])),
      );
      definition.update({
        kernels: FLOAT64,
        options,
        lr: options.lr,
        step: step + 1,
        coefficients: definition.stepCoefficients?.(options, options.lr, step + 1) ?? [],
        value,
        gradient,
        scratch,
        state,
      });
    }
    expect(loss()).toBeLessThan(1e-4 * start);
  });

  it('uses the learning rate of the step, not the initial one', () => {
    const options = definition.options.parse({ lr: 1 });
    const value = tensorOf(FLOAT64, [5, 6]);
    const state = definition.state(options).map(() => zeros(FLOAT64, [2]));
    const scratch = zeros(FLOAT64, [2]);
    definition.update({
      kernels: FLOAT64,
      options,
      lr: 0,
      step: 1,
      coefficients: definition.stepCoefficients?.(options, 0, 1) ?? [],
      value,
      gradient: tensorOf(FLOAT64, [1, 2]),
      scratch,
      state,
    });
    expect(Array.from(value.data)).toEqual([5, 6]);
  });

  it('rejects unknown options and a negative learning rate', () => {
    expect(definition.options.safeParse({ learning_rate: 0.1 }).success).toBe(false);
    expect(definition.options.safeParse({ lr: -0.1 }).success).toBe(false);
  });
});

describe('sgd', () => {
  it('has state only with momentum', () => {
    const { options, state } = optimizerOf('sgd');
    expect(state(options.parse({}))).toEqual([]);
    expect(state(options.parse({ momentum: 0.9 }))).toHaveLength(1);
  });

  it('requires momentum for Nesterov', () => {
    const { options } = optimizerOf('sgd');
    expect(options.safeParse({ nesterov: true }).success).toBe(false);
    expect(options.safeParse({ nesterov: true, momentum: 0.9 }).success).toBe(true);
  });

  it('moves by lr times the gradient, then by the sum of decayed gradients', () => {
    const definition = optimizerOf('sgd');
    const options = definition.options.parse({ lr: 0.5, momentum: 0.5 });
    const value = tensorOf(FLOAT64, [0]);
    const state = [zeros(FLOAT64, [1])];
    const path: number[] = [];
    for (let step = 0; step < 4; step++) {
      const gradient = tensorOf(FLOAT64, [1]);
      definition.update({
        kernels: FLOAT64,
        options,
        lr: 0.5,
        step: step + 1,
        coefficients: definition.stepCoefficients?.(options, 0.5, step + 1) ?? [],
        value,
        gradient,
        scratch: gradient,
        state,
      });
      path.push(value.data[0]);
    }
    // Velocities 1, 1.5, 1.75, 1.875.
    expect(path).toEqual([-0.5, -1.25, -2.125, -3.0625]);
  });
});

it('includes a smaller last batch in the golden traces', () => {
  expect(traces.every(({ batches }) => new Set(batches.map(({ input }) => shapeOf(input)[0])).size === 2)).toBe(true);
  const own = golden('optimizers.json');
  expect(own.every(({ steps }) => steps.every(({ parameters }) => flat(parameters).length === 32))).toBe(true);
});

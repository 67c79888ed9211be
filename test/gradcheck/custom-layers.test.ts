// Custom layers in a gradient check: their kinks, and a wrong backward compared with autograd, with its location.
import type { CheckReport } from '../../src/protocol/check-report';
import { describe, expect, it } from 'vitest';
import type { Gradients, Layer, Ops, Tensor } from '../../src/engine/custom/contract';
import { createCustomLayer } from '../../src/engine/custom/custom-layer';
import type { ForwardContext, LayerDefinition } from '../../src/engine/layers/layer';
import { GradientCheck } from '../../src/gradcheck';
import { TrainingSession } from '../../src/session/session';
import { loadRun } from '../../src/model-spec';
import { noFiles } from '../support/data-files';

const place = { file: '/layers/own.layer.ts', line: 7, column: 3 };
const unwatched = { enter: () => undefined, leave: () => undefined };

const customLayer = (layer: Layer): LayerDefinition =>
  createCustomLayer(
    { name: 'own1', index: 1 },
    { defaultExport: layer, locate: () => place },
    unwatched,
  ) as LayerDefinition;

/** The check of a network with this layer. */
function startCheck(layer: Layer, step = 6e-6, spec: object = {}): GradientCheck {
  const text = JSON.stringify({
    data: 'circles',
    seed: 5,
    gradient_check: { step },
    layers: [
      { type: 'linear', out_features: 6 },
      { type: 'custom', module: './own.layer.ts' },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    ...spec,
  });
  const definition = customLayer(layer);
  const { run, problems } = loadRun(text, noFiles, { customLayers: { getDefinition: () => definition } });
  if (!run) throw new Error(JSON.stringify(problems));
  const session = new TrainingSession(run, text);
  const check = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: 0,
    options: run.gradientCheck,
  });
  return check;
}

function checkLayer(layer: Layer, step?: number, spec?: object): CheckReport {
  const check = startCheck(layer, step, spec);
  while (check.advance(1000));
  return check.report();
}

/** All kinks in one layer, at positions that depend on its parameters. */
const kinked: Layer = {
  parameters: ([n]) => ({ low: [n], turn: [n, n] }),
  forward: ({ x, parameters: { low, turn }, ops }) =>
    ops.add(ops.relu(ops.matmul(x, turn)), ops.multiply(0.5, ops.maximum(ops.abs(x), low))),
};

describe('kinks inside a layer', () => {
  it.each([1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2])('raise no false alarm at a step of %s', (step) => {
    const { counts, checked: done, entries } = checkLayer(kinked, step);
    expect(done).toBe(entries);
    expect(counts.wrong).toBe(0);
    expect(counts.pass).toBeGreaterThan(50);
  });

  it('that a layer does not declare are judged by the one-sided derivatives', () => {
    const silent: Layer = {
      forward: ({ x, ops }) =>
        ops.tensor(
          x.shape,
          x.data.map((value) => Math.max(0, value)),
        ),
      backward: ({ x, dy, ops }) => ({
        dx: ops.tensor(
          x.shape,
          dy.data.map((up, i) => (x.data[i] > 0 ? up : 0)),
        ),
      }),
    };
    const report = checkLayer(silent);
    expect(report.counts.wrong).toBe(0);
    // Nothing to compare: no operation was used.
    expect(report.autograd).toBeUndefined();
  });
});

describe('a layer that rounds its input down', () => {
  /** Looks up a row of a table for each token; the wrong one keeps only the last gradient of a row. */
  const lookup = (wrong: boolean): Layer => ({
    parameters: () => ({ table: { shape: [4, 2], init: { type: 'normal', std: 1 } } }),
    outputShape: ([tokens]) => [tokens, 2],
    forward: ({ x, parameters: { table }, ops }) =>
      ops.tensor(
        [...x.shape, 2],
        [...x.data].flatMap((token) => [table.data[2 * Math.floor(token)], table.data[2 * Math.floor(token) + 1]]),
      ),
    backward: ({ x, dy, parameters: { table }, ops }) => {
      const gradient = ops.tensor(table.shape);
      for (let i = 0; i < dy.data.length; i++) {
        const entry = 2 * Math.floor(x.data[i >> 1]) + (i & 1);
        gradient.data[entry] = (wrong ? 0 : gradient.data[entry]) + dy.data[i];
      }
      return { dx: ops.tensor(x.shape), parameters: { table: gradient } };
    },
  });
  const inputs = [
    [0, 1, 1],
    [3, 2, 0],
    [1, 3, 3],
    [2, 0, 3],
  ];
  const spec = {
    data: { type: 'inline', inputs, labels: [0, 1, 1, 0] },
    layers: [{ type: 'custom', module: './own.layer.ts' }, 'flatten', { type: 'linear', out_features: 2 }],
  };

  it('is compared at integers, although their last place decides', () => {
    expect(checkLayer(lookup(false), undefined, spec)).toMatchObject({ passed: true, counts: { pass: 22 } });
    const { counts } = checkLayer(lookup(true), undefined, spec);
    expect(counts).toMatchObject({ wrong: 8, pass: 14 });
  });
});

describe('a layer with a restricted domain', () => {
  /** x divided by its length, which is undefined at 0. The wrong version treats the length as a constant. */
  const unit = (wrong: boolean): Layer => ({
    forward: ({ x, ops }) => ops.divide(x, ops.sqrt(ops.sum(ops.multiply(x, x), 1, true))),
    ...(wrong && {
      backward: ({ x, dy, ops }) => ({ dx: ops.divide(dy, ops.sqrt(ops.sum(ops.multiply(x, x), 1, true))) }),
    }),
  });

  it('is judged correctly, although values outside its domain are tried as well', () => {
    expect(checkLayer(unit(false))).toMatchObject({ passed: true, diagnosis: null });
    const { diagnosis } = checkLayer(unit(true));
    expect(diagnosis).toMatchObject({ layer: 'own1', tensor: 'input', cause: 'contribution_missing' });
    expect(diagnosis?.sentence).toContain('sum');
  });

  it('can have numbers right next to those that it rejects', () => {
    const logarithm: Layer = {
      forward: ({ x, ops }) => ops.log(ops.add(ops.multiply(x, x), 1e-12)),
      // Halved, so that there is something to diagnose.
      backward: ({ x, dy, ops }) => ({ dx: ops.divide(ops.multiply(dy, x), ops.add(ops.multiply(x, x), 1e-12)) }),
    };
    let most = 0;
    const edge: Layer = {
      ...logarithm,
      forward(call) {
        const largest = Math.max(...call.x.data.map(Math.abs));
        most ||= largest;
        if (largest > 1.01 * most) throw new RangeError('larger than anything in the batch');
        return logarithm.forward(call);
      },
    };
    expect(checkLayer(edge).diagnosis).toMatchObject({
      layer: 'own1',
      tensor: 'input',
      cause: 'factor',
      factor: expect.closeTo(0.5, 5),
    });
  });

  it('is reported if it rejects the numbers of the run itself', () => {
    const refusing: Layer = {
      forward: ({ x, ops }) => ops.tanh(x),
      backward() {
        throw new Error('Not today.');
      },
    };
    expect(() => checkLayer(refusing)).toThrow(/backward pass of own1 threw Error: Not today/);
  });
});

const scaled: Layer = {
  parameters: ([n]) => ({ scale: { shape: [n], init: { type: 'uniform', a: 0.5, b: 1.5 } } }),
  forward: ({ x, parameters, ops }) => ops.multiply(ops.tanh(x), parameters.scale),
};

const right: NonNullable<Layer['backward']> = ({ x, dy, parameters: { scale }, ops }) => {
  const t = ops.tanh(x);
  const slope = ops.subtract(1, ops.multiply(t, t));
  return {
    dx: ops.multiply(ops.multiply(dy, scale), slope),
    parameters: { scale: ops.sum(ops.multiply(dy, t), 0) },
  };
};

describe('a manual backward', () => {
  it('that is right agrees with autograd and with numeric derivatives', () => {
    const report = checkLayer({ ...scaled, backward: right });
    expect(report.passed).toBe(true);
    expect(report.autograd?.map(({ layer, tensor, sentence }) => ({ layer, tensor, sentence }))).toEqual([
      { layer: 'own1', tensor: 'input', sentence: null },
      { layer: 'own1', tensor: 'scale', sentence: null },
    ]);
  });

  it('that is wrong differs from autograd, and is reported with its location', () => {
    const wrong: Layer['backward'] = (call) => {
      const gradients = right(call);
      return { ...gradients, dx: call.ops.multiply((gradients as Gradients).dx, 2) };
    };
    const report = checkLayer({ ...scaled, backward: wrong });
    expect(report.passed).toBe(false);
    expect(report.autograd?.map(({ sentence }) => sentence)).toEqual([
      expect.stringMatching(/^In own1, dx .* 50 % .*agree with autograd/),
      null,
    ]);
    expect(report.diagnosis).toMatchObject({ layer: 'own1', tensor: 'input', place });
    expect(report.diagnosis?.sentence).toMatch(/is twice what it should be.* The backward is at own\.layer\.ts:7:3\.$/);
  });

  it('that is right while autograd misses operations is reported as such', () => {
    const partly: Layer = {
      forward: ({ x, ops }) => ops.multiply(x, ops.tensor(x.shape, x.data)),
      backward: ({ x, dy, ops }) => ({ dx: ops.multiply(2, ops.multiply(x, dy)) }),
    };
    const report = checkLayer(partly);
    expect(report.passed).toBe(true);
    expect(report.autograd?.[0].sentence).toMatch(/agree with the manual backward/);
  });
});

describe('a slice of the work', () => {
  it('runs a custom layer a bounded number of times, so that a check can be canceled', () => {
    let calls = 0;
    // Wrong in a way that no explanation fits: every one is tried.
    const check = startCheck({
      parameters: ([n]) => ({ w: [n, n] }),
      forward({ x, parameters: { w }, ops }) {
        calls++;
        return ops.tanh(ops.matmul(x, w));
      },
      backward({ x, dy, parameters: { w }, ops }) {
        calls++;
        const odd = ops.multiply(
          dy,
          ops.tensor(
            dy.shape,
            dy.data.map((_, i) => Math.cos(3 * i + x.data[i])),
          ),
        );
        return { dx: ops.matmul(odd, ops.transpose(w)), parameters: { w: ops.matmul(ops.transpose(x), odd) } };
      },
    });
    let most = 0;
    let slices = 0;
    for (let more = true; more; slices++) {
      const before = calls;
      more = check.advance(check.preferredChunk);
      most = Math.max(most, calls - before);
    }
    expect(check.report()).toMatchObject({ passed: false, complete: true });
    expect(calls).toBeGreaterThan(2000);
    expect(most).toBeLessThan(100);
  });
});

describe('a forward pass that has no derivative', () => {
  it('of another output each time is named before anything else, and nothing else is blamed', () => {
    let calls = 0;
    const report = checkLayer({
      forward: ({ x, ops }) => ops.multiply(x, 1 + 0.1 * (calls++ % 3)),
      backward: ({ dy, ops }) => ({ dx: ops.multiply(dy, 1) }),
    });
    expect(report).toMatchObject({
      passed: false,
      counts: { wrong: 0 },
      diagnosis: { layer: 'own1', tensor: 'output', cause: 'not_repeatable', place },
    });
    expect(report.layers.map(({ name, fault, tensors }) => [name, fault, tensors.some(isWrong)])).toEqual([
      ['linear1', undefined, false],
      ['own1', 'not_repeatable', false],
      ['linear2', undefined, false],
      [null, undefined, false],
    ]);
  });
});

describe('a backward pass that differs on purpose', () => {
  const straightThrough = (slope: number): Layer => ({
    forward: ({ x, ops }) => ops.tensor(x.shape, x.data.map(Math.sign)),
    backward: ({ x, dy, ops }) => ({
      dx: ops.tensor(
        x.shape,
        dy.data.map((g, i) => (Math.abs(x.data[i]) < 1 ? slope * g : 0)),
      ),
    }),
  });
  const hardTanh: NonNullable<Layer['surrogate']> = {
    reason: 'straight-through estimator',
    forward: ({ x, ops }) => ops.maximum(-1, ops.minimum(1, x)),
  };

  it('is wrong until it is declared', () => {
    const { passed, diagnosis } = checkLayer(straightThrough(1));
    expect(passed).toBe(false);
    expect(diagnosis).toMatchObject({ layer: 'own1', tensor: 'input', cause: 'flat' });
    expect(diagnosis?.sentence).toContain('"surrogate"');
  });

  it('is compared with the surrogate that it declares, and shown with its reason', () => {
    const report = checkLayer({ ...straightThrough(1), surrogate: hardTanh });
    expect(report).toMatchObject({ passed: true, diagnosis: null, counts: { wrong: 0 } });
    // The parameters before the layer pass by the surrogate's derivative.
    expect(report.parameters[0]).toMatchObject({ name: 'linear1.weight', verdict: 'pass' });
    expect(report.layers[1]).toMatchObject({ name: 'own1', surrogate: 'straight-through estimator' });
  });

  it('is wrong where it differs from its surrogate', () => {
    const { passed, diagnosis } = checkLayer({ ...straightThrough(2), surrogate: hardTanh });
    expect(passed).toBe(false);
    expect(diagnosis).toMatchObject({ layer: 'own1', tensor: 'input', cause: 'factor', factor: expect.closeTo(2, 6) });
  });

  it('can reverse the gradient', () => {
    const reversal: Layer = {
      forward: ({ x, ops }) => ops.multiply(x, 1),
      backward: ({ dy, ops }) => ({ dx: ops.negate(dy) }),
    };
    expect(checkLayer(reversal).diagnosis).toMatchObject({ cause: 'sign' });
    const surrogate: Layer['surrogate'] = { reason: 'gradient reversal', forward: ({ x, ops }) => ops.negate(x) };
    expect(checkLayer({ ...reversal, surrogate })).toMatchObject({ passed: true, counts: { wrong: 0 } });
  });
});

describe('a layer that draws random numbers', () => {
  const mask = (u: Tensor, ops: Ops): Tensor => ops.where(ops.relu(ops.subtract(u, 0.4)), 1 / 0.6, 0);
  const dropout: Layer = {
    random: true,
    forward: ({ x, random, training, ops }) => (training ? ops.multiply(x, mask(random.uniform(x.shape), ops)) : x),
  };
  const withBackward = (fault: boolean): Layer => ({
    ...dropout,
    backward({ dy, random, ops }) {
      if (fault) random.uniform(dy.shape);
      return { dx: ops.multiply(dy, mask(random.uniform(dy.shape), ops)) };
    },
  });

  it('is checked with the numbers of the step', () => {
    for (const layer of [dropout, withBackward(false)])
      expect(checkLayer(layer)).toMatchObject({ passed: true, diagnosis: null, mode: 'training' });
    const { passed, diagnosis } = checkLayer(withBackward(true));
    expect(passed).toBe(false);
    expect(diagnosis).toMatchObject({ layer: 'own1', tensor: 'input' });
  });

  it('gets numbers that depend on the seed of a sample alone', () => {
    const drawn: number[][] = [];
    const { forward } = customLayer({
      random: true,
      forward({ x, random, ops }) {
        drawn.push(Array.from(random.normal(x.shape).data));
        return ops.multiply(x, 1);
      },
    });
    const drawWith = (...seeds: number[]): number[] => {
      const tensor = (value: (i: number) => number): Tensor => ({
        shape: [seeds.length, 4],
        data: Float64Array.from({ length: 4 * seeds.length }, (_, i) => value(i)),
      });
      const [input, output] = [tensor(() => 0), tensor(() => 0)];
      const context = {
        input,
        otherInputs: [],
        output,
        parameters: {},
        training: true,
        mask: tensor((i) => seeds[Math.floor(i / 4)]),
      };
      forward({ ...context, options: { options: {} } } as unknown as ForwardContext<unknown>);
      return drawn.at(-1) ?? [];
    };
    const two = drawWith(5, 9);
    expect(two.slice(4)).toEqual(drawWith(9));
    expect(two.slice(0, 4)).not.toEqual(two.slice(4));
    expect(drawWith(5, 9)).toEqual(two);
  });
});

const isWrong = ({ verdict }: { readonly verdict: string }): boolean => verdict === 'wrong';

describe('a logarithm with two faults', () => {
  const log = (values: Tensor, ops: Ops): Tensor => ops.log(ops.minimum(ops.maximum(values, 0.0001), 0.9999));
  const twoFaults: Layer = {
    forward: ({ x, ops }) => ops.divide(log(x, ops), x.shape[1]),
    backward: ({ x, dy, ops }) => ({ dx: ops.divide(dy, ops.minimum(ops.maximum(x, 0.0001), 0.9999)) }),
  };
  const spec = (scale: number) => ({
    layers: [
      {
        type: 'linear',
        weight: [
          [scale, 0],
          [0, scale],
          [-scale, 0],
        ],
        bias: [0, 0, 0],
      },
      'softmax',
      { type: 'custom', module: './own.layer.ts' },
    ],
    data: {
      type: 'inline',
      inputs: [
        [1, 0],
        [0, 1],
        [-1, 0.3],
        [0.2, -0.1],
      ],
      labels: [0, 1, 2, 0],
      classes: 3,
    },
    loss: 'nll',
    precision: 'float64',
  });

  it.each([
    ['no probability is clipped', 1, 'factor'],
    ['some probabilities are clipped', 12, 'flat'],
  ])('names both where %s', (_, scale, cause) => {
    const { diagnosis } = checkLayer(twoFaults, undefined, spec(scale));
    expect(diagnosis).toMatchObject({ cause, factor: 3, dimension: { size: 3 } });
    expect(diagnosis!.sentence).toMatch(/should be 0 at \d+ of \d+ entries/);
    expect(diagnosis!.sentence).toContain('3 times too large');
  });

  it('names the clipping alone where the factor is right', () => {
    const { diagnosis } = checkLayer({ ...twoFaults, forward: ({ x, ops }) => log(x, ops) }, undefined, spec(12));
    expect(diagnosis).toMatchObject({ cause: 'flat', factor: null });
    expect(diagnosis!.sentence).not.toContain('too large');
    expect(diagnosis!.sentence).not.toContain('second fault');
  });
});

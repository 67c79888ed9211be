// Layers of the user's own in a gradient check: their kinks, a wrong backward beside autograd, and where it stands.
import { describe, expect, it } from 'vitest';
import type { Layer } from '../../src/engine/custom/contract';
import { customLayer } from '../../src/engine/custom/custom-layer';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { type CheckReport, GradientCheck } from '../../src/gradcheck';
import { TrainingSession } from '../../src/session/session';
import { loadRun } from '../../src/spec';
import { noFiles } from '../support/files';

const place = { file: '/layers/own.layer.ts', line: 7, column: 3 };
const unwatched = { enter: () => undefined, leave: () => undefined };

/** The check of a network around a layer. */
function checked(layer: Layer, step = 6e-6): CheckReport {
  const text = JSON.stringify({
    data: 'circles', seed: 5, gradient_check: { step },
    layers: [{ type: 'linear', out_features: 6 }, { type: 'custom', module: './own.layer.ts' }, { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
  });
  const definition = customLayer({ name: 'own1', index: 1 }, { exported: layer, placeOf: () => place }, unwatched) as LayerDefinition;
  const { run, problems } = loadRun(text, noFiles, { code: { definition: () => definition } });
  if (!run) throw new Error(JSON.stringify(problems));
  const session = new TrainingSession(run, text);
  const check = new GradientCheck({ network: session.network, pass: session.passToCheck(), step: 0, options: run.gradientCheck });
  while (check.advance(1000));
  return check.report();
}

/** All kinks there are, within one layer, where they depend on its parameters as well. */
const kinked: Layer = {
  parameters: ([n]) => ({ low: [n], turn: [n, n] }),
  forward: ({ x, parameters: { low, turn }, ops }) =>
    ops.add(ops.relu(ops.matmul(x, turn)), ops.multiply(0.5, ops.maximum(ops.abs(x), low))),
};

describe('kinks within a layer', () => {
  it.each([1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2])('raise no alarm at a step of %s', (step) => {
    const { counts, checked: done, entries } = checked(kinked, step);
    expect(done).toBe(entries);
    expect(counts.wrong).toBe(0);
    expect(counts.pass).toBeGreaterThan(50);
  });

  it('of a layer that says nothing of them are judged by the slopes to both sides', () => {
    const silent: Layer = {
      forward: ({ x, ops }) => ops.tensor(x.shape, x.data.map((value) => Math.max(0, value))),
      backward: ({ x, dy, ops }) => ({ dx: ops.tensor(x.shape, dy.data.map((up, i) => (x.data[i] > 0 ? up : 0))) }),
    };
    const report = checked(silent);
    expect(report.counts.wrong).toBe(0);
    // Nothing to compare with: no operation was used.
    expect(report.autograd).toBeUndefined();
  });
});

describe('a layer that does not take every number', () => {
  /** x over its length: there is none at 0. The length is taken for a constant, if it is to be wrong. */
  const unit = (wrong: boolean): Layer => ({
    forward: ({ x, ops }) => ops.divide(x, ops.sqrt(ops.sum(ops.multiply(x, x), 1, true))),
    ...(wrong && { backward: ({ x, dy, ops }) => ({ dx: ops.divide(dy, ops.sqrt(ops.sum(ops.multiply(x, x), 1, true))) }) }),
  });

  it('is right where it is, and wrong where it is wrong, though other numbers are tried as well', () => {
    expect(checked(unit(false))).toMatchObject({ passed: true, diagnosis: null });
    const { diagnosis } = checked(unit(true));
    expect(diagnosis).toMatchObject({ layer: 'own1', tensor: 'input', cause: 'sum_missing' });
    expect(diagnosis?.sentence).toContain('each output of own1 depends on several inputs');
  });

  it('can have numbers right beside those that it refuses', () => {
    const logarithm: Layer = {
      forward: ({ x, ops }) => ops.log(ops.add(ops.multiply(x, x), 1e-12)),
      // Halved, so that a reason is looked for.
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
    expect(checked(edge).diagnosis).toMatchObject({ layer: 'own1', tensor: 'input', cause: 'factor', factor: expect.closeTo(0.5, 5) });
  });

  it('is named where it refuses the numbers of the run itself', () => {
    const refusing: Layer = {
      forward: ({ x, ops }) => ops.tanh(x),
      backward() {
        throw new Error('Not today.');
      },
    };
    expect(() => checked(refusing)).toThrow(/backward pass of own1 threw Error: Not today/);
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

describe('a written backward', () => {
  it('that is right agrees with autograd and with numbers', () => {
    const report = checked({ ...scaled, backward: right });
    expect(report.passed).toBe(true);
    expect(report.autograd?.map(({ layer, tensor, sentence }) => ({ layer, tensor, sentence }))).toEqual([
      { layer: 'own1', tensor: 'input', sentence: null },
      { layer: 'own1', tensor: 'scale', sentence: null },
    ]);
  });

  it('that is wrong is told from autograd, which is right, and named with its place', () => {
    const wrong: Layer['backward'] = (call) => {
      const { dx, parameters } = right(call);
      return { dx: call.ops.multiply(dx, 2), parameters };
    };
    const report = checked({ ...scaled, backward: wrong });
    expect(report.passed).toBe(false);
    expect(report.autograd?.map(({ sentence }) => sentence)).toEqual([
      expect.stringMatching(/^In own1, dx by the written backward and by autograd are 50 % of the largest number apart.*agree with autograd, so the written backward is wrong\.$/),
      null,
    ]);
    expect(report.diagnosis).toMatchObject({ layer: 'own1', tensor: 'input', place });
    expect(report.diagnosis?.sentence).toMatch(/is twice what it should be.* The backward is at own\.layer\.ts:7:3\.$/);
  });

  it('that is right where autograd loses sight is told as such', () => {
    const partly: Layer = {
      forward: ({ x, ops }) => ops.multiply(x, ops.tensor(x.shape, x.data)),
      backward: ({ x, dy, ops }) => ({ dx: ops.multiply(2, ops.multiply(x, dy)) }),
    };
    const report = checked(partly);
    expect(report.passed).toBe(true);
    expect(report.autograd?.[0].sentence).toMatch(/agree with the written backward: the forward computes some of its output without ops/);
  });
});

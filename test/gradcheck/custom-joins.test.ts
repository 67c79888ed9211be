// Custom layers with several inputs: their gradients by autograd and by hand, and what is said of those that are wrong.
import { describe, expect, it } from 'vitest';
import type { BackwardCall, Layer } from '../../src/engine/custom/contract';
import { createCustomLayer } from '../../src/engine/custom/custom-layer';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { GradientCheck } from '../../src/gradcheck';
import { loadRun } from '../../src/model-spec';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from '../support/data-files';

/** The gate takes linear1 and tanh1, which also goes to linear2: 4 features each. */
function openWith(layer: Layer, inputs: readonly string[] = ['linear1', 'tanh1']) {
  const text = JSON.stringify({
    data: 'circles',
    seed: 5,
    layers: [
      { type: 'linear', out_features: 4 },
      'tanh',
      { type: 'custom', module: './gate.layer.ts', inputs },
      { type: 'linear', out_features: 4, inputs: ['tanh1'] },
      { type: 'add', inputs: ['gate1', 'linear2'] },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
  });
  return loadRun(text, noFiles, {
    customLayers: {
      getDefinition: () =>
        createCustomLayer(
          { name: 'gate1', index: 2 },
          { defaultExport: layer, locate: () => ({ file: '/gate.layer.ts', line: 1, column: 1 }) },
          { enter: () => undefined, leave: () => undefined },
        ) as LayerDefinition,
    },
  });
}

function checkLayer(layer: Layer) {
  const { run, problems } = openWith(layer);
  if (!run) throw new Error(problems[0].message);
  const session = new TrainingSession(run, '');
  const check = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: 0,
    options: run.gradientCheck,
  });
  while (check.advance(1000));
  return check.report();
}

/** y = a sigmoid(b) scale, with one scale for each feature. */
const gate: Layer = {
  inputCount: 2,
  parameters: ([n]) => ({ scale: { shape: [n], init: { type: 'uniform', a: 0.5, b: 1.5 } } }),
  forward: ({ inputs: [a, b], parameters: { scale }, ops }) => ops.multiply(ops.multiply(a, ops.sigmoid(b)), scale),
};

function gradients({ inputs: [a, b], dy, parameters: { scale }, ops }: BackwardCall) {
  const s = ops.sigmoid(b);
  return {
    dInputs: [
      ops.multiply(ops.multiply(dy, s), scale),
      ops.multiply(ops.multiply(ops.multiply(dy, a), scale), ops.multiply(s, ops.subtract(1, s))),
    ],
    parameters: { scale: ops.sum(ops.multiply(dy, ops.multiply(a, s)), 0) },
  };
}

describe('a custom layer with two inputs', () => {
  it.each([
    ['by autograd', gate],
    ['by hand', { ...gate, backward: gradients }],
  ])('passes every entry, %s', (_, layer) => {
    const report = checkLayer(layer);
    expect(report.passed).toBe(true);
    expect(report.counts.wrong).toBe(0);
    const own = report.layers.find(({ name }) => name === 'gate1');
    expect(own?.tensors.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['inputs[1]', 'pass'],
      ['scale', 'pass'],
      ['input', 'pass'],
    ]);
  });

  it.each([
    ['missing', (call: BackwardCall) => [gradients(call).dInputs[0], call.ops.tensor(call.x.shape)]],
    ['sign', (call: BackwardCall) => [gradients(call).dInputs[0], call.ops.negate(gradients(call).dInputs[1])]],
    ['swapped', (call: BackwardCall) => [...gradients(call).dInputs].reverse()],
  ])('is told that a gradient is wrong: %s', (cause, dInputs) => {
    const report = checkLayer({
      ...gate,
      backward: (call) => ({ ...gradients(call), dInputs: dInputs(call) }),
    });
    expect(report.passed).toBe(false);
    expect([report.diagnosis?.layer, report.diagnosis?.cause]).toEqual(['gate1', cause]);
  });

  it('is refused another number of inputs, at its place', () => {
    const { problems } = openWith(gate, ['tanh1']);
    expect(problems.map(({ code }) => code)).toContain('input-count');
  });

  it.each([
    ['no gradients', () => ({ dx: { shape: [1], data: new Float64Array(1) } })],
    ['one gradient', (call: BackwardCall) => ({ dInputs: [call.x] })],
    ['a gradient of another shape', (call: BackwardCall) => ({ dInputs: [call.x, call.ops.tensor([1, 2])] })],
  ])('stops with an error where backward returns %s', (_, backward) => {
    const { run } = openWith({ inputCount: 2, forward: ({ x }) => ({ ...x, data: x.data.slice() }), backward });
    if (!run) throw new Error('no run');
    expect(() => new TrainingSession(run, '').step()).toThrow(/dInputs|gradients for 2 inputs/);
  });
});

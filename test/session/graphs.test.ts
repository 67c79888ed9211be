// A session on a network with branches and shared weights: going back, phases, and what queries say.
import { describe, expect, it } from 'vitest';
import type { Attribution, NodeId } from '../../src/protocol/queries';
import { loadRun } from '../../src/model-spec/load';
import { describePhase } from '../../src/presentation/phases';
import { makeFrame } from '../../src/session/make-frame';
import { runQuery } from '../../src/session/queries';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from '../support/data-files';

const text = JSON.stringify({
  data: { type: 'circles', samples: 60 },
  layers: [
    { type: 'linear', out_features: 4, name: 'a' },
    { type: 'residual', layers: ['tanh', { type: 'linear', out_features: 4, name: 'b' }], name: 'sum' },
    { type: 'dropout', p: 0.2 },
    { type: 'linear', out_features: 4, share: 'b.weight', name: 'c' },
    { type: 'multiply', inputs: ['c', 'a'], name: 'product' },
    { type: 'linear', out_features: 2, name: 'last' },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'adam', lr: 0.05 },
  batch_size: 8,
  seed: 3,
});

function open(): TrainingSession {
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems[0].message);
  return new TrainingSession(run, text, { checkpointInterval: 4 });
}

const LAYERS = ['a', 'tanh1', 'b', 'sum', 'dropout1', 'c', 'product', 'last'];
const layer = (name: string): number => LAYERS.indexOf(name);

describe('a run of a network with branches', () => {
  it('goes back to any step, bit for bit', () => {
    const straight = open();
    const hashes = [straight.stateHash()];
    for (let step = 1; step <= 20; step++) {
      straight.step();
      hashes.push(straight.stateHash());
    }
    const session = open();
    session.seek(20);
    expect(session.stateHash()).toBe(hashes[20]);
    for (const step of [13, 2, 17, 0, 9]) {
      session.seek(step);
      expect(session.stateHash()).toBe(hashes[step]);
    }
  });

  it('takes the same steps phase by phase as at once', () => {
    const [phases, steps] = [open(), open()];
    for (let step = 0; step < 5; step++) {
      do phases.stepPhase();
      while (phases.position.phase > 0);
      steps.step();
      expect(phases.stateHash()).toBe(steps.stateHash());
    }
  });

  it('knows the gradient of an output when its first consumer is done, not before', () => {
    const session = open();
    expect(session.model.layers.map(({ name }) => name)).toEqual(LAYERS);
    const backward = (name: string): number =>
      session.model.phases.findIndex((phase) => phase.kind === 'backward' && phase.layer === layer(name));
    for (const [output, first] of [
      ['a', 'tanh1'],
      ['sum', 'dropout1'],
      ['c', 'product'],
    ] as const) {
      session.seek(0, backward(first));
      expect(session.progress.hasOutputGradient(layer(output))).toBe(false);
      session.stepPhase();
      expect(session.progress.hasOutputGradient(layer(output))).toBe(true);
    }
  });

  it('says in words where gradients are added', () => {
    const session = open();
    session.seek(0, 1);
    const frame = makeFrame(session, {
      sequence: 0,
      status: 'paused',
      target: null,
      probes: new Set(),
      views: { next: () => [], rotate: () => false } as never,
      allViews: true,
      nonFinite: null,
      truncatedTo: null,
      stepsPerSecond: null,
    });
    const words = (kind: 'forward' | 'backward', name: string): string =>
      describePhase(session.model, { kind, layer: layer(name) }, frame);
    expect(words('forward', 'sum')).toMatch(/\bb\b.*\ba\b/);
    expect(words('backward', 'tanh1')).toContain(' a,');
    expect(words('backward', 'c')).toContain('b.weight');
  });
});

describe('why, on a network with branches', () => {
  const ask = (node: NodeId, index = 1): Attribution => {
    const session = open();
    session.seek(1);
    const { value } = runQuery(session, { type: 'attribution', node, index, sample: null });
    if (!value) throw new Error('no answer');
    return value;
  };
  const sum = ({ terms, remainder }: Attribution): number =>
    terms.reduce((total, { value }) => total + value, remainder);
  const layersIn = ({ terms }: Attribution): number[] => [
    ...new Set(
      terms.flatMap(({ factors }) =>
        factors.flatMap(({ source }) => (source && source.node.of === 'output_gradient' ? source.node.layer : [])),
      ),
    ),
  ];

  it('the gradient of an output that three layers take is the sum over all of them', () => {
    const answer = ask({ of: 'output_gradient', layer: layer('a') });
    expect(answer.kind).toBe('sum');
    expect(sum(answer)).toBeCloseTo(answer.value, 6);
    expect(layersIn(answer).sort()).toEqual([layer('tanh1'), layer('sum'), layer('product')].sort());
  });

  it('the gradient of a shared weight is the sum over its uses and the batch', () => {
    const answer = ask({ of: 'parameter_gradient', layer: layer('b'), parameter: 'weight' }, 6);
    expect(answer.termCount).toBe(2 * 8);
    expect(sum(answer)).toBeCloseTo(answer.value, 6);
    expect(layersIn(answer).sort()).toEqual([layer('b'), layer('c')]);
    expect(ask({ of: 'parameter_gradient', layer: layer('c'), parameter: 'weight' }, 6)).toEqual(answer);
  });

  it('the output of a join comes from both of its inputs', () => {
    const { terms } = ask({ of: 'output', layer: layer('product') });
    const sources = terms.flatMap(({ factors }) =>
      factors.flatMap(({ source }) => (source && source.node.of === 'output' ? source.node.layer : [])),
    );
    expect(sources.sort()).toEqual([layer('a'), layer('c')]);
  });
});

describe('a network with joins that run as one step', () => {
  it.each(['float32', 'float64'] as const)('gives the same bits as phase by phase, in %s', (precision) => {
    const spec = JSON.stringify({
      ...JSON.parse(text),
      layers: [
        { type: 'linear', out_features: 4 },
        { type: 'residual', layers: ['tanh', { type: 'linear', out_features: 4 }] },
        { type: 'linear', out_features: 2 },
      ],
      precision,
    });
    const { run } = loadRun(spec, noFiles);
    const [once, phases] = [0, 1].map(() => new TrainingSession(run!, spec, { fuseAfter: 5 }));
    for (let step = 0; step < 40; step++) {
      once.train(1);
      do phases.stepPhase();
      while (phases.position.phase > 0);
    }
    expect(once.stateHash()).toBe(phases.stateHash());
  });
});

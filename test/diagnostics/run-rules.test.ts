// Rules about a run, on real runs: each fires on its case and keeps quiet on one close to it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextObservedStep, runRules } from '../../src/diagnostics';
import { Random } from '../../src/engine/random';
import { loadRun } from '../../src/model-spec';
import { observeStep } from '../../src/session/observe-step';
import { TrainingSession } from '../../src/session/session';
import { inMemoryFiles } from '../support/data-files';
import { exampleVariant } from '../support/examples';
import { observe, observeTo, openSession } from '../support/observed-run';

const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });
const sgd = (lr: number, more: object = {}): object => ({ type: 'sgd', lr, ...more });
const deep = (activation: string, depth: number): unknown[] => [
  ...Array.from({ length: depth }, () => [linear(6), activation]).flat(),
  linear(2),
];
/** Blocks whose two branches are as large as what they get. */
const doubling = (times: number, before: readonly unknown[]): unknown[] => [
  {
    type: 'repeat',
    times,
    layers: [...before, { type: 'parallel', merge: 'add', branches: [[], [linear(8, { init: 'orthogonal' })]] }],
  },
];
const circles = {
  data: { type: 'circles', samples: 80 },
  layers: [linear(8), 'tanh', linear(2)],
  loss: 'cross_entropy',
  optimizer: sgd(0.5),
  batch_size: 16,
  epochs: 60,
};
const regression = {
  ...circles,
  data: { type: 'linear', samples: 80, features: 3, noise: 0.1 },
  layers: [linear(8), 'tanh', linear(1)],
  loss: 'mse',
  optimizer: sgd(0.1),
};
const random = new Random(3, 'labels');
const inputs = Array.from({ length: 120 }, () => Array.from({ length: 8 }, () => random.uniform(-1, 1)));
const table = (label: (x: readonly number[], i: number) => number): object => ({
  type: 'inline',
  inputs,
  labels: inputs.map(label),
  split: { validation: 0.5, test: 0 },
});
const shifted = {
  type: 'inline',
  inputs: inputs.map((x) => x.map((value) => 40 + 20 * value)),
  labels: inputs.map(([a]) => Number(a > 0)),
};
const coins = inputs.map(() => Number(random.uniform(0, 1) < 0.5));
const large = { layers: [linear(64), 'relu', linear(2)], optimizer: { type: 'adam', lr: 0.01 }, epochs: 100 };

/** Sequences of 30 time steps whose marked values are to be added. */
const adding = {
  data: { type: 'adding', samples: 200, length: 30 },
  layers: [{ type: 'rnn', hidden_size: 8 }, linear(1)],
  loss: 'mse',
  optimizer: { type: 'adam', lr: 0.01 },
  batch_size: 20,
  epochs: 30,
};

const difference = { type: 'subtract', inputs: ['a', 'linear2'] };

const cases: readonly (readonly [code: string, fires: object, quiet: object])[] = [
  [
    'zero-gradient',
    { ...circles, layers: [linear(8, { bias_init: { type: 'constant', val: -50 } }), 'relu', linear(2)] },
    { ...circles, layers: [linear(8), 'relu', linear(2)] },
  ],
  [
    'constant-output',
    {
      ...circles,
      layers: [linear(8, { name: 'a' }), linear(8, { inputs: ['input'], share: 'a' }), difference, linear(2)],
    },
    { ...circles, layers: [linear(8, { name: 'a' }), linear(8, { inputs: ['input'] }), difference, linear(2)] },
  ],
  ['update-too-large', { ...circles, optimizer: sgd(300) }, circles],
  ['update-too-small', { ...circles, optimizer: sgd(1e-6) }, { ...circles, optimizer: sgd(0.01) }],
  ['diverging', { ...regression, layers: [linear(1)], optimizer: sgd(1.5) }, { ...regression, optimizer: sgd(0.2) }],
  [
    'decay-outweighs-loss',
    { ...circles, optimizer: sgd(0.1, { weight_decay: 0.5 }) },
    { ...circles, optimizer: sgd(0.5, { weight_decay: 0.001 }) },
  ],
  ['always-clipped', { ...circles, clip: { norm: 1e-4 } }, { ...circles, clip: { norm: 0.1 } }],
  [
    'rate-near-zero',
    { ...circles, schedule: { type: 'exponential', gamma: 0.5 } },
    { ...circles, schedule: { type: 'cosine' } },
  ],
  [
    'dead-units',
    { ...circles, layers: [linear(8, { bias_init: { type: 'constant', val: -50 } }), 'relu', linear(2)] },
    { ...circles, layers: [linear(8), 'relu', linear(2)] },
  ],
  [
    'saturated-units',
    {
      ...circles,
      layers: [linear(8, { init: { type: 'normal', std: 60 } }), 'tanh', linear(2)],
      optimizer: sgd(0.001),
    },
    circles,
  ],
  [
    'vanishing-through-time',
    adding,
    // A forget gate that is open keeps the gradient.
    {
      ...adding,
      layers: [
        {
          type: 'lstm',
          hidden_size: 2,
          bias_ih: [0, 0, 3, 3, 0, 0, 0, 0],
        },
        linear(1),
      ],
    },
  ],
  ['vanishing-gradient', { ...circles, layers: deep('sigmoid', 8) }, { ...circles, layers: deep('tanh', 3) }],
  [
    'exploding-gradient',
    {
      ...circles,
      layers: Array.from({ length: 9 }, () => linear(6, { init: { type: 'normal', std: 4 } })).flatMap((each, i) =>
        i < 8 ? [each, 'leaky_relu'] : [{ ...each, out_features: 2 }],
      ),
      optimizer: sgd(1e-9),
    },
    { ...circles, layers: deep('leaky_relu', 3) },
  ],
  [
    'exploding-activations',
    { ...circles, layers: [linear(8), ...doubling(16, []), linear(2)], optimizer: sgd(1e-9) },
    { ...circles, layers: [linear(8), ...doubling(16, ['layer_norm']), linear(2)], optimizer: sgd(1e-9) },
  ],
  [
    'worse-in-evaluation',
    { ...circles, data: shifted, layers: [{ type: 'batch_norm1d', momentum: 0.0001 }, linear(8), 'tanh', linear(2)] },
    { ...circles, data: shifted, layers: ['batch_norm1d', linear(8), 'tanh', linear(2)] },
  ],
  [
    'predicts-one-class',
    { ...circles, data: table((_, i) => Number(i % 12 === 0)), layers: [linear(2)], optimizer: sgd(0.01) },
    circles,
  ],
  ['memorizing', { ...circles, ...large, data: table((_, i) => coins[i]) }, circles],
  [
    'overfitting',
    { ...circles, ...large, data: table((x, i) => Number(x[0] + 0.9 * (coins[i] - 0.5) > 0)) },
    { ...circles, ...large, data: table(([a]) => Number(a > 0)) },
  ],
  ['not-learning', { ...circles, optimizer: sgd(1e-6) }, circles],
];

describe('a rule about a run', () => {
  it.each(cases)('%s fires on its case and not on one close to it', (code, fires, quiet) => {
    expect(observe(fires).map((finding) => finding.code)).toContain(code);
    expect(observe(quiet).map((finding) => finding.code)).not.toContain(code);
  });

  it('has a case here, an id of its own, and a source of its threshold', () => {
    expect(runRules.map(({ id }) => id).sort()).toEqual(cases.map(([code]) => code).sort());
    for (const { threshold } of runRules) if (threshold) expect(threshold.source).not.toBe('');
  });

  it('has a fix for weights whose terms cancel, and none for dead units', () => {
    const fixOf = (layers: readonly unknown[]) =>
      observe({ ...circles, layers }).find(({ code }) => code === 'zero-gradient')?.fix ?? null;
    const equal = linear(2, { bias: false, init: { type: 'constant', val: 0.5 } });
    expect(fixOf([linear(8), 'tanh', equal])?.changes.length).toBeGreaterThan(0);
    expect(fixOf([linear(8, { bias_init: { type: 'constant', val: -50 } }), 'relu', linear(2)])).toBeNull();
  });

  it('does not take named inputs for hidden layers', () => {
    const names = ['a', 'b', 'c', 'd'];
    const csv = ['a,b,c,d,y', ...inputs.map(([a, b, c, d]) => [a / 1e4, b, c, 1000 * d, a].join(','))].join('\n');
    const text = JSON.stringify({
      ...regression,
      data: {
        type: 'csv',
        path: 'd.csv',
        inputs: Object.fromEntries(names.map((name) => [name, [name]])),
        target: 'y',
      },
      layers: [{ type: 'concat', inputs: names }, linear(4), 'tanh', linear(1)],
      optimizer: sgd(1e-9),
    });
    const { run } = loadRun(text, inMemoryFiles({ 'd.csv': csv }));
    const findings = observeTo(new TrainingSession(run!, text), 1);
    expect(findings.map(({ code }) => code)).not.toContain('exploding-activations');
  });

  it('does not take one sample for all', () => {
    // As `train` does it: the splits are evaluated at the start and at the end only.
    const session = exampleVariant('circles-online', { epochs: 5 });
    session.evaluate();
    for (let step = 1; step <= session.totalSteps; step++) {
      const isObserved = step === nextObservedStep(step - 1);
      session.step(isObserved);
      if (isObserved) observeStep(session);
    }
    expect(session.monitor.findings.map(({ code }) => code)).not.toContain('predicts-one-class');
  });

  it('is silenced and tuned by the spec', () => {
    const tooLarge = { ...circles, optimizer: sgd(300) };
    const codesOf = (rules: object): string[] => observe({ ...tooLarge, epochs: 2, rules }).map(({ code }) => code);
    expect(codesOf({})).toContain('update-too-large');
    expect(codesOf({ 'update-too-large': 'off' })).not.toContain('update-too-large');
    expect(codesOf({ 'update-too-large': 1e9 })).not.toContain('update-too-large');
  });
});

describe('a run that has not learned', () => {
  const endsWith = (spec: object): readonly string[] => {
    const session = openSession(spec);
    session.evaluate();
    return observeTo(session, session.totalSteps)
      .filter(({ isFailure, until }) => isFailure && until === null)
      .map(({ code }) => code);
  };

  it('is said at its end, also where it is short', () => {
    // Uphill: the loss of the training split grows.
    const short = { ...circles, layers: [linear(2, { init: 'zeros' })], batch_size: 'full', epochs: 3 };
    expect(endsWith({ ...short, optimizer: sgd(1e-12) })).toEqual(['not-learning']);
    expect(endsWith({ ...circles, epochs: 2 })).toEqual([]);
  });

  it('is said of an accuracy that is no better than guessing', () => {
    // Two equal inputs with different labels: at most half can be right.
    const data = {
      type: 'inline',
      inputs: [[1], [1], [-1], [-1]],
      labels: [0, 1, 0, 1],
      split: { validation: 0, test: 0 },
    };
    expect(endsWith({ ...circles, data, layers: [linear(2)], batch_size: 2, epochs: 20 })).toContain('not-learning');
  });

  it('is not said of one that has', () => {
    expect(endsWith(circles)).toEqual([]);
  });
});

describe('the history of findings', () => {
  const tooLarge = { ...circles, layers: [linear(8), 'relu', linear(2)], optimizer: sgd(300) };

  it('puts the cause before its effects', () => {
    const findings = observe({ ...tooLarge, epochs: 20 });
    expect(findings[0]).toMatchObject({ code: 'update-too-large', since: 1 });
    expect(findings.map(({ since }) => since)).toEqual(findings.map(({ since }) => since).sort((a, b) => a - b));
  });

  it('keeps remedy and fix together', () => {
    const found = observe({ ...circles, optimizer: sgd(1e-6) }).find(({ code }) => code === 'update-too-small');
    const [change] = found?.fix?.changes ?? [];
    expect(found?.remedy).toContain(` to ${String(change?.value)}`);
  });

  it('says until when a finding held', () => {
    const session = openSession({ ...circles, layers: deep('sigmoid', 8), optimizer: sgd(300) });
    observeTo(session, 3);
    const before = session.monitor.findings.filter(({ until }) => until === null);
    expect(before.length).toBeGreaterThan(0);
    session.setLearningRate(1e-12);
    observeTo(session, 40);
    const gone = session.monitor.findings.find(({ code }) => code === 'update-too-large');
    expect(gone?.until).toBeLessThanOrEqual(3);
  });

  it('forgets what was found after the step from which a run goes another way', () => {
    const session = openSession(tooLarge);
    observeTo(session, 30);
    const later = session.monitor.findings.filter(({ since }) => since > 2);
    expect(later.length).toBeGreaterThan(0);
    session.seek(2);
    expect(session.monitor.findings).toEqual(expect.arrayContaining(later));
    session.setLearningRate(0.01);
    expect(session.monitor.findings.every(({ since, until }) => since <= 2 && (until === null || until < 2))).toBe(
      true,
    );
  });

  it('is the same when a run goes back and on again', () => {
    const session = openSession(tooLarge);
    const once = observeTo(session, 40);
    session.seek(5);
    expect(observeTo(session, 40)).toEqual(once);
  });

  it('survives a restore', () => {
    const session = openSession(tooLarge);
    observeTo(session, 40);
    expect(session.record().findings).toEqual(session.monitor.findings);
  });
});

it('the observed steps follow from the step alone, all at first and ever fewer', () => {
  expect(Array.from({ length: 20 }, (_, step) => nextObservedStep(step)).slice(0, 15)).toEqual(
    Array.from({ length: 15 }, (_, i) => i + 1),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), (step) => {
      const next = nextObservedStep(step);
      expect(next).toBeGreaterThan(step);
      expect(next - step).toBeLessThanOrEqual(Math.max(1, step / 4));
      // From any step before it, the same one is next.
      expect(nextObservedStep(next - 1)).toBe(next);
    }),
  );
});

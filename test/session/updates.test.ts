// Schedules, clipping, penalties and every optimizer in a run: the effect of a step, and that going back is exact.
import { describe, expect, it } from 'vitest';
import { optimizers } from '../../src/engine/optimizers';
import { gradientNorm } from '../../src/engine/update-parameters';
import { GradientCheck } from '../../src/gradcheck';
import type { TrainingSession } from '../../src/session/session';
import '../support/allclose';
import { createSession, smallSpec } from '../support/session-fixtures';

const exact = { ...smallSpec, precision: 'float64' };
const CHECK = { step: 6e-6, rtol: 1e-5, atol: 1e-10 };

/** The learning rate of each of the first steps. */
function rates(session: TrainingSession, steps: number): number[] {
  return Array.from({ length: steps }, () => {
    const { lr } = session;
    session.step();
    return lr;
  });
}

const values = (session: TrainingSession): number[] =>
  session.network.parameters.flatMap(({ value }) => [...value.data]);

describe('going back', () => {
  const specs: [string, object][] = [
    ...Object.keys(optimizers).map((type): [string, object] => [type, { optimizer: { type, lr: 0.05 } }]),
    ['nesterov', { optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01 } }],
    ['a schedule by steps', { schedule: { type: 'cosine', per: 'step', warmup: 5 } }],
    ['a schedule by epochs', { schedule: { type: 'step', step_size: 2 } }],
    ['clipping by norm', { clip: { norm: 0.05 } }],
    ['clipping by value', { clip: { value: 0.01 } }],
    [
      'dropout',
      {
        layers: [
          { type: 'linear', out_features: 4 },
          'tanh',
          { type: 'dropout', p: 0.3 },
          { type: 'linear', out_features: 2 },
        ],
      },
    ],
    ['a penalty', { penalty: { l1: 0.01, l2: 0.1 } }],
  ];

  it.each(specs)('is exact with %s', (_name, more) => {
    const straight = createSession({ ...smallSpec, ...more });
    const hashes = [straight.stateHash()];
    for (let step = 1; step <= 30; step++) {
      straight.step();
      hashes.push(straight.stateHash());
    }
    expect(new Set(hashes).size).toBe(31);
    const session = createSession({ ...smallSpec, ...more }, { checkpointInterval: 4 });
    for (const step of [30, 7, 22, 3, 29, 0, 12]) {
      session.seek(step);
      expect(session.stateHash()).toBe(hashes[step]);
    }
  });
});

describe('a schedule', () => {
  it('counts epochs by default', () => {
    const session = createSession({ ...exact, schedule: { type: 'exponential', gamma: 0.5 } });
    const { batchesPerEpoch } = session.model;
    expect(batchesPerEpoch).toBeGreaterThan(1);
    expect(rates(session, 3 * batchesPerEpoch)).toEqual(
      [0.2, 0.1, 0.05].flatMap((lr) => new Array<number>(batchesPerEpoch).fill(lr)),
    );
  });

  it('starts after its warm-up', () => {
    const session = createSession({ ...exact, schedule: { type: 'exponential', gamma: 0.5, per: 'step', warmup: 3 } });
    expect(rates(session, 6)).toBeAllclose([0.05, 0.1, 0.15, 0.2, 0.1, 0.05]);
  });

  it('spans the whole run for a cosine, and stays at its minimum after it', () => {
    const session = createSession({ ...exact, epochs: 4, schedule: 'cosine' });
    const { batchesPerEpoch: n } = session.model;
    const found = rates(session, 6 * n);
    const halves = [0, 1, 2, 3].map((epoch) => 0.1 * (1 + Math.cos((Math.PI * epoch) / 4)));
    expect([0, 1, 2, 3].map((epoch) => found[epoch * n])).toBeAllclose(halves);
    expect(found.slice(4 * n).every((lr) => Math.abs(lr) < 1e-15)).toBe(true);
  });

  it('continues from a manually set rate, and replays it', () => {
    const session = createSession({ ...exact, schedule: { type: 'exponential', gamma: 0.5, per: 'step' } });
    session.seek(2);
    expect(session.lr).toBe(0.05);
    session.setLearningRate(0.8);
    expect([session.baseLr, session.lr]).toEqual([0.8, 0.2]);
    expect(rates(session, 2)).toEqual([0.2, 0.1]);
    const hash = session.stateHash();
    session.seek(1);
    expect([session.baseLr, session.lr]).toEqual([0.2, 0.1]);
    session.seek(4);
    expect(session.stateHash()).toBe(hash);
  });
});

describe('clipping', () => {
  it("by norm shortens the whole gradient, and shows backprop's original", () => {
    const plain = { ...exact, optimizer: { type: 'sgd', lr: 1 } };
    const session = createSession({ ...plain, clip: { norm: 1e-3 } });
    const before = values(session);
    session.step();
    const moved = Math.hypot(...values(session).map((value, i) => value - before[i]));
    const norm = gradientNorm(session.network);
    expect(norm).toBeGreaterThan(0.01);
    expect(moved).toBeAllclose((1e-3 * norm) / (norm + 1e-6), { rtol: 1e-9 });
    const free = createSession(plain);
    free.step();
    expect(gradientNorm(free.network)).toBe(norm);
  });

  it('by norm leaves a shorter one bitwise unchanged', () => {
    const [clipped, free] = [createSession({ ...exact, clip: { norm: 1e3 } }), createSession(exact)];
    for (const session of [clipped, free]) for (let step = 0; step < 10; step++) session.step();
    expect(clipped.stateHash()).toBe(free.stateHash());
  });

  it('by value limits every entry', () => {
    const session = createSession({ ...exact, optimizer: { type: 'sgd', lr: 1 }, clip: { value: 1e-3 } });
    const before = values(session);
    session.step();
    const gradients = session.network.parameters.flatMap(({ gradient }) => [...gradient.data]);
    const expected = gradients.map((g) => Math.sign(g) * Math.min(Math.abs(g), 1e-3));
    expect(values(session).map((value, i) => before[i] - value)).toBeAllclose(expected, { rtol: 1e-9, atol: 1e-15 });
    expect(Math.max(...gradients.map(Math.abs))).toBeGreaterThan(1e-3);
  });

  it('does not count frozen parameters', () => {
    const {
      layers: [first, ...rest],
    } = exact;
    const frozen = { ...(first as object), freeze: ['weight', 'bias'] };
    const session = createSession({ ...exact, layers: [frozen, ...rest], clip: { norm: 1 } });
    session.step();
    const squares = session.network.parameters
      .filter((own) => !own.frozen)
      .flatMap(({ gradient }) => [...gradient.data]);
    expect(gradientNorm(session.network)).toBeAllclose(Math.hypot(...squares));
  });
});

describe('a penalty', () => {
  const penalized = { ...exact, penalty: { l1: 0.03, l2: 0.5 } };

  it('is part of the training loss, but not of the loss of a split', () => {
    const [session, plain] = [createSession(penalized), createSession(exact)];
    expect(session.evaluate()).toEqual(plain.evaluate());
    const weights = session.network.parameters
      .filter(({ shortName }) => shortName === 'weight')
      .flatMap(({ value }) => [...value.data]);
    session.step();
    plain.step();
    const expected = weights.reduce((sum, w) => sum + 0.03 * Math.abs(w) + 0.25 * w * w, 0);
    expect(session.loss! - plain.loss!).toBeAllclose(expected, { rtol: 1e-9 });
  });

  it('with l2 on everything equals the weight decay of plain sgd', () => {
    const [session, decay] = [
      createSession({ ...exact, optimizer: { type: 'sgd', lr: 0.1 }, penalty: { l2: 0.05, biases: true } }),
      createSession({ ...exact, optimizer: { type: 'sgd', lr: 0.1, weight_decay: 0.05 } }),
    ];
    for (let step = 0; step < 20; step++) [session, decay].forEach((each) => each.step());
    expect(values(session)).toBeAllclose(values(decay), { rtol: 1e-10, atol: 1e-14 });
  });

  it.each([{ l1: 0.03 }, { l2: 0.5 }, { l1: 0.1, l2: 0.2, biases: true }])(
    '%o is in the gradient, says its check',
    (penalty) => {
      const session = createSession({ ...exact, penalty });
      session.seek(5);
      const check = new GradientCheck({
        network: session.network,
        pass: session.passToCheck(),
        step: 5,
        options: CHECK,
      });
      while (check.advance(1000));
      expect(check.report().counts).toMatchObject({ wrong: 0, kink: 0 });
      expect(check.report().counts.pass).toBeGreaterThan(10);
    },
  );
});

describe('dropout', () => {
  const dropped = {
    ...exact,
    layers: [
      { type: 'linear', out_features: 6 },
      'tanh',
      { type: 'dropout', p: 0.5 },
      { type: 'linear', out_features: 2 },
    ],
  };
  const mask = (session: TrainingSession): number[] => Array.from(session.pass.outputs[2].data, (y) => Number(y !== 0));

  it('is drawn anew each step, and repeated when the step is replayed', () => {
    const session = createSession(dropped);
    const masks = [1, 2, 3].map((step) => (session.seek(step), mask(session)));
    expect(new Set(masks.map(String)).size).toBe(3);
    expect(masks[0].some((kept) => kept === 0) && masks[0].some((kept) => kept === 1)).toBe(true);
    session.seek(1);
    expect(mask(session)).toEqual(masks[0]);
  });

  it('is off in evaluation', () => {
    const [session, without] = [
      createSession(dropped),
      createSession({ ...exact, layers: dropped.layers.filter((_, i) => i !== 2) }),
    ];
    without.network.parameters.forEach(({ value }, i) => value.data.set(session.network.parameters[i].value.data));
    expect(session.evaluate()).toEqual(without.evaluate());
  });

  it('is fixed in a gradient check', () => {
    const session = createSession(dropped);
    // Before the update, so the loss shown is that of the current weights.
    session.seek(3, session.model.phases.length - 1);
    const before = mask(session);
    const check = new GradientCheck({ network: session.network, pass: session.passToCheck(), step: 3, options: CHECK });
    while (check.advance(1000));
    expect(check.report().counts).toMatchObject({ wrong: 0, kink: 0 });
    expect(check.report().counts.pass).toBeGreaterThan(20);
    expect(check.report().loss).toBeAllclose(session.loss!, { rtol: 1e-12 });
    expect(mask(session)).toEqual(before);
  });
});

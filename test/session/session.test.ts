import { locateNonFinite } from '../../src/session/locate-non-finite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrainingSession } from '../../src/session/session';
import { makeFrame } from '../../src/session/make-frame';
import { RoundRobin } from '../../src/session/round-robin';
import { seriesName } from '../../src/history/history';
import { compileRun, createSession, smallSpec } from '../support/session-fixtures';

const variants = {
  'float32 with momentum': smallSpec,
  float64: { ...smallSpec, precision: 'float64' },
  online: { ...smallSpec, batch_size: 1 },
  'full batch': { ...smallSpec, batch_size: 'full' },
};

/** What a frame shows at this position, without volatile values. */
function snapshotOf(session: TrainingSession) {
  const views = new RoundRobin(() => 0);
  views.set([[{ type: 'tensor', layer: 0, kind: 'output_gradient' }]]);
  const { layers, loss, accuracy, position, batchPosition, lr, evaluation, queryResults } = makeFrame(session, {
    sequence: 1,
    status: 'paused',
    target: null,
    nonFinite: null,
    truncatedTo: null,
    stepsPerSecond: null,
    probes: new Set(['activations', 'gradients', 'updates']),
    views,
    allViews: true,
  });
  return { layers, loss, accuracy, position, place: batchPosition, lr, evaluation, answers: queryResults };
}

describe.each(Object.entries(variants))('going back, %s', (_, spec) => {
  const straight = createSession(spec);
  const hashes = [straight.stateHash()];
  for (let step = 1; step <= 60; step++) {
    straight.step();
    hashes.push(straight.stateHash());
  }

  it('is bitwise exact to any position', () => {
    const budgets = [0, 3000, 64 * 2 ** 20];
    fc.assert(
      fc.property(
        fc.array(fc.nat(60), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...budgets),
        fc.constantFrom(1, 4),
        (targets, checkpointBudget, checkpointInterval) => {
          const session = createSession(spec, { checkpointBudget, checkpointInterval });
          for (const target of targets) {
            session.seek(target);
            expect(session.position).toEqual({ step: target, phase: 0 });
            expect(session.stateHash()).toBe(hashes[target]);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('shows the same tensors as when the step was first trained', () => {
    const session = createSession(spec, { checkpointInterval: 1 });
    const shown = [];
    for (let step = 0; step < 25; step++) {
      session.step(true);
      session.evaluate();
      shown.push(snapshotOf(session));
    }
    for (const step of [20, 3, 25, 1, 24]) {
      session.seek(step);
      session.evaluate();
      expect(snapshotOf(session)).toEqual(shown[step - 1]);
    }
  });

  it('shows no tensors of another step while replaying', () => {
    const session = createSession(spec, { checkpointInterval: 4 });
    session.seek(30);
    session.rewind(20);
    expect(session.position).toEqual({ step: 16, phase: 0 });
    expect(session.stateHash()).toBe(hashes[16]);
    expect(snapshotOf(session)).toMatchObject({
      loss: null,
      layers: [{ activation: null }, { activation: null }, { activation: null }],
    });
    session.seek(16);
    expect(session.stateHash()).toBe(hashes[16]);
    expect(snapshotOf(session).layers[0].activation).not.toBeNull();
  });

  it('goes back by phase through whole steps', () => {
    const session = createSession(spec, { checkpointInterval: 2 });
    const trail = [];
    const phases = session.model.phases.length;
    for (let i = 0; i < 3 * phases; i++) {
      trail.push([session.position, session.stateHash(), session.loss, session.progress.hasOutput(1)]);
      session.stepPhase();
    }
    for (const expected of trail.reverse()) {
      session.backPhase();
      expect([session.position, session.stateHash(), session.loss, session.progress.hasOutput(1)]).toEqual(expected);
    }
    session.backPhase();
    expect(session.position).toEqual({ step: 0, phase: 0 });
  });
});

describe('a step', () => {
  it('equals its phases, one after the other', () => {
    const whole = createSession(smallSpec);
    const parts = createSession(smallSpec);
    for (let step = 0; step < 5; step++) {
      whole.step();
      for (const _ of parts.model.phases) parts.stepPhase();
      expect(parts.stateHash()).toBe(whole.stateHash());
      expect(parts.position).toEqual(whole.position);
    }
  });

  it('names its phases in the order of a training step', () => {
    expect(
      createSession(smallSpec).model.phases.map((phase) =>
        'layer' in phase ? `${phase.kind} ${phase.layer}` : phase.kind,
      ),
    ).toEqual([
      'zero_grad',
      'forward 0',
      'forward 1',
      'forward 2',
      'loss',
      'loss_backward',
      'backward 2',
      'backward 1',
      'backward 0',
      'update',
    ]);
  });

  it('shows only what it has computed so far', () => {
    const session = createSession(smallSpec);
    session.step();
    for (let phase = 0; phase < 3; phase++) session.stepPhase();
    const { layers, loss } = snapshotOf(session);
    expect(layers.map(({ activation }) => activation !== null)).toEqual([true, true, false]);
    expect(layers.every(({ outputGradient }) => outputGradient === null)).toBe(true);
    expect(loss).toBeNull();
  });

  it('sees every training sample once per epoch, in a different order each time', () => {
    const session = createSession({ ...smallSpec, batch_size: 7 });
    const { batchesPerEpoch } = session.model;
    const epochs = [0, 1].map(() => {
      const rows: string[] = [];
      for (let batch = 0; batch < batchesPerEpoch; batch++) {
        session.step();
        const { data } = session.pass.input;
        for (let i = 0; i < data.length; i += 2) rows.push(`${data[i]} ${data[i + 1]}`);
      }
      return rows;
    });
    const train = session.run.split.train.length;
    expect(new Set(epochs[0]).size).toBe(train);
    expect([...epochs[0]].sort()).toEqual([...epochs[1]].sort());
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(train % 7).not.toBe(0);
  });

  it('updates weights as computed by plain arithmetic', () => {
    const session = createSession({
      ...smallSpec,
      precision: 'float64',
      optimizer: { type: 'sgd', lr: 0.2, momentum: 0.9 },
    });
    const [weight] = session.network.parameters;
    const velocity = new Float64Array(weight.value.data.length);
    for (let step = 0; step < 5; step++) {
      const before = Float64Array.from(weight.value.data);
      session.step(true);
      let moved = 0;
      let size = 0;
      before.forEach((value, i) => {
        velocity[i] = 0.9 * velocity[i] + weight.gradient.data[i];
        expect(weight.value.data[i]).toBe(value - 0.2 * velocity[i]);
        moved += (weight.value.data[i] - value) ** 2;
        size += value ** 2;
      });
      expect(session.updateRatios.get(weight.name)).toBeCloseTo(Math.sqrt(moved / size), 14);
    }
  });
});

describe('the learning rate', () => {
  it('changes from the current step on and is replayed', () => {
    const session = createSession(smallSpec);
    session.seek(10);
    session.setLearningRate(0.01);
    session.seek(20);
    const [at15, at20] = [15, 20].map((step) => (session.seek(step), session.stateHash()));
    session.seek(5);
    expect(session.lr).toBe(0.2);
    session.seek(20);
    expect(session.stateHash()).toBe(at20);
    session.seek(15);
    expect(session.stateHash()).toBe(at15);
    expect(at20).not.toBe(
      (() => {
        const other = createSession(smallSpec);
        other.seek(20);
        return other.stateHash();
      })(),
    );
  });

  it('discards later steps', () => {
    const session = createSession(smallSpec, { checkpointInterval: 4 });
    session.seek(30);
    const before = session.stateHash();
    session.seek(12);
    expect(session.setLearningRate(0.05)).toBe(true);
    expect(session.furthestStep).toBe(12);
    session.seek(30);
    expect(session.stateHash()).not.toBe(before);
    const fresh = createSession(smallSpec);
    fresh.seek(12);
    fresh.setLearningRate(0.05);
    fresh.seek(30);
    expect(session.stateHash()).toBe(fresh.stateHash());
  });

  it('set to its current value changes nothing', () => {
    const session = createSession(smallSpec);
    session.seek(10);
    session.seek(4);
    expect(session.setLearningRate(0.2)).toBe(false);
    expect(session.furthestStep).toBe(10);
  });

  it('set within a step counts for that step', () => {
    const session = createSession(smallSpec);
    session.seek(3);
    for (let phase = 0; phase < 4; phase++) session.stepPhase();
    session.setLearningRate(0);
    const before = session.stateHash();
    session.step();
    const weights = session.network.parameters[0].value.data.slice();
    session.seek(3);
    expect(session.network.parameters[0].value.data).toEqual(weights);
    expect(session.stateHash()).toBe(before);
  });

  it.each([NaN, Infinity, -0.1])('rejects %s', (lr) => {
    expect(() => createSession(smallSpec).setLearningRate(lr)).toThrow(RangeError);
  });
});

describe('evaluation', () => {
  it('is the mean over a split, and leaves the step unchanged', () => {
    const session = createSession({ ...smallSpec, precision: 'float64' });
    session.step(true);
    const before = snapshotOf(session);
    const { test } = session.evaluate();
    expect({ ...snapshotOf(session), evaluation: {} }).toEqual({ ...before, evaluation: {} });
    // The slow way: one sample at a time with the same weights.
    const run = compileRun({ ...smallSpec, precision: 'float64' });
    const network = session.network;
    let loss = 0;
    let correct = 0;
    for (const sample of run.split.test) {
      const pass = network.evaluationPass(1);
      pass.loadBatch(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
      loss += pass.evaluate() / run.split.test.length;
      const [a, b] = pass.prediction.data;
      if ((b > a ? 1 : 0) === run.dataset.targets[sample]) correct++;
    }
    expect(test?.loss).toBeCloseTo(loss, 13);
    expect(test?.accuracy).toBe(correct / run.split.test.length);
  });

  it('of another trajectory is not shown', () => {
    const session = createSession(smallSpec);
    session.seek(20);
    session.evaluate();
    session.seek(10);
    session.setLearningRate(1);
    session.seek(20);
    expect(session.evaluation).toEqual({});
  });
});

describe('non-finite numbers', () => {
  it('are located where they occurred first', () => {
    const session = createSession({ ...smallSpec, loss: 'mse', optimizer: { type: 'sgd', lr: 1e20 } });
    while (Number.isFinite(session.loss ?? 0)) session.step();
    const noticed = session.shownStep;
    const found = locateNonFinite(session);
    expect(found).not.toBeNull();
    if (!found) return;
    expect(found.step).toBeLessThanOrEqual(noticed);
    // The slow way: every tensor of every phase from the start.
    const fresh = createSession({ ...smallSpec, loss: 'mse', optimizer: { type: 'sgd', lr: 1e20 } });
    while (!fresh.findNonFinite()) fresh.stepPhase();
    expect(fresh.findNonFinite()).toEqual(found);
    expect(fresh.position).toEqual(session.position);
  });

  it('have different remedies: a probability of 0, or a learning rate that is too high', () => {
    const session = createSession({
      data: { type: 'inline', inputs: [[1, 0]], targets: [[0, 1]] },
      layers: [
        {
          type: 'linear',
          weight: [
            [2000, 0],
            [0, 0],
          ],
          bias: false,
        },
        'softmax',
      ],
      loss: 'cross_entropy_on_probabilities',
      batch_size: 'full',
      epochs: 3,
      precision: 'float64',
    });
    session.step();
    expect(locateNonFinite(session)).toMatchObject({
      step: 1,
      phase: { kind: 'loss' },
      where: 'loss',
      value: Infinity,
    });
    expect(locateNonFinite(session)?.remedy).toContain('"cross_entropy"');
  });

  it('are not reported if there are none', () => {
    const session = createSession(smallSpec);
    session.seek(9);
    expect(session.findNonFinite()).toBeNull();
    expect(locateNonFinite(session)).toBeNull();
    expect(session.position).toEqual({ step: 9, phase: 0 });
  });
});

describe('a record', () => {
  it.each([
    [0, 0],
    [1, 0],
    [17, 0],
    [17, 4],
  ])('resumes at step %i phase %i, bit for bit', (step, phase) => {
    const session = createSession(smallSpec);
    session.seek(8);
    session.setLearningRate(0.1);
    session.seek(25);
    session.seek(step, phase);
    // As after crossing a process boundary.
    const record = structuredClone(session.record());
    const resumed = TrainingSession.resume(compileRun(smallSpec), record);
    expect(resumed.position).toEqual({ step, phase });
    expect(resumed.stateHash()).toBe(session.stateHash());
    expect(snapshotOf(resumed)).toEqual(snapshotOf(session));
    expect(resumed.furthestStep).toBe(session.furthestStep);
    resumed.seek(3);
    session.seek(3);
    expect(resumed.stateHash()).toBe(session.stateHash());
    resumed.seek(30);
    session.seek(30);
    expect(resumed.stateHash()).toBe(session.stateHash());
  });

  it('of another model is rejected', () => {
    const session = createSession({ ...smallSpec, batch_size: 'full', data: { type: 'circles', samples: 5000 } });
    for (let i = 0; i < 500; i++) session.step();
    expect(session.record().checkpoint.step).toBeGreaterThan(0);
    expect(() =>
      TrainingSession.resume(
        compileRun({ ...smallSpec, layers: [{ type: 'linear', out_features: 2 }] }),
        session.record(),
      ),
    ).toThrow('another model');
  });
});

describe('history', () => {
  it('contains the loss of every step', () => {
    const session = createSession(smallSpec);
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) {
      session.step();
      losses.push(session.loss ?? NaN);
    }
    const series = session.pendingHistory.get(seriesName.batchLoss)?.data();
    expect([...(series?.steps ?? [])]).toEqual(losses.map((_, i) => i + 1));
    expect([...(series?.low ?? [])]).toEqual(losses);
  });
});

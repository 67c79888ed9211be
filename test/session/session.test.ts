import { locateNonFinite } from '../../src/session/non-finite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrainingSession } from '../../src/session/session';
import { makeFrame } from '../../src/session/make-frame';
import { ViewTurns } from '../../src/session/view-turns';
import { seriesName } from '../../src/history/history';
import { runOf, sessionOf, smallSpec } from '../support/run';

const variants = {
  'float32 with momentum': smallSpec,
  'float64': { ...smallSpec, precision: 'float64' },
  'online': { ...smallSpec, batch_size: 1 },
  'full batch': { ...smallSpec, batch_size: 'full' },
};

/** What a frame shows at this position, less what belongs to the moment. */
function seen(session: TrainingSession) {
  const views = new ViewTurns(() => 0);
  views.set([[{ about: 'tensor', layer: 0, kind: 'output_gradient' }]]);
  const { layers, loss, accuracy, position, place, lr, evaluation, answers } = makeFrame(session, {
    sequence: 1, status: 'paused', target: null, nonFinite: null, truncatedTo: null, stepsPerSecond: null,
    probes: new Set(['activations', 'gradients', 'updates']),
    views, all: true,
  });
  return { layers, loss, accuracy, position, place, lr, evaluation, answers };
}

describe.each(Object.entries(variants))('going back, %s', (_, spec) => {
  const straight = sessionOf(spec);
  const hashes = [straight.hash()];
  for (let step = 1; step <= 60; step++) {
    straight.step();
    hashes.push(straight.hash());
  }

  it('is exact to the bit wherever it goes', () => {
    const budgets = [0, 3000, 64 * 2 ** 20];
    fc.assert(
      fc.property(fc.array(fc.nat(60), { minLength: 1, maxLength: 8 }), fc.constantFrom(...budgets), fc.constantFrom(1, 4), (targets, checkpointBudget, checkpointInterval) => {
        const session = sessionOf(spec, { checkpointBudget, checkpointInterval });
        for (const target of targets) {
          session.seek(target);
          expect(session.position).toEqual({ step: target, phase: 0 });
          expect(session.hash()).toBe(hashes[target]);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('shows the same tensors as when the step was first done', () => {
    const session = sessionOf(spec, { checkpointInterval: 1 });
    const shown = [];
    for (let step = 0; step < 25; step++) {
      session.step(true);
      session.evaluate();
      shown.push(seen(session));
    }
    for (const step of [20, 3, 25, 1, 24]) {
      session.seek(step);
      session.evaluate();
      expect(seen(session)).toEqual(shown[step - 1]);
    }
  });

  it('shows no tensors of another step while it is on its way back', () => {
    const session = sessionOf(spec, { checkpointInterval: 4 });
    session.seek(30);
    session.rewind(20);
    expect(session.position).toEqual({ step: 16, phase: 0 });
    expect(session.hash()).toBe(hashes[16]);
    expect(seen(session)).toMatchObject({ loss: null, layers: [{ activation: null }, { activation: null }, { activation: null }] });
    session.seek(16);
    expect(session.hash()).toBe(hashes[16]);
    expect(seen(session).layers[0].activation).not.toBeNull();
  });

  it('goes back phase by phase through whole steps', () => {
    const session = sessionOf(spec, { checkpointInterval: 2 });
    const trail = [];
    const phases = session.model.phases.length;
    for (let i = 0; i < 3 * phases; i++) {
      trail.push([session.position, session.hash(), session.loss, session.progress.forward(1)]);
      session.stepPhase();
    }
    for (const expected of trail.reverse()) {
      session.backPhase();
      expect([session.position, session.hash(), session.loss, session.progress.forward(1)]).toEqual(expected);
    }
    session.backPhase();
    expect(session.position).toEqual({ step: 0, phase: 0 });
  });
});

describe('a step', () => {
  it('is its phases, one after the other', () => {
    const whole = sessionOf(smallSpec);
    const parts = sessionOf(smallSpec);
    for (let step = 0; step < 5; step++) {
      whole.step();
      for (const _ of parts.model.phases) parts.stepPhase();
      expect(parts.hash()).toBe(whole.hash());
      expect(parts.position).toEqual(whole.position);
    }
  });

  it('names its phases in the order of a training step', () => {
    expect(sessionOf(smallSpec).model.phases.map((phase) => ('layer' in phase ? `${phase.kind} ${phase.layer}` : phase.kind))).toEqual([
      'zero_grad', 'forward 0', 'forward 1', 'forward 2', 'loss', 'loss_backward', 'backward 2', 'backward 1', 'backward 0', 'update',
    ]);
  });

  it('shows only what it has computed so far', () => {
    const session = sessionOf(smallSpec);
    session.step();
    for (let phase = 0; phase < 3; phase++) session.stepPhase();
    const { layers, loss } = seen(session);
    expect(layers.map(({ activation }) => activation !== null)).toEqual([true, true, false]);
    expect(layers.every(({ outputGradient }) => outputGradient === null)).toBe(true);
    expect(loss).toBeNull();
  });

  it('sees every training sample once an epoch, in another order each time', () => {
    const session = sessionOf({ ...smallSpec, batch_size: 7 });
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

  it('moves weights by what plain arithmetic says', () => {
    const session = sessionOf({ ...smallSpec, precision: 'float64', optimizer: { type: 'sgd', lr: 0.2, momentum: 0.9 } });
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
    const session = sessionOf(smallSpec);
    session.seek(10);
    session.setLearningRate(0.01);
    session.seek(20);
    const [at15, at20] = [15, 20].map((step) => (session.seek(step), session.hash()));
    session.seek(5);
    expect(session.lr).toBe(0.2);
    session.seek(20);
    expect(session.hash()).toBe(at20);
    session.seek(15);
    expect(session.hash()).toBe(at15);
    expect(at20).not.toBe((() => { const other = sessionOf(smallSpec); other.seek(20); return other.hash(); })());
  });

  it('forgets the steps that no longer hold', () => {
    const session = sessionOf(smallSpec, { checkpointInterval: 4 });
    session.seek(30);
    const before = session.hash();
    session.seek(12);
    expect(session.setLearningRate(0.05)).toBe(true);
    expect(session.frontier).toBe(12);
    session.seek(30);
    expect(session.hash()).not.toBe(before);
    const fresh = sessionOf(smallSpec);
    fresh.seek(12);
    fresh.setLearningRate(0.05);
    fresh.seek(30);
    expect(session.hash()).toBe(fresh.hash());
  });

  it('set to what it is changes nothing', () => {
    const session = sessionOf(smallSpec);
    session.seek(10);
    session.seek(4);
    expect(session.setLearningRate(0.2)).toBe(false);
    expect(session.frontier).toBe(10);
  });

  it('set in the middle of a step counts for that step', () => {
    const session = sessionOf(smallSpec);
    session.seek(3);
    for (let phase = 0; phase < 4; phase++) session.stepPhase();
    session.setLearningRate(0);
    const before = session.hash();
    session.step();
    const weights = session.network.parameters[0].value.data.slice();
    session.seek(3);
    expect(session.network.parameters[0].value.data).toEqual(weights);
    expect(session.hash()).toBe(before);
  });

  it.each([NaN, Infinity, -0.1])('refuses %s', (lr) => {
    expect(() => sessionOf(smallSpec).setLearningRate(lr)).toThrow(RangeError);
  });
});

describe('evaluation', () => {
  it('is the mean over a part, and leaves the step as it is', () => {
    const session = sessionOf({ ...smallSpec, precision: 'float64' });
    session.step(true);
    const before = seen(session);
    const { test } = session.evaluate();
    expect({ ...seen(session), evaluation: {} }).toEqual({ ...before, evaluation: {} });
    // The slow way: one sample at a time through the same weights.
    const run = runOf({ ...smallSpec, precision: 'float64' });
    const network = session.network;
    let loss = 0;
    let correct = 0;
    for (const sample of run.split.test) {
      const pass = network.evaluationPass(1);
      pass.load(run.dataset.inputs, run.targets, Uint32Array.of(sample), 0);
      loss += pass.evaluate() / run.split.test.length;
      const [a, b] = pass.prediction.data;
      if ((b > a ? 1 : 0) === run.dataset.targets[sample]) correct++;
    }
    expect(test?.loss).toBeCloseTo(loss, 13);
    expect(test?.accuracy).toBe(correct / run.split.test.length);
  });

  it('of another branch of the run is not shown', () => {
    const session = sessionOf(smallSpec);
    session.seek(20);
    session.evaluate();
    session.seek(10);
    session.setLearningRate(1);
    session.seek(20);
    expect(session.evaluation).toEqual({});
  });
});

describe('numbers that leave the range', () => {
  it('are found where they arose, not where they were noticed', () => {
    const session = sessionOf({ ...smallSpec, loss: 'mse', optimizer: { type: 'sgd', lr: 1e20 } });
    while (Number.isFinite(session.loss ?? 0)) session.step();
    const noticed = session.shownStep;
    const found = locateNonFinite(session);
    expect(found).not.toBeNull();
    if (!found) return;
    expect(found.step).toBeLessThanOrEqual(noticed);
    // The slow way: every tensor of every phase from the start.
    const fresh = sessionOf({ ...smallSpec, loss: 'mse', optimizer: { type: 'sgd', lr: 1e20 } });
    while (!fresh.inspect()) fresh.stepPhase();
    expect(fresh.inspect()).toEqual(found);
    expect(fresh.position).toEqual(session.position);
  });

  it('are told apart: a probability of 0 is not a rate that is too high', () => {
    const session = sessionOf({
      data: { type: 'inline', inputs: [[1, 0]], targets: [[0, 1]] },
      layers: [{ type: 'linear', weight: [[2000, 0], [0, 0]], bias: false }, 'softmax'],
      loss: 'cross_entropy_on_probabilities',
      batch_size: 'full', epochs: 3, precision: 'float64',
    });
    session.step();
    expect(locateNonFinite(session)).toMatchObject({ step: 1, phase: { kind: 'loss' }, where: 'loss', value: Infinity });
    expect(locateNonFinite(session)?.remedy).toContain('"cross_entropy"');
  });

  it('are not found where there are none', () => {
    const session = sessionOf(smallSpec);
    session.seek(9);
    expect(session.inspect()).toBeNull();
    expect(locateNonFinite(session)).toBeNull();
    expect(session.position).toEqual({ step: 9, phase: 0 });
  });
});

describe('a record', () => {
  it.each([[0, 0], [1, 0], [17, 0], [17, 4]])('resumes at step %i phase %i, bit for bit', (step, phase) => {
    const session = sessionOf(smallSpec);
    session.seek(8);
    session.setLearningRate(0.1);
    session.seek(25);
    session.seek(step, phase);
    // What crosses a process boundary.
    const record = structuredClone(session.record());
    const resumed = TrainingSession.resume(runOf(smallSpec), record);
    expect(resumed.position).toEqual({ step, phase });
    expect(resumed.hash()).toBe(session.hash());
    expect(seen(resumed)).toEqual(seen(session));
    expect(resumed.frontier).toBe(session.frontier);
    resumed.seek(3);
    session.seek(3);
    expect(resumed.hash()).toBe(session.hash());
    resumed.seek(30);
    session.seek(30);
    expect(resumed.hash()).toBe(session.hash());
  });

  it('of another model is refused', () => {
    const session = sessionOf({ ...smallSpec, batch_size: 'full', data: { type: 'circles', samples: 5000 } });
    for (let i = 0; i < 500; i++) session.step();
    expect(session.record().checkpoint.step).toBeGreaterThan(0);
    expect(() => TrainingSession.resume(runOf({ ...smallSpec, layers: [{ type: 'linear', out_features: 2 }] }), session.record())).toThrow(
      'another model',
    );
  });
});

describe('history', () => {
  it('records the loss of every step', () => {
    const session = sessionOf(smallSpec);
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) {
      session.step();
      losses.push(session.loss ?? NaN);
    }
    const series = session.pending.get(seriesName.batchLoss)?.data();
    expect([...(series?.steps ?? [])]).toEqual(losses.map((_, i) => i + 1));
    expect([...(series?.low ?? [])]).toEqual(losses);
  });
});

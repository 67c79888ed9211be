// Manual changes are part of the run: rewound, replayed and restored, it is the same bit for bit.
import type { QueryValue } from '../../src/protocol/queries';
import type { WeightAssignment } from '../../src/protocol/run-record';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualOverrides } from '../../src/session/manual-overrides';
import { runQuery } from '../../src/session/queries';
import { TrainingSession } from '../../src/session/session';
import { seriesName } from '../../src/history/history';
import { compileRun, createSession, smallSpec } from '../support/session-fixtures';

const edit: WeightAssignment = { parameter: 'linear1.weight', index: 3, value: 0.625 };

describe('the overrides that affect a number of updates', () => {
  it('are the weights set after these, and the rates and seeds used in them', () => {
    const overrides = new ManualOverrides({ lr: 0.1, seed: 1 });
    const all = [
      { step: 3, lr: 0.2 },
      { step: 5, seed: 2 },
      { step: 5, ...edit },
      { step: 7, lr: 0.3 },
    ];
    overrides.all = all;
    // The rate of step 3 is used in the fourth update.
    expect(overrides.affectingSteps(3)).toEqual([]);
    expect(overrides.affectingSteps(4)).toEqual(all.slice(0, 1));
    expect(overrides.affectingSteps(5)).toEqual([all[0], all[2]]);
    expect(overrides.affectingSteps(6)).toEqual(all.slice(0, 3));
    expect(overrides.affectingSteps(8)).toEqual(all);
  });
});

describe('a manually set weight', () => {
  it('is where the next step starts, and nothing else changes', () => {
    const session = createSession(smallSpec);
    session.seek(7);
    const before = session.network.state.map(({ data }) => [...data]);
    session.setWeights([edit]);
    before[0][3] = 0.625;
    expect(session.network.state.map(({ data }) => [...data])).toEqual(before);
    // The same by hand: another network with exactly these tensors does the same step.
    const other = createSession(smallSpec);
    other.seek(7);
    other.network.parameters[0].value.data[3] = 0.625;
    session.step();
    other.step();
    expect(session.stateHash()).toBe(other.stateHash());
  });

  it('survives going back with any checkpoints, and restoring, bit for bit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ step: fc.nat(12), index: fc.nat(7), value: fc.integer({ min: -8, max: 8 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 3000, 2 ** 20),
        fc.constantFrom(1, 4),
        fc.nat(20),
        (wanted, targets, checkpointBudget, checkpointInterval, kept) => {
          const edits = [...wanted].sort((a, b) => a.step - b.step);
          const session = createSession(smallSpec, { checkpointBudget, checkpointInterval });
          for (const { step, ...weight } of edits) {
            session.seek(step);
            session.setWeights([{ parameter: 'linear1.weight', ...weight }]);
          }
          session.seek(20);
          // An uninterrupted run in which the weights are set at their steps.
          const straight = createSession(smallSpec);
          const hashes: string[] = [];
          for (let step = 0; step <= 20; step++) {
            if (step > 0) straight.step();
            for (const each of edits)
              if (each.step === step) straight.network.parameters[0].value.data[each.index] = each.value;
            hashes.push(straight.stateHash());
          }
          for (const target of targets) {
            session.seek(target);
            expect(session.stateHash()).toBe(hashes[target]);
          }
          session.seek(kept);
          const restored = TrainingSession.resume(session.run, structuredClone(session.record()), {
            checkpointInterval,
          });
          for (const target of [kept, ...targets, 20]) {
            restored.seek(target);
            expect(restored.stateHash()).toBe(hashes[target]);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('discards later steps', () => {
    const session = createSession(smallSpec);
    session.seek(20);
    session.seek(5);
    session.setLearningRate(0.3);
    session.seek(9);
    session.seek(5);
    session.setWeights([edit]);
    expect(session.furthestStep).toBe(5);
    expect(session.lr).toBe(0.3);
  });

  it('is distinguished from the effect of the update', () => {
    const session = createSession({ ...smallSpec, precision: 'float64' });
    session.seek(4);
    const used = session.network.parameters[0].value.data[3];
    session.seek(5);
    const made = session.network.parameters[0].value.data[3];
    session.setWeights([edit]);
    const { value: answer } = runQuery(session, { type: 'step_graph', sample: null });
    const node = answer?.nodes.find(({ id }) => id.of === 'parameter' && id.layer === 0 && id.parameter === 'weight');
    expect(node?.preview?.cells[3]).toBeCloseTo(used, 14);
    const why = runQuery(session, {
      type: 'attribution',
      node: { of: 'updated', layer: 0, parameter: 'weight' },
      index: 3,
      sample: null,
    }).value;
    expect(why?.value).toBe(0.625);
    expect(why?.terms.map(({ value }) => value).sort()).toEqual(
      [used, made - used, 0.625 - made].sort().map((value) => expect.closeTo(value, 14)),
    );
    expect(runQuery(session, { type: 'lr_scan' }).value).toBeNull();
  });

  it('is rejected if it does not exist, or is not a number', () => {
    const session = createSession(smallSpec);
    const before = session.stateHash();
    expect(() => session.setWeights([{ ...edit, index: 8 }])).toThrow('no weight 8');
    expect(() => session.setWeights([edit, { ...edit, parameter: 'nothing' }])).toThrow('nothing');
    expect(() => session.setWeights([{ ...edit, value: NaN }])).toThrow('finite');
    session.stepPhase();
    expect(() => session.setWeights([edit])).toThrow('between two steps');
    session.backPhase();
    expect(session.stateHash()).toBe(before);
  });
});

describe('another seed from a step on', () => {
  it('equals a run with this seed from the start if it is set at step 0', () => {
    const session = createSession({ ...smallSpec, seed: 1 });
    session.seek(9);
    session.seek(0);
    session.setSeed(77);
    session.seek(15);
    // The circles themselves depend on the seed of the spec.
    const { run } = session;
    const other = new TrainingSession({ ...run, seed: 77 }, '');
    other.seek(15);
    expect(session.stateHash()).toBe(other.stateHash());
  });

  it('changes only later steps, and can be replayed', () => {
    const session = createSession(smallSpec, { checkpointInterval: 4 });
    const straight = createSession(smallSpec);
    session.seek(10);
    session.setSeed(77);
    session.seek(30);
    const end = session.stateHash();
    straight.seek(10);
    session.seek(10);
    expect(session.stateHash()).toBe(straight.stateHash());
    straight.seek(30);
    expect(end).not.toBe(straight.stateHash());
    const restored = TrainingSession.resume(session.run, session.record());
    restored.seek(30);
    expect(restored.stateHash()).toBe(end);
  });
});

/** Repeats until the result is complete. */
function applyOverrides(
  session: TrainingSession,
  since: number,
  kind: 'parameter' | 'output',
  layer = 0,
): QueryValue<'changed_since'> {
  for (;;) {
    const { value } = runQuery(session, {
      type: 'changed_since',
      layer,
      kind,
      since,
      ...(kind === 'parameter' && { parameter: 'weight' }),
    });
    if (!value) throw new Error('no answer');
    if (value.reachedStep === since) return value;
  }
}

describe('the difference to another step', () => {
  it('is exact, whether that step is before or after, and leaves the run unchanged', () => {
    const session = createSession(smallSpec, { checkpointInterval: 8 });
    session.seek(40);
    for (const here of [40, 6]) {
      session.seek(here);
      const before = [session.stateHash(), session.pass.outputs.map(({ data }) => [...data])];
      for (const since of [0, 1, 13, 40]) {
        const straight = createSession(smallSpec);
        straight.seek(since);
        const { now, then, difference } = applyOverrides(session, since, 'parameter');
        const [a, b] = [session, straight].map(({ network }) => [...network.parameters[0].value.data]);
        expect([...(now?.cells ?? [])]).toEqual(a);
        expect([...(then?.cells ?? [])]).toEqual(b);
        expect([...(difference?.cells ?? [])]).toEqual(a.map((value, i) => value - b[i]));
      }
      const straight = createSession(smallSpec);
      straight.seek(13);
      expect([...(applyOverrides(session, 13, 'output', 1).then?.cells ?? [])]).toEqual([
        ...straight.pass.outputs[1].data,
      ]);
      expect([session.stateHash(), session.pass.outputs.map(({ data }) => [...data])]).toEqual(before);
    }
  });

  it('notices when the trajectory to that step has changed', () => {
    const session = createSession(smallSpec);
    session.seek(20);
    const first = applyOverrides(session, 15, 'parameter');
    session.seek(10);
    session.setLearningRate(0.5);
    expect(
      runQuery(session, { type: 'changed_since', layer: 0, kind: 'parameter', parameter: 'weight', since: 15 }).value,
    ).toBeNull();
    session.seek(20);
    expect(applyOverrides(session, 15, 'parameter').then).not.toEqual(first.then);
  });

  it('is null if the batches have different sizes', () => {
    const session = createSession(smallSpec);
    session.seek(5);
    const size = (step: number): number => (step % 4 === 0 ? 6 : 8);
    expect(applyOverrides(session, 1, 'output').then?.shape[0]).toBe(size(1));
    expect(applyOverrides(session, 1, 'output').difference).not.toBeNull();
    expect(applyOverrides(session, 4, 'output').then?.shape[0]).toBe(size(4));
    expect(applyOverrides(session, 4, 'output').difference).toBeNull();
  });
});

/** Repeats until it is done. */
function runFork(
  session: TrainingSession,
  asked: { from: number; lr: number | null; seed: number | null; to: number },
): QueryValue<'fork'> {
  for (;;) {
    const { value } = runQuery(session, { type: 'fork', ...asked });
    if (!value) throw new Error('no answer');
    if (value.done) return value;
  }
}

describe('a fork', () => {
  it.each([
    [0.5, null],
    [null, 9],
    [0.5, 9],
  ])('with rate %s and seed %s is what the run becomes when it goes on so', (lr, seed) => {
    const session = createSession(smallSpec);
    session.seek(60);
    const before = session.stateHash();
    const asked = { from: 20, lr, seed, to: 90 };
    const { history, parentSettings, diverged, step } = runFork(session, asked);
    expect([step, diverged]).toEqual([90, null]);
    expect(parentSettings).toEqual({ lr: 0.2, seed: session.run.seed });
    expect([session.stateHash(), session.position.step, session.furthestStep]).toEqual([before, 60, 60]);
    session.seek(20);
    if (lr !== null) session.setLearningRate(lr);
    if (seed !== null) session.setSeed(seed);
    const losses: number[] = [];
    while (session.position.step < 90) {
      session.step();
      losses.push(session.loss ?? NaN);
    }
    expect([...history[seriesName.batchLoss].steps]).toEqual(Array.from({ length: 70 }, (_, i) => 21 + i));
    expect([...history[seriesName.batchLoss].low]).toEqual(losses);
    const { train } = session.evaluate();
    const evaluated = history[seriesName.loss('train')];
    expect(evaluated.steps[0]).toBe(20);
    expect(evaluated.low[evaluated.low.length - 1]).toBe(train?.loss);
  });

  it('without another rate or seed equals the run', () => {
    const session = createSession(smallSpec);
    session.seek(30);
    const { history } = runFork(session, { from: 12, lr: null, seed: null, to: 30 });
    const series = session.pendingHistory.get(seriesName.batchLoss)?.data();
    expect([...history[seriesName.batchLoss].low]).toEqual([...(series?.low ?? [])].slice(12));
  });

  it('ends where it diverges, and says whether the seed matters', () => {
    const wild = createSession({
      ...smallSpec,
      data: { type: 'noisy_sine' },
      layers: ['relu', { type: 'linear', out_features: 1 }],
      loss: 'mse',
    });
    wild.seek(10);
    const { diverged, step } = runFork(wild, { from: 10, lr: 1e9, seed: null, to: 100 });
    expect(diverged).toBeGreaterThan(10);
    expect(step).toBe(diverged);
    const session = createSession(smallSpec);
    session.seek(10);
    const full = createSession({ ...smallSpec, batch_size: 'full' });
    full.seek(5);
    expect(runFork(full, { from: 5, lr: null, seed: 3, to: 9 }).seedMatters).toBe(false);
    expect(runFork(full, { from: 0, lr: null, seed: 3, to: 9 }).seedMatters).toBe(true);
    expect(runFork(session, { from: 5, lr: null, seed: 3, to: 9 }).seedMatters).toBe(true);
  });

  it('works one slice at a time', () => {
    const session = createSession({ ...smallSpec, epochs: 4000 });
    session.seek(3);
    const first = runQuery(session, { type: 'fork', from: 2, lr: 0.1, seed: null, to: 16000 }).value;
    expect(first?.done).toBe(false);
    expect(first?.step).toBeLessThan(1100);
    expect(compileRun(smallSpec).seed).toBe(session.seed);
  });
});

// What is changed by hand is part of the run: gone back over, replayed and restored, it is the same to the bit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerTo, type AnswerTo } from '../../src/session/questions';
import type { WeightSetting } from '../../src/session/command';
import { TrainingSession } from '../../src/session/session';
import { seriesName } from '../../src/history/history';
import { runOf, sessionOf, smallSpec } from '../support/run';

const edit: WeightSetting = { parameter: 'linear1.weight', index: 3, value: 0.625 };

describe('a weight that was set by hand', () => {
  it('is what the next step goes on from, and nothing else is changed', () => {
    const session = sessionOf(smallSpec);
    session.seek(7);
    const before = session.network.state.map(({ data }) => [...data]);
    session.setWeights([edit]);
    before[0][3] = 0.625;
    expect(session.network.state.map(({ data }) => [...data])).toEqual(before);
    // The same by hand: another network with these very tensors does the same step.
    const other = sessionOf(smallSpec);
    other.seek(7);
    other.network.parameters[0].value.data[3] = 0.625;
    session.step();
    other.step();
    expect(session.hash()).toBe(other.hash());
  });

  it('survives going back, whatever copies are kept, and a restore, to the bit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ step: fc.nat(12), index: fc.nat(7), value: fc.integer({ min: -8, max: 8 }) }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 3000, 2 ** 20), fc.constantFrom(1, 4), fc.nat(20),
        (wanted, targets, checkpointBudget, checkpointInterval, kept) => {
          const edits = [...wanted].sort((a, b) => a.step - b.step);
          const session = sessionOf(smallSpec, { checkpointBudget, checkpointInterval });
          for (const { step, ...weight } of edits) {
            session.seek(step);
            session.setWeights([{ parameter: 'linear1.weight', ...weight }]);
          }
          session.seek(20);
          // A straight run in which the numbers are put in place at their steps.
          const straight = sessionOf(smallSpec);
          const hashes: string[] = [];
          for (let step = 0; step <= 20; step++) {
            if (step > 0) straight.step();
            for (const each of edits) if (each.step === step) straight.network.parameters[0].value.data[each.index] = each.value;
            hashes.push(straight.hash());
          }
          for (const target of targets) {
            session.seek(target);
            expect(session.hash()).toBe(hashes[target]);
          }
          session.seek(kept);
          const restored = TrainingSession.resume(session.run, structuredClone(session.record()), { checkpointInterval });
          for (const target of [kept, ...targets, 20]) {
            restored.seek(target);
            expect(restored.hash()).toBe(hashes[target]);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('makes the steps after it no longer hold', () => {
    const session = sessionOf(smallSpec);
    session.seek(20);
    session.seek(5);
    session.setLearningRate(0.3);
    session.seek(9);
    session.seek(5);
    session.setWeights([edit]);
    expect(session.frontier).toBe(5);
    expect(session.lr).toBe(0.3);
  });

  it('is told apart from what the update made of it', () => {
    const session = sessionOf({ ...smallSpec, precision: 'float64' });
    session.seek(4);
    const used = session.network.parameters[0].value.data[3];
    session.seek(5);
    const made = session.network.parameters[0].value.data[3];
    session.setWeights([edit]);
    const { answer } = answerTo(session, { about: 'nodes', sample: null });
    const node = answer?.nodes.find(({ id }) => id.of === 'parameter' && id.layer === 0 && id.parameter === 'weight');
    expect(node?.corner?.cells[3]).toBeCloseTo(used, 14);
    const why = answerTo(session, { about: 'why', node: { of: 'updated', layer: 0, parameter: 'weight' }, index: 3, sample: null }).answer;
    expect(why?.value).toBe(0.625);
    expect(why?.terms.map(({ value }) => value).sort()).toEqual([used, made - used, 0.625 - made].sort().map((value) => expect.closeTo(value, 14)));
    expect(answerTo(session, { about: 'other_rates' }).answer).toBeNull();
  });

  it('is refused where there is none, and where it is no number', () => {
    const session = sessionOf(smallSpec);
    const before = session.hash();
    expect(() => session.setWeights([{ ...edit, index: 8 }])).toThrow('no weight 8');
    expect(() => session.setWeights([edit, { ...edit, parameter: 'nothing' }])).toThrow('nothing');
    expect(() => session.setWeights([{ ...edit, value: NaN }])).toThrow('finite');
    session.stepPhase();
    expect(() => session.setWeights([edit])).toThrow('between two steps');
    session.backPhase();
    expect(session.hash()).toBe(before);
  });
});

describe('another seed from a step on', () => {
  it('is that of a run with this seed from the start where it is set at step 0', () => {
    const session = sessionOf({ ...smallSpec, seed: 1 });
    session.seek(9);
    session.seek(0);
    session.setSeed(77);
    session.seek(15);
    // The circles themselves are made of the seed of the spec.
    const { run } = session;
    const other = new TrainingSession({ ...run, seed: 77 }, '');
    other.seek(15);
    expect(session.hash()).toBe(other.hash());
  });

  it('changes only what comes later, and can be gone back over', () => {
    const session = sessionOf(smallSpec, { checkpointInterval: 4 });
    const straight = sessionOf(smallSpec);
    session.seek(10);
    session.setSeed(77);
    session.seek(30);
    const end = session.hash();
    straight.seek(10);
    session.seek(10);
    expect(session.hash()).toBe(straight.hash());
    straight.seek(30);
    expect(end).not.toBe(straight.hash());
    const restored = TrainingSession.resume(session.run, session.record());
    restored.seek(30);
    expect(restored.hash()).toBe(end);
  });
});

/** Asks until it is there. */
function changed(session: TrainingSession, since: number, kind: 'parameter' | 'output', layer = 0): AnswerTo<'changed_since'> {
  for (;;) {
    const { answer } = answerTo(session, { about: 'changed_since', layer, kind, since, ...(kind === 'parameter' && { parameter: 'weight' }) });
    if (!answer) throw new Error('no answer');
    if (answer.reached === since) return answer;
  }
}

describe('what changed since another step', () => {
  it('is the exact difference, whether that step lies before or after, and leaves the run as it was', () => {
    const session = sessionOf(smallSpec, { checkpointInterval: 8 });
    session.seek(40);
    for (const here of [40, 6]) {
      session.seek(here);
      const before = [session.hash(), session.pass.outputs.map(({ data }) => [...data])];
      for (const since of [0, 1, 13, 40]) {
        const straight = sessionOf(smallSpec);
        straight.seek(since);
        const { now, then, difference } = changed(session, since, 'parameter');
        const [a, b] = [session, straight].map(({ network }) => [...network.parameters[0].value.data]);
        expect([...(now?.cells ?? [])]).toEqual(a);
        expect([...(then?.cells ?? [])]).toEqual(b);
        expect([...(difference?.cells ?? [])]).toEqual(a.map((value, i) => value - b[i]));
      }
      const straight = sessionOf(smallSpec);
      straight.seek(13);
      expect([...(changed(session, 13, 'output', 1).then?.cells ?? [])]).toEqual([...straight.pass.outputs[1].data]);
      expect([session.hash(), session.pass.outputs.map(({ data }) => [...data])]).toEqual(before);
    }
  });

  it('knows when the way to that step has become another', () => {
    const session = sessionOf(smallSpec);
    session.seek(20);
    const first = changed(session, 15, 'parameter');
    session.seek(10);
    session.setLearningRate(0.5);
    expect(answerTo(session, { about: 'changed_since', layer: 0, kind: 'parameter', parameter: 'weight', since: 15 }).answer).toBeNull();
    session.seek(20);
    expect(changed(session, 15, 'parameter').then).not.toEqual(first.then);
  });

  it('has no difference where the batches are of two sizes', () => {
    const session = sessionOf(smallSpec);
    session.seek(5);
    const size = (step: number): number => (step % 4 === 0 ? 6 : 8);
    expect(changed(session, 1, 'output').then?.shape[0]).toBe(size(1));
    expect(changed(session, 1, 'output').difference).not.toBeNull();
    expect(changed(session, 4, 'output').then?.shape[0]).toBe(size(4));
    expect(changed(session, 4, 'output').difference).toBeNull();
  });
});

/** Asks until it is done. */
function forked(session: TrainingSession, asked: { from: number; lr: number | null; seed: number | null; to: number }): AnswerTo<'fork'> {
  for (;;) {
    const { answer } = answerTo(session, { about: 'fork', ...asked });
    if (!answer) throw new Error('no answer');
    if (answer.done) return answer;
  }
}

describe('a fork', () => {
  it.each([[0.5, null], [null, 9], [0.5, 9]])('with rate %s and seed %s is what the run becomes when it goes on so', (lr, seed) => {
    const session = sessionOf(smallSpec);
    session.seek(60);
    const before = session.hash();
    const asked = { from: 20, lr, seed, to: 90 };
    const { history, own, diverged, step } = forked(session, asked);
    expect([step, diverged]).toEqual([90, null]);
    expect(own).toEqual({ lr: 0.2, seed: session.run.seed });
    expect([session.hash(), session.position.step, session.frontier]).toEqual([before, 60, 60]);
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

  it('without another rate or seed is the run itself', () => {
    const session = sessionOf(smallSpec);
    session.seek(30);
    const { history } = forked(session, { from: 12, lr: null, seed: null, to: 30 });
    const series = session.pending.get(seriesName.batchLoss)?.data();
    expect([...history[seriesName.batchLoss].low]).toEqual([...(series?.low ?? [])].slice(12));
  });

  it('ends where it diverges, and says whether a seed decides anything', () => {
    const wild = sessionOf({ ...smallSpec, data: { type: 'noisy_sine' }, layers: ['relu', { type: 'linear', out_features: 1 }], loss: 'mse' });
    wild.seek(10);
    const { diverged, step } = forked(wild, { from: 10, lr: 1e9, seed: null, to: 100 });
    expect(diverged).toBeGreaterThan(10);
    expect(step).toBe(diverged);
    const session = sessionOf(smallSpec);
    session.seek(10);
    const full = sessionOf({ ...smallSpec, batch_size: 'full' });
    full.seek(5);
    expect(forked(full, { from: 5, lr: null, seed: 3, to: 9 }).drawn).toBe(false);
    expect(forked(full, { from: 0, lr: null, seed: 3, to: 9 }).drawn).toBe(true);
    expect(forked(session, { from: 5, lr: null, seed: 3, to: 9 }).drawn).toBe(true);
  });

  it('works for a slice at a time', () => {
    const session = sessionOf({ ...smallSpec, epochs: 4000 });
    session.seek(3);
    const first = answerTo(session, { about: 'fork', from: 2, lr: 0.1, seed: null, to: 16000 }).answer;
    expect(first?.done).toBe(false);
    expect(first?.step).toBeLessThan(1100);
    expect(runOf(smallSpec).seed).toBe(session.seed);
  });
});

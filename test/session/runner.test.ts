import type { Frame } from '../../src/protocol/frame';
import type { RunRecord } from '../../src/protocol/run-record';
import type { QueryResult } from '../../src/protocol/queries';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { History, seriesName } from '../../src/history/history';
import { CommandError } from '../../src/session/preconditions';
import { Runner } from '../../src/session/runner';
import { createSession, smallSpec } from '../support/session-fixtures';

/** A runner whose frames are accepted manually, with a clock that advances only when it is read. */
function createRunner(spec: object = smallSpec, take: (frame: Frame) => Promise<void> = () => Promise.resolve()) {
  const frames: Frame[] = [];
  const records: RunRecord[] = [];
  const failures: unknown[] = [];
  const waiting: { readonly until: (frame: Frame) => boolean; readonly resolve: (frame: Frame) => void }[] = [];
  let time = 0;
  const runner = new Runner({
    session: createSession(spec),
    now: () => (time += 0.5),
    // Sleeping advances the clock.
    sleep: async (milliseconds) => {
      time += milliseconds;
      await setImmediate();
    },
    onError: (error) => failures.push(error),
    onRecord: (record) => records.push(record),
    emit: (frame) => {
      frames.push(frame);
      for (const { until, resolve } of waiting) if (until(frame)) resolve(frame);
      return take(frame);
    },
  });
  const next = (until: (frame: Frame) => boolean): Promise<Frame> =>
    new Promise((resolve) => {
      waiting.push({ until, resolve });
      const seen = frames.find(until);
      if (seen) resolve(seen);
    });
  return { runner, frames, records, failures, next, clock: () => time };
}

const isIdle = (frame: Frame): boolean => frame.status !== 'running' && frame.status !== 'seeking';

describe('a runner', () => {
  it('is initially ready, with the losses of the untrained network', () => {
    const { frames } = createRunner();
    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatchObject({ status: 'ready', position: { step: 0, phase: 0 }, loss: null });
    expect(frames[0].evaluation.train?.loss).toBeGreaterThan(0);
  });

  it('trains up to a step that was not reached, then goes to its phase, whatever the speed', async () => {
    const { runner, clock } = createRunner();
    await runner.command({ type: 'setSpeed', stepsPerSecond: 0.001 });
    const start = clock();
    await runner.command({ type: 'seek', step: 12, phase: 3, train: true });
    expect(runner.session.position).toEqual({ step: 12, phase: 3 });
    expect(clock() - start).toBeLessThan(1000);
    const direct = createSession(smallSpec);
    direct.seek(12, 3);
    expect(runner.session.stateHash()).toBe(direct.stateHash());
    await expect(runner.command({ type: 'seek', step: 13 })).rejects.toThrow(CommandError);
    const { totalSteps } = runner.session;
    await expect(runner.command({ type: 'seek', step: totalSteps + 1, train: true })).rejects.toThrow(CommandError);
    // What was reached needs no training.
    await runner.command({ type: 'seek', step: 2, train: true });
    expect(runner.session.position).toEqual({ step: 2, phase: 0 });
  });

  it('keeps the speed limit, and gives the same weights', async () => {
    const { runner, frames, next, clock } = createRunner();
    await runner.command({ type: 'setSpeed', stepsPerSecond: 20 });
    const start = clock();
    await runner.command({ type: 'run' });
    await next((frame) => frame.position.step === 40);
    const elapsed = clock() - start;
    expect(elapsed).toBeGreaterThanOrEqual(1950);
    expect(elapsed).toBeLessThan(2100);
    // Slow enough that every step is shown.
    expect(frames.map(({ position }) => position.step).slice(0, 40)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    await runner.command({ type: 'setSpeed', stepsPerSecond: null });
    await next(({ status }) => status === 'finished');
    const straight = createSession(smallSpec);
    straight.seek(straight.totalSteps);
    expect(runner.session.stateHash()).toBe(straight.stateHash());
    await expect(runner.command({ type: 'setSpeed', stepsPerSecond: 0 })).rejects.toThrow('speed');
  });

  it('seeks to a step without the speed limit', async () => {
    const { runner, next, clock } = createRunner();
    await runner.command({ type: 'setSpeed', stepsPerSecond: 1 });
    const start = clock();
    await runner.command({ type: 'runToStep', step: 50 });
    await next((frame) => frame.position.step === 50 && isIdle(frame));
    expect(clock() - start).toBeLessThan(5000);
  });

  it('measures a fast run often enough to draw it', async () => {
    const { runner, frames, next } = createRunner();
    await runner.command({ type: 'run' });
    await next(({ status }) => status === 'finished');
    const history = new History(4096);
    for (const frame of frames) history.merge(frame.history);
    const series = history.get(seriesName.outputGradient(0))?.data();
    // 160 steps: all of them, each as in a session that is observed step by step.
    expect([...(series?.steps ?? [])]).toEqual(Array.from({ length: 160 }, (_, i) => i + 1));
    const watchedStep = createSession(smallSpec);
    watchedStep.seek(77);
    const { data } = watchedStep.pass.outputGradients[0];
    expect(series?.low[76]).toBeCloseTo(Math.hypot(...data), 12);
  });

  it('measures nothing without a subscriber', async () => {
    const { runner, frames, next } = createRunner();
    runner.subscribe([], []);
    await runner.command({ type: 'run' });
    await next(({ status }) => status === 'finished');
    const names = frames.slice(2).flatMap(({ history }) => Object.keys(history));
    expect(names).toContain(seriesName.batchLoss);
    expect(names.filter((name) => /activation|gradient|update/.test(name))).toEqual([]);
  });

  it('answers the queries of visible views with every frame, for the step of the frame', async () => {
    const { runner, frames, next } = createRunner();
    const question = { type: 'tensor', layer: 0, kind: 'parameter', parameter: 'weight' } as const;
    runner.subscribe([], [[question]]);
    await runner.command({ type: 'run' });
    await next(({ status }) => status === 'finished');
    const again = createSession(smallSpec);
    for (const { position, queryResults } of frames.slice(1)) {
      again.seek(position.step);
      const [{ value, position: of }] = queryResults as QueryResult<'tensor'>[];
      expect(of).toEqual(position);
      expect([...(value?.cells ?? [])]).toEqual([...again.network.parameters[0].value.data]);
    }
  });

  it('answers a query at once when idle, and during training at the end of a measured step', async () => {
    const { runner, next } = createRunner();
    const question = { type: 'tensor', layer: 0, kind: 'output_gradient' } as const;
    expect(await runner.query(question)).toEqual({ query: question, position: { step: 0, phase: 0 }, value: null });
    await runner.command({ type: 'run' });
    const { value, position } = (await runner.query(question)) as QueryResult<'tensor'>;
    expect(position.step).toBeGreaterThan(0);
    const again = createSession(smallSpec);
    again.seek(position.step);
    expect([...(value?.cells ?? [])]).toEqual([...again.pass.outputGradients[0].data]);
    await next(({ status }) => status === 'finished');
    await runner.dispose();
  });

  it('executes commands one after the other', async () => {
    const { runner } = createRunner();
    await Promise.all([
      runner.command({ type: 'step' }),
      runner.command({ type: 'step' }),
      runner.command({ type: 'stepPhase' }),
      runner.command({ type: 'backStep' }),
    ]);
    expect(runner.session.position).toEqual({ step: 2, phase: 0 });
  });

  it('runs until it is paused, and gives the same weights as stepping', async () => {
    const { runner, next } = createRunner();
    await runner.command({ type: 'run' });
    await next((frame) => frame.position.step >= 5);
    await runner.command({ type: 'pause' });
    const { step } = runner.session.position;
    expect(runner.status).toBe('paused');
    // The step at which it became idle is measured like any other observed step.
    expect(runner.session.updateRatios.size).toBe(4);
    const straight = createSession(smallSpec);
    for (let i = 0; i < step; i++) straight.step();
    expect(runner.session.stateHash()).toBe(straight.stateHash());
    await setImmediate();
    expect(runner.session.position.step).toBe(step);
  });

  it('reports that it has finished', async () => {
    const { runner, next } = createRunner();
    await runner.command({ type: 'run' });
    const last = await next((frame) => frame.status === 'finished');
    expect(last.position.step).toBe(runner.session.totalSteps);
    await expect(runner.command({ type: 'step' })).rejects.toThrow('finished');
    await expect(runner.command({ type: 'run' })).rejects.toThrow(CommandError);
  });

  it('runs to a step, and to the end of an epoch', async () => {
    const { runner, next } = createRunner();
    await runner.command({ type: 'runToStep', step: 7 });
    expect((await next((f) => f.status === 'paused')).position.step).toBe(7);
    await runner.command({ type: 'runToEpoch', epoch: 3 });
    const { batchesPerEpoch } = runner.session.model;
    const there = await next((f) => f.status === 'paused' && f.position.step === 3 * batchesPerEpoch);
    expect(there.batchPosition).toMatchObject({ epoch: 3, batch: batchesPerEpoch });
    await expect(runner.command({ type: 'runToStep', step: 2 })).rejects.toThrow('not ahead');
    await expect(runner.command({ type: 'runToStep', step: 1e6 })).rejects.toThrow('ends at step');
  });

  it('seeks only to steps that the run has reached', async () => {
    const { runner } = createRunner();
    await runner.command({ type: 'runToStep', step: 30 });
    await runner.command({ type: 'pause' });
    const { furthestStep } = runner.session;
    await runner.command({ type: 'seek', step: 2, phase: 3 });
    expect(runner.session.position).toEqual({ step: 2, phase: 3 });
    await expect(runner.command({ type: 'seek', step: furthestStep + 1 })).rejects.toThrow(`${furthestStep}.`);
    await expect(runner.command({ type: 'seek', step: 1, phase: 99 })).rejects.toThrow('phases');
    expect(runner.session.position).toEqual({ step: 2, phase: 3 });
  });

  it('can be stopped while seeking far back, and then shows its position', async () => {
    const { runner, frames, next } = createRunner();
    await runner.command({ type: 'runToStep', step: 150 });
    await next((frame) => frame.position.step === 150 && isIdle(frame));
    // No checkpoint is this early, so it replays from the start.
    const seeking = runner.command({ type: 'seek', step: 140 });
    await next((frame) => frame.status === 'seeking');
    await Promise.all([seeking, runner.command({ type: 'pause' })]);
    await setImmediate();
    const { step } = runner.session.position;
    expect(step).toBeLessThan(140);
    expect(frames.at(-1)).toMatchObject({
      status: 'paused',
      target: null,
      position: { step, phase: 0 },
      furthestStep: 150,
    });
    expect(frames.at(-1)?.loss).not.toBeNull();
    const straight = createSession(smallSpec);
    straight.seek(step);
    expect(runner.session.stateHash()).toBe(straight.stateHash());
  });

  it('has one frame in flight, and ends with the newest', async () => {
    let inFlight = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const { runner, frames } = createRunner(smallSpec, () => {
      most = Math.max(most, ++inFlight);
      return new Promise((resolve) =>
        release.push(() => {
          inFlight--;
          resolve();
        }),
      );
    });
    for (let i = 0; i < 5; i++) await runner.command({ type: 'step' });
    expect(frames).toHaveLength(1);
    while (release.length > 0) {
      release.shift()?.();
      await setImmediate();
    }
    expect(most).toBe(1);
    expect(frames.at(-1)?.position.step).toBe(5);
    expect(frames).toHaveLength(2);
  });

  it('records every step in the history, however few frames there are', async () => {
    const { runner, frames, next } = createRunner();
    await runner.command({ type: 'runToStep', step: 150 });
    await next((frame) => frame.position.step === 150 && isIdle(frame));
    const history = new History(4096);
    for (const frame of frames) history.merge(frame.history);
    expect([...(history.get(seriesName.batchLoss)?.data().steps ?? [])]).toEqual(
      Array.from({ length: 150 }, (_, i) => i + 1),
    );
  });

  it('reports how far the history is still valid when the learning rate changes', async () => {
    const { runner, frames } = createRunner();
    await runner.command({ type: 'runToStep', step: 20 });
    await runner.command({ type: 'pause' });
    await runner.command({ type: 'seek', step: 0 });
    await runner.command({ type: 'step' });
    await runner.command({ type: 'setLearningRate', lr: 0.5 });
    await setImmediate();
    expect(frames.some(({ truncatedTo }) => truncatedTo === 1)).toBe(true);
    expect(frames.at(-1)).toMatchObject({ lr: 0.5, furthestStep: 1 });
  });

  it('stops at the first non-finite number, and refuses to continue until something changes', async () => {
    const { runner, next } = createRunner({ ...smallSpec, loss: 'mse', optimizer: { type: 'sgd', lr: 1e20 } });
    await runner.command({ type: 'run' });
    const frame = await next(({ status }) => status === 'diverged');
    expect(frame.nonFinite).not.toBeNull();
    const at = frame.nonFinite?.step ?? 0;
    await expect(runner.command({ type: 'run' })).rejects.toThrow(`step ${at}`);
    await runner.command({ type: 'seek', step: at - 1 });
    await runner.command({ type: 'setLearningRate', lr: 1e-3 });
    await runner.command({ type: 'step' });
    expect(runner.status).toBe('paused');
    expect(runner.session.loss).toBeLessThan(Infinity);
  });

  it('checks gradients without changing the run, and continues training', async () => {
    const { runner, next, frames } = createRunner();
    await runner.command({ type: 'run' });
    await next((frame) => frame.position.step >= 3);
    const report = await runner.check();
    expect(report.complete).toBe(true);
    expect(report.passed).toBe(true);
    expect(report.checked).toBe(4 * 2 + 4 + 2 * 4 + 2);
    await next((frame) => frame.status === 'finished');
    const straight = createSession(smallSpec);
    straight.seek(straight.totalSteps);
    expect(runner.session.stateHash()).toBe(straight.stateHash());
    expect(frames.at(-1)?.status).toBe('finished');
  });

  it('can check before the first step', async () => {
    const { runner } = createRunner();
    const before = runner.session.stateHash();
    expect((await runner.check()).passed).toBe(true);
    expect(runner.session.position).toEqual({ step: 0, phase: 0 });
    expect(runner.session.stateHash()).toBe(before);
  });

  it('can be restored from its records', async () => {
    const { runner, records } = createRunner();
    for (let i = 0; i < 4; i++) await runner.command({ type: 'step' });
    expect(records.at(-1)?.position).toEqual({ step: 4, phase: 0 });
  });

  it('starts over', async () => {
    const { runner, frames } = createRunner();
    const start = runner.session.stateHash();
    await runner.command({ type: 'runToStep', step: 12 });
    await runner.command({ type: 'reset' });
    await setImmediate();
    expect(runner.session.stateHash()).toBe(start);
    expect(frames.at(-1)).toMatchObject({ status: 'ready', furthestStep: 0 });
    expect(frames.some(({ truncatedTo }) => truncatedTo === -1)).toBe(true);
  });

  it('emits nothing after it is disposed', async () => {
    const { runner, frames, failures } = createRunner();
    await runner.command({ type: 'run' });
    await runner.dispose();
    const count = frames.length;
    await setImmediate();
    await setImmediate();
    expect(frames).toHaveLength(count);
    expect(failures).toEqual([]);
  });
});

describe('manual changes', () => {
  it('fork back to a step, and train like a session with the same changes', async () => {
    const { runner, next } = createRunner();
    await runner.command({ type: 'runToStep', step: 60 });
    await next((frame) => frame.position.step === 60 && isIdle(frame));
    await runner.command({ type: 'fork', step: 20, lr: 0.05, seed: 5 });
    const turned = await next((frame) => frame.truncatedTo === 20 && frame.position.step === 20);
    expect(turned.furthestStep).toBe(20);
    await runner.command({ type: 'runToStep', step: 61 });
    await next((frame) => frame.position.step === 61 && isIdle(frame));
    const session = createSession(smallSpec);
    session.seek(20);
    session.setLearningRate(0.05);
    session.setSeed(5);
    session.seek(61);
    expect(runner.session.stateHash()).toBe(session.stateHash());
    await expect(runner.command({ type: 'fork', step: 62, lr: 0.1, seed: null })).rejects.toThrow('Step 62');
  });

  it('fork and train in one command, and change nothing if another command comes first', async () => {
    const { runner, next } = createRunner();
    await runner.command({ type: 'runToStep', step: 150 });
    await next((frame) => frame.position.step === 150 && isIdle(frame));
    const interrupted = runner.command({ type: 'fork', step: 140, lr: 0.05, seed: 5, to: 160 });
    await next((frame) => frame.status === 'seeking');
    await Promise.all([expect(interrupted).rejects.toThrow(CommandError), runner.command({ type: 'pause' })]);
    expect(runner.record().changes).toEqual([]);
    await runner.command({ type: 'fork', step: 140, lr: 0.05, seed: 5, to: 160 });
    await next((frame) => frame.position.step === 160 && isIdle(frame));
    const session = createSession(smallSpec);
    session.seek(140);
    session.setLearningRate(0.05);
    session.setSeed(5);
    session.seek(160);
    expect(runner.session.stateHash()).toBe(session.stateHash());
  });

  it('set weights at the beginning of the current step, and are recorded', async () => {
    const { runner, records, next } = createRunner();
    await runner.command({ type: 'runToStep', step: 5 });
    await next((frame) => frame.position.step === 5 && isIdle(frame));
    await runner.command({ type: 'stepPhase' });
    await runner.command({ type: 'setWeights', weights: [{ parameter: 'linear2.bias', index: 1, value: 3 }] });
    expect(runner.session.position).toEqual({ step: 5, phase: 0 });
    expect(runner.session.network.parameters[3].value.data[1]).toBe(3);
    expect(records[records.length - 1].changes).toEqual([{ step: 5, parameter: 'linear2.bias', index: 1, value: 3 }]);
    const frame = await next(({ truncatedTo }) => truncatedTo === 5);
    expect(frame.evaluation.train?.loss).toBe(runner.session.evaluate().train?.loss);
    await expect(
      runner.command({ type: 'setWeights', weights: [{ parameter: 'linear9.bias', index: 1, value: 3 }] }),
    ).rejects.toThrow('no weight');
  });
});

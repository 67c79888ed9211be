// Conditions that read other steps, against the obvious: a session that goes phase by phase, with a list of what every
// step ended with.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { bindExpression, parseExpression } from '../../src/expressions';
import type { Breakpoint } from '../../src/protocol/breakpoints';
import type { Position } from '../../src/protocol/position';
import { SeriesEvaluator } from '../../src/session/series-evaluator';
import type { TrainingSession } from '../../src/session/session';
import { StepValues } from '../../src/session/step-values';
import { createSession, smallSpec } from '../support/session-fixtures';
import { createIdleRunner } from './idle-runner';

const specs = {
  'two batch sizes and momentum': { ...smallSpec, epochs: 4 },
  'running statistics, random layers, adam, float64': {
    data: { type: 'moons', samples: 60 },
    layers: [
      { type: 'linear', out_features: 3 },
      'batch_norm1d',
      'tanh',
      { type: 'dropout', p: 0.3 },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: 'adam',
    schedule: 'cosine',
    batch_size: 16,
    epochs: 4,
    precision: 'float64',
  },
};

/** The value of an expression that reads one step, after a phase; NaN if it has none. */
function valueAt(values: StepValues, text: string, phase: number): number {
  try {
    const { prepare, at } = bindExpression(parseExpression(text), values.scopeAt(phase));
    prepare();
    return at(0);
  } catch {
    return NaN;
  }
}

interface Reader {
  readonly step: number;
  /** In this phase; NaN if it is not computed. */
  now(text: string): number;
  /** At the end of an earlier step; NaN if there is none. */
  at(step: number, text: string): number;
}

const W = 'linear1.weight[0, 0]';
const NORM = 'norm(linear1.weight)';
const sign = (x: number): number => Math.sign(x);
const isNumber = (...all: number[]): boolean => all.every((x) => !Number.isNaN(x));
const lastStep = (step: number, holds: (step: number) => boolean): number => {
  for (let k = step - 1; k > 0; k--) if (holds(k)) return k;
  return NaN;
};

/** Conditions, and what they mean. */
const cases: readonly [string, (reader: Reader) => boolean][] = [
  ['loss > at(step - 1, loss)', ({ step, now, at }) => now('loss') > at(step - 1, 'loss')],
  ['loss < at(step - 3, loss)', ({ step, now, at }) => now('loss') < at(step - 3, 'loss')],
  ['loss < at(4, loss)', ({ step, now, at }) => step > 4 && now('loss') < at(4, 'loss')],
  [`${NORM} != at(0, ${NORM}) and batch == 1`, ({ now, at }) => now(NORM) !== at(0, NORM) && now('batch') === 1],
  [
    'step - last(loss < at(step - 1, loss)) == 2',
    ({ step, at }) => step - lastStep(step, (k) => at(k, 'loss') < at(k - 1, 'loss')) === 2,
  ],
  [
    `last(${W}) == step - 1 and loss < 0.68`,
    ({ step, now, at }) =>
      lastStep(step, (k) => isNumber(at(k - 1, W)) && at(k, W) !== at(k - 1, W)) === step - 1 && now('loss') < 0.68,
  ],
  [
    `changes_sign(${W} - 0.2) or crosses(loss, 0.66)`,
    ({ step, now, at }) => {
      const [w, v] = [now(W) - 0.2, at(step - 1, W) - 0.2];
      const [a, b] = [now('loss'), at(step - 1, 'loss')];
      if (!isNumber(w, v, a, b)) return false;
      return sign(w) !== sign(v) || a < 0.66 !== b < 0.66;
    },
  ],
  [
    'is_zero_for(sign(loss - 0.66) - 1, 3)',
    ({ step, now, at }) => step >= 3 && now('loss') > 0.66 && [1, 2].every((k) => at(step - k, 'loss') > 0.66),
  ],
  [
    'max(abs(at(step - 2, update(linear1.weight)))) > max(abs(at(step - 1, update(linear1.weight))))',
    ({ step, at }) => {
      const text = 'max(abs(update(linear1.weight)))';
      return at(step - 2, text) > at(step - 1, text);
    },
  ],
];

/** All positions after one of the phases at which a condition is true. */
function positionsWhere(
  session: TrainingSession,
  holds: (reader: Reader) => boolean,
  phases: readonly number[],
): Position[] {
  const values = new StepValues(session);
  const texts = ['loss', W, NORM, 'max(abs(update(linear1.weight)))'];
  const ends = [new Map(texts.map((text) => [text, valueAt(values, text, 0)]))];
  const found: Position[] = [];
  while (session.position.step < session.totalSteps) {
    session.stepPhase();
    const phase = values.currentPhase;
    const reader: Reader = {
      step: session.shownStep,
      now: (text) => valueAt(values, text, phase),
      at: (step, text) => ends[step]?.get(text) ?? NaN,
    };
    if (phases.includes(phase - 1) && holds(reader)) found.push(session.position);
    if (session.position.phase === 0) ends.push(new Map(texts.map((text) => [text, valueAt(values, text, phase)])));
  }
  return found;
}

describe.each(Object.entries(specs))('conditions that read other steps: %s', (_, spec) => {
  it.each(cases)('%s', async (condition, holds) => {
    const straight = createSession(spec);
    const hashes = [straight.stateHash()];
    while (straight.position.step < straight.totalSteps) {
      straight.step();
      hashes.push(straight.stateHash());
    }
    const { runner, move } = createIdleRunner(createSession(spec));
    const { session } = runner;
    const phases = session.model.phases.flatMap(({ kind }, i) => (kind === 'zero_grad' ? [] : i));
    const expected = positionsWhere(createSession(spec), holds, phases);
    expect(expected.length).toBeGreaterThan(2);
    expect(expected.length).toBeLessThan(phases.length * session.totalSteps);
    expect(await runner.setBreakpoints([{ id: 7, on: { phases }, condition }])).toEqual([{ id: 7, isVerified: true }]);
    const stops: Position[] = [];
    for (;;) {
      const state = await move({ type: 'run' });
      if (state.hitBreakpoints.length === 0) break;
      expect(state.hitBreakpoints).toEqual([7]);
      stops.push(state.position);
      if (state.position.phase === 0) expect(session.stateHash()).toBe(hashes[state.position.step]);
      if (state.status === 'finished') break;
      if (stops.length > 500) throw new Error('the run does not go on');
      // Back and on again, from another step, phase or with other breakpoints in between.
      if (stops.length % 8 === 1) {
        await move({ type: 'seek', step: Math.max(0, state.position.step - 4) });
        const skipped = expected.filter(({ step, phase }) => {
          const { position } = session;
          const isAfter = step > position.step || (step === position.step && phase > position.phase);
          return (
            isAfter && (step < state.position.step || (step === state.position.step && phase < state.position.phase))
          );
        });
        for (const stop of skipped) expect((await move({ type: 'run' })).position).toEqual(stop);
        expect((await move({ type: 'run' })).position).toEqual(state.position);
      } else if (stops.length % 8 === 5) await runner.setBreakpoints([{ id: 7, on: { phases }, condition }]);
    }
    expect(stops).toEqual(expected);
    await move({ type: 'seek', step: session.totalSteps });
    const back: Position[] = [];
    for (;;) {
      const state = await move({ type: 'reverseContinue' });
      if (state.hitBreakpoints.length === 0) break;
      back.push(state.position);
    }
    expect(back.reverse()).toEqual(expected.filter(({ step }) => step < session.totalSteps));
  });
});

describe('a breakpoint that reads other steps', () => {
  const spec = specs['two batch sizes and momentum'];

  it('stops while a pass is finished', async () => {
    const condition = 'at(step - 1, loss) > loss';
    const { runner, move } = createIdleRunner(createSession(spec));
    const { session } = runner;
    const phases = session.model.phases.flatMap(({ kind }, i) => (kind === 'loss_backward' ? i : []));
    const expected = positionsWhere(
      createSession(spec),
      ({ step, now, at }) => at(step - 1, 'loss') > now('loss'),
      phases,
    );
    await runner.setBreakpoints([{ id: 1, on: { phases }, condition }]);
    const stops: Position[] = [];
    while (session.position.step < session.totalSteps) {
      const { hitBreakpoints, position } = await move({ type: 'finishPass' });
      if (hitBreakpoints.length > 0) stops.push(position);
    }
    expect(stops).toEqual(expected);
  });

  it('forgets what a manual change replaces', async () => {
    const { runner, move } = createIdleRunner(createSession(spec));
    const { session } = runner;
    const last = session.model.phases.length - 1;
    await runner.setBreakpoints([
      { id: 1, on: { phases: [last] }, condition: `at(step - 1, ${W}) == 5 or at(3, ${W}) == 6` },
    ]);
    await move({ type: 'runToStep', step: 6 });
    await move({ type: 'setWeights', weights: [{ parameter: 'linear1.weight', index: 0, value: 5 }] });
    expect(await move({ type: 'run' })).toMatchObject({ position: { step: 7, phase: 0 }, hitBreakpoints: [1] });
    await move({ type: 'seek', step: 3 });
    await move({ type: 'setWeights', weights: [{ parameter: 'linear1.weight', index: 0, value: 6 }] });
    expect(await move({ type: 'run' })).toMatchObject({ position: { step: 4, phase: 0 }, hitBreakpoints: [1] });
  });

  it('is hit in the next step, although it was set while the past of another was read', async () => {
    const long = createSession({ ...spec, epochs: 80 });
    const start = long.totalSteps - 10;
    let sleeps = -1;
    const { runner, move } = createIdleRunner(long, {
      sleep: () => {
        if (sleeps >= 0 && sleeps++ === 0)
          void runner.setBreakpoints([
            { id: 2, on: { phases: [2] }, condition: 'step - last(loss > 0) == 1' },
            { id: 3, on: { data: 'linear1.weight[0, 0]' }, condition: 'value != previous' },
          ]);
        return setImmediate();
      },
    });
    await move({ type: 'runToStep', step: start });
    await runner.setBreakpoints([{ id: 1, on: { phases: [1] }, condition: 'last(loss > 0) > step' }]);
    sleeps = 0;
    const state = await move({ type: 'run' });
    expect(sleeps).toBeGreaterThan(1);
    expect(state).toMatchObject({ position: { step: start, phase: 3 }, hitBreakpoints: [2] });
    expect(await move({ type: 'run' })).toMatchObject({ position: { step: start + 1, phase: 0 }, hitBreakpoints: [3] });
  });

  it('knows of no steps at the start, after it has read some', async () => {
    const { runner, move } = createIdleRunner(createSession(spec));
    await runner.setBreakpoints([{ id: 1, on: { phases: [1] }, condition: 'last(loss > 0) >= step or step == 9' }]);
    for (const step of [0, 5, 0]) {
      await move({ type: 'seek', step });
      expect(await move({ type: 'run' })).toMatchObject({ position: { step: 8, phase: 2 } });
    }
  });

  it('replays nothing at the start, nor when it is set again as it is', async () => {
    const replays = vi.spyOn(SeriesEvaluator.prototype, 'replayPast');
    const { runner, move } = createIdleRunner(createSession(spec));
    const all: Breakpoint[] = [
      { id: 1, on: { phases: [2] }, condition: 'last(loss > 0) == step - 1 and (step == 3 or step == 6)' },
      { id: 2, on: { data: W }, condition: 'value != previous and (step == 4 or step == 7)' },
    ];
    const other: Breakpoint = { id: 3, on: { data: NORM }, condition: 'value != previous and step == 7' };
    const hits: (readonly [number, readonly number[]])[] = [];
    for (const breakpoints of [all, [...all, other], all, [other, ...all]]) {
      await runner.setBreakpoints(breakpoints);
      const { position, hitBreakpoints } = await move({ type: 'run' });
      hits.push([position.step, hitBreakpoints]);
    }
    expect(replays).not.toHaveBeenCalled();
    replays.mockRestore();
    expect(hits).toEqual([
      [2, [1]],
      [4, [2]],
      [5, [1]],
      [7, [3, 2]],
    ]);
  });

  it('shares one replay with others, and stops like each of them alone', async () => {
    const all = [
      { id: 1, on: { phases: [2] }, condition: 'last(loss > 0.6) == step - 1 and step > 8' },
      { id: 2, on: { data: 'loss' }, condition: 'value < at(step - 4, loss) and step > 9' },
      { id: 3, on: { phases: [3] }, condition: `at(2, ${W}) != at(step - 2, ${W}) and step > 10` },
    ] satisfies Breakpoint[];
    const firstStop = async (breakpoints: readonly Breakpoint[], from: number) => {
      const { runner, move } = createIdleRunner(createSession(spec));
      await move({ type: 'runToStep', step: 12 });
      await move({ type: 'seek', step: from });
      await runner.setBreakpoints(breakpoints);
      const { position, hitBreakpoints } = await move({ type: 'run' });
      return { position, hitBreakpoints };
    };
    const before = ({ position: a }: { position: Position }, { position: b }: { position: Position }): number =>
      a.step - b.step || a.phase - b.phase;
    for (const from of [6, 11]) {
      const alone = await Promise.all(all.map((each) => firstStop([each], from)));
      const replays = vi.spyOn(SeriesEvaluator.prototype, 'replayPast');
      const together = await firstStop(all, from);
      expect(replays).toHaveBeenCalledTimes(1);
      replays.mockRestore();
      const [first] = alone.toSorted(before);
      expect(together.position).toEqual(first.position);
      expect(together.hitBreakpoints).toEqual(
        alone.filter((each) => before(each, first) === 0).flatMap(({ hitBreakpoints }) => hitBreakpoints),
      );
    }
  });

  it('prints them in log messages', async () => {
    const { runner, messages, move } = createIdleRunner(createSession(spec));
    await runner.setBreakpoints([{ id: 1, on: { phases: [1] }, logMessage: '{at(step - 1, loss)}' }]);
    await move({ type: 'runToStep', step: 4 });
    const session = createSession(spec);
    const losses = [1, 2, 3].map(() => {
      session.step();
      return String(session.loss);
    });
    expect(messages.slice(1).map(({ text }) => text)).toEqual(losses);
    expect(messages[0].text.startsWith('{')).toBe(true);
  });

  it('says why it cannot be hit', async () => {
    const { runner } = createIdleRunner(createSession(spec));
    const on: Breakpoint['on'] = { phases: [1] };
    const conditions = [
      'at(step, loss) > 1',
      'at(step + 1, loss) > 1',
      'at(100000, loss) > 1',
      'at(step - 1, nothing) > 1',
      'at(step - 1, at(step - 1, loss)) > 1',
      'last(linear1.output > 0) > 1',
      'any(at(step - 100000000, linear1.weight) > 0)',
    ];
    const statuses = await runner.setBreakpoints(conditions.map((condition, id) => ({ id, on, condition })));
    expect(statuses.map(({ isVerified, message }) => [isVerified, (message ?? '').length > 10])).toEqual(
      conditions.map(() => [false, true]),
    );
  });
});

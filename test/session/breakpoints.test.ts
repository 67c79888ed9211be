// Breakpoints against the obvious: a session that goes phase by phase, with every condition evaluated at every phase.
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindExpression, parseExpression } from '../../src/expressions';
import { Random } from '../../src/engine/random';
import type { Breakpoint, RunState } from '../../src/protocol/breakpoints';
import type { Position } from '../../src/protocol/position';
import type { Evaluated } from '../../src/protocol/queries';
import { Breakpoints } from '../../src/session/breakpoints';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import type { SessionOptions } from '../../src/session/session-options';
import { StepValues } from '../../src/session/step-values';
import { seriesName } from '../../src/history/history';
import { observe } from '../support/observed-run';
import { createSession, smallSpec } from '../support/session-fixtures';
import { createIdleRunner } from './idle-runner';

const specs = {
  'two batch sizes and momentum': { ...smallSpec, epochs: 4 },
  'running statistics, random layers, adam, float64': {
    data: { type: 'moons', samples: 60 },
    layers: [
      { type: 'linear', out_features: 3, name: 'hidden' },
      'batch_norm1d',
      'relu',
      { type: 'dropout', p: 0.3 },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: 'adam',
    schedule: 'cosine',
    batch_size: 16,
    epochs: 6,
    precision: 'float64',
  },
  'a skip, frozen weights, internals': {
    data: { type: 'circles', samples: 30 },
    layers: [
      { type: 'linear', out_features: 4, name: 'in', freeze: ['bias'] },
      { type: 'residual', layers: [{ type: 'linear', out_features: 4 }, 'tanh'] },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.1 },
    batch_size: 10,
    epochs: 6,
  },
};

/** The bits of a value at a phase; null if it is not computed. */
function bitsAt(values: StepValues, text: string, phase: number, ...copies: Parameters<StepValues['scopeAt']>[1][]) {
  try {
    const { size, prepare, at } = bindExpression(parseExpression(text), values.scopeAt(phase, ...copies));
    prepare();
    return Array.from({ length: size }, (_, i) => (Object.is(at(i), -0) ? '-0' : String(at(i)))).join();
  } catch {
    return null;
  }
}

function createRunner(spec: object, options: SessionOptions = {}) {
  /** Steps whose loss was sent. */
  const lossSteps = new Set<number>();
  const idle = createIdleRunner(createSession(spec, options), {
    emit: ({ history }) => {
      for (const step of history[seriesName.batchLoss]?.steps ?? []) lossSteps.add(step);
      return Promise.resolve();
    },
  });
  return { ...idle, lossSteps };
}

const toNumber = (position: Position, phases: number): number => position.step * phases + position.phase;

/** All positions of the run at which a condition is true after one of the phases, by going through every phase. */
function positionsWhere(session: TrainingSession, condition: string, phases: readonly number[]): Position[] {
  const values = new StepValues(session);
  const found: Position[] = [];
  while (session.position.step < session.totalSteps) {
    session.stepPhase();
    if (!phases.includes(values.currentPhase - 1)) continue;
    if (bitsAt(values, condition, values.currentPhase) === '1') found.push(session.position);
  }
  return found;
}

const allPhases = ({ model }: TrainingSession): number[] => [...model.phases.keys()];

describe.each(Object.entries(specs))('the values of a step: %s', (_, spec) => {
  it('are after the step, for each of its phases, what they were in that phase', () => {
    const phaseByPhase = createSession(spec);
    const atOnce = createSession(spec);
    const [live, after] = [new StepValues(phaseByPhase), new StepValues(atOnce)];
    const texts = live.names.map(({ expression }) => expression);
    expect(texts.length).toBeGreaterThan(20);
    let compared = 0;
    for (let step = 0; step < 6; step++) {
      const copies = new Map(
        texts.flatMap((text) => {
          const source = after.sourceOf(text, 'value');
          const { shape, data } = source?.changesAt ? source.read(atOnce.pass)! : { shape: [], data: null };
          return source && data ? [[source, { shape, data: data.slice() }] as const] : [];
        }),
      );
      // Measured steps compute updates as well; others may run in one compiled call.
      const isMeasured = step % 2 === 1;
      if (isMeasured) atOnce.step(true);
      else atOnce.train(1);
      for (let phase = 1; phase <= live.lastPhase; phase++) {
        phaseByPhase.stepPhase();
        expect(live.currentPhase).toBe(phase);
        for (const text of texts) {
          if (!isMeasured && (text.startsWith('update') || text === 'grad(input)')) continue;
          const bits = bitsAt(live, text, phase);
          expect([phase, text, bitsAt(after, text, phase, copies)]).toEqual([phase, text, bits]);
          if (bits !== null) compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });

  it('stop a run at every position where the condition is true, and reverse continue at the same ones', async () => {
    const reference = createSession(spec);
    const { session } = createRunner(spec).runner;
    const phases = allPhases(session).filter((phase) => session.model.phases[phase].kind !== 'zero_grad');
    const weight = session.network.parameters[0].name;
    let found = 0;
    for (const condition of [
      'loss < 0.66',
      `norm(grad(${weight})) > 0.1 and step > 3`,
      `max(abs(update(${weight}))) > 0.01`,
      `mean(${weight}) < 0.05 and any(grad(${weight}) > 0.02)`,
    ]) {
      reference.reset();
      const expected = positionsWhere(reference, condition, phases);
      found += expected.length;
      const { runner, move } = createRunner(spec);
      const [status] = await runner.setBreakpoints([{ id: 7, on: { phases }, condition }]);
      expect(status).toEqual({ id: 7, isVerified: true });
      const stops: Position[] = [];
      for (;;) {
        const state = await move({ type: 'run' });
        if (state.hitBreakpoints.length === 0) break;
        expect(state.hitBreakpoints).toEqual([7]);
        stops.push(state.position);
        if (state.status === 'finished') break;
        // A hit in the last phase of the run.
        if (stops.length > 500) throw new Error('the run does not go on');
      }
      expect(stops).toEqual(expected);
      const back: Position[] = [];
      await move({ type: 'seek', step: runner.session.totalSteps });
      for (;;) {
        const state = await move({ type: 'reverseContinue' });
        if (state.hitBreakpoints.length === 0) break;
        back.push(state.position);
      }
      expect(runner.session.position).toEqual({ step: 0, phase: 0 });
      const before = expected.filter(({ step }) => step < runner.session.totalSteps);
      expect(back.reverse()).toEqual(before);
    }
    expect(found).toBeGreaterThan(20);
  });
});

describe('in steps that run in one call', () => {
  const optimizers = [
    { type: 'sgd', lr: 0.2 },
    { type: 'sgd', lr: 0.1, momentum: 0.9 },
    { type: 'adam', lr: 0.02 },
  ];
  const tensors = ['grad(linear1.weight)', 'linear1.weight', 'update(linear1.weight)', 'tanh1.output', 'linear2.bias'];
  const reductions = ['norm', 'mean', 'sum', 'min', 'max', 'max abs', 'entry'];
  const expression = fc
    .tuple(fc.constantFrom(...tensors), fc.constantFrom(...reductions))
    .map(([tensor, reduction]) =>
      reduction === 'entry'
        ? `${tensor}${tensor.includes('bias') ? '[1]' : '[0, -1]'}`
        : reduction === 'max abs'
          ? `max(abs(${tensor}))`
          : `${reduction}(${tensor})`,
    );
  const drawn = fc.record({
    optimizer: fc.constantFrom(...optimizers),
    units: fc.constantFrom(1, 3, 4, 9, 17),
    batch_size: fc.constantFrom(4, 7, 50),
    shuffle: fc.boolean(),
    fuseAfter: fc.nat(2),
    text: expression,
    /** The step whose number is looked for. */
    step: fc.integer({ min: 6, max: 150 }),
    kind: fc.constantFrom('condition', 'condition of a step', 'third hit', 'data', 'log'),
  });
  const specOf = ({
    units,
    optimizer,
    batch_size,
    shuffle,
  }: {
    units: number;
    optimizer: object;
    batch_size: number;
    shuffle: boolean;
  }) => ({
    data: { type: 'circles', samples: 50 },
    layers: [{ type: 'linear', out_features: units }, 'tanh', { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
    optimizer,
    batch_size,
    shuffle,
    epochs: batch_size === 50 ? 300 : 25,
  });

  it('breakpoints stop and print as they do phase by phase, with the same bits', async () => {
    let longest = 0;
    await fc.assert(
      fc.asyncProperty(drawn, async ({ fuseAfter, text, step: wanted, kind, ...rest }) => {
        const spec = specOf(rest);
        const straight = createSession(spec);
        const step = Math.min(wanted, straight.totalSteps);
        straight.seek(step);
        const value = bitsAt(new StepValues(straight), text, straight.model.phases.length)!;
        const condition = {
          condition: `${text} == ${value}`,
          'condition of a step': `step >= ${step} and ${text} <= ${value} and loss < 10`,
          'third hit': `${text} >= ${value}`,
          data: `crosses(${value})`,
          log: `${text} == ${value} or step == ${step}`,
        }[kind];
        const breakpoint: Breakpoint = {
          id: 1,
          on: kind === 'data' ? { data: text } : { phases: allPhases(straight) },
          condition,
          ...(kind === 'third hit' && { hitCondition: '3' }),
          ...(kind === 'log' && { logMessage: `${step} {step} {${text}}` }),
        };
        const runs = [Infinity, fuseAfter].map((after) => createRunner(spec, { fuseAfter: after }));
        const [single, fused] = await Promise.all(
          runs.map(async ({ runner, move, messages }) => {
            const { session } = runner;
            runner.subscribe([], []);
            const train = session.train.bind(session);
            session.train = (...args) => {
              const done = train(...args);
              if (session.observedSteps) longest = Math.max(longest, done);
              return done;
            };
            expect((await runner.setBreakpoints([breakpoint]))[0]).toEqual({ id: 1, isVerified: true });
            const stops: unknown[] = [];
            for (let i = 0; i < 4; i++) {
              const { position, status, hitBreakpoints } = await move({ type: 'run' });
              stops.push([position, hitBreakpoints, session.furthestStep, session.loss, session.stateHash()]);
              if (status === 'finished') break;
            }
            return { stops, messages, history: session.pendingHistory.get(seriesName.batchLoss)?.data() };
          }),
        );
        expect(fused).toEqual(single);
        if (kind === 'condition') {
          straight.reset();
          const [first] = positionsWhere(straight, condition, allPhases(straight));
          expect((single.stops[0] as unknown[])[0]).toEqual(first);
        }
      }),
      { numRuns: 60 },
    );
    expect(longest).toBeGreaterThan(4);
  });
});

describe('breakpoints', () => {
  const spec = specs['two batch sizes and momentum'];

  it('stop after each phase of their layer, with the tensors of the phase', async () => {
    const { runner, move, lossSteps } = createRunner(spec);
    const { phases } = runner.session.model;
    const own = allPhases(runner.session).filter((i) => {
      const phase = phases[i];
      return phase.kind === 'update' || ('layer' in phase && phase.layer === 1);
    });
    await runner.setBreakpoints([{ id: 1, on: { phases: own } }]);
    const stops = [];
    for (let i = 0; i < 6; i++) {
      stops.push((await move({ type: 'run' })).position);
      await setImmediate();
      // The loss of step 1 is known from its backward pass on, that of step 2 three stops later.
      expect([...lossSteps]).toEqual([1, 2].filter((step) => i >= 3 * step - 2));
    }
    const [forward, backward] = own.map((phase) => phase + 1);
    expect(stops).toEqual([
      { step: 0, phase: forward },
      { step: 0, phase: backward },
      { step: 1, phase: 0 },
      { step: 1, phase: forward },
      { step: 1, phase: backward },
      { step: 2, phase: 0 },
    ]);
    const straight = createSession(spec);
    straight.seek(2);
    expect(runner.session.stateHash()).toBe(straight.stateHash());
  });

  it('finish a pass, or stop before its end', async () => {
    const { runner, move } = createRunner(spec);
    const { phases } = runner.session.model;
    const loss = phases.findIndex(({ kind }) => kind === 'loss') + 1;
    expect((await move({ type: 'finishPass' })).position).toEqual({ step: 0, phase: loss });
    expect((await move({ type: 'finishPass' })).position).toEqual({ step: 0, phase: phases.length - 1 });
    expect((await move({ type: 'finishPass' })).position).toEqual({ step: 1, phase: 0 });
    await runner.setBreakpoints([{ id: 3, on: { phases: [2] } }]);
    const stop = await move({ type: 'finishPass' });
    expect(stop).toMatchObject({ position: { step: 1, phase: 3 }, hitBreakpoints: [3] });
    expect(await move({ type: 'stepPhase' })).toMatchObject({ position: { step: 1, phase: 4 }, hitBreakpoints: [] });
    expect(await move({ type: 'backPhase' })).toMatchObject({ position: { step: 1, phase: 3 }, hitBreakpoints: [] });
    await move({ type: 'backStep' });
    expect(await move({ type: 'finishPass' })).toMatchObject({ hitBreakpoints: [3] });
    expect(await move({ type: 'backPhase' })).toMatchObject({ position: { step: 1, phase: 2 }, hitBreakpoints: [] });
  });

  const losses = (): number[] => {
    const session = createSession(spec);
    return Array.from({ length: session.totalSteps }, () => {
      session.step();
      return session.loss!;
    });
  };

  it.each<[string, string | undefined, (value: number, previous: number) => boolean]>([
    ['loss', undefined, (value, previous) => value !== previous],
    ['loss - 0.67', 'changes_sign()', (value, previous) => Math.sign(value - 0.67) !== Math.sign(previous - 0.67)],
    ['loss', 'crosses(0.65)', (value, previous) => value < 0.65 !== previous < 0.65],
    ['loss', 'value > previous and value > 0.66', (value, previous) => value > previous && value > 0.66],
  ])('on data stop where %s has %s', async (data, condition, didChange) => {
    const all = losses();
    const expected = all.flatMap((loss, i) => (i > 0 && didChange(loss, all[i - 1]) ? [i + 1] : []));
    expect(expected.length).toBeGreaterThan(1);
    const { runner, move } = createRunner(spec);
    const on = { data };
    await runner.setBreakpoints([condition === undefined ? { id: 1, on } : { id: 1, on, condition }]);
    const lossPhase = runner.session.model.phases.findIndex(({ kind }) => kind === 'loss') + 1;
    const steps: number[] = [];
    for (
      let state = await move({ type: 'run' });
      state.hitBreakpoints.length > 0;
      state = await move({ type: 'run' })
    ) {
      expect(state.position.phase).toBe(lossPhase);
      steps.push(state.position.step + 1);
      // Going back in between changes nothing.
      if (steps.length % 3 === 0) {
        await move({ type: 'backStep' });
        await move({ type: 'backPhase' });
        await move({ type: 'run' });
      }
    }
    expect(steps).toEqual(expected);
    const back: number[] = [];
    for (;;) {
      const state = await move({ type: 'reverseContinue' });
      if (state.hitBreakpoints.length === 0) break;
      back.push(state.position.step + 1);
    }
    expect(back.reverse()).toEqual(expected);
  });

  it('count each hit once, also after going back', async () => {
    const { runner, move } = createRunner(spec);
    await runner.setBreakpoints([{ id: 1, on: { phases: [1] }, hitCondition: '% 5' }]);
    const stops = [await move({ type: 'run' }), await move({ type: 'run' })];
    expect(stops.map(({ position }) => position)).toEqual([
      { step: 4, phase: 2 },
      { step: 9, phase: 2 },
    ]);
    expect((await move({ type: 'reverseContinue' })).position).toEqual({ step: 4, phase: 2 });
    expect((await move({ type: 'run' })).position).toEqual({ step: 9, phase: 2 });
    await move({ type: 'seek', step: 2 });
    expect((await move({ type: 'run' })).position).toEqual({ step: 4, phase: 2 });
  });

  it('print log messages instead of stopping', async () => {
    const { runner, messages, move } = createRunner(spec);
    const logMessage = 'loss {loss}, {sum(grad(tanh1.output)) > 0}, {nothing}';
    await runner.setBreakpoints([
      { id: 4, on: { phases: [5] }, condition: 'step == 3 or step == 8', logMessage },
      { id: 5, on: { phases: [1] }, condition: 'step == 10' },
    ]);
    const stop = await move({ type: 'run' });
    expect(stop).toMatchObject({ position: { step: 9, phase: 2 }, hitBreakpoints: [5] });
    const all = losses();
    expect(messages.map(({ breakpoint, position }) => ({ breakpoint, position }))).toEqual([
      { breakpoint: 4, position: { step: 2, phase: 6 } },
      { breakpoint: 4, position: { step: 7, phase: 6 } },
    ]);
    expect(messages[0].text.startsWith(`loss ${all[2]}, `)).toBe(true);
    expect(messages[1].text).toContain('There is no nothing.');
  });

  it('on what the update changes stop where it holds, in every phase, also after going back', async () => {
    const norms: number[] = [];
    const session = createSession(spec);
    for (let i = 0; i < session.totalSteps; i++) {
      session.step();
      norms.push(Math.hypot(...session.network.parameters[0].value.data));
    }
    const [low, high] = [norms[2], norms[5]].sort((a, b) => a - b);
    const condition = `norm(linear1.weight) > ${low} and norm(linear1.weight) < ${high}`;
    const phases = allPhases(session);
    const expected = positionsWhere(createSession(spec), condition, phases);
    expect(expected.length).toBeGreaterThan(phases.length);
    expect(expected.length).toBeLessThan(phases.length * session.totalSteps);
    const { runner, move } = createRunner(spec);
    await runner.setBreakpoints([{ id: 1, on: { phases }, condition }]);
    const stops: Position[] = [];
    while (runner.session.position.step < runner.session.totalSteps) {
      const { hitBreakpoints, position } = await move({ type: 'run' });
      if (hitBreakpoints.length === 0) break;
      stops.push(position);
      if (stops.length % 7 !== 0) continue;
      await move({ type: 'reverseContinue' });
      expect((await move({ type: 'run' })).position).toEqual(position);
    }
    expect(stops).toEqual(expected);
  });

  it('print what a phase reads before the update, not after it', async () => {
    const { runner, messages, move } = createRunner(spec);
    await runner.setBreakpoints([{ id: 1, on: { phases: [1] }, logMessage: '{linear1.weight[0, 0]}' }]);
    await move({ type: 'runToStep', step: 5 });
    const session = createSession(spec);
    const before = Array.from({ length: 5 }, () => {
      const [value] = session.network.parameters[0].value.data;
      session.step();
      return String(value);
    });
    expect(messages.map(({ text }) => text)).toEqual(before);
  });

  it('say why they cannot be hit', async () => {
    const { runner } = createRunner(spec);
    const on = { phases: [1] };
    const broken: Omit<Breakpoint, 'id'>[] = [
      { on, condition: 'norm(nothing) > 1' },
      { on, condition: 'norm(linear1.output)' },
      { on, condition: 'linear1.output > 1' },
      { on, condition: 'linear1.output[' },
      // Not there before the backward pass.
      { on, condition: 'norm(grad(linear1.weight)) > 1' },
      { on, hitCondition: 'often' },
      { on, logMessage: '{1 +}' },
      { on: { data: 'linear1.weight' } },
      { on: { data: '1 + 1' } },
      { on: { data: 'nothing' } },
    ];
    const statuses = await runner.setBreakpoints(broken.map((each, id) => ({ id, ...each })));
    expect(statuses.map(({ id, isVerified, message }) => [id, isVerified, (message ?? '').length > 10])).toEqual(
      broken.map((__, id) => [id, false, true]),
    );
  });

  it('on a tensor stop after the phase that computes or changes it', async () => {
    const { runner, move } = createRunner(spec);
    const tensors = ['tanh1.output', 'grad(tanh1.output)', 'norm(linear1.weight) - loss'];
    const statuses = await runner.setBreakpoints([
      ...tensors.map((tensor, id) => ({ id, on: { tensor } })),
      { id: 8, on: { tensor: 'tanh1.weight' } },
      { id: 9, on: { tensor: 'step' } },
    ]);
    expect(statuses.map(({ isVerified }) => isVerified)).toEqual([true, true, true, false, false]);
    const stops: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const { position, hitBreakpoints } = await move({ type: 'run' });
      stops.push([position, hitBreakpoints]);
    }
    const { phases } = runner.session.model;
    const forward = phases.findIndex((phase) => phase.kind === 'forward' && phase.layer === 1) + 1;
    const backward = phases.findIndex((phase) => phase.kind === 'backward' && phase.layer === 2) + 1;
    expect(stops).toEqual([
      [{ step: 0, phase: forward }, [0]],
      [{ step: 0, phase: backward }, [1]],
      [{ step: 1, phase: 0 }, [2]],
      [{ step: 1, phase: forward }, [0]],
    ]);
  });

  const growing = {
    data: { type: 'linear', samples: 80, features: 3, noise: 0.1 },
    layers: [{ type: 'linear', out_features: 8 }, 'tanh', { type: 'linear', out_features: 1 }],
    loss: 'mse',
    optimizer: { type: 'sgd', lr: 1.2 },
    batch_size: 16,
    epochs: 40,
  };

  it('on findings stop at the step that reports them, also after going back', async () => {
    const codes = ['diverging', 'update-too-large'];
    const expected = observe(growing)
      .filter(({ code }) => codes.includes(code))
      .map(({ reported }) => reported!);
    const steps = [...new Set(expected)].sort((a, b) => a - b);
    expect(steps.length).toBeGreaterThan(0);
    const { runner, move } = createRunner(growing);
    await runner.setBreakpoints(codes.map((code, id) => ({ id, on: { findings: [code] } })));
    const forwardStops = async (): Promise<RunState[]> => {
      const stops: RunState[] = [];
      for (;;) {
        const state = await move({ type: 'run' });
        if (state.hitBreakpoints.length === 0) return stops;
        stops.push(state);
      }
    };
    const stops = await forwardStops();
    expect(stops.map(({ position }) => position)).toEqual(steps.map((step) => ({ step, phase: 0 })));
    expect(codes).toContain(stops[0].discovery!.code);
    const back: number[] = [];
    for (;;) {
      const { hitBreakpoints, position } = await move({ type: 'reverseContinue' });
      if (hitBreakpoints.length === 0) break;
      back.push(position.step);
    }
    expect(back.reverse()).toEqual(steps);
    expect((await forwardStops()).map(({ position }) => position.step)).toEqual(steps);
    // Together with a condition, which is evaluated step by step.
    await move({ type: 'seek', step: 0 });
    await runner.setBreakpoints([
      { id: 0, on: { findings: codes } },
      { id: 1, on: { phases: [1] }, condition: 'loss < 0' },
    ]);
    expect((await forwardStops()).map(({ position }) => position.step)).toEqual(steps);
    const last = steps.at(-1)!;
    expect((await move({ type: 'reverseContinue' })).position).toEqual({ step: last, phase: 0 });
  });

  it('on findings say why the network can never have them', async () => {
    const { runner } = createRunner({
      ...growing,
      layers: [{ type: 'linear', out_features: 1 }],
      rules: { diverging: 'off' },
    });
    const codes = ['dead-units', 'vanishing-gradient', 'exploding-gradient', 'zero-gradient', 'vanishing-through-time'];
    const statuses = await runner.setBreakpoints(
      [...codes, 'diverging'].map((code, id) => ({ id, on: { findings: [code] } })),
    );
    expect(statuses.map(({ isVerified, message }) => [isVerified, (message ?? '').length > 10])).toEqual(
      statuses.map(() => [false, true]),
    );
    const whole = createRunner({
      ...growing,
      layers: [...growing.layers.slice(0, 1), 'relu', ...growing.layers.slice(1)],
    });
    const verified = await whole.runner.setBreakpoints(
      [...codes.slice(0, 4), 'diverging'].map((code, id) => ({ id, on: { findings: [code] } })),
    );
    expect(verified.every(({ isVerified }) => isVerified)).toBe(true);
  });

  it('on checks stop where a gradient is wrong', async () => {
    const { runner, move } = createRunner(spec);
    const [check] = await runner.setBreakpoints([{ id: 1, on: { checkEvery: null } }]);
    expect([check.isVerified, (check.message ?? '').length > 10]).toEqual([false, true]);
    await runner.setBreakpoints([{ id: 1, on: { checkEvery: 3 } }]);
    expect((await move({ type: 'run' })).status).toBe('finished');
    const { definition } = runner.session.run.model.layers[1];
    const { backward } = definition;
    Object.assign(definition, {
      backward: (context: Parameters<typeof backward>[0]) => {
        backward.call(definition, context);
        if (runner.session.position.step > 7) context.gradInput?.data.fill(1);
      },
    });
    try {
      await move({ type: 'reset' });
      const first = await move({ type: 'run' });
      expect(first).toMatchObject({ position: { step: 9, phase: 0 }, hitBreakpoints: [1] });
      expect(first.discovery).toMatchObject({ code: 'wrong-gradient' });
      expect((await move({ type: 'run' })).position.step).toBe(12);
      expect((await move({ type: 'reverseContinue' })).position.step).toBe(9);
    } finally {
      Object.assign(definition, { backward });
    }
  });

  it('follow a run whose weights were changed', async () => {
    const { runner, move } = createRunner(spec);
    await runner.setBreakpoints([{ id: 1, on: { data: 'linear1.weight[0, 0]' }, condition: 'crosses(5)' }]);
    await move({ type: 'runToStep', step: 5 });
    await move({ type: 'setWeights', weights: [{ parameter: 'linear1.weight', index: 0, value: 7 }] });
    // Compared with the value that was set.
    const set = createSession(spec);
    set.seek(5);
    set.setWeights([{ parameter: 'linear1.weight', index: 0, value: 7 }]);
    const values: number[] = [7];
    while (set.position.step < set.totalSteps) {
      set.step();
      values.push(set.network.parameters[0].value.data[0]);
    }
    const first = values.findIndex((value, i) => i > 0 && value < 5 !== values[i - 1] < 5);
    const state = await move({ type: 'run' });
    expect(state.hitBreakpoints).toEqual(first < 0 ? [] : [1]);
    if (first > 0) expect(state.position).toEqual({ step: 5 + first, phase: 0 });
    else expect(state.status).toBe('finished');
  });

  it('change no bit of a run, wherever it stops and goes', async () => {
    const random = new Random(20, 'movements');
    const { runner, move } = createRunner(specs['running statistics, random layers, adam, float64']);
    const { session } = runner;
    const straight = createSession(specs['running statistics, random layers, adam, float64']);
    const hashes = new Map([[0, straight.stateHash()]]);
    while (straight.position.step < straight.totalSteps) {
      straight.step();
      hashes.set(straight.position.step, straight.stateHash());
    }
    await runner.setBreakpoints([
      { id: 1, on: { phases: [2, 9] }, condition: 'norm(hidden.output) > 5' },
      { id: 2, on: { data: 'mean(hidden.weight)' }, condition: 'changes_sign()' },
    ]);
    const commands = ['run', 'stepPhase', 'finishPass', 'backPhase', 'reverseContinue', 'step', 'backStep'] as const;
    for (let i = 0; i < 150; i++) {
      const type = commands[random.integerBelow(commands.length)];
      if (session.position.step >= session.totalSteps) await move({ type: 'seek', step: 3 });
      else await move({ type });
      const { position } = session;
      if (position.phase === 0) expect(session.stateHash()).toBe(hashes.get(position.step));
      expect(toNumber(position, 1)).toBeLessThanOrEqual(session.totalSteps + session.model.phases.length);
    }
  });
});

describe('the query evaluate', () => {
  it('answers each expression, with a page of its entries', () => {
    const session = createSession(specs['two batch sizes and momentum']);
    session.step(true);
    const { value } = runQuery(session, {
      type: 'evaluate',
      expressions: [
        { text: 'loss' },
        { text: 'linear1.weight', from: 2, count: 3 },
        { text: 'linear1.weight[9]' },
        { text: 'update(linear1.bias)' },
        { text: 'isnan(loss)' },
      ],
    });
    const [loss, weight, error, update, isNan] = value as readonly Evaluated[];
    expect(loss).toMatchObject({ kind: 'value', shape: [], summary: null, entries: Float64Array.of(session.loss!) });
    const { data } = session.network.parameters[0].value;
    expect(weight).toMatchObject({ shape: [4, 2], precision: 'float32', entries: Float64Array.from(data.slice(2, 5)) });
    const norm = Math.hypot(...data);
    expect(weight.kind === 'value' && weight.summary?.norm).toBeCloseTo(norm, 12);
    expect(error).toMatchObject({ kind: 'error', start: 0, end: 17 });
    expect(update).toMatchObject({ kind: 'value', shape: [4], entries: new Float64Array(0) });
    expect(isNan).toMatchObject({ type: 'boolean', entries: Float64Array.of(0) });
  });

  it('says what the step has not computed yet', () => {
    const session = createSession(specs['two batch sizes and momentum']);
    const kinds = () =>
      (
        runQuery(session, {
          type: 'evaluate',
          expressions: ['linear1.weight', 'linear1.output', 'loss', 'grad(linear1.weight)'].map((text) => ({ text })),
        }).value as readonly Evaluated[]
      ).map(({ kind }) => kind);
    expect(kinds()).toEqual(['value', 'error', 'error', 'error']);
    session.stepPhase();
    session.stepPhase();
    expect(kinds()).toEqual(['value', 'value', 'error', 'error']);
    session.step(true);
    expect(kinds()).toEqual(['value', 'value', 'value', 'value']);
    session.stepPhase();
    expect(kinds()).toEqual(['value', 'error', 'error', 'error']);
  });
});

it('a set of breakpoints without conditions costs nothing to keep', () => {
  const session = createSession(specs['two batch sizes and momentum']);
  const breakpoints = new Breakpoints(session);
  expect(breakpoints.isEmpty).toBe(true);
  breakpoints.set([{ id: 1, on: { phases: [0] } }]);
  expect([breakpoints.isEmpty, breakpoints.needsMeasurement, breakpoints.stepsBack]).toEqual([false, false, 0]);
  breakpoints.set([{ id: 1, on: { phases: [9] }, condition: 'norm(grad(input)) > 1' }]);
  expect(breakpoints.needsMeasurement).toBe(true);
});

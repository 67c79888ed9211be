// Queries over a run against the obvious: a straight run that goes phase by phase and keeps every value of every step.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { bindExpression, ExpressionError, parseExpression } from '../../src/expressions';
import type { RunQueryCell } from '../../src/protocol/run-query';
import { ParallelRunQuery } from '../../src/session/parallel-run-query';
import type { PieceReport, QueryPiece, ReplayThreads, RunQueryRange } from '../../src/session/replay-threads';
import { RunQuery } from '../../src/session/run-query';
import { openReplaySession, openReplayThreadSession } from '../../src/session/scratch-session';
import type { TrainingSession } from '../../src/session/session';
import { StepValues } from '../../src/session/step-values';
import { compileRun, createSession } from '../support/session-fixtures';

const STEPS = 28;

const specOf = (seed: number, isAdam: boolean) => ({
  data: { type: 'circles', samples: 35 },
  layers: isAdam
    ? [
        { type: 'linear', out_features: 3, name: 'hidden' },
        'batch_norm1d',
        'relu',
        { type: 'dropout', p: 0.3 },
        { type: 'linear', out_features: 2, name: 'output' },
      ]
    : [
        { type: 'linear', out_features: 3, name: 'hidden' },
        'tanh',
        { type: 'linear', out_features: 2, name: 'output' },
      ],
  loss: 'cross_entropy',
  optimizer: isAdam ? 'adam' : { type: 'sgd', lr: 0.4, momentum: 0.9 },
  // The last batch of an epoch is smaller.
  batch_size: 8,
  epochs: 10,
  seed,
});

/** Single values, and values that some steps lack: the last batch of an epoch has five samples. */
const VALUES = [
  'loss',
  'lr',
  'epoch',
  'hidden.weight[0, 1]',
  'norm(hidden.weight)',
  'norm(grad(hidden.weight))',
  'max(abs(update(output.weight)))',
  'mean(output.output)',
  'output.output[6, 0]',
  'norm(grad(input))',
  'quantile(hidden.output, 0.3)',
] as const;
const TENSORS = ['hidden.weight', 'output.bias', 'grad(output.weight)', 'update(hidden.bias)'] as const;

type Bits = readonly number[] | null;

/** The entries of expressions at the end of each step, from step 0 on. */
function straightRun(session: TrainingSession): ReadonlyMap<string, readonly Bits[]> {
  const values = new StepValues(session);
  const texts = [...VALUES, ...TENSORS, 'step'];
  const series = new Map(texts.map((text) => [text, [] as Bits[]]));
  for (let step = 0; step <= STEPS; step++) {
    if (step > 0)
      do session.stepPhase();
      while (session.position.phase > 0);
    for (const text of texts) series.get(text)!.push(entriesOf(values, text));
  }
  return series;
}

function entriesOf(values: StepValues, text: string): Bits {
  try {
    const { size, prepare, at } = bindExpression(parseExpression(text), values.scopeAt(values.currentPhase));
    prepare();
    return Array.from({ length: size }, (_, i) => at(i));
  } catch (error) {
    if (error instanceof ExpressionError) return null;
    throw error;
  }
}

/** A part of a query and its value at a step, by its definition. Undefined is no value. */
interface Part {
  readonly text: string;
  readonly at: (step: number) => number | boolean | undefined;
}

const isSame = (a: Bits | undefined, b: Bits | undefined): boolean =>
  a?.length === b?.length && a!.every((value, i) => Object.is(value, b![i]));

/** Random conditions and columns over the series of a straight run. */
function partsOf(series: ReadonlyMap<string, readonly Bits[]>) {
  const single = (text: string, step: number): number | undefined => series.get(text)?.[step]?.[0];
  const typical = (text: string, share: number): number => {
    const all = (series.get(text) ?? []).flatMap((bits) => bits ?? []).sort((a, b) => a - b);
    return all[Math.floor(share * (all.length - 1))] ?? 0;
  };
  const value = fc.constantFrom(...VALUES);
  const tensor = fc.constantFrom(...TENSORS);
  const condition = fc.oneof(
    fc
      .tuple(value, fc.constantFrom('<', '>='), fc.double({ min: 0.1, max: 0.9, noNaN: true }))
      .map(([text, operator, share]): Part => {
        const limit = typical(text, share);
        return {
          text: `${text} ${operator} ${limit < 0 ? `-${-limit}` : limit}`,
          at: (step) => {
            const found = single(text, step);
            return found === undefined ? undefined : operator === '<' ? found < limit : found >= limit;
          },
        };
      }),
    value.map((text): Part => ({
      text: `changes(${text})`,
      at: (step) => {
        const [now, before] = [single(text, step), single(text, step - 1)];
        return now === undefined || before === undefined ? undefined : !Object.is(now, before);
      },
    })),
    value.map((text): Part => ({
      text: `changes_sign(${text})`,
      at: (step) => {
        const [now, before] = [single(text, step), single(text, step - 1)];
        if (now === undefined || before === undefined) return undefined;
        return Math.sign(now) !== Math.sign(before) && !Number.isNaN(now + before);
      },
    })),
    tensor.map((text): Part => ({
      text: `any(changes(${text}))`,
      at: (step) => {
        const [now, before] = [series.get(text)![step], series.get(text)![step - 1]];
        return now && before ? !isSame(now, before) : undefined;
      },
    })),
  );
  const lastStep = (step: number, holds: (at: number) => boolean): number => {
    for (let at = step - 1; at >= 1; at--) if (holds(at)) return at;
    return NaN;
  };
  const column = fc.oneof(
    fc.constant<Part>({ text: 'step', at: (step) => step }),
    value.map((text): Part => ({ text, at: (step) => single(text, step) })),
    fc.tuple(value, fc.integer({ min: 0, max: 9 })).map(([text, back]): Part => ({
      text: `at(step - ${back}, ${text})`,
      at: (step) => single(text, step - back),
    })),
    fc.tuple(value, value, fc.integer({ min: 0, max: STEPS })).map(([text, other, fixed]): Part => ({
      text: `${other} - at(${fixed}, ${text})`,
      at: (step) => {
        const [a, b] = [single(other, step), single(text, fixed)];
        return a === undefined || b === undefined ? undefined : a - b;
      },
    })),
    condition.map(({ text, at }): Part => ({
      text: `last(${text})`,
      at: (step) => lastStep(step, (each) => at(each) === true),
    })),
    fc.constantFrom(...VALUES, ...TENSORS).map((text): Part => ({
      text: `last(${text})`,
      at: (step) =>
        lastStep(step, (at) => {
          const [now, before] = [series.get(text)![at], series.get(text)![at - 1]];
          return Boolean(now && before) && !isSame(now, before);
        }),
    })),
    condition,
  );
  return { condition, column };
}

function runToEnd(query: RunQuery): RunQuery {
  for (let i = 0; !query.isDone; i++) {
    if (i > 100_000) throw new Error('the query does not end');
    query.advance();
  }
  return query;
}

/** A run, and sessions that answer queries about it. */
function runOf(seed: number, isAdam: boolean) {
  const spec = specOf(seed, isAdam);
  const session = createSession(spec, { checkpointInterval: 4, checkpointBudget: 4096 });
  const series = straightRun(createSession(spec));
  return { spec, session, series };
}

const runs = [1, 2, 3, 4].map((seed) => runOf(seed, seed % 2 === 0));

const toCell = (value: number | boolean | undefined): RunQueryCell => value ?? null;

describe('a query over a run', () => {
  it('has the rows of a straight run, to the bit', () => {
    const cases = fc.integer({ min: 0, max: runs.length - 1 }).chain((index) => {
      const { condition, column } = partsOf(runs[index].series);
      return fc.record({
        index: fc.constant(index),
        columns: fc.array(column, { minLength: 1, maxLength: 4 }),
        where: fc.option(condition),
        ends: fc.tuple(fc.integer({ min: 1, max: STEPS }), fc.integer({ min: 1, max: STEPS })),
        goTo: fc.integer({ min: 0, max: STEPS }),
        isReplay: fc.boolean(),
      });
    });
    let rows = 0;
    fc.assert(
      fc.property(cases, ({ index, columns, where, ends, goTo, isReplay }) => {
        const { session } = runs[index];
        const [from, to] = [Math.min(...ends), Math.max(...ends)];
        session.seek(goTo);
        const text = `${columns.map((each) => each.text).join(', ')}${where ? ` where ${where.text}` : ''}`;
        const query = runToEnd(
          new RunQuery(isReplay ? openReplaySession(session) : session, text, { from, to, lastStep: STEPS }),
        );
        const expected = [];
        for (let step = from; step <= to; step++)
          if (!where || where.at(step) === true) expected.push(columns.map(({ at }) => toCell(at(step))));
        // Object.is: 0 and -0 differ, NaN is NaN.
        expect(query.rows).toStrictEqual(expected);
        expect(query.end).toBe('complete');
        rows += expected.length;
      }),
      { numRuns: 400, seed: 20 },
    );
    expect(rows).toBeGreaterThan(2000);
  });

  it('finds the first and the last step, and by bisection a step at which a condition begins to hold', () => {
    const cases = fc.integer({ min: 0, max: runs.length - 1 }).chain((index) =>
      fc.record({
        index: fc.constant(index),
        condition: partsOf(runs[index].series).condition,
        ends: fc.tuple(fc.integer({ min: 1, max: STEPS }), fc.integer({ min: 1, max: STEPS })),
      }),
    );
    const found = { last: 0, first: 0, bisect: 0 };
    fc.assert(
      fc.property(cases, ({ index, condition: { text, at }, ends }) => {
        const { session } = runs[index];
        session.seek(STEPS);
        const range: RunQueryRange = { from: Math.min(...ends), to: Math.max(...ends), lastStep: STEPS };
        const steps: number[] = [];
        for (let step = range.from; step <= range.to; step++) if (at(step) === true) steps.push(step);
        const search = (kind: 'last' | 'first' | 'bisect') =>
          runToEnd(new RunQuery(openReplaySession(session), `${kind} ${text}`, range));
        for (const [kind, step] of [
          ['last', steps.at(-1)],
          ['first', steps[0]],
        ] as const) {
          const query = search(kind);
          expect(query.rows).toEqual(step === undefined ? [] : [[step]]);
          if (step !== undefined) found[kind]++;
        }
        const query = search('bisect');
        if (!steps.includes(range.to)) expect([query.end, query.rows]).toEqual(['false at the end', []]);
        else {
          const [[step]] = query.rows as [[number]];
          expect(steps).toContain(step);
          expect(step === range.from || !steps.includes(step - 1)).toBe(true);
          // If it holds from one step on, it is that step.
          if (steps[0] + steps.length - 1 === range.to) expect(step).toBe(steps[0]);
          found.bisect++;
        }
      }),
      { numRuns: 250, seed: 20 },
    );
    expect(Math.min(...Object.values(found))).toBeGreaterThan(50);
  });
});

/** Threads that work whenever they are asked, as fast as a list of numbers says: 0 is a failure. */
class ScriptedThreads implements ReplayThreads {
  readonly size = 2;
  readonly #busy = new Set<object>();
  #turn = 0;
  pieces = 0;
  failures = 0;
  readonly backends = new Set<string>();

  constructor(
    readonly spec: object,
    readonly speeds: readonly number[],
  ) {}

  start({ text, range, record, backend }: QueryPiece) {
    if (this.#busy.size >= this.size) return null;
    // As between threads.
    const session = openReplayThreadSession(compileRun(this.spec), structuredClone(record), backend);
    this.backends.add(session.network.kernels.backend);
    const query = new RunQuery(session, text, range);
    let sent = 0;
    const task = {
      takeReports: (): PieceReport[] | null => {
        const speed = this.speeds[this.#turn++ % this.speeds.length];
        if (speed === 0) {
          this.failures++;
          this.#busy.delete(task);
          return null;
        }
        for (let i = 0; i < speed && !query.isDone; i++) query.advance();
        const { steps, rows, replayed, end } = query;
        const report = { steps: steps.slice(sent), rows: rows.slice(sent), answered: 0, replayed, end };
        sent = rows.length;
        if (end !== null) this.#busy.delete(task);
        return [report];
      },
    };
    this.#busy.add(task);
    this.pieces++;
    return task;
  }

  wait() {
    // A piece works when it is asked.
  }
}

describe('a query in pieces', () => {
  it('has the rows of one piece in their order, and finds the same steps', () => {
    // A clock that goes on with every look, so that slices are short.
    let time = 0;
    const now = (): number => (time += 30);
    const cases = fc.integer({ min: 0, max: runs.length - 1 }).chain((index) => {
      const { condition, column } = partsOf(runs[index].series);
      return fc.record({
        index: fc.constant(index),
        text: fc.oneof(
          fc
            .tuple(fc.array(column, { minLength: 1, maxLength: 3 }), fc.option(condition))
            .map(
              ([columns, where]) =>
                `${columns.map((each) => each.text).join(', ')}${where ? ` where ${where.text}` : ''}`,
            ),
          fc.tuple(fc.constantFrom('first', 'last', 'bisect'), condition).map(([kind, { text }]) => `${kind} ${text}`),
        ),
        from: fc.integer({ min: 1, max: 6 }),
        speeds: fc
          .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 })
          .filter((each) => each.some(Boolean)),
        pieceMs: fc.integer({ min: 0, max: 40 }),
      });
    });
    const counts = { pieces: 0, failures: 0, early: 0 };
    fc.assert(
      fc.property(cases, ({ index, text, from, speeds, pieceMs }) => {
        const { spec } = runs[index];
        const threads = new ScriptedThreads(spec, speeds);
        const session = createSession(spec, { checkpointInterval: 2, now, replayThreads: threads });
        session.seek(STEPS);
        const range: RunQueryRange = { from, to: STEPS, lastStep: STEPS };
        const alone = runToEnd(new RunQuery(openReplaySession(session), text, range));
        const query = new ParallelRunQuery(session, text, range, { afterMs: 0, minRestMs: 0, pieceMs });
        for (let i = 0; !query.isDone; i++) {
          if (i > 10_000) throw new Error('the query does not end');
          query.work();
          expect(query.rows).toStrictEqual(alone.rows.slice(0, query.rows.length));
          if (!query.isDone && query.pieceCount > 1 && query.rows.length > 0) counts.early++;
        }
        expect(query.rows).toStrictEqual(alone.rows);
        expect(query.steps).toStrictEqual(alone.steps);
        expect([query.end, query.columns]).toEqual([alone.end, alone.columns]);
        counts.pieces += threads.pieces;
        counts.failures += threads.failures;
      }),
      { numRuns: 80, seed: 20 },
    );
    expect(counts.pieces).toBeGreaterThan(50);
    expect(counts.failures).toBeGreaterThan(10);
    expect(counts.early).toBeGreaterThan(10);
  });

  it('is answered by the kernels of the run in every thread', () => {
    const { spec } = runs[0];
    const threads = new ScriptedThreads(spec, [3]);
    let time = 0;
    const now = (): number => (time += 30);
    const session = createSession(spec, {
      backend: 'reference',
      checkpointInterval: 2,
      now,
      replayThreads: threads,
    });
    session.seek(STEPS);
    const range: RunQueryRange = { from: 1, to: STEPS, lastStep: STEPS };
    const query = new ParallelRunQuery(session, 'step, loss', range, { afterMs: 0, minRestMs: 0, pieceMs: 0 });
    while (!query.isDone) query.work();
    expect(query.rows).toHaveLength(STEPS);
    expect([...threads.backends]).toEqual(['reference']);
  });

  it('fails in a thread without the kernels of the run', () => {
    const { spec } = runs[0];
    const session = createSession(spec);
    session.seek(3);
    const record = session.record();
    vi.stubGlobal('WebAssembly', undefined);
    try {
      expect(() => openReplayThreadSession(compileRun(spec), record, 'wasm-simd')).toThrow();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

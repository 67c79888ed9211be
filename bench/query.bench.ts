// How fast a query over a run is answered. The goal: 10,000 steps of examples/circles.nabla.json within 2 s. Measured
// as a client asks it: slice by slice, in a second session that replays the run from its checkpoints. It is processor
// time, so that other load on the machine matters less.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { threadCount } from '../src/platform/start-thread-pool';
import { EngineReplayThreads } from '../src/process/replay/replay-threads';
import type { RunQueryResult } from '../src/protocol/run-query';
import { runQuery } from '../src/session/queries';
import { TrainingSession } from '../src/session/session';
import { compileRun } from '../test/support/session-fixtures';
import { formatRounded, formatTable, median } from './measure';

const STEPS = 10_000;
const GOAL_MS = 2000;
const REPEATS = 5;

const queries = [
  'step, loss where loss > 0.2',
  'step, norm(grad(hidden.weight)) where max(abs(update(hidden.weight))) > 0.1',
  'loss - at(step - 1, loss), any(changes_sign(hidden.weight)), last(loss > 0.2)',
  'last any(changes_sign(hidden.weight))',
  'bisect loss < 0.2',
];

const text = readFileSync(resolve('examples', 'circles.nabla.json'), 'utf8');
const { epochs } = compileRun(text);
const run = { ...compileRun(text), epochs: 100 * epochs };
const session = new TrainingSession(run, text, { now: () => performance.now() });
/** Milliseconds of the processor since the start. */
const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const start = processorMs();
session.seek(STEPS);
console.log(`Training ${STEPS} steps: ${formatRounded(processorMs() - start)} ms`);

const rows = queries.map((query) => {
  const times: number[] = [];
  let answer: RunQueryResult | null = null;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const from = processorMs();
    let after = 0;
    do {
      answer = runQuery(session, { type: 'run_query', id: String(repeat), text: query, from: null, to: null, after })
        .value as RunQueryResult;
      after = answer.total;
    } while (answer.end === null);
    if (answer.error) throw new Error(answer.error.message);
    times.push(processorMs() - from);
  }
  const { total, replayed } = answer!;
  const ms = median(times);
  return [query, String(total), String(replayed), formatRounded(ms), formatRounded((1000 * replayed) / ms)];
});
console.log(formatTable(['query', 'rows', 'steps replayed', 'processor ms', 'steps/s'], rows));
const worst = Math.max(...rows.map((row) => Number(row[3].replaceAll(',', ''))));
console.log(`Goal ${GOAL_MS} ms: ${worst <= GOAL_MS ? 'met' : 'missed'} (${formatRounded(worst)} ms).`);

// In pieces: long queries with and without another thread, in turn, by the clock.

const LONG: readonly { name: string; spec: object; steps: number; queries: readonly string[] }[] = [
  {
    name: '2-32-32-2, batch 64',
    spec: networkOf([32, 32], 640, 64),
    steps: 30_000,
    queries: [
      'step, loss where loss > 0.4',
      'step, norm(grad(hidden.weight)) where max(abs(update(hidden.weight))) > 0.1',
      'first loss < -1',
      'last loss < -1',
    ],
  },
  {
    name: '2-128-128-2, batch 64',
    spec: networkOf([128, 128], 640, 64),
    steps: 4000,
    queries: ['step, norm(grad(hidden.weight)) where max(abs(update(hidden.weight))) > 0.1'],
  },
];
const LONG_REPEATS = 3;

function networkOf(units: readonly number[], samples: number, batch: number): object {
  return {
    data: { type: 'circles', samples, noise: 0.3 },
    layers: [
      ...units.flatMap((out_features, i) => [
        { type: 'linear', out_features, ...(i === 0 && { name: 'hidden' }) },
        'tanh',
      ]),
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9 },
    batch_size: batch,
    epochs: 100_000,
  };
}

const threads = threadCount() - 1;
/** Milliseconds until the first row, and until the end. */
function ask(of: TrainingSession, query: string, id: string) {
  const started = performance.now();
  let first = NaN;
  let after = 0;
  const found: unknown[] = [];
  for (;;) {
    const answer = runQuery(of, { type: 'run_query', id, text: query, from: null, to: null, after })
      .value as RunQueryResult;
    if (answer.error) throw new Error(answer.error.message);
    answer.rows.forEach((row, i) => found.push([answer.steps[i], ...row]));
    if (answer.total > 0 && Number.isNaN(first)) first = performance.now() - started;
    after = answer.total;
    if (answer.end !== null) return { first, ms: performance.now() - started, rows: JSON.stringify(found) };
  }
}

const long: string[][] = [];
for (const { name, spec, steps, queries: texts } of LONG) {
  const compiled = compileRun(spec);
  const specText = JSON.stringify(spec);
  const pool = new EngineReplayThreads(
    { text: specText, folders: { folder: '', root: null }, versions: {} },
    threads,
    join(__dirname, 'replay-worker.js'),
  );
  const alone = new TrainingSession(compiled, specText, { now: () => performance.now() });
  const parallel = new TrainingSession(compiled, specText, { now: () => performance.now(), replayThreads: pool });
  for (const each of [alone, parallel]) each.seek(steps);
  for (const query of texts) {
    const times: { alone: number; parallel: number; first: number; cold: number }[] = [];
    for (let repeat = 0; repeat < LONG_REPEATS; repeat++) {
      const one = ask(alone, query, String(repeat));
      const several = ask(parallel, query, String(repeat));
      if (one.rows !== several.rows) throw new Error(`${query}: other rows in pieces`);
      times.push({ alone: one.ms, parallel: several.ms, first: several.first, cold: several.ms });
    }
    const ms = median(times.map((time) => time.alone));
    const inPieces = median(times.map((time) => time.parallel));
    long.push([
      `${name}: ${query}`,
      formatRounded(ms),
      formatRounded(inPieces),
      formatRounded(times[0].cold),
      formatRounded(median(times.map(({ first }) => first))),
      formatRounded(ms / inPieces),
    ]);
  }
  pool.stop();
}
console.log(`\nWith ${threads} more thread${threads === 1 ? '' : 's'}, milliseconds by the clock:`);
console.log(formatTable(['query', 'one piece', 'pieces', 'first time', 'first row', 'speedup'], long));

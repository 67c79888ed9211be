// How fast a query over a run is answered. The goal: 10,000 steps of examples/circles.nabla.json within 2 s. Measured
// as a client asks it: slice by slice, in a second session that replays the run from its checkpoints. It is processor
// time, so that other load on the machine matters less.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
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

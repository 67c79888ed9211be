// Training steps of networks with attention, recurrence and residual blocks, compared with PyTorch, alternating in one
// run. In µs per step. PARTS=1 also prints where the time of a step goes, by kernel.
import { join } from 'node:path';
import type { Kernels } from '../src/engine/kernels/kernels';
import { simd256CompilerIfEnabled } from '../src/platform/simd256';
import { startThreadPool } from '../src/platform/start-thread-pool';
import type { TrainingSession } from '../src/session/session';
import { compileRun } from '../test/support/session-fixtures';
import { TrainingSession as Session } from '../src/session/session';
import { formatRounded, formatTable, median } from './measure';
import { Peer } from './peers';
import { sequenceWorkloads, type SequenceWorkload } from './sequence-workloads';

const ROUNDS = Number(process.env.TURNS ?? 9);
const PAUSE_MS = 30;
/** Threads of PyTorch may still be polling for work. */
const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, PAUSE_MS));

const createSession = (spec: object, threads: number): TrainingSession =>
  new Session(compileRun(spec), '', {
    backend: 'wasm-relaxed-simd',
    threadPool: startThreadPool(threads),
    simd256: simd256CompilerIfEnabled(),
  });

function train(session: TrainingSession, steps: number): number {
  const start = performance.now();
  for (let done = 0; done < steps;) done += session.train(steps - done);
  return ((performance.now() - start) * 1000) / steps;
}

type Columns = Map<string, number[]>;

async function measureWorkload({ kind, batch, calls, spec }: SequenceWorkload, torch: Peer | null): Promise<Columns> {
  const columns: Columns = new Map();
  const add = (column: string, value: number): void =>
    void columns.set(column, [...(columns.get(column) ?? []), value]);
  const sessions = [1, 2].map((threads) => createSession(spec, threads));
  // Until 256-bit vectors were tried and all code is compiled.
  for (const session of sessions) for (let i = 0; i < 10; i++) train(session, calls.ours);
  for (let turn = 0; turn < ROUNDS; turn++) {
    sessions.forEach((session, i) => {
      train(session, 3);
      add(`ours ${i + 1}`, train(session, calls.ours));
    });
    await pause();
    for (const threads of torch ? [1, 2] : []) {
      add(`torch ${threads}`, (await torch?.request({ kind, batch, calls: calls.torch, threads })) ?? NaN);
      await pause();
    }
  }
  for (const { kernelOptions } of sessions) kernelOptions.threadPool?.terminate();
  return columns;
}

/** µs of a step by kernel, on one thread. The clock adds about 0.1 µs to each call. */
function printParts({ name, spec }: SequenceWorkload): void {
  const session = createSession(spec, 1);
  train(session, 100);
  const { kernels } = session.network;
  const spent = new Map<string, { us: number; calls: number }>();
  const timed = kernels as unknown as Record<string, unknown>;
  const names = new Set<string>();
  for (let object: object = kernels; object !== Object.prototype; object = Object.getPrototypeOf(object) as object)
    for (const key of Object.getOwnPropertyNames(object)) names.add(key);
  for (const key of ['constructor', 'assertEager', 'useThreads', 'trace', 'traceStep', 'allocate']) names.delete(key);
  let depth = 0;
  for (const key of names) {
    const original = Object.hasOwn(kernels, key) ? null : (kernels[key as keyof Kernels] as unknown);
    if (typeof original !== 'function') continue;
    timed[key] = (...values: unknown[]): unknown => {
      const start = performance.now();
      depth++;
      const result: unknown = original.apply(kernels, values);
      depth--;
      if (depth > 0) return result;
      const own = spent.get(key) ?? { us: 0, calls: 0 };
      own.us += (performance.now() - start) * 1000;
      own.calls++;
      spent.set(key, own);
      return result;
    };
  }
  const steps = 50;
  train(session, 20);
  spent.clear();
  const total = train(session, steps);
  console.log(`\n${name}: ${formatRounded(total)} µs with the clock`);
  const rows = [...spent].sort(([, a], [, b]) => b.us - a.us).slice(0, 20);
  console.log(
    formatTable(
      ['kernel', 'µs a step', 'calls a step'],
      rows.map(([key, { us, calls }]) => [key, formatRounded(us / steps), formatRounded(calls / steps)]),
    ),
  );
}

async function main(): Promise<void> {
  const only = process.env.WORKLOADS?.split(',');
  const selected = sequenceWorkloads.filter(({ kind }) => !only || only.includes(kind));
  if (process.env.PARTS) {
    selected.forEach(printParts);
    return;
  }
  const torch = await Peer.startTorch(join(process.cwd(), 'bench', 'peer-sequences.py'));
  console.log(torch?.version ?? 'PyTorch was not found; set PYTHON to a Python that has it.');
  const rows: string[][] = [];
  for (const workload of selected) {
    const columns = await measureWorkload(workload, torch);
    const of = (...names: string[]): number[] => names.flatMap((name) => columns.get(name) ?? [NaN]);
    const ratio = Math.min(...of('torch 1', 'torch 2')) / Math.min(...of('ours 1', 'ours 2'));
    rows.push([
      workload.name,
      ...['ours 1', 'ours 2', 'torch 1', 'torch 2'].map((name) => formatRounded(median(of(name)))),
      formatRounded(Math.min(...of('torch 2')) / Math.min(...of('ours 1', 'ours 2'))),
      `${formatRounded(ratio)}${workload.goal === null ? '' : ` (${workload.goal})`}`,
    ]);
  }
  torch?.close();
  console.log(
    `\n${formatTable(['µs a step, float32', 'ours, 1 thread', '2 threads', 'PyTorch, 1 thread', '2 threads', 'PyTorch 2 / ours', 'PyTorch best / ours'], rows)}`,
  );
  console.log(
    `\nMedians of ${ROUNDS} turns. Ratios are of the fastest turns, with one or two threads; in brackets what is to be reached.`,
  );
}

void main();

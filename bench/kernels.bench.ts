// Training steps of a whole session on each kernel backend, compared with the same arithmetic as plain loops, PyTorch,
// jax-js and TensorFlow.js, alternating in one run. In µs per step; peers that are not installed are skipped.
import type { Backend } from '../src/engine/kernels/create-kernels';
import { startThreadPool } from '../src/platform/start-thread-pool';
import { simd256CompilerIfEnabled } from '../src/platform/simd256';
import { createBaselineStep } from './baseline-loops';
import { median, formatRounded, formatTable } from './measure';
import { Peer } from './peers';
import type { TrainingSession } from '../src/session/session';
import { selectedWorkloads, createSession, type Workload } from './workloads';

const ROUNDS = Number(process.env.TURNS ?? 9);

/** Steps per measurement, by workload; 0 for none. */
interface StepCounts {
  readonly ours: number;
  readonly loop: number;
  readonly torch: number;
  readonly jax: number;
  readonly tfjs: number;
}

const STEP_COUNTS: Readonly<Record<string, StepCounts>> = {
  W1: { ours: 40_000, loop: 40_000, torch: 300, jax: 100, tfjs: 100 },
  W2: { ours: 5_000, loop: 500, torch: 300, jax: 100, tfjs: 100 },
  W3: { ours: 10_000, loop: 2_000, torch: 300, jax: 100, tfjs: 100 },
  W4: { ours: 30, loop: 1, torch: 60, jax: 20, tfjs: 3 },
  W5: { ours: 3, loop: 0, torch: 4, jax: 2, tfjs: 0 },
  W6: { ours: 2, loop: 0, torch: 2, jax: 0, tfjs: 0 },
};

/** The goals: how many times as fast as each peer. */
const GOALS: Readonly<Record<string, Partial<Record<'torch' | 'loop' | 'jax' | 'tfjs', number>>>> = {
  W1: { torch: 1000, loop: 5 },
  W2: { torch: 45 },
  W3: { torch: 100 },
  W4: { torch: 1, jax: 3.5, tfjs: 20 },
  W5: { torch: 1 / 1.4, jax: 2 },
  W6: { torch: 1 / 1.8 },
};

interface BackendVariant {
  readonly name: string;
  readonly backend: Backend;
  readonly threads: number;
}

const backendVariants: readonly BackendVariant[] = [
  { name: 'relaxed SIMD', backend: 'wasm-relaxed-simd', threads: 1 },
  { name: '2 threads', backend: 'wasm-relaxed-simd', threads: 2 },
  { name: 'SIMD', backend: 'wasm-simd', threads: 1 },
  { name: 'SIMD, 2 threads', backend: 'wasm-simd', threads: 2 },
  { name: 'reference', backend: 'reference', threads: 1 },
];

const PAUSE_MS = 30;
/** Threads of the previous peer may still be polling for work. */
const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, PAUSE_MS));

/** Trains as a run does: many steps per call if nothing else happens. */
function train(session: TrainingSession, steps: number): void {
  for (let done = 0; done < steps;) done += session.train(steps - done);
}

function microseconds(work: () => void, calls: number): number {
  for (let i = 0; i < calls / 4; i++) work();
  const start = performance.now();
  for (let i = 0; i < calls; i++) work();
  return ((performance.now() - start) * 1000) / calls;
}

interface Peers {
  readonly torch: Peer | null;
  readonly jax: Peer | null;
  readonly tfjs: Peer | null;
}

/** Microseconds per step, by column, one for each round. */
async function measureWorkload(workload: Workload, peers: Peers): Promise<Map<string, number[]>> {
  const calls = STEP_COUNTS[workload.name.slice(0, 2)];
  const columns = new Map<string, number[]>();
  const add = (column: string, value: number): void =>
    void columns.set(column, [...(columns.get(column) ?? []), value]);
  const sessions = backendVariants.map(({ backend, threads }) =>
    createSession(workload, { backend, threadPool: startThreadPool(threads), simd256: simd256CompilerIfEnabled() }),
  );
  const loop = createBaselineStep(workload.sizes, workload.activation, workload.batch, 'float32', workload.loss);
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const [i, session] of sessions.entries()) {
      const { name, backend } = backendVariants[i];
      const count = backend === 'reference' ? calls.loop : calls.ours;
      if (count > 0) add(name, microseconds(() => train(session, count), 1) / count);
    }
    if (calls.loop > 0) add('loop', microseconds(loop, calls.loop));
    await pause();
    for (const threads of peers.torch ? [1, 2] : []) {
      add(`torch ${threads}`, (await peers.torch?.measure({ ...workload, calls: calls.torch, threads })) ?? NaN);
      await pause();
    }
    for (const name of ['jax', 'tfjs'] as const) {
      const peer = peers[name];
      if (!peer || calls[name] === 0) continue;
      add(name, await peer.measure({ ...workload, calls: calls[name] }));
      await pause();
    }
  }
  for (const { kernelOptions } of sessions) kernelOptions.threadPool?.terminate();
  return columns;
}

async function main(): Promise<void> {
  const peers: Peers = {
    torch: await Peer.startTorch(),
    jax: await Peer.startJavaScript('jax'),
    tfjs: await Peer.startJavaScript('tfjs'),
  };
  console.log(peers.torch?.version ?? 'PyTorch was not found; set PYTHON to a Python that has it.');
  console.log(
    peers.jax && peers.tfjs
      ? `${peers.jax.version}, ${peers.tfjs.version}`
      : 'jax-js and TensorFlow.js are not installed: npm ci --prefix bench',
  );
  const ours: string[][] = [];
  const theirs: string[][] = [];
  const cell = (value: number): string => (Number.isFinite(value) ? formatRounded(value) : '–');
  for (const workload of selectedWorkloads()) {
    const columns = await measureWorkload(workload, peers);
    const medianOf = (column: string): number => median(columns.get(column) ?? [NaN]);
    const fastest = (...names: string[]): number =>
      Math.min(...names.flatMap((name) => columns.get(name) ?? [Infinity]));
    const best = fastest('relaxed SIMD', '2 threads');
    const goals = GOALS[workload.name.slice(0, 2)];
    const ratio = (peer: keyof typeof goals, ...names: string[]): string => {
      const goal = goals[peer];
      return cell(fastest(...names) / best) + (goal === undefined ? '' : ` (${formatRounded(goal)})`);
    };
    ours.push([workload.name, ...backendVariants.map(({ name }) => cell(medianOf(name)))]);
    theirs.push([
      workload.name,
      cell(medianOf('loop')),
      cell(medianOf('torch 1')),
      cell(medianOf('torch 2')),
      cell(medianOf('jax')),
      cell(medianOf('tfjs')),
      ratio('loop', 'loop'),
      ratio('torch', 'torch 1', 'torch 2'),
      ratio('jax', 'jax'),
      ratio('tfjs', 'tfjs'),
    ]);
  }
  for (const peer of Object.values(peers)) peer?.close();
  console.log(`\n${formatTable(['ours, µs a step, float32', ...backendVariants.map(({ name }) => name)], ours)}`);
  console.log(
    `\n${formatTable(['peers, µs a step', 'loops in JS', 'torch 1', 'torch 2', 'jax-js', 'tfjs', 'loops/ours', 'torch/ours', 'jax/ours', 'tfjs/ours'], theirs)}`,
  );
  console.log(
    `\nMedians of ${ROUNDS} turns. Ratios are of the fastest turns, with one or two threads, ours on relaxed SIMD; in brackets what is to be reached.`,
  );
}

void main();

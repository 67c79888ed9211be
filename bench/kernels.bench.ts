// Training steps of a whole session on each kernel backend, against the same arithmetic written out as loops and
// against PyTorch, in turn in one run. Everything in microseconds a step; PyTorch is left out where there is none.
import { join } from 'node:path';
import { type Backend } from '../src/engine/kernels/create';
import { GradientCheck } from '../src/gradcheck';
import { TrainingSession } from '../src/session/session';
import { startTeam } from '../src/machine/start-team';
import { wideVectorsIfWanted } from '../src/machine/wide-vectors';
import { runOf } from '../test/support/run';
import { handWrittenLoop } from './hand-written';
import { Torch } from './kernels-torch';
import { median, round, table } from './measure';

interface Workload {
  readonly name: string;
  readonly sizes: readonly [number, ...number[]];
  readonly activation: 'tanh' | 'sigmoid' | 'relu';
  readonly loss: 'cross_entropy' | 'mse';
  /** Channels of convolutions of 5x5, each with the activation and a max-pooling of 2x2, ahead of the layers. */
  readonly convolutions?: readonly number[];
  readonly batch: number;
  /** Steps in a measurement, ours and those of slower ones. */
  readonly calls: readonly [ours: number, loop: number, torch: number];
}

const workloads: readonly Workload[] = [
  { name: 'W1 2-4-2 tanh, CE, batch 4', sizes: [2, 4, 2], activation: 'tanh', loss: 'cross_entropy', batch: 4, calls: [40_000, 40_000, 300] },
  { name: 'W2 2-16-16-2 tanh, CE, batch 32', sizes: [2, 16, 16, 2], activation: 'tanh', loss: 'cross_entropy', batch: 32, calls: [5_000, 500, 300] },
  { name: 'W3 1-10-1 sigmoid, MSE, batch 50', sizes: [1, 10, 1], activation: 'sigmoid', loss: 'mse', batch: 50, calls: [10_000, 2_000, 300] },
  { name: 'W4 784-300-10 sigmoid, CE, batch 50', sizes: [784, 300, 10], activation: 'sigmoid', loss: 'cross_entropy', batch: 50, calls: [30, 1, 60] },
  { name: 'W5 784-1024-1024-10 ReLU, CE, batch 128', sizes: [784, 1024, 1024, 10], activation: 'relu', loss: 'cross_entropy', batch: 128, calls: [2, 0, 4] },
  { name: 'W6 conv 32-64-64, 1000-10 ReLU, CE, batch 32', sizes: [3072, 1000, 10], convolutions: [32, 64, 64], activation: 'relu', loss: 'cross_entropy', batch: 32, calls: [1, 0, 2] },
];
/** Those named in WORKLOADS, such as `W4,W5`; otherwise all. */
const chosen = workloads.filter(({ name }) => !process.env.WORKLOADS || process.env.WORKLOADS.split(',').includes(name.slice(0, 2)));
const TURNS = Number(process.env.TURNS ?? 9);

interface Contestant {
  readonly name: string;
  readonly backend: Backend;
  readonly threads: number;
}

const contestants: readonly Contestant[] = [
  { name: 'relaxed SIMD', backend: 'wasm-relaxed-simd', threads: 1 },
  { name: '2 threads', backend: 'wasm-relaxed-simd', threads: 2 },
  { name: 'SIMD', backend: 'wasm-simd', threads: 1 },
  { name: 'SIMD, 2 threads', backend: 'wasm-simd', threads: 2 },
  { name: 'reference', backend: 'reference', threads: 1 },
];

function sessionOf({ sizes, activation, batch, loss, convolutions = [] }: Workload, { backend, threads }: Contestant): TrainingSession {
  const [features, ...units] = sizes;
  const outputs = units[units.length - 1];
  let state = 1;
  const draw = (): number => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  const rows = (n: number): number[][] => Array.from({ length: batch * 4 }, () => Array.from({ length: n }, draw));
  const before = convolutions.flatMap((out_channels) => [{ type: 'conv2d', out_channels, kernel_size: 5, padding: 2 }, activation, { type: 'max_pool2d', kernel_size: 2 }]);
  const spec = {
    data: convolutions.length > 0 ? { type: 'images', samples: batch * 5 } : {
      type: 'inline', inputs: rows(features),
      ...(loss === 'mse' ? { targets: rows(outputs) } : { labels: Array.from({ length: batch * 4 }, (_, i) => i % outputs) }),
    },
    layers: [...before, ...(convolutions.length > 0 ? ['flatten'] : []), ...units.flatMap((out_features, i) => [{ type: 'linear', out_features }, ...(i < units.length - 1 ? [activation] : [])])],
    loss, optimizer: { type: 'sgd', lr: 0.01 }, batch_size: batch, shuffle: false, epochs: 1e8,
  };
  return new TrainingSession(runOf(spec), '', { backend, team: startTeam(threads), wideVectors: wideVectorsIfWanted() });
}

const PAUSE_MS = 30;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

function microseconds(work: () => void, calls: number): number {
  for (let i = 0; i < calls / 4; i++) work();
  const start = performance.now();
  for (let i = 0; i < calls; i++) work();
  return ((performance.now() - start) * 1000) / calls;
}

/** Every entry's central differences, from as many entries as fit in a second. */
function checkSeconds(contestant: Contestant): { entries: number; seconds: number } {
  const workload: Workload = { ...workloads[3], batch: 10, name: 'G2' };
  const session = sessionOf(workload, contestant);
  const { network, run } = session;
  const check = new GradientCheck({ network, pass: session.passToCheck(), step: 0, options: run.gradientCheck, kernels: session.kernelOptions });
  const start = performance.now();
  while (performance.now() - start < 1000 && check.advance(8));
  return { entries: check.entries, seconds: ((performance.now() - start) / 1000) * (check.entries / check.checked) };
}

async function main(): Promise<void> {
  const torch = await Torch.start(join(process.cwd(), 'bench', 'kernels-torch.py'));
  console.log(torch ? torch.version : 'PyTorch was not found; set PYTHON to a Python that has it');
  const rows: string[][] = [];
  for (const { calls, ...workload } of chosen) {
    const columns = new Map<string, number[]>();
    const add = (column: string, value: number): void => void columns.set(column, [...(columns.get(column) ?? []), value]);
    const sessions = contestants.map((contestant) => sessionOf({ ...workload, calls }, contestant));
    const loop = handWrittenLoop(workload.sizes, workload.activation, workload.batch, 'float32', workload.loss);
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [i, session] of sessions.entries()) {
        const { name, backend } = contestants[i];
        const slow = backend === 'reference';
        if (slow && calls[1] === 0) continue;
        add(name, microseconds(() => session.step(), slow ? calls[1] : calls[0]));
      }
      if (calls[1] > 0) add('loop', microseconds(loop, calls[1]));
      for (const threads of torch ? [1, 2] : []) {
        // Threads of the one before may still be awake, waiting for more.
        await pause(PAUSE_MS);
        add(`torch ${threads}`, (await torch?.measure({ ...workload, calls: calls[2], threads })) ?? NaN);
      }
      await pause(PAUSE_MS);
    }
    const of = (column: string): number => median(columns.get(column) ?? [NaN]);
    const least = (...names: string[]): number => Math.min(...names.flatMap((name) => columns.get(name) ?? [Infinity]));
    const cell = (value: number, unit = ''): string => (Number.isNaN(value) ? '–' : round(value) + unit);
    const ours = Math.min(of('relaxed SIMD'), of('2 threads'));
    rows.push([
      workload.name, ...contestants.map(({ name }) => cell(of(name))), cell(of('loop')), cell(of('torch 1')), cell(of('torch 2')),
      cell(of('loop') / ours), cell(Math.min(of('torch 1'), of('torch 2')) / ours),
      cell(torch ? least('torch 1', 'torch 2') / least('relaxed SIMD', '2 threads') : NaN),
    ]);
  }
  torch?.end();
  console.log(
    table(
      ['µs a step, float32', ...contestants.map(({ name }) => name), 'loops in JS', 'torch 1 thread', '2 threads', 'loops/ours', 'torch/ours', 'of the least'],
      rows,
    ),
  );
  console.log(`\nMedians of ${TURNS} turns. torch/ours takes the faster of one and two threads of both. The last column compares the fastest turns.`);
  if (process.env.WORKLOADS) return;
  for (const contestant of contestants) {
    const { entries, seconds } = checkSeconds(contestant);
    console.log(`G2 gradient check of 784-300-10, batch 10, float64, ${contestant.name}: ${round(seconds)} s for ${entries.toLocaleString('en-US')} entries (extrapolated from one second)`);
  }
}

void main();

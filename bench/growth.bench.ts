// What a training step costs as a network grows in width, depth and batch, whether memory stays flat over a million
// steps, and the sizes of what ships. Arithmetic is multiply-adds of forward and backward, counted from the sizes; float32, one thread.
import { spawnSync } from 'node:child_process';
import { round, table } from './measure';
import { sessionOf, type Workload } from './workloads';

const TURNS = 7;
const STEPS = 1_000_000;

const netOf = (width: number, depth: number, batch: number): Workload => ({
  name: '', sizes: [width, ...Array.from({ length: depth }, () => width), 10], activation: 'tanh', loss: 'cross_entropy', batch,
});

/** Multiply-adds of a step: each weight once forward, once for its gradient, and once for its input's but in the first layer. */
function arithmetic({ sizes, batch }: Workload): number {
  const weights = sizes.slice(1).map((out, i) => out * sizes[i]);
  return batch * (3 * weights.reduce((sum, each) => sum + each, 0) - weights[0]);
}

const series: readonly (readonly [name: string, nets: readonly (readonly [number, Workload])[]])[] = [
  ['width, 3 layers, batch 32', [4, 16, 64, 256, 1024].map((width) => [width, netOf(width, 2, 32)])],
  ['hidden layers of 64, batch 32', [1, 4, 16, 64].map((depth) => [depth, netOf(64, depth, 32)])],
  ['batch, 64-64-64-10', [1, 8, 64, 512].map((batch) => [batch, netOf(64, 2, batch)])],
];

function least(work: () => void): number {
  let calls = 1;
  const time = (): number => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) work();
    return performance.now() - start;
  };
  while (time() < 5) calls *= 2;
  return (Math.min(...Array.from({ length: TURNS }, time)) * 1000) / calls;
}

function growth(): string {
  const rows = series.flatMap(([name, nets]) => nets.map(([value, net]) => {
    const session = sessionOf(net, {});
    const microseconds = least(() => session.step());
    return [`${name}: ${value}`, arithmetic(net).toLocaleString('en-US'), round(microseconds), round((arithmetic(net) / microseconds) * 2e-3)];
  }));
  return table(['grows', 'multiply-adds', 'µs a step', 'GFLOP/s'], rows);
}

function memory(): string {
  const session = sessionOf(netOf(2, 1, 4), {});
  const rows: string[][] = [];
  const look = (): void => {
    for (let i = 0; i < 3; i++) (globalThis as { gc?: () => void }).gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    rows.push([session.position.step.toLocaleString('en-US'), ...[rss, heapUsed, external].map((bytes) => (bytes / 2 ** 20).toFixed(1))]);
  };
  for (let at = 0; at <= 10; at++) {
    while (session.position.step < (at * STEPS) / 10) session.step();
    // What the history gained goes out with a frame.
    session.pending.clear();
    if ([1, 2, 5, 10].includes(at)) look();
  }
  return table(['steps', 'process, MB', 'objects', 'tensors and copies'], rows);
}

console.log(`${growth()}\n\n${memory()}\n\nWhat ships:`);
spawnSync(process.execPath, ['scripts/build.mjs', '--production'], { stdio: 'inherit' });

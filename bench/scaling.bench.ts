// The cost of a training step as a network grows in width, depth and batch size, whether memory stays constant over a
// million steps, and the sizes of the bundles. Counts multiply-adds of forward and backward from the sizes; float32,
// one thread.
import { spawnSync } from 'node:child_process';
import { formatRounded, formatTable } from './measure';
import { createSession, type Workload } from './workloads';

const ROUNDS = 7;
const STEPS = 1_000_000;

const mlpWorkload = (width: number, depth: number, batch: number): Workload => ({
  name: '',
  sizes: [width, ...Array.from({ length: depth }, () => width), 10],
  activation: 'tanh',
  loss: 'cross_entropy',
  batch,
});

/**
 * Multiply-adds per step: each weight once in the forward pass, once for its gradient, and except in the first layer
 * once for the input gradient.
 */
function countMultiplyAdds({ sizes, batch }: Workload): number {
  const weights = sizes.slice(1).map((out, i) => out * sizes[i]);
  return batch * (3 * weights.reduce((sum, each) => sum + each, 0) - weights[0]);
}

const series: readonly (readonly [name: string, nets: readonly (readonly [number, Workload])[]])[] = [
  ['width, 3 layers, batch 32', [4, 16, 64, 256, 1024].map((width) => [width, mlpWorkload(width, 2, 32)])],
  ['hidden layers of 64, batch 32', [1, 4, 16, 64].map((depth) => [depth, mlpWorkload(64, depth, 32)])],
  ['batch, 64-64-64-10', [1, 8, 64, 512].map((batch) => [batch, mlpWorkload(64, 2, batch)])],
];

function fastestMicroseconds(work: () => void): number {
  let calls = 1;
  const time = (): number => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) work();
    return performance.now() - start;
  };
  while (time() < 5) calls *= 2;
  return (Math.min(...Array.from({ length: ROUNDS }, time)) * 1000) / calls;
}

function scalingTable(): string {
  const rows = series.flatMap(([name, nets]) =>
    nets.map(([value, net]) => {
      const session = createSession(net, {});
      const microseconds = fastestMicroseconds(() => session.step());
      return [
        `${name}: ${value}`,
        countMultiplyAdds(net).toLocaleString('en-US'),
        formatRounded(microseconds),
        formatRounded((countMultiplyAdds(net) / microseconds) * 2e-3),
      ];
    }),
  );
  return formatTable(['grows', 'multiply-adds', 'µs a step', 'GFLOP/s'], rows);
}

function memoryTable(): string {
  const session = createSession(mlpWorkload(2, 1, 4), {});
  const rows: string[][] = [];
  const recordSample = (): void => {
    for (let i = 0; i < 3; i++) (globalThis as { gc?: () => void }).gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    rows.push([
      session.position.step.toLocaleString('en-US'),
      ...[rss, heapUsed, external].map((bytes) => (bytes / 2 ** 20).toFixed(1)),
    ]);
  };
  for (let at = 0; at <= 10; at++) {
    while (session.position.step < (at * STEPS) / 10) session.step();
    // A frame would take the new history values.
    session.pendingHistory.clear();
    if ([1, 2, 5, 10].includes(at)) recordSample();
  }
  return formatTable(['steps', 'process, MB', 'objects', 'tensors and copies'], rows);
}

console.log(`${scalingTable()}\n\n${memoryTable()}\n\nWhat ships:`);
spawnSync(process.execPath, ['scripts/build.mjs', '--production'], { stdio: 'inherit' });

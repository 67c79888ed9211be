// How fast a session trains and goes back. A step includes batch, forward, loss, backward, update, checkpoint and
// history. It is compared with the network's plain arithmetic as loops.
import { compileRun } from '../test/support/session-fixtures';
import { TrainingSession } from '../src/session/session';
import { createBaselineStep } from './baseline-loops';
import { medianMs, median, percentile, formatRounded, formatTable } from './measure';

interface Workload {
  readonly name: string;
  readonly sizes: readonly [number, ...number[]];
  readonly activation: 'tanh' | 'sigmoid';
  readonly batch: number;
  readonly calls: number;
}

const workloads: readonly Workload[] = [
  { name: '2-4-2 tanh, batch 4', sizes: [2, 4, 2], activation: 'tanh', batch: 4, calls: 20_000 },
  { name: '2-16-16-2 tanh, batch 32', sizes: [2, 16, 16, 2], activation: 'tanh', batch: 32, calls: 1_000 },
  { name: '784-300-10 sigmoid, batch 50', sizes: [784, 300, 10], activation: 'sigmoid', batch: 50, calls: 4 },
];

function specOf({ sizes, activation, batch }: Workload, precision: string): object {
  const samples = Math.max(batch * 4, 100);
  const [features, ...units] = sizes;
  const classes = units[units.length - 1];
  let state = 1;
  const draw = (): number => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  const row = (n: number): number[] => Array.from({ length: n }, draw);
  return {
    data: {
      type: 'inline',
      inputs: Array.from({ length: samples }, () => row(features)),
      labels: Array.from({ length: samples }, (_, i) => i % classes),
    },
    layers: units.flatMap((out_features, i) => [
      { type: 'linear', out_features },
      ...(i < units.length - 1 ? [activation] : []),
    ]),
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.1 },
    batch_size: batch,
    epochs: 1_000_000,
    precision,
  };
}

const rows: string[][] = [];
for (const workload of workloads) {
  for (const precision of ['float32', 'float64'] as const) {
    const session = new TrainingSession(compileRun(specOf(workload, precision)), '');
    const loop = createBaselineStep(workload.sizes, workload.activation, workload.batch, precision);
    // Alternating, so that both see the same load.
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      ours.push(medianMs(() => session.step(), workload.calls, 3));
      theirs.push(medianMs(loop, workload.calls, 3));
    }
    const step = median(ours);
    rows.push([
      workload.name,
      precision,
      session.model.backend,
      formatRounded(step * 1000),
      formatRounded(1000 / step),
      formatRounded(median(theirs) * 1000),
      formatRounded(median(theirs) / step),
    ]);
  }
}
console.log(formatTable(['training step', 'precision', 'kernels', 'µs', 'steps/s', 'hand-written µs', 'ratio'], rows));

const circles = compileRun({
  data: { type: 'circles', samples: 400 },
  layers: [
    { type: 'linear', out_features: 16 },
    'tanh',
    { type: 'linear', out_features: 16 },
    'tanh',
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9 },
  batch_size: 32,
  epochs: 2_000,
});
const session = new TrainingSession(circles, '');
while (session.position.step < 10_000) session.step();
const seeks: number[] = [];
for (let i = 0; i < 200; i++) {
  const target = (i * 7_919) % 10_001;
  const start = performance.now();
  session.seek(target);
  seeks.push(performance.now() - start);
}
console.log(
  `\nseek anywhere in 10,000 steps of circles (2-16-16-2, batch 32): median ${formatRounded(median(seeks))} ms, ` +
    `99 % ${formatRounded(percentile(seeks, 0.99))} ms, worst ${formatRounded(Math.max(...seeks))} ms (goal: under 200 ms)`,
);

// The networks that the benchmarks train.
import { compileRun } from '../test/support/session-fixtures';
import { TrainingSession } from '../src/session/session';
import type { SessionOptions } from '../src/session/session-options';

export interface Workload {
  readonly name: string;
  readonly sizes: readonly [number, ...number[]];
  readonly activation: 'tanh' | 'sigmoid' | 'relu';
  readonly loss: 'cross_entropy' | 'mse';
  /** Channels of 5x5 convolutions, each followed by the activation and 2x2 max pooling, before the linear layers. */
  readonly convolutions?: readonly number[];
  readonly batch: number;
}

export const workloads: readonly Workload[] = [
  { name: 'W1 2-4-2 tanh, CE, batch 4', sizes: [2, 4, 2], activation: 'tanh', loss: 'cross_entropy', batch: 4 },
  {
    name: 'W2 2-16-16-2 tanh, CE, batch 32',
    sizes: [2, 16, 16, 2],
    activation: 'tanh',
    loss: 'cross_entropy',
    batch: 32,
  },
  { name: 'W3 1-10-1 sigmoid, MSE, batch 50', sizes: [1, 10, 1], activation: 'sigmoid', loss: 'mse', batch: 50 },
  {
    name: 'W4 784-300-10 sigmoid, CE, batch 50',
    sizes: [784, 300, 10],
    activation: 'sigmoid',
    loss: 'cross_entropy',
    batch: 50,
  },
  {
    name: 'W5 784-1024-1024-10 ReLU, CE, batch 128',
    sizes: [784, 1024, 1024, 10],
    activation: 'relu',
    loss: 'cross_entropy',
    batch: 128,
  },
  {
    name: 'W6 conv 32-64-64, 1000-10 ReLU, CE, batch 32',
    sizes: [3072, 1000, 10],
    convolutions: [32, 64, 64],
    activation: 'relu',
    loss: 'cross_entropy',
    batch: 32,
  },
];

/** Those named in WORKLOADS, such as `W4,W5`; otherwise all. */
export const selectedWorkloads = (): readonly Workload[] =>
  workloads.filter(({ name }) => !process.env.WORKLOADS || process.env.WORKLOADS.split(',').includes(name.slice(0, 2)));

/** @param epochs length of the run; unlimited by default */
export function createSession(
  { sizes, activation, batch, loss, convolutions = [] }: Workload,
  options: SessionOptions,
  epochs = 1e8,
): TrainingSession {
  const [features, ...units] = sizes;
  const outputs = units[units.length - 1];
  let state = 1;
  const draw = (): number => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  const rows = (n: number): number[][] =>
    Array.from({ length: Math.max(batch * 4, 40) }, () => Array.from({ length: n }, draw));
  const before = convolutions.flatMap((out_channels) => [
    { type: 'conv2d', out_channels, kernel_size: 5, padding: 2 },
    activation,
    { type: 'max_pool2d', kernel_size: 2 },
  ]);
  const spec = {
    data:
      convolutions.length > 0
        ? { type: 'images', samples: batch * 5 }
        : {
            type: 'inline',
            inputs: rows(features),
            ...(loss === 'mse'
              ? { targets: rows(outputs) }
              : { labels: Array.from({ length: Math.max(batch * 4, 40) }, (_, i) => i % outputs) }),
          },
    layers: [
      ...before,
      ...(convolutions.length > 0 ? ['flatten'] : []),
      ...units.flatMap((out_features, i) => [
        { type: 'linear', out_features },
        ...(i < units.length - 1 ? [activation] : []),
      ]),
    ],
    loss,
    optimizer: { type: 'sgd', lr: 0.01 },
    batch_size: batch,
    shuffle: false,
    epochs,
  };
  return new TrainingSession(compileRun(spec), '', options);
}

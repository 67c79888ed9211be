// Random specs as people write them who know what they do.
import fc from 'fast-check';

const linear = (out_features: number): object => ({ type: 'linear', out_features });

const optimizer = fc.constantFrom(
  { type: 'sgd', lr: 0.03 },
  { type: 'sgd', lr: 0.1 },
  { type: 'sgd', lr: 0.03, momentum: 0.9 },
  { type: 'adam', lr: 0.001 },
  { type: 'adam', lr: 0.005 },
  { type: 'adamw', lr: 0.003, weight_decay: 0.01 },
  { type: 'rmsprop', lr: 0.001 },
);

const hidden = fc.record({
  widths: fc.array(fc.integer({ min: 6, max: 32 }), { minLength: 1, maxLength: 3 }),
  activation: fc.constantFrom('relu', 'tanh', 'gelu', 'silu', 'leaky_relu', 'elu'),
  dropout: fc.constantFrom(0, 0, 0.1, 0.3),
});

const task = fc.constantFrom(
  { data: 'circles', outputs: [linear(2)], loss: 'cross_entropy' },
  { data: 'moons', outputs: [linear(2)], loss: 'cross_entropy' },
  { data: 'moons', outputs: [linear(1)], loss: 'bce_with_logits' },
  { data: 'circles', outputs: [linear(1), 'sigmoid'], loss: 'bce' },
  { data: 'moons', outputs: [linear(2), 'log_softmax'], loss: 'nll' },
  { data: { type: 'xor', samples: 120, noise: 0.1 }, outputs: [linear(2)], loss: 'cross_entropy' },
  { data: 'blobs', outputs: [linear(3)], loss: 'cross_entropy' },
  { data: 'noisy_sine', outputs: [linear(1)], loss: 'mse' },
  { data: { type: 'linear', features: 4, noise: 0.1 }, outputs: [linear(1)], loss: 'huber' },
);

export const healthySpec: fc.Arbitrary<object> = fc
  .record({
    task,
    hidden,
    optimizer,
    batch_size: fc.constantFrom(8, 16, 32),
    epochs: fc.integer({ min: 100, max: 200 }),
    seed: fc.integer({ min: 0, max: 1000 }),
    clip: fc.constantFrom({}, {}, { norm: 1 }, { norm: 5 }),
    schedule: fc.constantFrom({ type: 'constant' }, { type: 'constant' }, { type: 'cosine' }),
  })
  .map(({ task: { data, outputs, loss }, hidden: { widths, activation, dropout }, ...more }) => ({
    data,
    layers: [
      ...widths.flatMap((width) => [linear(width), activation]),
      ...(dropout > 0 ? [{ type: 'dropout', p: dropout }] : []),
      ...outputs,
    ],
    loss,
    ...more,
  }));

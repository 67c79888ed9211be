// A network on an image larger than its input, compared with the network itself on each window, and with loops.
import { describe, expect, it } from 'vitest';
import type { OutputMap, OutputMapRequest } from '../../src/protocol/queries';
import { runQuery } from '../../src/session/queries';
import { outputMapWork } from '../../src/session/output-map';
import type { TrainingSession } from '../../src/session/session';
import { createSession } from '../support/session-fixtures';
import { train } from '../support/examples';
import '../support/allclose';

const mapOf = (session: TrainingSession, request: Partial<OutputMapRequest> = {}): OutputMap => {
  const { value } = runQuery(session, { type: 'output_map', sample: 3, tiles: 2, place: null, ...request });
  if (!value) throw new Error('no map');
  return value;
};

const images = {
  data: { type: 'images', samples: 12, size: 12, classes: 3 },
  loss: 'cross_entropy',
  batch_size: 6,
  epochs: 2,
  precision: 'float64',
  optimizer: { type: 'sgd', lr: 0.1 },
};
const withoutPadding = [
  { type: 'conv2d', out_channels: 4, kernel_size: 3 },
  'batch_norm2d',
  'relu',
  { type: 'max_pool2d', kernel_size: 2 },
  { type: 'dropout', p: 0.5 },
  { type: 'conv2d', out_channels: 5, kernel_size: 2, stride: [1, 2] },
  'tanh',
];
const tails: Record<string, readonly unknown[]> = {
  'convolutions alone': [{ type: 'conv2d', out_channels: 3, kernel_size: [4, 2] }, 'flatten'],
  'global pooling': [{ type: 'adaptive_avg_pool2d', output_size: 1 }, 'flatten', { type: 'linear', out_features: 3 }],
  'fully connected layers': [
    'flatten',
    { type: 'linear', out_features: 6 },
    'relu',
    { type: 'linear', out_features: 3 },
  ],
};

/** The part of the image that a position sees. */
function cropOf({ image, imageShape, window, stride, columns }: OutputMap, position: number): number[] {
  const [channels, height, width] = imageShape;
  const top = Math.floor(position / columns) * stride.down;
  const left = (position % columns) * stride.right;
  return Array.from({ length: channels * window.height * window.width }, (_, i) => {
    const c = Math.floor(i / (window.height * window.width));
    const y = Math.floor(i / window.width) % window.height;
    return image[(c * height + top + y) * width + left + (i % window.width)];
  });
}

it('upsampling ends the layers that run over the whole image, since its outputs lie between pixels', () => {
  const layers = [
    { type: 'conv2d', out_channels: 2, kernel_size: 3 },
    { type: 'max_pool2d', kernel_size: 2 },
    { type: 'upsample', scale_factor: 2 },
    { type: 'conv2d', out_channels: 2, kernel_size: 3 },
    'flatten',
    { type: 'linear', out_features: 3 },
  ];
  const session = createSession({ ...images, layers });
  expect(session.model.outputMap).toEqual({ layersOverImage: 2, stride: { down: 2, right: 2 } });
});

it('is not computed where copying and pooling windows would take seconds', () => {
  const layers = [
    { type: 'conv2d', out_channels: 16, kernel_size: 3, padding: 1 },
    { type: 'adaptive_avg_pool2d', output_size: 1 },
    'flatten',
    { type: 'linear', out_features: 3 },
  ];
  const { network, model } = createSession({ ...images, layers });
  const channels = network.model.inputShape[0]!;
  // 25 × 25 positions of 16 × 12 × 12 numbers that are copied, and then pooled.
  expect(outputMapWork(network.model, model.outputMap!, [channels, 36, 36])).toBeGreaterThan(2 * 625 * 16 * 144);
});

describe.each(Object.entries(tails))('%s', (_, tail) => {
  it('give at each position what the network gives for the window there', () => {
    const session = train(createSession({ ...images, layers: [...withoutPadding, ...tail] }));
    const before = session.stateHash();
    const map = mapOf(session, { tiles: 3 });
    expect(map.stride).toEqual({ down: 2, right: 4 });
    expect([map.rows, map.columns]).toEqual([13, 7]);
    const pass = session.network.evaluationPass(1);
    for (let position = 0; position < map.rows * map.columns; position++) {
      pass.input.data.set(cropOf(map, position));
      pass.forwardAll();
      const logits = [...pass.prediction.data];
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      const shown = logits.map((_logit, k) => map.values[k * map.rows * map.columns + position]);
      // The image is sent in float32.
      expect(shown).toBeAllclose(
        logits.map((logit) => Math.exp(logit) / total),
        { rtol: 1e-5, atol: 1e-6 },
      );
      expect(map.classes![position]).toBe(logits.indexOf(Math.max(...logits)));
    }
    expect(map.areProbabilities).toBe(true);
    expect(session.stateHash()).toBe(before);
  });
});

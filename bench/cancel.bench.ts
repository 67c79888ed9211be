// How long a check computes without a turn of the event loop, and so how soon Cancel is answered: with a custom
// convolution written as loops, right and wrong. Between two turns lie one advance of the check or 8 ms, whichever is
// longer; times are processor time. `SIZE=16` and `BATCH=16` set the images.
import type { Layer } from '../src/engine/custom/contract';
import { createCustomLayer } from '../src/engine/custom/custom-layer';
import type { LayerDefinition } from '../src/engine/layers/layer';
import { GradientCheck } from '../src/gradcheck';
import { loadRun } from '../src/model-spec';
import { TrainingSession } from '../src/session/session';
import { noFiles } from '../test/support/data-files';
import { formatTable } from './measure';

const SIZE = Number(process.env.SIZE ?? 16);
const BATCH = Number(process.env.BATCH ?? 16);
const CHANNELS = 4;

/** A 3×3 convolution with padding, from one channel to several. */
const convolution = (fault: 'none' | 'kernel turned' | 'unexplained'): Layer => ({
  parameters: () => ({ w: { shape: [CHANNELS, 3, 3], init: { type: 'normal', std: 0.4 } } }),
  outputShape: () => [CHANNELS, SIZE, SIZE],
  forward({ x, parameters: { w }, ops }) {
    const y = ops.tensor([x.shape[0], CHANNELS, SIZE, SIZE]);
    eachProduct(x.shape[0], (to, from, k) => (y.data[to] += w.data[k] * x.data[from]));
    return y;
  },
  backward({ x, dy, parameters: { w }, ops }) {
    const [dx, dw] = [ops.tensor(x.shape), ops.tensor(w.shape)];
    eachProduct(x.shape[0], (to, from, k) => {
      const weight = fault === 'kernel turned' ? w.data[k - (k % 9) + 8 - (k % 9)] : w.data[k];
      const factor = fault === 'unexplained' ? 1 + 0.3 * Math.cos(from + 2 * to) : 1;
      dx.data[from] += dy.data[to] * weight * factor;
      dw.data[k] += dy.data[to] * x.data[from];
    });
    return { dx, parameters: { w: dw } };
  },
});

function eachProduct(samples: number, visit: (to: number, from: number, k: number) => void): void {
  for (let s = 0; s < samples; s++)
    for (let c = 0; c < CHANNELS; c++)
      for (let row = 0; row < SIZE; row++)
        for (let column = 0; column < SIZE; column++)
          for (let k = 0; k < 9; k++) {
            const [r, q] = [row + Math.floor(k / 3) - 1, column + (k % 3) - 1];
            if (r < 0 || r >= SIZE || q < 0 || q >= SIZE) continue;
            visit(((s * CHANNELS + c) * SIZE + row) * SIZE + column, (s * SIZE + r) * SIZE + q, c * 9 + k);
          }
}

function stretchesOf(layer: Layer): { readonly stretches: number[]; readonly evaluation: number } {
  let evaluation = 0;
  const timed = { ...layer };
  timed.forward = (call) => {
    const start = process.threadCpuUsage().user;
    const y = layer.forward(call);
    evaluation = Math.max(evaluation, (process.threadCpuUsage().user - start) / 1000);
    return y;
  };
  const definition = createCustomLayer(
    { name: 'mine', index: 1 },
    { defaultExport: timed, locate: () => ({ file: '/mine.layer.ts', line: null, column: null }) },
    { enter: () => undefined, leave: () => undefined },
  ) as LayerDefinition;
  const text = JSON.stringify({
    data: { type: 'images', size: SIZE, channels: 1, classes: 3, samples: 2 * BATCH },
    layers: [
      { type: 'conv2d', out_channels: 1, kernel_size: 3, padding: 1 },
      { type: 'custom', name: 'mine', module: './mine.layer.ts' },
      'flatten',
      { type: 'linear', out_features: 3 },
    ],
    loss: 'cross_entropy',
    batch_size: BATCH,
  });
  const { run, problems } = loadRun(text, noFiles, { customLayers: { getDefinition: () => definition } });
  if (!run) throw new Error(JSON.stringify(problems));
  const session = new TrainingSession(run, text);
  const check = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: 0,
    options: run.gradientCheck,
  });
  const stretches: number[] = [];
  for (let more = true; more;) {
    const start = process.threadCpuUsage().user;
    more = check.advance(check.preferredChunk);
    stretches.push((process.threadCpuUsage().user - start) / 1000);
  }
  return { stretches, evaluation };
}

const rows = (['none', 'kernel turned', 'unexplained'] as const).map((fault) => {
  const { stretches, evaluation } = stretchesOf(convolution(fault));
  const sorted = stretches.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return [fault, String(sorted.length), evaluation.toFixed(1), at(0.5), at(0.99), at(0.999), at(1)];
});
console.log(
  formatTable(['mistake', 'stretches', 'longest forward, ms', 'median, ms', '99 %', '99.9 %', 'longest'], rows),
);

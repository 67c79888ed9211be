// A backward pass that forgets the padding of a stride of 2: no output belongs to an entry in both passes.
import { expect, it } from 'vitest';
import { createCustomLayer } from '../../src/engine/custom/custom-layer';
import type { Layer } from '../../src/engine/custom/contract';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { GradientCheck } from '../../src/gradcheck';
import { loadRun } from '../../src/model-spec';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from '../support/data-files';

const STRIDE = 2;
const WIDTH = 4;

/** A transposed convolution; `padding` is that of the pass. */
function visit(length: number, outputs: number, padding: number, use: (p: number, k: number, q: number) => void): void {
  for (let p = 0; p < length; p++)
    for (let k = 0; k < WIDTH; k++) {
      const q = p * STRIDE + k - padding;
      if (q >= 0 && q < outputs) use(p, k, q);
    }
}

const layer: Layer = {
  parameters: () => ({ w: [WIDTH] }),
  outputShape: ([n]) => [(n! - 1) * STRIDE + WIDTH - 2],
  forward: ({ x, parameters: { w }, ops }) => {
    const [samples, n] = x.shape as [number, number];
    const y = ops.tensor([samples, (n - 1) * STRIDE + WIDTH - 2]);
    const m = y.shape[1]!;
    for (let s = 0; s < samples; s++)
      visit(n, m, 1, (p, k, q) => (y.data[s * m + q]! += w!.data[k]! * x.data[s * n + p]!));
    return y;
  },
  backward: ({ x, dy, parameters: { w }, ops }) => {
    const [dx, dw] = [ops.tensor(x.shape), ops.tensor(w!.shape)];
    const [samples, n] = x.shape as [number, number];
    const m = dy.shape[1]!;
    for (let s = 0; s < samples; s++)
      visit(n, m, 0, (p, k, q) => {
        dx.data[s * n + p]! += w!.data[k]! * dy.data[s * m + q]!;
        dw.data[k]! += x.data[s * n + p]! * dy.data[s * m + q]!;
      });
    return { dx, parameters: { w: dw } };
  },
};

it('the diagnosis does not fail', () => {
  const text = JSON.stringify({
    data: {
      type: 'inline',
      inputs: [
        [0.3, -0.7, 1.1],
        [0.9, 0.2, -0.4],
      ],
      targets: [
        [0, 1],
        [1, 0],
      ],
    },
    layers: [
      { type: 'custom', name: 'mine', module: './mine.layer.ts' },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'mse',
    batch_size: 2,
  });
  const definition = createCustomLayer(
    { name: 'mine', index: 0 },
    { defaultExport: layer, locate: () => ({ file: '/mine.layer.ts', line: null, column: null }) },
    { enter: () => undefined, leave: () => undefined },
  ) as LayerDefinition;
  const { run, problems } = loadRun(text, noFiles, { customLayers: { getDefinition: () => definition } });
  if (!run) throw new Error(JSON.stringify(problems));
  const session = new TrainingSession(run, text);
  const { gradientCheck: options } = run;
  const check = new GradientCheck({ network: session.network, pass: session.passToCheck(), step: 0, options });
  while (check.advance(100));
  const { passed, diagnosis } = check.report();
  expect(passed).toBe(false);
  expect(diagnosis).toMatchObject({ layer: 'mine' });
  expect(diagnosis?.cause).not.toBe('diagnosis_failed');
});

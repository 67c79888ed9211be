// System A: the same network with its gradients by hand, by autograd, by the built-in layers, and with an optimizer.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { importCustomLayers } from '../../src/custom-layers/import-custom-layers';
import { openSpec } from '../../src/session/open-spec';
import { TrainingSession } from '../../src/session/session';
import { parseSpec } from '../../src/model-spec';
import '../support/allclose';
import { noFiles } from '../support/data-files';

const folder = path.resolve(__dirname, '../../examples');
const STEPS = 50;
const LR = 0.5;

async function loadExample(name: string): Promise<TrainingSession> {
  const text = fs.readFileSync(path.join(folder, `four-levels-by-${name}.nabla.json`), 'utf8');
  const { spec } = parseSpec(text);
  const code = await importCustomLayers(
    spec!,
    { folder, root: folder },
    { enter: () => undefined, leave: () => undefined },
  );
  const { run, problems } = openSpec(text, noFiles, code);
  expect(problems).toEqual([]);
  return new TrainingSession(run!, text);
}

interface Trace {
  readonly losses: number[];
  readonly gradients: number[][];
  readonly weights: number[][];
}

/** Losses and gradients of every step, and the weights after all of them. */
function recordTrace(session: TrainingSession, step: () => void = () => session.step()): Trace {
  const losses: number[] = [];
  const gradients: number[][] = [];
  for (let i = 0; i < STEPS; i++) {
    step();
    losses.push(session.loss!);
    gradients.push(session.network.parameters.flatMap(({ gradient }) => [...gradient.data]));
  }
  return { losses, gradients, weights: session.network.parameters.map(({ value }) => [...value.data]) };
}

/** The built-in layers, with the update w -= lr g computed here. */
function recordManualUpdates(session: TrainingSession): Trace {
  const pass = session.passToCheck();
  const losses: number[] = [];
  const gradients: number[][] = [];
  for (let i = 0; i < STEPS; i++) {
    session.network.zeroGradients();
    losses.push(pass.evaluate());
    pass.lossBackward();
    for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
    gradients.push(session.network.parameters.flatMap(({ gradient }) => [...gradient.data]));
    for (const { value, gradient } of session.network.parameters)
      value.data.forEach((w, at) => (value.data[at] = w - LR * gradient.data[at]));
  }
  return { losses, gradients, weights: session.network.parameters.map(({ value }) => [...value.data]) };
}

describe('the four levels of one network', () => {
  it('agree to 1e-12: losses and gradients of every step, and all weights after them', async () => {
    const optimizer = recordTrace(await loadExample('layers'));
    const levels = {
      hand: recordTrace(await loadExample('hand')),
      autograd: recordTrace(await loadExample('autograd')),
      layers: recordManualUpdates(await loadExample('layers')),
    };
    expect(optimizer.losses[STEPS - 1]).toBeLessThan(optimizer.losses[0]);
    for (const { losses, gradients, weights } of Object.values(levels)) {
      expect(losses).toBeAllclose(optimizer.losses, { rtol: 1e-12 });
      // Near 0 a sum over the batch cancels: tolerance relative to the summands.
      expect(gradients).toBeAllclose(optimizer.gradients, { rtol: 1e-12, atol: 1e-14 });
      expect(weights).toBeAllclose(optimizer.weights, { rtol: 1e-12, atol: 1e-13 });
    }
  });
});

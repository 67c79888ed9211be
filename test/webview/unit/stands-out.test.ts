// An engineer whose network does not learn: specs with one fault each, trained for real. What is said first names the layer at
// fault, either among the spec's problems or from the numbers of the step.
import { afterEach, describe, expect, it } from 'vitest';
import { specRules } from '../../../src/health/rules';
import { loadRun } from '../../../src/spec';
import { standsOut } from '../../../webview/stands-out';
import { filesIn } from '../../support/files';
import { examples, FakeHost, readExample } from '../harness/host';
import { deepest } from '../harness/specs';

let host: FakeHost | null = null;
afterEach(() => host?.dispose());

const circles = (change: { hidden?: object; lr?: number; activation?: string; last?: object[]; loss?: string }): string => JSON.stringify({
  data: 'circles',
  layers: [
    { type: 'linear', out_features: 8, name: 'hidden', ...change.hidden }, change.activation ?? 'tanh',
    ...(change.last ?? [{ type: 'linear', out_features: 2, name: 'output' }]),
  ],
  loss: change.loss ?? 'cross_entropy', optimizer: { type: 'sgd', lr: change.lr ?? 0.1 }, batch_size: 40, epochs: 50,
});

/** What the panel says of a step of this run. */
async function saidAt(text: string, step: number) {
  host = new FakeHost(text);
  host.runner.need(['activations', 'gradients', 'updates'], []);
  await host.runner.command({ type: 'runToStep', step });
  const frame = await host.until(({ position, status, target }) => target === null && (position.step === step || status === 'diverged'));
  const { model } = host.session ?? { model: null };
  return { frame, model, findings: standsOut(model, frame) };
}

const problemsOf = (text: string): string[] => loadRun(text, filesIn(examples), { rules: specRules }).problems.map(({ message }) => message);

describe('the layer at fault is named first', () => {
  it('dead ReLUs', async () => {
    const { model, findings } = await saidAt(circles({ activation: 'relu', hidden: { bias_init: { type: 'constant', val: -50 } } }), 3);
    expect(model?.layers[findings[0].layer].name).toBe('relu1');
    expect(findings[0].seen).toContain('sends back a gradient of exactly 0: hidden and all before it learn nothing.');
    expect(findings.map(({ seen }) => seen)).toContainEqual(expect.stringMatching(/^100\s%\sof the units of relu1 are dead/));
  });

  it('zeros to begin with', async () => {
    const zeros = { init: 'zeros', bias_init: 'zeros' };
    const text = circles({ hidden: zeros, last: [{ type: 'linear', out_features: 2, name: 'output', ...zeros }] });
    const { findings } = await saidAt(text, 1);
    expect(findings[0]).toMatchObject({ layer: 2, seen: 'output sends back a gradient of exactly 0: tanh1 and all before it learn nothing. output.weight is all 0.' });
    expect(problemsOf(text).length).toBeGreaterThan(0);
  });

  it('a learning rate that is too large', async () => {
    const { findings, frame } = await saidAt(circles({ lr: 300, activation: 'relu' }), 1);
    expect(findings.some(({ seen }) => seen.includes(' jumps: one update moved '))).toBe(true);
    const [{ updateRatio }] = frame.layers[2].parameters;
    expect(updateRatio).toBeGreaterThan(0.3);
  });

  it('and where it breaks the run, the first NaN is the only thing to say', async () => {
    const { findings, frame } = await saidAt(circles({ lr: 1e30, activation: 'relu' }), 50);
    expect(frame.status).toBe('diverged');
    expect(frame.nonFinite?.where).not.toBe('');
    expect(findings).toEqual([]);
  });

  it('a learning rate that is too small', async () => {
    const { findings, frame } = await saidAt(circles({ lr: 1e-7 }), 20);
    expect(findings[0].seen).toMatch(/^(hidden|output) hardly moves: /);
    expect(frame.lr).toBe(1e-7);
  });

  it('a gradient that vanishes', async () => {
    const { model, findings } = await saidAt(deepest.replaceAll('"tanh"', '"sigmoid"'), 5);
    expect(model?.layers[findings[0].layer].name).toBe('linear1');
    expect(findings[0].seen).toContain('linear1 receives almost no gradient: its norm is ');
  });

  it('two softmaxes, and data that is not scaled, in the spec already', () => {
    expect(problemsOf(circles({ last: [{ type: 'linear', out_features: 2 }, { type: 'softmax', name: 'twice' } as object] }))[0]).toContain('after twice it is applied twice');
    const rows = Array.from({ length: 20 }, (_, i) => [i / 10, 5000 + 300 * i]);
    const unscaled = JSON.stringify({
      data: { type: 'inline', inputs: rows, labels: rows.map((_, i) => i % 2) }, layers: [{ type: 'linear', out_features: 2 }], loss: 'cross_entropy',
    });
    expect(problemsOf(unscaled).join(' ')).toMatch(/scale|standardize/);
  });
});

it('a network that learns is left in peace', async () => {
  for (const name of ['circles', 'xor', 'noisy-sine', 'circles-relu', 'digits']) {
    const { findings } = await saidAt(readExample(name), 40);
    expect({ name, findings }).toEqual({ name, findings: [] });
    await host?.dispose();
  }
});

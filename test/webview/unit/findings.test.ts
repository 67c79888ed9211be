// Specs of networks that do not learn, with one fault each, trained for real. The first finding names the layer at
// fault, either among the spec's problems or from the numbers of the step.
import { afterEach, describe, expect, it } from 'vitest';
import { specRules } from '../../../src/diagnostics';
import { loadRun } from '../../../src/model-spec';
import { holdsAt } from '../../../src/protocol/finding';
import { folderFiles } from '../../support/data-files';
import { examples, FakeHost, readExample } from '../harness/host';
import { deepest } from '../harness/specs';

let host: FakeHost | null = null;
afterEach(() => host?.dispose());

const circles = (change: {
  hidden?: object;
  lr?: number;
  activation?: string;
  last?: object[];
  loss?: string;
}): string =>
  JSON.stringify({
    data: 'circles',
    layers: [
      { type: 'linear', out_features: 8, name: 'hidden', ...change.hidden },
      change.activation ?? 'tanh',
      ...(change.last ?? [{ type: 'linear', out_features: 2, name: 'output' }]),
    ],
    loss: change.loss ?? 'cross_entropy',
    optimizer: { type: 'sgd', lr: change.lr ?? 0.1 },
    batch_size: 40,
    epochs: 50,
  });

/** The panel's findings for a step of this run. */
async function saidAt(text: string, step: number) {
  host = new FakeHost(text);
  host.runner.subscribe(['activations', 'gradients', 'updates'], []);
  await host.runner.command({ type: 'runToStep', step });
  const frame = await host.waitForFrame(
    ({ position, status, target }) => target === null && (position.step === step || status === 'diverged'),
  );
  const { model } = host.session ?? { model: null };
  return { frame, model, findings: frame.findings.filter((finding) => holdsAt(finding, step)) };
}

const problemsOf = (text: string): string[] =>
  loadRun(text, folderFiles(examples), { rules: specRules }).problems.map(({ message }) => message);

describe('the layer at fault is named first', () => {
  it('dead ReLUs', async () => {
    const { model, findings } = await saidAt(
      circles({ activation: 'relu', hidden: { bias_init: { type: 'constant', val: -50 } } }),
      3,
    );
    expect(model?.layers[findings[0].layer ?? -1].name).toBe('relu1');
    expect(findings[0].code).toBe('zero-gradient');
    const idle = findings.find(({ code }) => code === 'dead-units');
    expect(idle?.layer).toBe(1);
    expect(idle?.observation).toMatch(/^100\s%.*relu1/);
  });

  it('zero initialization', async () => {
    const zeros = { init: 'zeros', bias_init: 'zeros' };
    const text = circles({ hidden: zeros, last: [{ type: 'linear', out_features: 2, name: 'output', ...zeros }] });
    const { findings } = await saidAt(text, 1);
    expect(findings[0]).toMatchObject({
      code: 'zero-gradient',
      layer: 2,
    });
    for (const name of ['output', 'tanh1', 'output.weight']) expect(findings[0].observation).toContain(name);
    expect(problemsOf(text).length).toBeGreaterThan(0);
  });

  it('a learning rate that is too large', async () => {
    const { findings, frame } = await saidAt(circles({ lr: 300, activation: 'relu' }), 1);
    const found = findings.find(({ code }) => code === 'update-too-large');
    expect(found?.remedy).toContain('from 300 to ');
    const { updateRatio } = frame.layers[found?.layer ?? -1].parameters[0];
    expect(updateRatio).toBeGreaterThan(0.3);
  });

  it('the first NaN, if the run diverged, and what came before it', async () => {
    const { findings, frame } = await saidAt(circles({ lr: 1e30, activation: 'relu' }), 50);
    expect(frame.status).toBe('diverged');
    expect(frame.nonFinite?.where).not.toBe('');
    // What led to it stays.
    expect(findings.every(({ since }) => since < (frame.nonFinite?.step ?? NaN))).toBe(true);
  });

  it('a learning rate that is too small', async () => {
    const { findings, frame } = await saidAt(circles({ lr: 1e-7 }), 20);
    expect(findings[0].code).toBe('update-too-small');
    expect(frame.lr).toBe(1e-7);
  });

  it('a vanishing gradient', async () => {
    const { model, findings } = await saidAt(deepest.replaceAll('"tanh"', '"sigmoid"'), 5);
    expect(model?.layers[findings[0].layer ?? -1].name).toBe('linear1');
    expect(findings[0].code).toBe('vanishing-gradient');
  });

  it('two softmaxes and unscaled data, as problems of the spec', () => {
    expect(
      problemsOf(
        circles({ last: [{ type: 'linear', out_features: 2 }, { type: 'softmax', name: 'twice' } as object] }),
      )[0],
    ).toContain('after twice it is applied twice');
    const rows = Array.from({ length: 20 }, (_, i) => [i / 10, 5000 + 300 * i]);
    const unscaled = JSON.stringify({
      data: { type: 'inline', inputs: rows, labels: rows.map((_, i) => i % 2) },
      layers: [{ type: 'linear', out_features: 2 }],
      loss: 'cross_entropy',
    });
    expect(problemsOf(unscaled).join(' ')).toMatch(/scale|standardize/);
  });
});

it('nothing for a network that learns', async () => {
  for (const name of ['circles', 'xor', 'noisy-sine', 'circles-relu', 'digits']) {
    const { findings } = await saidAt(readExample(name), 40);
    expect({ name, findings }).toEqual({ name, findings: [] });
    await host?.dispose();
  }
});

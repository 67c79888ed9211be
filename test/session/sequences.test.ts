// A session on networks with recurrent layers and attention: going back, phases, and what stays the same when it looks.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRun } from '../../src/model-spec/load';
import { TrainingSession } from '../../src/session/session';
import { folderFiles, noFiles } from '../support/data-files';

const specOf = (layers: readonly object[]): string =>
  JSON.stringify({
    data: { type: 'adding', samples: 60, length: 7 },
    layers: [...layers, { type: 'linear', out_features: 1 }],
    loss: 'mse',
    optimizer: { type: 'adam', lr: 0.02 },
    batch_size: 8,
    seed: 3,
  });

const NETWORKS: readonly (readonly [string, string])[] = [
  ['rnn', specOf([{ type: 'rnn', hidden_size: 5, nonlinearity: 'relu' }])],
  ['gru', specOf([{ type: 'gru', hidden_size: 5 }])],
  ['lstm', specOf([{ type: 'lstm', hidden_size: 5 }])],
  [
    'a stack with dropout and a shared cell',
    specOf([
      { type: 'rnn', hidden_size: 2, return: 'all', name: 'first' },
      { type: 'dropout', p: 0.2 },
      { type: 'rnn', hidden_size: 2, return: 'all', share: 'first', name: 'second' },
      { type: 'add', inputs: ['first', 'second'] },
      { type: 'lstm', hidden_size: 3 },
    ]),
  ],
  [
    'a stack that reads in both directions, with dropout between its layers',
    specOf([{ type: 'lstm', hidden_size: 3, num_layers: 3, bidirectional: true, dropout: 0.3 }]),
  ],
  [
    'attention, dropout and recurrent layers',
    specOf([
      { type: 'linear', out_features: 4 },
      { type: 'positional_encoding' },
      {
        type: 'residual',
        layers: [
          { type: 'layer_norm', normalized_shape: [4] },
          { type: 'multihead_attention', num_heads: 2, is_causal: true },
          { type: 'dropout', p: 0.1 },
        ],
      },
      { type: 'gru', hidden_size: 4, return: 'all' },
      { type: 'dropout', p: 0.2 },
      { type: 'lstm', hidden_size: 3 },
    ]),
  ],
];

function open(text: string): TrainingSession {
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems[0].message);
  return new TrainingSession(run, text, { checkpointInterval: 4 });
}

describe.each(NETWORKS)('%s', (_name, text) => {
  it('goes back to any step, bit for bit', () => {
    const straight = open(text);
    const hashes = [straight.stateHash()];
    for (let step = 1; step <= 20; step++) {
      straight.step();
      hashes.push(straight.stateHash());
    }
    expect(new Set(hashes).size).toBe(21);
    const session = open(text);
    session.seek(20);
    expect(session.stateHash()).toBe(hashes[20]);
    for (const step of [13, 2, 17, 0, 9]) {
      session.seek(step);
      expect(session.stateHash()).toBe(hashes[step]);
    }
  });

  it('takes the same steps phase by phase as at once, and evaluating between them changes nothing', () => {
    const [phases, steps] = [open(text), open(text)];
    for (let step = 0; step < 5; step++) {
      do phases.stepPhase();
      while (phases.position.phase > 0);
      phases.evaluate();
      steps.step();
      expect(phases.stateHash()).toBe(steps.stateHash());
    }
  });
});

describe('sequences of a NumPy file', () => {
  it('are samples × time × features', () => {
    const text = JSON.stringify({
      data: { type: 'npy', inputs: 'f8-little.npy', labels: 'labels.npy' },
      layers: [
        { type: 'gru', hidden_size: 3 },
        { type: 'linear', out_features: 2 },
      ],
      loss: 'cross_entropy',
      batch_size: 1,
      precision: 'float64',
    });
    const { run, problems } = loadRun(text, folderFiles(join(__dirname, '../golden/arrays')));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(run?.model.inputShape).toEqual([2, 2]);
    const session = new TrainingSession(run!, text);
    session.step();
    expect(Number.isFinite(session.pass.loss())).toBe(true);
  });
});

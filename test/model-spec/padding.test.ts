// Sequences of different lengths in one batch: what padding may not change, and what is wrong with "padding_idx".
import { describe, expect, it } from 'vitest';
import { GradientCheck } from '../../src/gradcheck';
import type { CheckReport } from '../../src/protocol/check-report';
import { loadRun } from '../../src/model-spec/load';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from '../support/data-files';
import { compileRun } from '../support/session-fixtures';

const SEQUENCES = [[1, 2, 3], [4, 1], [2], [3, 3, 1]];
const padded = (length: number): number[][] => SEQUENCES.map((row) => Array.from({ length }, (_, t) => row[t] ?? 0));

const embedding = { type: 'embedding', num_embeddings: 5, embedding_dim: 4, padding_idx: 0, name: 'tokens' };
const classify = { type: 'linear', out_features: 2 };
const specOf = (layers: readonly unknown[], more: object = {}, length = 4): string =>
  JSON.stringify({
    data: { type: 'inline', inputs: padded(length), labels: [0, 1, 0, 1] },
    layers,
    loss: 'cross_entropy',
    batch_size: 4,
    epochs: 20,
    ...more,
  });
const open = (text: string): TrainingSession => new TrainingSession(compileRun(text), text, { checkpointInterval: 4 });

const NETWORKS = {
  rnn: [{ type: 'rnn', hidden_size: 3, padding_idx: 0 }],
  'relu rnn': [{ type: 'rnn', hidden_size: 3, nonlinearity: 'relu', padding_idx: 0 }],
  gru: [{ type: 'gru', hidden_size: 3, padding_idx: 0 }],
  lstm: [{ type: 'lstm', hidden_size: 3, padding_idx: 0 }],
  attention: [
    {
      type: 'residual',
      layers: [{ type: 'multihead_attention', num_heads: 2, padding_idx: 0 }],
    },
    { type: 'global_avg_pool1d', padding_idx: 0 },
  ],
  'two layers over time': [
    { type: 'gru', hidden_size: 4, return: 'all', padding_idx: 0 },
    { type: 'repeat', times: 2, layers: [{ type: 'lstm', hidden_size: 4, return: 'all', padding_idx: 0 }] },
    { type: 'global_avg_pool1d', padding_idx: 0 },
  ],
};
const networks = Object.entries(NETWORKS).map(([name, layers]) => ({ name, layers: [embedding, ...layers, classify] }));

function checkNow(session: TrainingSession): CheckReport {
  const { network, run } = session;
  if (session.position.step === 0) session.step();
  const check = new GradientCheck({ network, pass: session.passToCheck(), step: 1, options: run.gradientCheck });
  while (check.advance(1000));
  return check.report();
}

const problemsOf = (text: string) =>
  loadRun(text, noFiles).problems.map(({ code, start, end }) => ({ code, text: text.slice(start, end) }));

describe.each(networks)('$name leaves out padding', ({ layers }) => {
  it('so that more of it changes no loss', () => {
    const lossesOf = (length: number): number[] => {
      const session = open(specOf(layers, { precision: 'float64' }, length));
      return Array.from({ length: 5 }, () => {
        session.step();
        return session.loss!;
      });
    };
    const [short, long] = [lossesOf(3), lossesOf(6)];
    short.forEach((loss, i) => expect(long[i]).toBeCloseTo(loss, 4));
    const reading = JSON.stringify(layers.slice(1)).replaceAll(',"padding_idx":0', '');
    const unmasked = [embedding, ...(JSON.parse(reading) as object[])];
    const session = open(specOf(unmasked, {}, 6));
    session.step();
    expect(session.loss).not.toBeCloseTo(short[0], 4);
  });

  it('and passes the gradient check, entry by entry and layer by layer', () => {
    const { counts, layers: checks } = checkNow(open(specOf(layers)));
    expect(counts.wrong).toBe(0);
    expect(counts.pass).toBeGreaterThan(15);
    expect(checks.flatMap(({ tensors }) => tensors).every((tensor) => tensor.counts.wrong === 0)).toBe(true);
  });

  it('and goes back to the bit', () => {
    const session = open(specOf(layers));
    for (let i = 0; i < 7; i++) session.step();
    const hash = session.stateHash();
    for (let i = 0; i < 5; i++) session.step();
    session.seek(7);
    expect(session.stateHash()).toBe(hash);
  });
});

describe('attention', () => {
  it('gives padding no weight, and a sequence that is all padding none at all', () => {
    const text = JSON.stringify({
      data: {
        type: 'inline',
        inputs: [
          [1, 2, 0],
          [0, 0, 0],
        ],
        labels: [0, 1],
      },
      layers: [
        embedding,
        { type: 'multihead_attention', num_heads: 1, padding_idx: 0 },
        { type: 'global_avg_pool1d', padding_idx: 0 },
        classify,
      ],
      loss: 'cross_entropy',
      batch_size: 2,
      shuffle: false,
    });
    const session = open(text);
    session.step();
    const weights = Array.from(session.pass.internal(1, 'weights')!.data);
    const rows = [0, 1, 2].map((t) => weights.slice(3 * t, 3 * t + 3));
    rows.forEach(([a, b, c]) => {
      expect(c).toBe(0);
      expect(a + b).toBeCloseTo(1, 6);
    });
    expect(weights.slice(9)).toEqual(new Array(9).fill(0));
    expect(Number.isFinite(session.loss)).toBe(true);
  });
});

describe('problems', () => {
  it('data without indices', () => {
    const text = JSON.stringify({
      data: { type: 'adding', samples: 4, length: 3 },
      layers: [
        { type: 'lstm', hidden_size: 2, padding_idx: 0 },
        { type: 'linear', out_features: 1 },
      ],
      loss: 'mse',
    });
    expect(problemsOf(text)).toEqual([{ code: 'needs-indices', text: '0' }]);
  });

  it('other positions than those of the data', () => {
    const layers = [
      embedding,
      { type: 'conv1d', out_channels: 2, kernel_size: 1 },
      { type: 'gru', hidden_size: 2, padding_idx: 0 },
      classify,
    ];
    expect(problemsOf(specOf(layers, {}, 3)).map(({ code }) => code)).toEqual(['shape-mismatch']);
  });

  it.each(['lstm', 'multihead_attention', 'global_avg_pool1d'])('an index of %s that is none', (type) => {
    const size = { lstm: { hidden_size: 2 }, multihead_attention: { num_heads: 1 } }[type] ?? {};
    const layers = [embedding, { type, ...size, padding_idx: -1 }, 'flatten', classify];
    expect(problemsOf(specOf(layers)).map(({ code, text }) => [code, text])).toEqual([['out-of-range', '-1']]);
  });
});

// Sequences position by position, and text that a network continues, compared with slow obvious computations.
import { describe, expect, it } from 'vitest';
import type { GeneratedTokens, GenerateTokensRequest, SequenceSample } from '../../src/protocol/queries';
import { runQuery } from '../../src/session/queries';
import { TrainingSession } from '../../src/session/session';
import { compileRun } from '../support/session-fixtures';

const spec = (changes: object = {}): string =>
  JSON.stringify({
    data: { type: 'text', text: 'abacab abacad\nabacab abacad', length: 6, split: { validation: 0, test: 0 } },
    layers: [
      { type: 'embedding', num_embeddings: 6, embedding_dim: 8 },
      { type: 'positional_encoding' },
      { type: 'residual', layers: [{ type: 'multihead_attention', num_heads: 2, is_causal: true }] },
      { type: 'linear', out_features: 6 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'adam', lr: 0.01 },
    batch_size: 2,
    precision: 'float64',
    ...changes,
  });

const open = (text = spec()): TrainingSession => new TrainingSession(compileRun(text), text);
const sequenceOf = (session: TrainingSession, sample: number | null, layer: number | null): SequenceSample | null =>
  runQuery(session, { type: 'sequence', sample, layer }).value;
const generate = (
  session: TrainingSession,
  request: Partial<Omit<GenerateTokensRequest, 'type'>> = {},
): GeneratedTokens | null =>
  runQuery(session, { type: 'generate_tokens', sample: 0, generated: [], seed: 1, temperature: 1, ...request }).value;

/** Softmax of the plainest kind. */
const softmax = (logits: readonly number[]): number[] => {
  const shares = logits.map(Math.exp);
  return shares.map((share) => share / shares.reduce((sum, each) => sum + each, 0));
};

/** The logits at the last of these tokens, from an evaluation pass of its own. */
function nextLogits(session: TrainingSession, window: readonly number[]): number[] {
  const pass = session.network.evaluationPass(1);
  pass.input.data.set(window);
  for (let layer = 0; layer < pass.outputs.length; layer++) pass.forward(layer);
  return [...pass.prediction.data.subarray(5 * 6, 6 * 6)];
}

describe('a sequence', () => {
  it('has the tokens, targets and probabilities of each position, inside and outside of the batch', () => {
    const session = open();
    session.step();
    const inBatch = [...session.batch.order.subarray(session.batch.from, session.batch.from + session.batch.size)];
    for (const sample of [0, 1, 2, 3]) {
      const answer = sequenceOf(session, sample, null)!;
      expect(answer.inBatch).toBe(inBatch.includes(sample));
      const text = [...'abacab abacad\nabacab abacad'].map((token) => ({ ' ': '␠', '\n': '\\n' })[token] ?? token);
      expect(answer.inputs).toEqual(text.slice(sample * 6, sample * 6 + 6));
      expect(answer.positions?.map(({ target }) => target)).toEqual(text.slice(sample * 6 + 1, sample * 6 + 7));
      for (const { probability, target, top } of answer.positions!) {
        expect(top).toHaveLength(5);
        const listed = top.find(({ token }) => token === target);
        if (listed) expect(listed.probability).toBe(probability);
        expect(top.map(({ probability: p }) => p)).toEqual(top.map(({ probability: p }) => p).sort((a, b) => b - a));
      }
    }
  });

  it('gives the loss of its batch: the mean of -ln p over all positions', () => {
    const session = open();
    session.step();
    const { order, from, size } = session.batch;
    const all = [...order.subarray(from, from + size)].flatMap(
      (sample) => sequenceOf(session, sample, null)!.positions!,
    );
    const mean = all.reduce((sum, { probability }) => sum - Math.log(probability!), 0) / all.length;
    expect(mean).toBeCloseTo(session.loss!, 12);
  });

  it('says which keys of its attention are padding, whose weights are 0', () => {
    const text = JSON.stringify({
      data: {
        type: 'inline',
        inputs: [
          [1, 2, 0, 0],
          [2, 1, 1, 0],
        ],
        labels: [0, 1],
      },
      layers: [
        { type: 'embedding', num_embeddings: 3, embedding_dim: 4, padding_idx: 0 },
        { type: 'multihead_attention', num_heads: 2, padding_idx: 0 },
        { type: 'global_avg_pool1d', padding_idx: 0 },
        { type: 'linear', out_features: 2 },
      ],
      loss: 'cross_entropy',
      batch_size: 2,
    });
    const session = new TrainingSession(compileRun(text), text);
    session.step();
    for (const [sample, padding] of [
      [0, [2, 3]],
      [1, [3]],
    ] as const) {
      const attention = sequenceOf(session, sample, 1)!.attention!;
      expect(attention.padding).toEqual(padding);
      for (const key of [0, 1, 2, 3])
        expect(attention.weights.filter((_, i) => i % 4 === key).every((weight) => weight === 0)).toBe(
          (padding as readonly number[]).includes(key),
        );
    }
  });

  it('has attention weights that sum to 1 and do not look ahead', () => {
    const session = open();
    session.step();
    for (const sample of [0, 3]) {
      const { heads, queries, keys, weights } = sequenceOf(session, sample, 2)!.attention!;
      expect([heads, queries, keys]).toEqual([2, 6, 6]);
      for (let row = 0; row < heads * queries; row++) {
        const own = weights.subarray(row * keys, (row + 1) * keys);
        expect(own.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        expect(own.subarray((row % queries) + 1).every((weight) => weight === 0)).toBe(true);
      }
    }
    expect(sequenceOf(session, 0, 0)?.attention).toBeNull();
    expect(sequenceOf(session, 0, 9)?.attention).toBeNull();
  });

  it('shows what the step has computed so far', () => {
    const session = open();
    session.seek(
      0,
      session.model.phases.findIndex((phase) => phase.kind === 'forward' && phase.layer === 2),
    );
    const before = sequenceOf(session, null, 2)!;
    expect([before.positions, before.attention]).toEqual([null, null]);
    session.stepPhase();
    const after = sequenceOf(session, null, 2)!;
    expect([after.positions, after.attention === null]).toEqual([null, false]);
  });

  it('has no targets where the loss ignores them', () => {
    const session = open(spec({ loss: { type: 'cross_entropy', ignore_index: 3 } }));
    session.step();
    const targets = sequenceOf(session, 0, null)!.positions!.map(({ target, probability }) => [target, probability]);
    expect(targets[0]).toEqual([null, null]);
    expect(targets[1][0]).toBe('a');
  });

  it('is there for other networks, without tokens', () => {
    const text = JSON.stringify({
      data: { type: 'adding', samples: 8, length: 5 },
      layers: [
        { type: 'lstm', hidden_size: 2 },
        { type: 'linear', out_features: 1 },
      ],
      loss: 'mse',
    });
    const session = open(text);
    session.step();
    expect(sequenceOf(session, 0, null)).toMatchObject({ length: 5, inputs: null, positions: null, attention: null });
    expect(generate(session)).toBeNull();
  });
});

describe('generated tokens', () => {
  it('are the likeliest at temperature 0, each predicted from the full window before it', () => {
    const session = open();
    for (let i = 0; i < 30; i++) session.step();
    const { prompt, generated } = generate(session, { temperature: 0 })!;
    expect(prompt.join('')).toBe('abacab');
    const window = [...session.run.dataset.inputs.subarray(0, 6)];
    for (const { index, probability } of generated) {
      const p = softmax(nextLogits(session, window.slice(-6)));
      expect(p[index]).toBe(Math.max(...p));
      expect(probability).toBeCloseTo(p[index], 12);
      window.push(index);
    }
  });

  it('continue across slices as in one piece, and depend on nothing but weights, sample, seed and temperature', () => {
    const session = open();
    for (let i = 0; i < 10; i++) session.step();
    const whole = generate(session)!.generated.map(({ index }) => index);
    const rest = generate(session, { generated: whole.slice(0, 7) })!.generated.map(({ index }) => index);
    expect(rest.slice(0, whole.length - 7)).toEqual(whole.slice(7));
    expect(generate(session)!.generated.map(({ index }) => index)).toEqual(whole);
    expect(generate(session, { seed: 2 })!.generated.map(({ index }) => index)).not.toEqual(whole);
  });

  it('leave the run as it is', () => {
    const [session, other] = [open(), open()];
    for (let i = 0; i < 5; i++) {
      session.step();
      generate(session);
      sequenceOf(session, 1, 2);
      other.step();
    }
    expect(session.stateHash()).toBe(other.stateHash());
  });

  it('are drawn in proportion to their probabilities', () => {
    const session = open();
    for (let i = 0; i < 20; i++) session.step();
    const expected = softmax(nextLogits(session, [...session.run.dataset.inputs.subarray(0, 6)]));
    const counts = new Float64Array(6);
    const draws = 4000;
    for (let seed = 0; seed < draws; seed++) counts[generate(session, { seed })!.generated[0].index]++;
    const chiSquared = expected.reduce((sum, p, i) => sum + (counts[i] - draws * p) ** 2 / (draws * p), 0);
    // The 99.9 % quantile for five degrees of freedom.
    expect(chiSquared).toBeLessThan(20.5);
  });

  it('are none for tokens, temperatures and counts that cannot be', () => {
    const session = open();
    session.step();
    expect(generate(session, { generated: [6] })).toBeNull();
    expect(generate(session, { temperature: -1 })).toBeNull();
    expect(generate(session, { temperature: NaN })).toBeNull();
    expect(generate(session, { generated: Array.from({ length: 5000 }, () => 0) })).toBeNull();
  });
});

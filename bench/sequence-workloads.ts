// The networks with attention, recurrence and residual blocks that the benchmarks train and check.

export interface SequenceWorkload {
  readonly name: string;
  /** Which network bench/peer-sequences.py builds. */
  readonly kind: 'gpt' | 'lstm' | 'char-lstm' | 'residual';
  readonly batch: number;
  /** Steps per measurement. */
  readonly calls: { readonly ours: number; readonly torch: number };
  /** How many times as fast as PyTorch it is to be. */
  readonly goal: number | null;
  readonly spec: object;
}

const CHARACTERS = 65;
const POSITIONS = 32;

let state = 1;
const draw = (): number => (state = (state * 48271) % 2147483647) / 2147483647;

const alphabet = Array.from({ length: CHARACTERS }, (_, i) => String.fromCharCode(48 + i)).join('');
/** @param samples that do not overlap */
const textData = (samples: number): object => ({
  type: 'text',
  text: Array.from({ length: samples * POSITIONS + 1 }, () => alphabet[Math.floor(draw() * CHARACTERS)]).join(''),
  vocabulary: alphabet,
  length: POSITIONS,
  split: { validation: 0, test: 0 },
});

const training = (batch: number): object => ({
  optimizer: { type: 'sgd', lr: 0.01 },
  batch_size: batch,
  shuffle: false,
  epochs: 1e8,
});

/** @param batch also the number of samples, so that a check has one batch */
export const gptSpec = (batch: number, samples = batch * 4): object => ({
  data: textData(samples),
  layers: [
    {
      type: 'embedding',
      num_embeddings: CHARACTERS,
      embedding_dim: 64,
      init: { type: 'normal', std: 0.1 },
      name: 'tokens',
    },
    { type: 'positional_encoding' },
    {
      type: 'repeat',
      times: 2,
      layers: [
        {
          type: 'residual',
          layers: [
            { type: 'layer_norm', normalized_shape: [64] },
            { type: 'multihead_attention', num_heads: 4, is_causal: true },
          ],
        },
        {
          type: 'residual',
          layers: [
            { type: 'layer_norm', normalized_shape: [64] },
            { type: 'linear', out_features: 256 },
            'gelu',
            { type: 'linear', out_features: 64 },
          ],
        },
      ],
    },
    { type: 'layer_norm', normalized_shape: [64] },
    { type: 'linear', out_features: CHARACTERS, bias: false, share: 'tokens.weight' },
  ],
  loss: 'cross_entropy',
  ...training(batch),
});

export const sequenceWorkloads: readonly SequenceWorkload[] = [
  {
    name: 'character GPT, 2 layers, width 64, 4 heads, 32 tokens, batch 16',
    kind: 'gpt',
    batch: 16,
    calls: { ours: 20, torch: 20 },
    goal: 1,
    spec: gptSpec(16),
  },
  {
    name: 'LSTM 64 on the adding problem, 32 steps, batch 16',
    kind: 'lstm',
    batch: 16,
    calls: { ours: 30, torch: 30 },
    goal: 1.5,
    spec: {
      data: { type: 'adding', samples: 64, length: POSITIONS, split: { validation: 0, test: 0 } },
      layers: [
        { type: 'lstm', hidden_size: 64 },
        { type: 'linear', out_features: 1 },
      ],
      loss: 'mse',
      ...training(16),
    },
  },
  {
    name: 'character LSTM 64, 32 steps, batch 16',
    kind: 'char-lstm',
    batch: 16,
    calls: { ours: 20, torch: 20 },
    goal: 1.5,
    spec: {
      data: textData(64),
      layers: [
        { type: 'embedding', num_embeddings: CHARACTERS, embedding_dim: 64 },
        { type: 'lstm', hidden_size: 64, return: 'all' },
        { type: 'linear', out_features: CHARACTERS },
      ],
      loss: 'cross_entropy',
      ...training(16),
    },
  },
  {
    name: 'residual MLP 20 x 64, ReLU, batch 64',
    kind: 'residual',
    batch: 64,
    calls: { ours: 60, torch: 60 },
    goal: 3,
    spec: {
      data: {
        type: 'inline',
        inputs: Array.from({ length: 256 }, () => Array.from({ length: 64 }, () => draw() - 0.5)),
        labels: Array.from({ length: 256 }, (_, i) => i % 10),
        split: { validation: 0, test: 0 },
      },
      layers: [
        {
          type: 'repeat',
          times: 20,
          layers: [{ type: 'residual', layers: [{ type: 'linear', out_features: 64 }, 'relu'] }],
        },
        { type: 'linear', out_features: 10 },
      ],
      loss: 'cross_entropy',
      ...training(64),
    },
  },
];

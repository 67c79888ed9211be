// The networks that suit a kind of data, from small to large. Widths are those of textbooks; what must fit the data
// follows from it.
import type { Goal, ModelData } from './model-data';

type Layer = string | Readonly<Record<string, unknown>>;

/** What tells the networks for one kind of data apart, for the person who chooses. */
export type NetworkKind =
  | 'one-hidden'
  | 'two-hidden'
  | 'residual'
  | 'image-dense'
  | 'convolution'
  | 'deep-convolution'
  | 'gru'
  | 'lstm'
  | 'two-lstm'
  | 'token-gru'
  | 'token-lstm'
  | 'attention';

/** Those for the data; the usual one is the second. */
export function networksFor({ inputShape, goal }: Pick<ModelData, 'inputShape' | 'goal'>): readonly NetworkKind[] {
  if (goal.kind === 'next') return ['token-gru', 'token-lstm', 'attention'];
  if (inputShape.length === 3) return ['image-dense', 'convolution', 'deep-convolution'];
  if (inputShape.length === 2) return ['gru', 'lstm', 'two-lstm'];
  return ['one-hidden', 'two-hidden', 'residual'];
}

const linear = (out_features: number, more: object = {}): Layer => ({ type: 'linear', out_features, ...more });
const conv = (out_channels: number, more: object = {}): Layer => ({
  type: 'conv2d',
  out_channels,
  kernel_size: 3,
  padding: 1,
  ...more,
});
const pool: Layer = { type: 'max_pool2d', kernel_size: 2 };
const residual = (...layers: Layer[]): Layer => ({ type: 'residual', layers });
const repeat = (times: number, ...layers: Layer[]): Layer => ({ type: 'repeat', times, layers });

const EMBEDDING = 16;
const normalized: Layer = { type: 'layer_norm', normalized_shape: [EMBEDDING] };

function hiddenLayers(kind: NetworkKind, { goal, inputShape }: ModelData): readonly Layer[] {
  const embedding: Layer = {
    type: 'embedding',
    num_embeddings: goal.kind === 'next' ? goal.vocabulary : 0,
    embedding_dim: EMBEDDING,
  };
  // Halves an image once more while enough of it is left.
  const poolIfLarge = Math.min(inputShape[1] ?? 0, inputShape[2] ?? 0) >= 8 ? [pool] : [];
  switch (kind) {
    case 'one-hidden':
      return [linear(16), 'tanh'];
    case 'two-hidden':
      return [linear(32), 'relu', linear(32), 'relu'];
    case 'residual':
      return [linear(32), repeat(3, residual('relu', linear(32))), 'relu'];
    case 'image-dense':
      return ['flatten', linear(48), 'relu'];
    case 'convolution':
      return [conv(8), 'relu', pool, conv(16), 'relu', ...poolIfLarge, 'flatten', linear(32), 'relu'];
    case 'deep-convolution':
      return [
        conv(16, { bias: false }),
        'batch_norm2d',
        'relu',
        pool,
        repeat(2, residual(conv(16, { bias: false }), 'batch_norm2d', 'relu', conv(16))),
        'relu',
        ...poolIfLarge,
        'flatten',
        linear(32),
        'relu',
      ];
    case 'gru':
      return [{ type: 'gru', hidden_size: 16 }];
    case 'lstm':
      return [{ type: 'lstm', hidden_size: 32 }];
    case 'two-lstm':
      return [
        { type: 'lstm', hidden_size: 32, return: 'all' },
        { type: 'lstm', hidden_size: 32 },
      ];
    case 'token-gru':
      return [embedding, { type: 'gru', hidden_size: 32, return: 'all' }];
    case 'token-lstm':
      return [embedding, { type: 'lstm', hidden_size: 64, return: 'all' }];
    case 'attention':
      return [
        embedding,
        'positional_encoding',
        repeat(
          2,
          residual(normalized, { type: 'multihead_attention', num_heads: 4, is_causal: true }),
          residual(normalized, linear(4 * EMBEDDING), 'gelu', linear(EMBEDDING)),
        ),
        normalized,
      ];
  }
}

/** Targets of about this size need no scaling: a new network predicts values near 0. */
const isUsualScale = ({ mean, std }: { readonly mean: number; readonly std: number }): boolean =>
  Math.abs(mean) <= 3 && std >= 0.1 && std <= 3;

const roundTo = (value: number, digits: number): number => Number(value.toPrecision(digits));

function outputLayers(goal: Goal): readonly Layer[] {
  if (goal.kind === 'class') return [linear(goal.classes, { name: 'output' })];
  if (goal.kind === 'next') return [linear(goal.vocabulary, { name: 'next' })];
  const output = linear(1, { name: 'output' });
  if (isUsualScale(goal)) return [output];
  // Fixed: from numbers of mean 0 and standard deviation 1 to those of the target.
  return [
    output,
    {
      type: 'linear',
      weight: [[roundTo(goal.std, 3)]],
      bias: [roundTo(goal.mean, 3)],
      freeze: ['weight', 'bias'],
      name: 'scale',
    },
  ];
}

export const layersOf = (kind: NetworkKind, model: ModelData): readonly Layer[] => [
  ...hiddenLayers(kind, model),
  ...outputLayers(model.goal),
];

export const hasScaledOutput = ({ goal }: ModelData): boolean => goal.kind === 'number' && !isUsualScale(goal);

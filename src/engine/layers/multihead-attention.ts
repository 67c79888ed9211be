// Vaswani et al., "Attention is all you need", 2017, section 3.2. Names, parameters and initial values are those of
// torch.nn.MultiheadAttention.
import * as z from 'zod/mini';
import { pluralize } from '../format-count';
import type { FormulaContext, LayerFormulas } from '../formulas/definition';
import { asRows, type Shape, type Shape2, type Tensor } from '../kernels/tensor';
import { alias, positiveInteger } from '../option-schemas';
import {
  type BackwardContext,
  checkSequence,
  defineLayer,
  type ForwardContext,
  type ParameterDeclaration,
} from './layer';
import { fillIndexGradient, indexGradientFormulas, paddingOf, paddingOption, withoutIndices } from './padding';

const options = z.strictObject({
  num_heads: positiveInteger('Number of heads. Each attends with its own slice of the features.').check(
    alias('heads', 'n_head', 'n_heads', 'nhead'),
  ),
  embed_dim: z.optional(
    positiveInteger('Features of the query. By default, those of the input.').check(alias('d_model', 'n_embd')),
  ),
  is_causal: z._default(
    z
      .boolean()
      .check(
        z.describe('Whether a position attends only to itself and to positions before it, as in language models.'),
        alias('causal', 'use_causal_mask'),
      ),
    false,
  ),
  padding_idx: paddingOption('no position attends to them, as with a `key_padding_mask`.'),
  bias: z._default(z.boolean().check(z.describe('Whether the projections add a bias.'), alias('use_bias')), true),
});

type Options = z.output<typeof options>;

interface Sizes {
  /** Positions of the query, and of key and value. */
  readonly queries: number;
  readonly keys: number;
  /** Features of query, key and value. */
  readonly features: readonly [query: number, key: number, value: number];
}

/** With two inputs, the second is key and value. */
function sizesOf(query: Shape, options: Options, otherInputs: readonly Shape[] = []): Sizes {
  const [key = query, value = key] = withoutIndices(options, otherInputs);
  const [queries, width] = query as Shape2;
  const [keys, keyWidth] = key as Shape2;
  return { queries, keys, features: [width, keyWidth, value[1]!] };
}

/** Whether one matrix holds all three projections, as in PyTorch. */
const isPacked = ({ features: [query, key, value] }: Sizes): boolean => query === key && query === value;

const SEPARATE_WEIGHTS = ['q_proj_weight', 'k_proj_weight', 'v_proj_weight'] as const;
const PROJECTIONS = ['q', 'k', 'v'] as const;

/** Consecutive rows of a matrix, or numbers of a vector. */
function rowsOf({ shape: [rows, ...rest], data }: Tensor, part: number, parts: number): Tensor {
  const size = data.length / parts;
  return { shape: [rows! / parts, ...rest], data: data.subarray(part * size, (part + 1) * size) };
}

type ByName = Readonly<Record<string, Tensor>>;

/** The weight [features, features of the input] and the bias of a projection, of parameters or of their gradients. */
function projectionOf(parameters: ByName, part: number): { readonly weight: Tensor; readonly bias: Tensor | null } {
  const { in_proj_weight: packed, in_proj_bias: bias } = parameters;
  return {
    weight: packed ? rowsOf(packed, part, 3) : parameters[SEPARATE_WEIGHTS[part]!]!,
    bias: bias ? rowsOf(bias, part, 3) : null,
  };
}

/** The inputs that are projected to query, key and value, by their positions among the layer's inputs. */
function sourcesOf(options: Options, otherInputs: readonly unknown[]): readonly [number, number, number] {
  const others = withoutIndices(options, otherInputs).length;
  return [0, Math.min(1, others), Math.min(2, others)];
}

const inputAt = ({ input, otherInputs }: ForwardContext<Options>, position: number): Tensor =>
  position === 0 ? input : otherInputs[position - 1]!;

/** 1 / √(features of a head). */
const scaleOf = ({ input, options: { num_heads } }: ForwardContext<Options>): number =>
  1 / Math.sqrt(input.shape[2]! / num_heads);

function forward(context: ForwardContext<Options>): void {
  const { kernels, options: layer, parameters, internals } = context;
  sourcesOf(layer, context.otherInputs).forEach((source, part) => {
    const { weight, bias } = projectionOf(parameters, part);
    kernels.linear(asRows(internals[PROJECTIONS[part]!]!), asRows(inputAt(context, source)), weight, bias);
  });
  attend(context);
}

/** The forward pass from query, key and value on. */
function attend(context: ForwardContext<Options>): void {
  const { kernels, options: layer, parameters, internals, output } = context;
  const { q, k, v, scores, weights, heads } = internals as Record<string, Tensor>;
  kernels.headProducts(scores!, q!, k!, scaleOf(context));
  const padding = paddingOf(layer, context.otherInputs);
  if (padding) kernels.paddedSoftmax(weights!, scores!, padding.indices, padding.index, layer.is_causal);
  else if (layer.is_causal) kernels.causalSoftmax(weights!, scores!);
  else kernels.softmax(weights!, scores!);
  kernels.headSums(heads!, weights!, v!, 1);
  kernels.linear(asRows(output), asRows(heads!), parameters['out_proj.weight']!, parameters['out_proj.bias'] ?? null);
}

function backward(context: BackwardContext<Options>): void {
  const { kernels, parameters, gradParameters, internals, gradInternals, gradOutput, gradInput, gradOtherInputs } =
    context;
  const { q, k, v, weights, heads } = internals as Record<string, Tensor>;
  const { q: dQ, k: dK, v: dV, scores: dScores, weights: dWeights, heads: dHeads } = gradInternals;
  const scale = scaleOf(context);
  const upstream = asRows(gradOutput);
  kernels.matmulTransposedA(gradParameters['out_proj.weight']!, upstream, asRows(heads!), true);
  if (gradParameters['out_proj.bias']) kernels.accumulateRows(gradParameters['out_proj.bias'], upstream);
  kernels.matmul(asRows(dHeads!), upstream, parameters['out_proj.weight']!, false);
  kernels.headProducts(dWeights!, dHeads!, v!, 1);
  kernels.headSumsTransposed(dV!, weights!, dHeads!, 1);
  // The weight of a masked pair is 0, and so is its gradient.
  kernels.softmaxBackward(dScores!, dWeights!, weights!);
  kernels.headSums(dQ!, dScores!, k!, scale);
  kernels.headSumsTransposed(dK!, dScores!, q!, scale);
  const sources = sourcesOf(context.options, context.otherInputs);
  sources.forEach((source, part) => {
    const { weight } = projectionOf(parameters, part);
    const gradients = projectionOf(gradParameters, part);
    const projected = asRows(gradInternals[PROJECTIONS[part]!]!);
    kernels.matmulTransposedA(gradients.weight, projected, asRows(inputAt(context, source)), true);
    if (gradients.bias) kernels.accumulateRows(gradients.bias, projected);
    const gradient = source === 0 ? gradInput : gradOtherInputs[source - 1]!;
    // An input that is projected several times gets the sum.
    if (gradient) kernels.matmul(asRows(gradient), projected, weight, sources.indexOf(source) < part);
  });
  fillIndexGradient(context);
}

/** Head by head, A = softmax(S), S = q kᵀ / √d; a feature e belongs to the head e / d, rounded down. */
function attentionFormulas({ options: layer, inputs, shapes }: FormulaContext<Options>): LayerFormulas {
  const sizes = sizesOf(shapes[0]!, layer, shapes.slice(1));
  const { queries, keys, features } = sizes;
  const [width] = features;
  const size = width / layer.num_heads;
  const packed = isPacked(sizes);
  const sources = sourcesOf(layer, inputs.slice(1)).map((at) => inputs[at]!);
  const rows = (part: number): string => (packed ? `[${part * width}:${(part + 1) * width}]` : '');
  const weight = (part: number): string => (packed ? 'in_proj_weight' : SEPARATE_WEIGHTS[part]!);
  const bias = (part: number): string => (layer.bias ? ` + in_proj_bias[${part * width}:${(part + 1) * width}]` : '');
  const projections = PROJECTIONS.map(
    (name, part) => `${name} = ${sources[part]} @ T(${weight(part)}${rows(part)})${bias(part)}`,
  ).join('; ');
  const { padding_idx: padding } = layer;
  const mask = (key: string): string =>
    (layer.is_causal ? `when(${key} <= t) * ` : '') +
    (padding === undefined ? '' : `(1 - when(${inputs.at(-1)!}[${key}] == ${padding})) * `);
  const head = `floor(e / ${size})`;
  const forward =
    `o[t, e] = sum(s < ${keys}: A[${head}, t, s] * v[s, e]); ` +
    `A[h, t, s] = ${mask('s')}exp(S[h, t, s]) / sum(r < ${keys}: ${mask('r')}exp(S[h, t, r])); ` +
    `S[h, t, s] = sum(e < ${size}: q[t, h * ${size} + e] * k[s, h * ${size} + e]) / sqrt(${size}); ${projections}`;
  const backward =
    `where d(q)[t, e] = sum(s < ${keys}: d(S)[${head}, t, s] * k[s, e]) / sqrt(${size}); ` +
    `d(k)[s, e] = sum(t < ${queries}: d(S)[${head}, t, s] * q[t, e]) / sqrt(${size}); ` +
    `d(v)[s, e] = sum(t < ${queries}: A[${head}, t, s] * d(o)[t, e]); ` +
    `d(S)[h, t, s] = A[h, t, s] * (d(A)[h, t, s] - sum(r < ${keys}: A[h, t, r] * d(A)[h, t, r])); ` +
    `d(A)[h, t, s] = sum(e < ${size}: d(o)[t, h * ${size} + e] * v[s, h * ${size} + e]); ` +
    `d(o)[t, e] = sum(f < ${width}: dy[t, f] * out_proj.weight[f, e]); ${forward}`;
  const parts = PROJECTIONS.map((name, part) => ({ name, part, source: sources[part]! }));
  const lengths = [queries, keys, keys];
  /** Row e of the packed parameter belongs to one projection. */
  const ofPacked = (term: (name: string, source: string, row: string, length: number) => string): string =>
    parts
      .map(
        ({ name, source, part }) =>
          `when(${part * width} <= e) * when(e < ${(part + 1) * width}) * ${term(name, source, `e - ${part * width}`, lengths[part]!)}`,
      )
      .join(' + ');
  return {
    equations: [
      `y[t, f] = ${layer.bias ? 'out_proj.bias[f] + ' : ''}sum(e < ${width}: out_proj.weight[f, e] * o[t, e]) where ${forward}`,
      ...withoutIndices(layer, inputs).map((input) => {
        const terms = parts
          .filter(({ source }) => source === input)
          .map(({ name, part }) => `d(${name})[t, e] * ${weight(part)}[${packed ? `${part * width} + e` : 'e'}, f]`);
        return `d(${input})[t, f] = sum(e < ${width}: ${terms.join(' + ')}) ${backward}`;
      }),
      ...indexGradientFormulas(layer, inputs),
      `d(in_proj_weight)[e, f] = ${ofPacked((name, source, row, length) => `sum(samples, t < ${length}: d(${name})[t, ${row}] * ${source}[t, f])`)} ${backward}`,
      ...parts.map(
        ({ name, part, source }) =>
          `d(${SEPARATE_WEIGHTS[part]})[e, f] = sum(samples, t < ${lengths[part]}: d(${name})[t, e] * ${source}[t, f]) ${backward}`,
      ),
      `d(in_proj_bias)[e] = ${ofPacked((name, _source, row, length) => `sum(samples, t < ${length}: d(${name})[t, ${row}])`)} ${backward}`,
      `d(out_proj.weight)[f, e] = sum(samples, t < ${queries}: dy[t, f] * o[t, e]) where ${forward}`,
      `d(out_proj.bias)[f] = sum(samples, t < ${queries}: dy[t, f])`,
    ],
    symbols: { A: 'the attention weights of each head' },
  };
}

/** Self-attention, or cross-attention with the key and value of further inputs; x [batch, positions, features]. */
export const multiheadAttention = defineLayer({
  kind: 'multihead_attention',
  aliases: ['attention', 'multi_head_attention', 'self_attention', 'mha', 'cross_attention'],
  summary:
    'Every position takes a weighted mean of the values of all positions, head by head: softmax(q kᵀ / √d) v, then a projection. ' +
    'Self-attention with one input. With "inputs": [query, key and value] or [query, key, value], cross-attention.',
  formulas: attentionFormulas,
  options,
  inputCount: { min: 1, max: 3 },
  paddingIndex: ({ padding_idx }) => padding_idx,
  expectedInputShape: ({ embed_dim }, input) =>
    embed_dim === undefined ? undefined : [...input.slice(0, -1), embed_dim],
  positionsAs: 'set',
  checkInput(input, { num_heads, embed_dim = input.at(-1)! }) {
    const misfit = checkSequence(input);
    if (misfit || embed_dim % num_heads === 0) return misfit;
    return {
      requirement: `splits the features among ${pluralize(num_heads, 'head')} evenly`,
      remedy: 'Choose a number of heads that divides the features.',
      option: 'num_heads',
    };
  },
  checkInputs(inputs) {
    const other = inputs.findIndex((shape) => checkSequence(shape) !== undefined);
    if (other >= 0)
      return { requirement: 'attends to sequences', positions: [0, other], remedy: 'Give it positions × features.' };
    const [, key, value] = inputs;
    return !key || !value || key[0] === value[0]
      ? undefined
      : {
          requirement: 'needs a value for each key',
          positions: [1, 2],
          remedy: 'Give key and value as many positions.',
        };
  },
  outputShape: (input) => input,
  macs(input, _output, layer, otherInputs) {
    const { queries, keys, features } = sizesOf(input, layer, otherInputs);
    const [query, key, value] = features;
    return query * (queries * query + keys * (key + value) + 2 * queries * keys + queries * query);
  },
  parameters(input, layer, otherInputs) {
    const sizes = sizesOf(input, layer, otherInputs);
    const { features } = sizes;
    const [width] = features;
    const xavier = { initializer: { type: 'xavier_uniform', gain: 1 } } as const;
    const zero = { initializer: { type: 'constant', val: 0 } } as const;
    const projections = isPacked(sizes)
      ? [{ name: 'in_proj_weight', shape: [3 * width, width], init: xavier }]
      : SEPARATE_WEIGHTS.map((name, part) => ({ name, shape: [width, features[part]!], init: xavier }));
    const output: ParameterDeclaration = {
      name: 'out_proj.weight',
      shape: [width, width],
      init: { initializer: { type: 'fan_in_uniform' } },
    };
    return layer.bias
      ? [
          ...projections,
          { name: 'in_proj_bias', shape: [3 * width], init: zero },
          output,
          { name: 'out_proj.bias', shape: [width], init: zero },
        ]
      : [...projections, output];
  },
  internals(input, layer, otherInputs) {
    const {
      queries,
      keys,
      features: [width],
    } = sizesOf(input, layer, otherInputs);
    const pairs = [layer.num_heads, queries, keys];
    return [
      { name: 'q', shape: [queries, width] },
      { name: 'k', shape: [keys, width] },
      { name: 'v', shape: [keys, width] },
      { name: 'scores', shape: pairs },
      { name: 'weights', shape: pairs, attention: true },
      { name: 'heads', shape: [queries, width] },
    ];
  },
  innerSums: (_input, _options, otherInputs) => [
    // Query, key and value of one input.
    ...(withoutIndices(_options, otherInputs ?? []).length === 0
      ? [{ weight: 'in_proj_weight', bias: 'in_proj_bias', to: PROJECTIONS, forward: attend }]
      : []),
    { weight: 'out_proj.weight', bias: 'out_proj.bias', of: 'heads' },
  ],
  forward,
  backward,
});

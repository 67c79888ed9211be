// Mistakes inside of self-attention, whose query, key and value come from one matrix: a matrix of pairs that is
// transposed in the backward pass or not, and the derivative of the softmax. They are tried only where the right
// formula gives the numeric gradient.
import type { Shape3 } from '../../../engine/kernels/tensor';
import { maxAbs, type GradientComparison, type LayerExperiment } from '../gradient-comparison';
import type { Hypotheses } from './hypothesis';

const TOLERANCE = 1e-5;
const MAX_PAIRS = 50_000;

interface AttentionOptions {
  readonly num_heads: number;
  readonly is_causal: boolean;
  readonly padding_idx?: number | undefined;
}

const isAttention = (options: unknown): options is AttentionOptions =>
  typeof options === 'object' && options !== null && 'num_heads' in options && 'is_causal' in options;

/** What the backward pass does wrong. */
interface Mistakes {
  /** The weights are not transposed in the gradient of the value. */
  readonly weights?: boolean;
  /** The gradient of the scores is not transposed in that of the key. */
  readonly scores?: boolean;
  /** dS = A ⊙ dA, without - A Σ A dA. */
  readonly softmax?: boolean;
}

type Matrix = Float64Array[];

/** x [rows, n] times wᵀ with w [m, n] from a row on, plus a bias. */
const project = (
  x: Float64Array,
  rows: number,
  w: Float64Array,
  width: number,
  from: number,
  bias?: Float64Array,
): Matrix =>
  Array.from({ length: rows }, (_, t) =>
    Float64Array.from({ length: width }, (_unit, e) => {
      let sum = bias?.[from + e] ?? 0;
      for (let f = 0; f < width; f++) sum += x[t * width + f]! * w[(from + e) * width + f]!;
      return sum;
    }),
  );

/** The gradients of the packed weight, its bias and the input. */
function gradients(layer: LayerExperiment, mistakes: Mistakes): Readonly<Record<string, Float64Array>> {
  const { num_heads: heads, is_causal: isCausal } = layer.options as AttentionOptions;
  const [samples, time, width] = layer.inputShape as Shape3;
  const size = width / heads;
  const scale = 1 / Math.sqrt(size);
  const weight = layer.parameters.get('in_proj_weight')!;
  const bias = layer.parameters.get('in_proj_bias');
  const out = layer.parameters.get('out_proj.weight')!;
  const result = {
    in_proj_weight: new Float64Array(weight.length),
    in_proj_bias: new Float64Array(3 * width),
    input: new Float64Array(layer.input.length),
  };
  for (let sample = 0; sample < samples; sample++) {
    const from = sample * time * width;
    const x = layer.input.subarray(from, from + time * width);
    const dy = layer.upstream.subarray(from, from + time * width);
    const [q, k, v] = [0, 1, 2].map((part) => project(x, time, weight, width, part * width, bias)) as [
      Matrix,
      Matrix,
      Matrix,
    ];
    const empty = (): Matrix => Array.from({ length: time }, () => new Float64Array(width));
    const dHeads = empty();
    for (let t = 0; t < time; t++)
      for (let e = 0; e < width; e++)
        for (let f = 0; f < width; f++) dHeads[t]![e]! += dy[t * width + f]! * out[f * width + e]!;
    const [dq, dk, dv] = [empty(), empty(), empty()];
    for (let head = 0; head < heads; head++) {
      const units = Array.from({ length: size }, (_, i) => head * size + i);
      const dot = (a: Float64Array, b: Float64Array): number => units.reduce((sum, e) => sum + a[e]! * b[e]!, 0);
      const weights = q.map((query, t) => {
        const scores = k.map((key, s) => (isCausal && s > t ? -Infinity : scale * dot(query, key)));
        const largest = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - largest));
        const total = powers.reduce((sum, power) => sum + power, 0);
        return powers.map((power) => power / total);
      });
      const dScores = weights.map((row, t) => {
        const dRow = v.map((value) => dot(dHeads[t]!, value));
        const mean = mistakes.softmax ? 0 : row.reduce((sum, a, s) => sum + a * dRow[s]!, 0);
        return row.map((a, s) => a * (dRow[s]! - mean));
      });
      for (let t = 0; t < time; t++)
        for (let s = 0; s < time; s++) {
          const [a, d] = [
            mistakes.weights ? weights[s]![t]! : weights[t]![s]!,
            scale * (mistakes.scores ? dScores[s]![t]! : dScores[t]![s]!),
          ];
          for (const e of units) {
            dq[t]![e]! += scale * dScores[t]![s]! * k[s]![e]!;
            dk[s]![e]! += d * q[t]![e]!;
            dv[s]![e]! += a * dHeads[t]![e]!;
          }
        }
    }
    [dq, dk, dv].forEach((gradient, part) =>
      gradient.forEach((row, t) =>
        row.forEach((value, e) => {
          const at = part * width + e;
          result.in_proj_bias[at]! += value;
          for (let f = 0; f < width; f++) {
            result.in_proj_weight[at * width + f]! += value * x[t * width + f]!;
            result.input[from + t * width + f]! += value * weight[at * width + f]!;
          }
        }),
      ),
    );
  }
  return result;
}

export function* attentionHypotheses({ tensor, numeric, layer }: GradientComparison): Hypotheses {
  if (!layer || !isAttention(layer.options) || layer.options.padding_idx !== undefined) return;
  if (!layer.parameters.has('in_proj_weight') || !layer.parameters.has('out_proj.weight')) return;
  const [samples, time] = layer.inputShape as Shape3;
  if (samples * time * time * layer.options.num_heads > MAX_PAIRS || layer.upstream.length !== layer.input.length)
    return;
  const right = gradients(layer, {})[tensor];
  const tolerance = TOLERANCE * maxAbs(numeric);
  if (!right || right.some((value, i) => !Number.isNaN(numeric[i]) && Math.abs(value - numeric[i]!) > tolerance))
    return;
  const mistakes = [
    [
      'not_transposed',
      'has A dO as the gradient of the value instead of Aᵀ dO: the attention weights A are not transposed',
      { weights: true },
    ],
    [
      'not_transposed',
      'has dS Q as the gradient of the key instead of dSᵀ Q: the gradient of the scores S is not transposed',
      { scores: true },
    ],
    [
      'sum_missing',
      'has A dA as the gradient of the scores: the derivative of the softmax also subtracts A Σ A dA, summed over the keys',
      { softmax: true },
    ],
  ] as const;
  for (const [cause, description, mistake] of mistakes) {
    yield;
    yield { cause, description, values: gradients(layer, mistake)[tensor]! };
  }
}

// The derivatives of a layer's outputs with respect to its numbers, by differences of forward alone.
import type { Tensor } from '../../engine/kernels/tensor';
import type { ForwardContext, LayerDefinition } from '../../engine/layers/layer';
import type { ForwardPrecision } from '../forward-precision';
import {
  type DifferenceRule,
  DIFFERENCE_RULES,
  SHORT_STEP_RATIO,
  derivativeFromStencil,
} from './five-point-derivative';

/** The most numbers that one cache holds. */
const MAX_CACHED_NUMBERS = 4e6;

/** Runs forward on the current contents of the context. */
export function runForward(context: ForwardContext<unknown>, definition: LayerDefinition): Float64Array {
  definition.forward(context);
  return new Float64Array(context.output.data);
}

/**
 * A cooperative task: one run of the layer is the smallest piece of work. The derivative of every output when all
 * `entries` of a tensor move by the same amount; NaN at a kink. Restores the
 * entries; the context's output is that of the last forward pass.
 * @param unperturbed the output without a perturbation, if known
 */
export function* outputDerivatives(
  context: ForwardContext<unknown>,
  definition: LayerDefinition,
  { data }: Tensor,
  entries: readonly number[],
  precision: ForwardPrecision = 'double',
  unperturbed?: Float64Array,
): Generator<undefined, Float64Array> {
  const rule: DifferenceRule = DIFFERENCE_RULES[precision];
  const { step } = rule;
  const start = entries.map((entry) => data[entry]);
  const outputs: Float64Array[] = [];
  for (const by of [-step, -SHORT_STEP_RATIO * step, SHORT_STEP_RATIO * step, step]) {
    entries.forEach((entry, k) => (data[entry] = start[k]! + by));
    outputs.push(runForward(context, definition));
    entries.forEach((entry, k) => (data[entry] = start[k]!));
    yield;
  }
  const [low, innerLow, innerHigh, high] = outputs as [Float64Array, Float64Array, Float64Array, Float64Array];
  const baseline = unperturbed ?? runForward(context, definition);
  let largestDerivative = 0;
  for (let i = 0; i < high.length; i++) {
    const derivative = Math.abs(high[i]! - low[i]!) / (2 * step);
    if (Number.isFinite(derivative)) largestDerivative = Math.max(largestDerivative, derivative);
  }
  const derivatives = new Float64Array(high.length);
  for (let i = 0; i < derivatives.length; i++) {
    // In a large layer, one number reaches few outputs.
    if (
      low[i] === baseline[i] &&
      high[i] === baseline[i] &&
      innerLow[i] === baseline[i] &&
      innerHigh[i] === baseline[i]
    )
      continue;
    derivatives[i] = derivativeFromStencil(
      { low: low[i]!, innerLow: innerLow[i]!, center: baseline[i]!, innerHigh: innerHigh[i]!, high: high[i]! },
      rule,
      largestDerivative,
    );
  }
  return derivatives;
}

/**
 * Whether each sample's output depends only on that sample; false if that cannot be decided. Restores the input. A
 * cooperative task.
 */
export function* areSamplesIndependent(
  context: ForwardContext<unknown>,
  definition: LayerDefinition,
): Generator<undefined, boolean> {
  const { data, shape } = context.input;
  const rows = shape[0]!;
  const [inputs, outputs] = [data.length / rows, context.output.data.length / rows];
  const before = runForward(context, definition);
  const all = data.slice();
  for (let row = 0; row < rows; row++) {
    // Its neighbor's numbers in its place: far from its own, and acceptable to the layer.
    const next = (row + 1) % rows;
    const other = all.subarray(next * inputs, (next + 1) * inputs);
    if (other.every((value, i) => value === all[row * inputs + i])) return false;
    data.set(other, row * inputs);
    const now = runForward(context, definition);
    data.set(all);
    yield;
    if (now.some((value, i) => Math.floor(i / outputs) !== row && !Object.is(value, before[i]))) return false;
  }
  return true;
}

/** The sum of derivative times output gradient over a row, a column, or everything. */
export function dotWithUpstream(
  derivatives: Float64Array,
  upstream: Float64Array,
  width: number,
  { row, column }: { row?: number; column?: number },
): number {
  let sum = 0;
  const [first, last, step] =
    row !== undefined
      ? [row * width, (row + 1) * width, 1]
      : column !== undefined
        ? [column, derivatives.length, width]
        : [0, derivatives.length, 1];
  for (let i = first; i < last; i += step) sum += derivatives[i]! * upstream[i]!;
  return sum;
}

/** Caches the nonzero derivatives of each perturbed number: other output gradients need no further forward passes. */
export class DerivativeCache {
  readonly #entries: { readonly entry: number; readonly at: Uint32Array; readonly slopes: Float64Array }[] = [];
  #capacity = MAX_CACHED_NUMBERS;

  /** Whether everything that was added fits. */
  get isComplete(): boolean {
    return this.#capacity >= 0;
  }

  /** @param first index of the first output to keep; the end is exclusive */
  add(entry: number, slopes: Float64Array, first = 0, last = slopes.length): void {
    if (!this.isComplete) return;
    const at: number[] = [];
    for (let i = first; i < last; i++) if (slopes[i] !== 0) at.push(i);
    this.#capacity -= at.length;
    this.#entries.push({ entry, at: Uint32Array.from(at), slopes: Float64Array.from(at, (i) => slopes[i]!) });
  }

  /** Writes the gradient for an output gradient to `result`. */
  writeGradient(result: Float64Array, upstream: Float64Array): Float64Array {
    for (const { entry, at, slopes } of this.#entries) {
      let sum = 0;
      for (let k = 0; k < at.length; k++) sum += slopes[k]! * upstream[at[k]!]!;
      result[entry] = sum;
    }
    return result;
  }
}

// The slopes of a layer's outputs as its numbers move, by differences of forward alone.
import type { Tensor } from '../../engine/kernels/tensor';
import type { ForwardContext, LayerDefinition } from '../../engine/layers/layer';
import { SHORTER, slopeOf } from './difference';

export const STEP = 6e-6;

/** Numbers kept in all. */
const MOST_KEPT = 4e6;

/** What forward makes of the context as it stands. */
export function outputOf(context: ForwardContext<unknown>, definition: LayerDefinition): Float64Array {
  definition.forward(context);
  return new Float64Array(context.output.data);
}

/**
 * The slope of every output as `entries` of a tensor of the context move together; NaN at a kink. Puts them back.
 * @param here the output as it is, where that is known.
 */
export function slopes(
  context: ForwardContext<unknown>, definition: LayerDefinition, { data }: Tensor, entries: readonly number[], here?: Float64Array,
): Float64Array {
  const start = entries.map((entry) => data[entry]);
  const at = (by: number): Float64Array => {
    entries.forEach((entry, k) => (data[entry] = start[k] + by));
    return outputOf(context, definition);
  };
  const [low, lower, higher, high] = [at(-STEP), at(-SHORTER * STEP), at(SHORTER * STEP), at(STEP)];
  entries.forEach((entry, k) => (data[entry] = start[k]));
  const rest = here ?? outputOf(context, definition);
  let most = 0;
  for (let i = 0; i < high.length; i++) most = Math.max(most, Math.abs(high[i] - low[i]) / (2 * STEP) || 0);
  const found = new Float64Array(high.length);
  for (let i = 0; i < found.length; i++) {
    // Of a large layer, one number reaches little.
    if (low[i] === rest[i] && high[i] === rest[i] && lower[i] === rest[i] && higher[i] === rest[i]) continue;
    found[i] = slopeOf({ low: low[i], lower: lower[i], here: rest[i], higher: higher[i], high: high[i] }, STEP, most);
  }
  return found;
}

/** Whether the output for each sample depends on that sample alone; false where that cannot be told. Leaves the input as it was. */
export function rowsApart(context: ForwardContext<unknown>, definition: LayerDefinition): boolean {
  const { data, shape } = context.input;
  const rows = shape[0];
  const [inputs, outputs] = [data.length / rows, context.output.data.length / rows];
  const before = outputOf(context, definition);
  const all = data.slice();
  for (let row = 0; row < rows; row++) {
    // Its neighbour's numbers in its place: far from its own, and none that the layer could not take.
    const next = (row + 1) % rows;
    const other = all.subarray(next * inputs, (next + 1) * inputs);
    if (other.every((value, i) => value === all[row * inputs + i])) return false;
    data.set(other, row * inputs);
    const now = outputOf(context, definition);
    data.set(all);
    if (now.some((value, i) => Math.floor(i / outputs) !== row && !Object.is(value, before[i]))) return false;
  }
  return true;
}

/** The sum of slopes times upstream gradient over one row, one column, or everything. */
export function shareOf(out: Float64Array, upstream: Float64Array, width: number, { row, column }: { row?: number; column?: number }): number {
  let sum = 0;
  const [first, last, step] =
    row !== undefined ? [row * width, (row + 1) * width, 1] : column !== undefined ? [column, out.length, width] : [0, out.length, 1];
  for (let i = first; i < last; i += step) sum += out[i] * upstream[i];
  return sum;
}

/** What each moved number reaches, kept, so that other gradients from above need no more forward passes. */
export class KeptSlopes {
  readonly #kept: { readonly entry: number; readonly at: Uint32Array; readonly slopes: Float64Array }[] = [];
  #room = MOST_KEPT;

  /** Whether all that was added has found room. */
  get isWhole(): boolean {
    return this.#room >= 0;
  }

  /** @param first and the last but one of the outputs that count. */
  add(entry: number, slopes: Float64Array, first = 0, last = slopes.length): void {
    if (!this.isWhole) return;
    const at: number[] = [];
    for (let i = first; i < last; i++) if (slopes[i] !== 0) at.push(i);
    this.#room -= at.length;
    this.#kept.push({ entry, at: Uint32Array.from(at), slopes: Float64Array.from(at, (i) => slopes[i]) });
  }

  /** The gradient for another one from above, into `result`. */
  into(result: Float64Array, upstream: Float64Array): Float64Array {
    for (const { entry, at, slopes } of this.#kept) {
      let sum = 0;
      for (let k = 0; k < at.length; k++) sum += slopes[k] * upstream[at[k]];
      result[entry] = sum;
    }
    return result;
  }
}

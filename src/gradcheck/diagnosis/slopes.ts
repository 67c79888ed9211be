// The slopes of a layer's outputs as its numbers move, by differences of forward alone.
import type { Tensor } from '../../engine/kernels/tensor';
import type { ForwardContext, LayerDefinition } from '../../engine/layers/layer';
import { SHORTER, slopeOf } from './difference';
import { largest } from './trial';

export const STEP = 6e-6;

/** Numbers kept in all. */
const MOST_KEPT = 4e6;

/** The slope of every output as `entries` of a tensor of the context move together; NaN at a kink. Puts them back. */
export function slopes(context: ForwardContext<unknown>, definition: LayerDefinition, { data }: Tensor, entries: readonly number[]): Float64Array {
  const start = entries.map((entry) => data[entry]);
  const at = (by: number): Float64Array => {
    entries.forEach((entry, k) => (data[entry] = start[k] + by));
    definition.forward(context);
    return Float64Array.from(context.output.data);
  };
  const [low, lower, higher, high, here] = [at(-STEP), at(-SHORTER * STEP), at(SHORTER * STEP), at(STEP), at(0)];
  const most = largest(high.map((each, i) => (each - low[i]) / (2 * STEP)));
  return high.map((_, i) => slopeOf({ low: low[i], lower: lower[i], here: here[i], higher: higher[i], high: high[i] }, STEP, most));
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

  add(entry: number, slopes: Float64Array): void {
    if (!this.isWhole) return;
    const at = Uint32Array.from(slopes.keys()).filter((i) => slopes[i] !== 0);
    this.#room -= at.length;
    this.#kept.push({ entry, at, slopes: Float64Array.from(at, (i) => slopes[i]) });
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

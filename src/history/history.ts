// The history of a run: named series, bounded. The host keeps one and a panel keeps its copy; both grow
// by the same increments, so that a panel can be thrown away and made again at any time.
import { Series, type SeriesData } from './series';

export type HistoryData = Readonly<Record<string, SeriesData>>;

/** The names of the series; layers by their index, parameters by their full name. */
export const seriesName = {
  /** Loss of the mini-batch of a step. */
  batchLoss: 'loss/batch',
  batchAccuracy: 'accuracy/batch',
  loss: (part: 'train' | 'validation' | 'test') => `loss/${part}`,
  accuracy: (part: 'train' | 'validation' | 'test') => `accuracy/${part}`,
  activationMean: (layer: number) => `activation/mean/${layer}`,
  activationStd: (layer: number) => `activation/std/${layer}`,
  /** Share of dead or saturated units, 0 to 1. */
  idle: (layer: number) => `activation/idle/${layer}`,
  /** Euclidean norm of dL/d output of a layer. */
  outputGradient: (layer: number) => `gradient/output/${layer}`,
  /** Euclidean norm of dL/d parameter. */
  parameterGradient: (name: string) => `gradient/parameter/${name}`,
  /** Mean and standard deviation of the entries of a gradient: of a parameter by its name, of a layer's output by its index. */
  gradientMean: (of: string | number) => `gradient/mean/${of}`,
  gradientStd: (of: string | number) => `gradient/std/${of}`,
  /** Mean size of the entries of the first layer's gradient over the last layer's. */
  firstToLast: 'gradient/first_to_last',
  /** Norm of the update over the norm of the weights before it. */
  updateRatio: (name: string) => `update/${name}`,
} as const;

/** Buckets that the host and a panel keep of each series. */
const LENGTH = 2048;

export class History {
  readonly #series = new Map<string, Series>();

  /** @param capacity buckets kept of each series. */
  constructor(readonly capacity = LENGTH) {}

  get(name: string): Series | undefined {
    return this.#series.get(name);
  }

  add(name: string, step: number, value: number): void {
    this.#named(name).add(step, value);
  }

  /** The first `count` of `values`, one at each step from `step` on. */
  addAll(name: string, step: number, values: Float64Array, count: number): void {
    this.#named(name).addAll(step, values, count);
  }

  merge(data: HistoryData): void {
    for (const [name, series] of Object.entries(data)) this.#named(name).merge(series);
  }

  get size(): number {
    return this.#series.size;
  }

  /** Merges what no history of this length keeps apart, in series that have a value at every step or every few. */
  coarsen(names: readonly string[], steps: number): void {
    const stride = 2 ** Math.ceil(Math.log2(Math.max(1, steps / LENGTH)));
    for (const name of names) this.#series.get(name)?.widen(stride / 2);
  }

  /** Takes whole series out as long as they fit, and one at least; the others come first the next time. */
  take(sizeOf: (series: SeriesData) => number, room: number): HistoryData {
    const taken: Record<string, SeriesData> = {};
    let size = 0;
    for (const [name, series] of this.#series) {
      const data = series.data();
      size += name.length + sizeOf(data);
      if (size > room && Object.keys(taken).length > 0) break;
      taken[name] = data;
      this.#series.delete(name);
    }
    return taken;
  }

  truncate(step: number): void {
    for (const series of this.#series.values()) series.truncate(step);
  }

  clear(): void {
    this.#series.clear();
  }

  data(): HistoryData {
    return Object.fromEntries([...this.#series].map(([name, series]) => [name, series.data()]));
  }

  #named(name: string): Series {
    let series = this.#series.get(name);
    if (!series) {
      series = new Series(this.capacity);
      this.#series.set(name, series);
    }
    return series;
  }
}

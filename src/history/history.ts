// The history of a run: named series in bounded memory. The host owns it and each panel has a copy; both apply the same
// increments, so that a panel can be closed and reopened at any time.
import { Series, type SeriesData } from './series';

export type HistoryData = Readonly<Record<string, SeriesData>>;

/** Names of the series, with layers by index and parameters by full name. */
export const seriesName = {
  /** Loss of the mini-batch of a step. */
  batchLoss: 'loss/batch',
  batchAccuracy: 'accuracy/batch',
  loss: (split: 'train' | 'validation' | 'test') => `loss/${split}`,
  accuracy: (split: 'train' | 'validation' | 'test') => `accuracy/${split}`,
  perplexity: (split: 'train' | 'validation' | 'test') => `perplexity/${split}`,
  activationMean: (layer: number) => `activation/mean/${layer}`,
  activationStd: (layer: number) => `activation/std/${layer}`,
  /** Share of dead or saturated units, 0 to 1. */
  idle: (layer: number) => `activation/idle/${layer}`,
  /** Euclidean norm of dL/d output of a layer. */
  outputGradient: (layer: number) => `gradient/output/${layer}`,
  /** Euclidean norm of dL/d parameter. */
  parameterGradient: (name: string) => `gradient/parameter/${name}`,
  /** Mean and standard deviation of a gradient's entries: a parameter's by name, a layer output's by index. */
  gradientMean: (source: string | number) => `gradient/mean/${source}`,
  gradientStd: (source: string | number) => `gradient/std/${source}`,
  /** Mean absolute gradient of the first layer divided by that of the last layer. */
  firstToLast: 'gradient/first_to_last',
  /** Norm of the update divided by the norm of the weights before it. */
  updateRatio: (name: string) => `update/${name}`,
} as const;

/** Buckets of each series in the host and in a panel. */
const DEFAULT_CAPACITY = 2048;

export class History {
  readonly #series = new Map<string, Series>();

  /** @param capacity the most buckets of each series */
  constructor(readonly capacity = DEFAULT_CAPACITY) {}

  get(name: string): Series | undefined {
    return this.#series.get(name);
  }

  add(name: string, step: number, value: number): void {
    this.#getOrCreate(name).add(step, value);
  }

  /** The first `count` of `values`, one at each step from `step` on. */
  addAll(name: string, step: number, values: Float64Array, count: number): void {
    this.#getOrCreate(name).addAll(step, values, count);
  }

  merge(data: HistoryData): void {
    for (const [name, series] of Object.entries(data)) this.#getOrCreate(name).merge(series);
  }

  get size(): number {
    return this.#series.size;
  }

  /** Merges buckets of series with a value at every step or every few, as a history of this length does. */
  coarsen(names: readonly string[], steps: number): void {
    const stride = 2 ** Math.ceil(Math.log2(Math.max(1, steps / DEFAULT_CAPACITY)));
    for (const name of names) this.#series.get(name)?.coarsen(stride / 2);
  }

  /** Removes and returns series while they fit, at least one; the others come first next time. */
  takeUpTo(sizeOf: (series: SeriesData) => number, maxSize: number): HistoryData {
    const taken: Record<string, SeriesData> = {};
    let size = 0;
    for (const [name, series] of this.#series) {
      const data = series.data();
      size += name.length + sizeOf(data);
      if (size > maxSize && Object.keys(taken).length > 0) break;
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

  #getOrCreate(name: string): Series {
    let series = this.#series.get(name);
    if (!series) {
      series = new Series(this.capacity);
      this.#series.set(name, series);
    }
    return series;
  }
}

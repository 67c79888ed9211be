// A value over the steps of a run in bounded memory. When it is full, neighboring buckets merge and keep their minimum
// and maximum, so that spikes never vanish. Adding the same step again changes nothing, so a run can be replayed.

/** Buckets as plain data, to cross process boundaries. All three arrays have the same length. */
export interface SeriesData {
  /** Steps per bucket; with 1, low and high are the exact value of that step. */
  readonly stride: number;
  /** First step of each bucket, ascending; a multiple of `stride`. */
  readonly steps: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export class Series {
  #stride = 1;
  #steps: number[] = [];
  #low: number[] = [];
  #high: number[] = [];
  /** The result of `data` until the next change: charts ask for it at every redraw. */
  #cachedData: SeriesData | null = null;

  /** @param capacity the most buckets, at least 2 */
  constructor(readonly capacity = 2048) {}

  get length(): number {
    return this.#steps.length;
  }

  add(step: number, value: number): void {
    this.#addToBucket(step, value, value);
    if (this.#steps.length > this.capacity) this.#mergeBuckets(this.#stride * 2);
  }

  /** Adds the first `count` of `values`, one per step from `step` on, bucket by bucket. */
  addAll(step: number, values: Float64Array, count: number): void {
    for (let i = 0; i < count;) {
      const from = i;
      const end = Math.min(count, i + this.#stride - ((step + i) % this.#stride));
      let low = values[i]!;
      let high = low;
      while (++i < end) {
        low = Math.min(low, values[i]!);
        high = Math.max(high, values[i]!);
      }
      this.#addToBucket(step + from, low, high);
      if (this.#steps.length > this.capacity) this.#mergeBuckets(this.#stride * 2);
    }
  }

  merge(data: SeriesData): void {
    if (data.stride > this.#stride) this.#mergeBuckets(data.stride);
    for (let i = 0; i < data.steps.length; i++) {
      this.#addToBucket(data.steps[i]!, data.low[i]!, data.high[i]!);
      if (this.#steps.length > this.capacity) this.#mergeBuckets(this.#stride * 2);
    }
  }

  /** Merges buckets until they span at least `stride` steps. @param stride a power of 2 */
  coarsen(stride: number): void {
    if (stride > this.#stride) this.#mergeBuckets(stride);
  }

  /** Removes everything after `step`, including a bucket that extends past it. */
  truncate(step: number): void {
    let keep = this.#steps.length;
    while (keep > 0 && this.#steps[keep - 1]! + this.#stride - 1 > step) keep--;
    this.#cachedData = null;
    this.#steps.length = keep;
    this.#low.length = keep;
    this.#high.length = keep;
  }

  clear(): void {
    this.truncate(-1);
    this.#stride = 1;
  }

  data(): SeriesData {
    return (this.#cachedData ??= {
      stride: this.#stride,
      steps: Float64Array.from(this.#steps),
      low: Float64Array.from(this.#low),
      high: Float64Array.from(this.#high),
    });
  }

  #addToBucket(step: number, low: number, high: number): void {
    this.#cachedData = null;
    const bucket = step - (step % this.#stride);
    const last = this.#steps.length - 1;
    let at = last;
    if (last < 0 || this.#steps[last]! < bucket) {
      this.#steps.push(bucket);
      this.#low.push(low);
      this.#high.push(high);
      return;
    }
    if (this.#steps[last] !== bucket) at = this.#lowerBound(bucket);
    if (this.#steps[at] === bucket) {
      // NaN propagates: a bucket that has seen one keeps it.
      this.#low[at] = Math.min(this.#low[at]!, low);
      this.#high[at] = Math.max(this.#high[at]!, high);
    } else {
      this.#steps.splice(at, 0, bucket);
      this.#low.splice(at, 0, low);
      this.#high.splice(at, 0, high);
    }
  }

  #lowerBound(bucket: number): number {
    let from = 0;
    let to = this.#steps.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#steps[middle]! < bucket) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #mergeBuckets(stride: number): void {
    const { steps, low, high } = this.data();
    this.#cachedData = null;
    this.#stride = stride;
    this.#steps = [];
    this.#low = [];
    this.#high = [];
    for (let i = 0; i < steps.length; i++) this.#addToBucket(steps[i]!, low[i]!, high[i]!);
  }
}

// A value over the steps of a run in bounded memory. When it is full, neighbouring buckets merge and keep
// their smallest and largest value, so that a spike never vanishes. Adding the same step again changes
// nothing, which is what lets a run go back and forth over its own history.

/** Buckets as data: what crosses a process boundary. All three arrays have the same length. */
export interface SeriesData {
  /** Steps that a bucket spans; with 1, low and high are the exact value of that step. */
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
  /** What `data` gave, as long as it holds: charts ask at every drawing. */
  #data: SeriesData | null = null;

  /** @param capacity the most buckets kept; at least 2. */
  constructor(readonly capacity = 2048) {}

  get length(): number {
    return this.#steps.length;
  }

  add(step: number, value: number): void {
    this.#put(step, value, value);
    if (this.#steps.length > this.capacity) this.#widen(this.#stride * 2);
  }

  /** The first `count` of `values`, one at each step from `step` on. Those of one bucket are put into it at once. */
  addAll(step: number, values: Float64Array, count: number): void {
    for (let i = 0; i < count; ) {
      const from = i;
      const end = Math.min(count, i + this.#stride - ((step + i) % this.#stride));
      let low = values[i];
      let high = low;
      while (++i < end) {
        low = Math.min(low, values[i]);
        high = Math.max(high, values[i]);
      }
      this.#put(step + from, low, high);
      if (this.#steps.length > this.capacity) this.#widen(this.#stride * 2);
    }
  }

  merge(data: SeriesData): void {
    if (data.stride > this.#stride) this.#widen(data.stride);
    for (let i = 0; i < data.steps.length; i++) {
      this.#put(data.steps[i], data.low[i], data.high[i]);
      if (this.#steps.length > this.capacity) this.#widen(this.#stride * 2);
    }
  }

  /** Merges buckets until they are at least so wide. @param stride a power of 2 */
  widen(stride: number): void {
    if (stride > this.#stride) this.#widen(stride);
  }

  /** Forgets everything after `step`. A bucket that reaches past it goes whole: it may hold what is no longer true. */
  truncate(step: number): void {
    let keep = this.#steps.length;
    while (keep > 0 && this.#steps[keep - 1] + this.#stride - 1 > step) keep--;
    this.#data = null;
    this.#steps.length = keep;
    this.#low.length = keep;
    this.#high.length = keep;
  }

  clear(): void {
    this.truncate(-1);
    this.#stride = 1;
  }

  data(): SeriesData {
    return (this.#data ??= {
      stride: this.#stride,
      steps: Float64Array.from(this.#steps),
      low: Float64Array.from(this.#low),
      high: Float64Array.from(this.#high),
    });
  }

  #put(step: number, low: number, high: number): void {
    this.#data = null;
    const bucket = step - (step % this.#stride);
    const last = this.#steps.length - 1;
    let at = last;
    if (last < 0 || this.#steps[last] < bucket) {
      this.#steps.push(bucket);
      this.#low.push(low);
      this.#high.push(high);
      return;
    }
    if (this.#steps[last] !== bucket) at = this.#lowerBound(bucket);
    if (this.#steps[at] === bucket) {
      // NaN wins: a bucket that saw one says so.
      this.#low[at] = Math.min(this.#low[at], low);
      this.#high[at] = Math.max(this.#high[at], high);
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
      if (this.#steps[middle] < bucket) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #widen(stride: number): void {
    const { steps, low, high } = this.data();
    this.#data = null;
    this.#stride = stride;
    this.#steps = [];
    this.#low = [];
    this.#high = [];
    for (let i = 0; i < steps.length; i++) this.#put(steps[i], low[i], high[i]);
  }
}

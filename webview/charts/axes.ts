// Axis ranges that do not jitter: they grow to round numbers immediately, and shrink only after the data has been much
// smaller for a while. Independent of the chart library.

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `size`. */
function niceTickStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  for (const factor of [1, 2, 5]) if (factor * power >= size * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/** Whole ticks around the data. */
export function linearBounds({ min, max }: Range): Range {
  const size = Math.max(Math.abs(min), Math.abs(max));
  // Constant data still needs an axis, and ticks must be distinguishable in floating point.
  const span = Math.max(max === min ? size || 1 : max - min, size * 1e-9, 1e-300);
  const tick = niceTickStep(span / 5);
  const low = Math.floor(min / tick + 1e-9) * tick;
  const high = Math.ceil(max / tick - 1e-9) * tick;
  return low === high ? { min: low - tick, max: high + tick } : { min: low, max: high };
}

/** Whole decades around the data, at least one; all data must be above 0. */
export function decadeBounds({ min, max }: Range): Range {
  const low = Math.floor(Math.log10(min) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(max) - 1e-9));
  return { min: 10 ** low, max: 10 ** high };
}

const NICE_FACTORS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The end of a step axis: a round number of at least `last`, but not beyond the run. */
export function stepAxisEnd(last: number, total: number): number {
  if (last <= 10) return Math.max(1, Math.min(10, total));
  const power = 10 ** Math.floor(Math.log10(last));
  const end = (NICE_FACTORS.find((factor) => factor * power >= last) ?? 10) * power;
  return Math.max(last, Math.min(Math.ceil(end), total));
}

/** Milliseconds that data must have been small before an axis shrinks. */
export const SHRINK_DELAY_MS = 3000;

export class StickyRange {
  #range: Range | null = null;
  #smallSince: number | null = null;

  constructor(
    readonly bounds: (data: Range) => Range,
    /** The share of an axis that data fills, 0 to 1; below a half it may shrink. */
    readonly filledFraction: (target: Range, range: Range) => number,
  ) {}

  static linear(): StickyRange {
    return new StickyRange(linearBounds, (target, range) => (target.max - target.min) / (range.max - range.min));
  }

  static decades(): StickyRange {
    return new StickyRange(
      decadeBounds,
      (target, range) => Math.log10(target.max / target.min) / Math.log10(range.max / range.min),
    );
  }

  /** @param data null if there is none: the range stays. @param now milliseconds */
  fit(data: Range | null, now: number): Range | null {
    if (!data) return this.#range;
    const target = this.bounds(data);
    const range = this.#range;
    if (!range) return (this.#range = target);
    const grown = { min: Math.min(range.min, target.min), max: Math.max(range.max, target.max) };
    if (grown.min < range.min || grown.max > range.max) this.#range = grown;
    if (this.filledFraction(target, grown) > 0.5) this.#smallSince = null;
    else if (this.#smallSince === null) this.#smallSince = now;
    else if (now - this.#smallSince >= SHRINK_DELAY_MS) {
      this.#smallSince = null;
      this.#range = target;
    }
    return this.#range;
  }

  reset(): void {
    this.#range = null;
    this.#smallSince = null;
  }
}

/** Exponents to label on an axis of decades: at most `maxTicks`, evenly spaced. */
export function decadeTicks({ min, max }: Range, maxTicks: number): number[] {
  const low = Math.round(Math.log10(min));
  const high = Math.round(Math.log10(max));
  const every = Math.max(1, Math.ceil((high - low) / Math.max(1, maxTicks - 1)));
  const ticks = [];
  for (let exponent = low; exponent <= high; exponent += every) ticks.push(exponent);
  return ticks;
}

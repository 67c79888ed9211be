// What one column holds, from its values as they stream by, in bounded memory.
import type { ColumnKind, ColumnMoments, ColumnProfile } from '../protocol/data-profile';
import { detachString } from '../engine/detach-string';
import { escapeControls } from '../protocol/escape-controls';

/** At most so many values are listed; columns of numbers list theirs if they have no more distinct ones. */
const MAX_LISTED = 10;
const MAX_TEXT = 40;

/**
 * Mean and squared deviations, updated value by value: Welford, "Note on a method for calculating corrected sums",
 * 1962.
 */
class Moments {
  count = 0;
  mean = 0;
  #squares = 0;

  add(value: number): void {
    this.count++;
    const deviation = value - this.mean;
    this.mean += deviation / this.count;
    this.#squares += deviation * (value - this.mean);
  }

  /** Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979. */
  merge(other: Moments): void {
    if (other.count === 0) return;
    const count = this.count + other.count;
    const deviation = other.mean - this.mean;
    this.#squares += other.#squares + (deviation * deviation * this.count * other.count) / count;
    this.mean += (deviation * other.count) / count;
    this.count = count;
  }

  result(): ColumnMoments | null {
    return this.count === 0 ? null : { mean: this.mean, std: Math.sqrt(this.#squares / this.count) };
  }
}

/** How often each value occurs, for a limited number of distinct values. */
class ValueCounts<Value extends string | number | bigint> {
  readonly #counts = new Map<Value, number>();
  /** Whether every value was counted. */
  isExact = true;

  constructor(readonly limit: number) {}

  get size(): number {
    return this.#counts.size;
  }

  entries(): readonly (readonly [Value, number])[] {
    return [...this.#counts];
  }

  /** Values that first occur after the limit are not counted. @param keep the form in which a new value is kept */
  add(value: Value, keep = (each: Value): Value => each): void {
    const count = this.#counts.get(value);
    if (count !== undefined) this.#counts.set(value, count + 1);
    else if (this.#counts.size < this.limit) this.#counts.set(keep(value), 1);
    else this.isExact = false;
  }
}

export class ColumnStats {
  #texts = 0;
  #missing = 0;
  #min = Infinity;
  #max = -Infinity;
  #isWhole = true;
  readonly #moments: readonly Moments[];
  readonly #numberCounts: ValueCounts<number | bigint>;
  readonly #textCounts: ValueCounts<string>;

  /**
   * @param splits number of splits; values may be in none
   * @param maxDistinct distinct numbers, and distinct texts, that are counted
   */
  constructor(splits: number, maxDistinct: number) {
    this.#numberCounts = new ValueCounts(maxDistinct);
    this.#textCounts = new ValueCounts(maxDistinct);
    this.#moments = Array.from({ length: splits + 1 }, () => new Moments());
  }

  /**
   * @param split the number of splits for none
   * @param exact what tells this number from others: all digits of a large one
   */
  addNumber(number: number, split: number, exact: number | bigint = number): void {
    // Turns -0 into 0.
    const value = number + 0;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    if (this.#isWhole && !Number.isInteger(value)) this.#isWhole = false;
    this.#moments[split]!.add(value);
    // So many numbers are not listed, so they need not be counted.
    if (this.#numberCounts.isExact) this.#numberCounts.add(typeof exact === 'bigint' ? exact : value);
  }

  addText(text: string): void {
    this.#texts++;
    this.#textCounts.add(text, detachString);
  }

  addMissing(): void {
    this.#missing++;
  }

  get numbers(): number {
    return this.#moments.reduce((sum, { count }) => sum + count, 0);
  }

  /** Moments of the numbers in each split. */
  splits(): readonly (ColumnMoments | null)[] {
    return this.#moments.slice(0, -1).map((moments) => moments.result());
  }

  profile(isClass: boolean): Omit<ColumnProfile, 'name' | 'role' | 'size' | 'histogram' | 'correlation' | 'splits'> {
    const { numbers } = this;
    const count = numbers + this.#texts;
    const all = new Moments();
    for (const moments of this.#moments) all.merge(moments);
    const kind = isClass ? 'class' : this.#kind(numbers);
    const distinct = this.#numberCounts.size + this.#textCounts.size;
    const isListed = (kind !== 'number' && kind !== 'integer') || distinct <= MAX_LISTED;
    const rows = count + this.#missing;
    return {
      kind,
      count,
      missing: this.#missing,
      missingShare: rows === 0 ? 0 : this.#missing / rows,
      min: numbers > 0 ? this.#min : null,
      max: numbers > 0 ? this.#max : null,
      mean: all.result()?.mean ?? null,
      std: all.result()?.std ?? null,
      distinct,
      distinctIsExact: this.#numberCounts.isExact && this.#textCounts.isExact,
      values: isListed ? this.#mostFrequent() : [],
    };
  }

  #kind(numbers: number): ColumnKind {
    if (numbers === 0) return this.#texts === 0 ? 'empty' : 'text';
    if (this.#texts > 0) return 'mixed';
    return this.#isWhole ? 'integer' : 'number';
  }

  #mostFrequent(): ColumnProfile['values'] {
    // Numbers beyond the limit were not counted.
    const numbers = this.#numberCounts.isExact ? this.#numberCounts.entries() : [];
    return [...numbers, ...this.#textCounts.entries()]
      .sort(([a, countA], [b, countB]) => countB - countA || (String(a) < String(b) ? -1 : 1))
      .slice(0, MAX_LISTED)
      .map(([value, count]) => ({ text: shorten(String(value)), count }));
  }
}

const shorten = (text: string): string => escapeControls(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

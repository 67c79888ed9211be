// Which rows of a file become samples, and the memory that they take: told ahead, and refused where it is too much.
import * as z from 'zod/mini';
import { bytesPerElement, type Precision, type TensorData } from '../kernels/tensor';
import { count } from '../options';
import type { Random } from '../random';
import { DataError, type OptionPath } from './dataset';

/** Bytes that the inputs of a dataset may take: 512 MB. */
export const DATA_LIMIT = 2 ** 29;

/** The options that choose rows, for every dataset that reads files. */
export const rowOptions = {
  limit: z.optional(count('Most samples to take; the file may hold more. Unless given: all of them.')),
  pick: z._default(
    z.enum(['first', 'random']).check(z.describe('Which ones, where there is a `limit`: the first, or some drawn from the seed.')),
    'first',
  ),
};

export interface RowChoice {
  readonly limit?: number;
  readonly pick: 'first' | 'random';
}

export const makeArray = (precision: Precision, length: number): TensorData =>
  precision === 'float64' ? new Float64Array(length) : new Float32Array(length);

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en-US')} MB`;

/** @throws DataError where so many numbers are too many */
export function assertFits(name: string, samples: number, width: number, precision: Precision, path: OptionPath): void {
  const bytes = samples * width * bytesPerElement(precision);
  if (bytes <= DATA_LIMIT) return;
  const most = Math.floor(DATA_LIMIT / (width * bytesPerElement(precision)));
  throw new DataError(
    `${name} would take ${megabytes(bytes)}: ${samples.toLocaleString('en-US')} samples of ${width.toLocaleString('en-US')} ` +
      `numbers in ${precision}; the limit is ${megabytes(DATA_LIMIT)}.`,
    `Take fewer samples, such as "limit": ${Math.max(1, most)}${precision === 'float64' ? ', or "precision": "float32"' : ', or fewer columns'}.`,
    path,
  );
}

/** Rows of numbers whose number is not known ahead. Made for what is expected; grows by a copy where that was too little. */
export class GrowingRows {
  #data: TensorData;
  #rows = 0;

  constructor(readonly width: number, readonly precision: Precision, expected: number) {
    this.#data = makeArray(precision, Math.max(16, Math.ceil(expected)) * width);
  }

  /** Where row `index` starts in the array, which has room for it from now on. */
  reach(index: number): TensorData {
    if (index >= this.#rows) this.#rows = index + 1;
    const needed = this.#rows * this.width;
    if (needed > this.#data.length) {
      const more = makeArray(this.precision, Math.ceil((needed * 9) / 8) + this.width);
      more.set(this.#data);
      this.#data = more;
    }
    return this.#data;
  }

  /** The rows so far. Shares the memory where little of it is unused. */
  finish(): TensorData {
    const used = this.#rows * this.width;
    return used > 0.7 * this.#data.length ? this.#data.subarray(0, used) : this.#data.slice(0, used);
  }
}

/**
 * Which place among the chosen each row takes, in the order of the file; -1 for none. Drawn ones are a reservoir, each
 * row as likely as any other: Vitter's algorithm R, "Random sampling with a reservoir", 1985.
 */
export class RowPicker {
  #seen = 0;

  constructor(readonly choice: RowChoice, readonly random: Random) {}

  /** Nothing that follows can be chosen. */
  get full(): boolean {
    const { limit, pick } = this.choice;
    return pick === 'first' && limit !== undefined && this.#seen >= limit;
  }

  /** The place of the next row. */
  next(): number {
    const { limit, pick } = this.choice;
    const row = this.#seen++;
    if (limit === undefined || row < limit) return row;
    if (pick === 'first') return -1;
    const place = this.random.below(row + 1);
    return place < limit ? place : -1;
  }
}

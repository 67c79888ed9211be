// Selects the rows of a file that become samples. Estimates their memory and rejects what is too large.
import { formatInteger } from '../format-count';
import * as z from 'zod/mini';
import { bytesPerElement, type Precision, type TensorData } from '../kernels/tensor';
import { positiveInteger } from '../option-schemas';
import type { Random } from '../random';
import { DataError, type OptionPath } from './data-error';

/** Maximum number of bytes that the inputs of a dataset may take: 512 MB. */
export const MAX_DATASET_BYTES = 2 ** 29;

/** Options that select rows, for every dataset that reads files. */
export const rowOptions = {
  limit: z.optional(positiveInteger('The most samples to use, if the file contains more. By default, all.')),
  pick: z._default(
    z.enum(['first', 'random']).check(z.describe('Which samples to use with a `limit`: the first, or random ones.')),
    'first',
  ),
};

export interface RowSelection {
  readonly limit?: number | undefined;
  readonly pick: 'first' | 'random';
}

export const allocateArray = (precision: Precision, length: number): TensorData =>
  precision === 'float64' ? new Float64Array(length) : new Float32Array(length);

const megabytes = (bytes: number): string => `${formatInteger(Math.ceil(bytes / 2 ** 20))} MB`;

/** @throws DataError if this many numbers do not fit */
export function assertFitsInMemory(
  name: string,
  samples: number,
  width: number,
  precision: Precision,
  path: OptionPath,
): void {
  const bytes = samples * width * bytesPerElement(precision);
  if (bytes <= MAX_DATASET_BYTES) return;
  const most = Math.floor(MAX_DATASET_BYTES / (width * bytesPerElement(precision)));
  throw new DataError(
    `${name} would take ${megabytes(bytes)}: ${formatInteger(samples)} samples of ${formatInteger(width)} ` +
      `numbers in ${precision}; the limit is ${megabytes(MAX_DATASET_BYTES)}.`,
    `Use fewer samples, such as "limit": ${Math.max(1, most)}${precision === 'float64' ? ', or "precision": "float32"' : ', or fewer columns'}.`,
    path,
  );
}

/** Rows of numbers whose count is not known in advance. Allocates the expected size and grows by copying. */
export class GrowableRows {
  #data: TensorData;
  #rows = 0;

  constructor(
    readonly width: number,
    readonly precision: Precision,
    expected: number,
  ) {
    this.#data = allocateArray(precision, Math.max(16, Math.ceil(expected)) * width);
  }

  /** The offset of row `index` in the array, which is grown to contain it. */
  ensureRow(index: number): TensorData {
    if (index >= this.#rows) this.#rows = index + 1;
    const needed = this.#rows * this.width;
    if (needed > this.#data.length) {
      const more = allocateArray(this.precision, Math.ceil((needed * 9) / 8) + this.width);
      more.set(this.#data);
      this.#data = more;
    }
    return this.#data;
  }

  /** The rows so far. Shares memory if little of it is unused. */
  toArray(): TensorData {
    const used = this.#rows * this.width;
    return used > 0.7 * this.#data.length ? this.#data.subarray(0, used) : this.#data.slice(0, used);
  }
}

/**
 * Assigns each row, in the order of the file, its index among the selected rows, or -1. Random rows come from a
 * reservoir, in which each row is equally likely: Vitter's algorithm R, "Random sampling with a reservoir", 1985.
 */
export class RowSampler {
  #seen = 0;

  constructor(
    readonly selection: RowSelection,
    readonly random: Random,
  ) {}

  /** Whether no later row can be selected. */
  get isFull(): boolean {
    const { limit, pick } = this.selection;
    return pick === 'first' && limit !== undefined && this.#seen >= limit;
  }

  /** The index of the next row. */
  nextIndex(): number {
    const { limit, pick } = this.selection;
    const row = this.#seen++;
    if (limit === undefined || row < limit) return row;
    if (pick === 'first') return -1;
    const place = this.random.integerBelow(row + 1);
    return place < limit ? place : -1;
  }
}

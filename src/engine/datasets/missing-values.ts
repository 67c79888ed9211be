// Missing values: the option `missing`, and the notes and remedies about them, for every dataset that reads files.
import * as z from 'zod/mini';
import { isOrAre, pluralize } from '../format-count';
import type { TensorData } from '../kernels/tensor';
import type { DataNote } from './data-error';

/**
 * The option `missing`.
 * @param what the values that count as missing; continues "missing values, "
 */
export const missingOption = (what: string) =>
  z._default(
    z
      .enum(['error', 'drop', 'mean'])
      .check(
        z.describe(
          `What to do about missing values, ${what}. \`error\` stops at the first; \`drop\` removes its sample; ` +
            '`mean` fills an input with its mean over the training samples.',
        ),
      ),
    'error',
  );

export type MissingPolicy = 'error' | 'drop' | 'mean';

/** The remedy for a missing value that is an error. */
export const missingRemedy = (isTarget: boolean): string =>
  isTarget
    ? 'Fill it in, or write "missing": "drop" to remove such samples.'
    : 'Fill it in, or write "missing": "drop" to remove such samples or "mean" to fill in the mean.';

/** The number of NaN values, which stand for missing ones. */
export function countMissing(values: TensorData): number {
  let count = 0;
  for (const value of values) if (Number.isNaN(value)) count++;
  return count;
}

/** Notes on dropped samples or filled values; none if there were no missing values. */
export function missingNotes(file: string, { dropped = 0, filled = 0 }): DataNote[] {
  const notes: DataNote[] = [];
  if (dropped > 0) {
    notes.push({
      code: 'rows-dropped',
      severity: 'information',
      message: `${pluralize(dropped, 'sample')} of ${file} with missing values ${isOrAre(dropped)} dropped.`,
      remedy: 'Write "missing": "mean" to keep samples with missing inputs.',
      path: ['missing'],
    });
  }
  if (filled > 0) {
    notes.push({
      code: 'missing-filled',
      severity: 'information',
      message: `${pluralize(filled, 'missing value')} of ${file} ${isOrAre(filled)} filled with the mean over the training samples.`,
      remedy: 'Write "missing": "drop" to remove such samples.',
      path: ['missing'],
    });
  }
  return notes;
}

// From the labels that people write to class indexes, for every dataset that has labels.
import * as z from 'zod/mini';
import { DataError } from './dataset';

/** The option that fixes the classes. */
export const classesOption = z.optional(
  z
    .union([
      z.int().check(z.gte(2), z.lte(100000)),
      z
        .array(z.string().check(z.minLength(1)))
        .check(
          z.minLength(2),
          z.refine((names) => new Set(names).size === names.length, {
            error: 'The same class is named twice.',
            params: { code: 'duplicate-class', remedy: 'Name every class once.' },
          }),
        ),
    ])
    .check(
      z.describe(
        'The names of the classes in the order of the outputs, or their number n where labels are 0 … n-1. ' +
          'Unless given: the different labels, sorted.',
      ),
    ),
);

export type Classes = z.output<typeof classesOption>;
type Label = string | number;

const compare = (a: Label, b: Label): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1;

/**
 * Class names and the index of each label.
 * @param place where label i stands: in words, and as a path below `data`
 * @throws DataError for a label outside the classes, or fewer than two classes
 */
export function encodeLabels(
  labels: readonly Label[],
  classes: Classes,
  place: (i: number) => { readonly words: string; readonly path: readonly (string | number)[] },
): { readonly classes: readonly string[]; readonly indexes: Float64Array } {
  const indexes = new Float64Array(labels.length);
  if (typeof classes === 'number') {
    labels.forEach((label, i) => {
      const index = typeof label === 'number' ? label : /^\d+$/.test(label) ? Number(label) : NaN;
      if (!Number.isInteger(index) || index < 0 || index >= classes) {
        const { words, path } = place(i);
        throw new DataError(
          `${words}: the label ${JSON.stringify(label)} is out of range; with ${classes} classes it must be a whole ` +
            `number from 0 to ${classes - 1}.`,
          'Correct the label, or the number of "classes".',
          path,
        );
      }
      indexes[i] = index;
    });
    return { classes: Array.from({ length: classes }, (_, i) => String(i)), indexes };
  }
  const names = classes ?? [...new Set(labels)].sort(compare).map(String);
  if (names.length < 2) {
    throw new DataError(
      `Every sample has the label ${JSON.stringify(labels[0])}: there is nothing to tell apart.`,
      'Give samples of at least two classes, or name all "classes".',
      place(0).path,
    );
  }
  const indexOf = new Map(names.map((name, i) => [name, i]));
  labels.forEach((label, i) => {
    const index = indexOf.get(String(label));
    if (index === undefined) {
      const { words, path } = place(i);
      throw new DataError(
        `${words}: the label ${JSON.stringify(label)} is out of range; the classes are ${names.join(', ')}.`,
        'Correct the label, or add it to "classes".',
        path,
      );
    }
    indexes[i] = index;
  });
  return { classes: names, indexes };
}

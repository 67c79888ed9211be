// Converts labels to class indices, for every dataset that has labels.
import * as z from 'zod/mini';
import { escapeControls } from '../../protocol/escape-controls';
import { DataError } from './data-error';

/** The option that fixes the classes. */
export const classesOption = z.optional(
  z
    .union([
      z.int().check(z.gte(2), z.lte(100000)),
      z.array(z.string().check(z.minLength(1))).check(
        z.minLength(2),
        z.refine((names) => new Set(names).size === names.length, {
          error: 'A class is listed twice.',
          params: { code: 'duplicate-class', remedy: 'List every class once.' },
        }),
      ),
    ])
    .check(
      z.describe(
        'The names of the classes in the order of the outputs, or their number n if labels are 0 … n-1. ' +
          'Labels that are numbers, none of them a name, are indices of the names. ' +
          'By default, the distinct labels, sorted.',
      ),
    ),
);

export type Classes = z.output<typeof classesOption>;
/** A bigint if a number could not distinguish two labels. */
export type Label = string | number | bigint;

const compareLabels = (a: Label, b: Label): number =>
  typeof a !== 'string' && typeof b !== 'string' ? (a < b ? -1 : 1) : String(a) < String(b) ? -1 : 1;

const quoteLabel = (label: Label): string => (typeof label === 'string' ? JSON.stringify(label) : String(label));

/** Tables hold labels as text if class names are listed. */
const isNumber = (label: Label): boolean => typeof label !== 'string' || /^\d+$/.test(label);

/**
 * Class names and the index of each label.
 * @param locate where label i is: as text, and as a path below `data`
 * @throws DataError for a label that is not a class, or for fewer than two classes
 */
export function encodeLabels(
  labels: readonly Label[],
  classes: Classes,
  locate: (i: number) => { readonly words: string; readonly path: readonly (string | number)[] },
): { readonly classes: readonly string[]; readonly indexes: Float64Array } {
  const indexes = new Float64Array(labels.length);
  if (typeof classes === 'number') {
    labels.forEach((label, i) => {
      const index = typeof label !== 'string' ? Number(label) : /^\d+$/.test(label) ? Number(label) : NaN;
      if (!Number.isInteger(index) || index < 0 || index >= classes) {
        const { words, path } = locate(i);
        throw new DataError(
          `${words}: the label ${quoteLabel(label)} is out of range; with ${classes} classes it must be an integer ` +
            `from 0 to ${classes - 1}.`,
          'Correct the label, or the number of "classes".',
          path,
        );
      }
      indexes[i] = index;
    });
    return { classes: Array.from({ length: classes }, (_, i) => String(i)), indexes };
  }
  const names = classes ?? [...new Set(labels)].sort(compareLabels).map(String);
  if (names.length < 2) {
    throw new DataError(
      `Every sample has the label ${quoteLabel(labels[0]!)}, so there is only one class.`,
      'Use samples of at least two classes, or list all "classes".',
      locate(0).path,
    );
  }
  const indexOf = new Map(names.map((name, i) => [name, i]));
  const areIndices = labels.every((label) => isNumber(label) && !indexOf.has(String(label)));
  labels.forEach((label, i) => {
    const index = areIndices && names[Number(label)] !== undefined ? Number(label) : indexOf.get(String(label));
    if (index === undefined) {
      const { words, path } = locate(i);
      throw new DataError(
        `${words}: the label ${quoteLabel(label)} is out of range; the classes are ${names.join(', ')}.`,
        'Correct the label, or add it to "classes".',
        path,
      );
    }
    indexes[i] = index;
  });
  return { classes: names.map(escapeControls), indexes };
}

import * as z from 'zod/mini';
import { DataError } from './data-error';
import { defineDataset } from './dataset';
import { classesOption, encodeLabels } from './labels';

type Path = (string | number)[];

const options = z
  .strictObject({
    inputs: z
      .array(z.array(z.number()).check(z.minLength(1)))
      .check(z.minLength(1), z.describe('One row of numbers for each sample.')),
    targets: z.optional(
      z
        .union([z.array(z.number()), z.array(z.array(z.number()).check(z.minLength(1)))])
        .check(
          z.describe('The values to predict: for each sample a number or a row of numbers. Use this or `labels`.'),
        ),
    ),
    labels: z.optional(
      z
        .union([z.array(z.int()), z.array(z.string())])
        .check(z.describe('The class of each sample: an integer or a string. Use this or `targets`.')),
    ),
    classes: classesOption,
    feature_names: z.optional(z.array(z.string()).check(z.describe('A name for each number of an input.'))),
  })
  .check(
    z.superRefine(({ inputs, targets, labels, classes, feature_names }, context) => {
      const fail = (code: string, path: Path, message: string, remedy: string): void => {
        context.addIssue({ code: 'custom', path, message, params: { code, remedy }, input: path });
      };
      const ragged = (name: string, rows: readonly unknown[]): void => {
        const width = Array.isArray(rows[0]) ? rows[0].length : 0;
        rows.forEach((row, i) => {
          if (Array.isArray(row) && row.length !== width) {
            fail(
              'ragged-rows',
              [name, i],
              `Row ${i + 1} of "${name}" has length ${row.length}, but the first row has length ${width}.`,
              'Write the same number of entries in every row.',
            );
          }
        });
      };
      ragged('inputs', inputs);
      if (targets) ragged('targets', targets);
      for (const [name, list] of [
        ['targets', targets],
        ['labels', labels],
      ] as const) {
        if (list && list.length !== inputs.length) {
          fail(
            'length-mismatch',
            [name],
            `"${name}" has length ${list.length}, but "inputs" has length ${inputs.length}.`,
            'Write one for each row of "inputs".',
          );
        }
      }
      // Checks run even if `inputs` is empty, which has its own error.
      const width = inputs[0]?.length;
      if (feature_names && width !== undefined && feature_names.length !== width) {
        fail(
          'length-mismatch',
          ['feature_names'],
          `"feature_names" has length ${feature_names.length}, but an input has length ${width}.`,
          'Write one name for each number of an input.',
        );
      }
      if (targets && labels) {
        const remedy = 'Keep "targets" for values or "labels" for classes.';
        fail('too-many-targets', ['labels'], 'Both "targets" and "labels" are given.', remedy);
      } else if (!targets && !labels) {
        const remedy = 'Add "targets" with values, or "labels" with classes.';
        fail('missing-option', [], 'Inline data needs "targets" or "labels".', remedy);
      }
      if (classes !== undefined && !labels) {
        const remedy = 'Write "labels" instead of "targets", or remove "classes".';
        fail('unused-option', ['classes'], '"classes" requires "labels".', remedy);
      }
    }),
  );

type InlineOptions = z.output<typeof options>;

const targetSizeOf = ({ targets }: InlineOptions): number => (Array.isArray(targets?.[0]) ? targets[0].length : 1);

const encodeInlineLabels = (labels: readonly (string | number)[], classes: InlineOptions['classes']) =>
  encodeLabels(labels, classes, (i) => ({ words: `Sample ${i + 1}`, path: ['labels', i] }));

/** @throws DataError at the first number that float32 cannot hold */
function assertFitsFloat32(rows: readonly (number | readonly number[])[], path: Path): void {
  rows.forEach((row, i) => {
    if (typeof row !== 'number') assertFitsFloat32(row, [...path, i]);
    else if (!Number.isFinite(Math.fround(row))) {
      throw new DataError(
        `Sample ${Number(path[1] ?? i) + 1}: ${row} is too large for float32, whose largest number is 3.4e38.`,
        'Write "precision": "float64", or scale the data.',
        [...path, i],
        'beyond-precision',
      );
    }
  });
}

export const inline = defineDataset({
  kind: 'inline',
  summary: 'Samples written in the spec itself.',
  options,
  defaultSplit: { validation: 0, test: 0 },
  shape(data, precision) {
    const { inputs, targets, labels, classes } = data;
    if (precision === 'float32') {
      assertFitsFloat32(inputs, ['inputs']);
      if (targets) assertFitsFloat32(targets, ['targets']);
    }
    const shape = { inputShape: [inputs[0]!.length], targetSize: targetSizeOf(data), samples: inputs.length };
    return labels ? { ...shape, classes: encodeInlineLabels(labels, classes).classes.length } : shape;
  },
  generate({ options: data }) {
    const { inputs, targets, labels, classes, feature_names: featureNames } = data;
    const common = {
      samples: inputs.length,
      inputShape: [inputs[0]!.length],
      inputs: Float64Array.from(inputs.flat()),
      targetSize: targetSizeOf(data),
      ...(featureNames ? { featureNames } : {}),
    };
    if (labels) {
      const encoded = encodeInlineLabels(labels, classes);
      return { ...common, classes: encoded.classes, targets: encoded.indexes };
    }
    if (!targets) throw new DataError('Inline data needs "targets" or "labels".', 'Add one of them.');
    return { ...common, targets: Float64Array.from(targets.flat()) };
  },
});

// Where the derivative of a piecewise loss jumps, by its definition on paper: there, and nowhere else, does its
// breakpoint function change its sign.
import { expect, it } from 'vitest';
import { losses, type LossKind } from '../../../src/engine/losses';
import { lossOf } from '../../support/network-fixtures';

interface Case {
  readonly kind: LossKind;
  readonly options: object;
  /** The entry at `index` is moved. */
  readonly prediction: readonly number[];
  readonly target: readonly number[];
  readonly index: number;
  /** Values of the entry at which the derivative jumps. */
  readonly seams: readonly number[];
}

const CASES: readonly Case[] = [
  { kind: 'mae', options: {}, prediction: [0, 0], target: [1.25, -3], index: 0, seams: [1.25] },
  { kind: 'huber', options: { delta: 0.75 }, prediction: [0, 0], target: [0.5, -1], index: 0, seams: [-0.25, 1.25] },
  { kind: 'huber', options: { delta: 2 }, prediction: [0, 0], target: [0.5, -1], index: 1, seams: [-3, 1] },
  { kind: 'hinge', options: { margin: 1.5 }, prediction: [0, 0], target: [1, 0], index: 0, seams: [1.5] },
  { kind: 'hinge', options: { margin: 1.5 }, prediction: [0, 0], target: [1, 0], index: 1, seams: [-1.5] },
  { kind: 'squared_hinge', options: { margin: 2 }, prediction: [0, 0], target: [1, 0], index: 1, seams: [-2] },
  // The class is 1, with the score 2: another class costs from a score of 2 - margin on.
  { kind: 'multi_margin', options: { margin: 0.5 }, prediction: [0, 2, 0], target: [0, 1, 0], index: 0, seams: [1.5] },
  { kind: 'multi_margin', options: { margin: 3 }, prediction: [0, 2, 0], target: [0, 1, 0], index: 2, seams: [-1] },
  // The second row, whose class is 0 with the score -1.
  {
    kind: 'multi_margin',
    options: { margin: 1 },
    prediction: [9, 9, -1, 0],
    target: [0, 1, 1, 0],
    index: 3,
    seams: [-2],
  },
];

it.each(CASES)('$kind with $options at $index', ({ kind, options, prediction, target, index, seams }) => {
  const definition = lossOf(kind);
  const parsed = definition.options.parse(options) as never;
  const columns = kind === 'multi_margin' && prediction.length === 4 ? 2 : prediction.length;
  const shape = [prediction.length / columns, columns];
  const at = (value: number): number => {
    const data = Float64Array.from(prediction);
    data[index] = value;
    return definition.breakpoint!(data, { shape, data: Float64Array.from(target) }, index, parsed);
  };
  for (const seam of seams) expect(at(seam)).toBeCloseTo(0, 14);
  const changes: number[] = [];
  const step = 0.125;
  // Between the seams, which are on the grid.
  for (let value = -5 + step / 2; value < 5; value += step)
    if (at(value) * at(value + step) < 0) changes.push(value + step / 2);
  expect(changes).toEqual(seams);
});

it('every piecewise loss is among the cases', () => {
  const piecewise = (Object.keys(losses) as LossKind[]).filter((kind) => lossOf(kind).breakpoint !== undefined);
  expect(new Set(CASES.map(({ kind }) => kind))).toEqual(new Set(piecewise));
});

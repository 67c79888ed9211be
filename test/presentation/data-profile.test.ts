// The layout of a dataset's rows: which cells are the input, and what they are called.
import { describe, expect, it } from 'vitest';
import { cellsByRole, classesAtPositions, inputCellNames } from '../../src/presentation/data-profile';
import type { ColumnRole, DataProfile } from '../../src/protocol/data-profile';

const profileOf = (inputShape: number[], columns: [name: string, role: ColumnRole, size: number][]): DataProfile =>
  ({ inputShape, columns: columns.map(([name, role, size]) => ({ name, role, size })) }) as unknown as DataProfile;

describe('rows of a dataset', () => {
  it('have one cell per column of a table', () => {
    const profile = profileOf(
      [2],
      [
        ['a', 'input', 1],
        ['b', 'input', 1],
        ['y', 'target', 1],
        ['id', 'unused', 1],
      ],
    );
    expect(cellsByRole(profile, [1, 2, 'yes', 7])).toEqual({ input: [1, 2], target: ['yes'], unused: [7] });
    expect(inputCellNames(profile, 40)).toEqual(['a', 'b']);
  });

  it('have a cell per number where a column is a channel of a tensor', () => {
    const profile = profileOf(
      [4, 1, 2],
      [
        ...[0, 1, 2, 3].map((channel): [string, ColumnRole, number] => [`channel ${channel}`, 'input', 2]),
        ['y', 'target', 1],
      ],
    );
    expect(cellsByRole(profile, [1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual({
      input: [1, 2, 3, 4, 5, 6, 7, 8],
      target: [9],
      unused: [],
    });
    expect(inputCellNames(profile, 3)).toEqual(['[0, 0, 0]', '[0, 0, 1]', '[1, 0, 0]']);
  });
});

describe('targets of a sequence as the network gets them', () => {
  const splits = { train: 0, validation: 0, test: 0 };
  const classes = ['a', 'b', 'c'].map((name) => ({ name, count: 0, splits }));

  it('are a class at each position, and none where there is no target', () => {
    expect(classesAtPositions([0, 0, 1, 1, 0, 0, 0, 0, 0], 3, classes)).toEqual([2, 0, -1]);
  });

  it('are left as they are for one target, and for values', () => {
    expect(classesAtPositions([0, 0, 1], 1, classes)).toBeNull();
    expect(classesAtPositions([0.5, 1], 2, null)).toBeNull();
  });
});

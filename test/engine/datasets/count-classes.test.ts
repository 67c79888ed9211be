// Shares of classes, counted by hand.
import { expect, it } from 'vitest';
import { countClasses, largestClassShares } from '../../../src/engine/datasets/count-classes';

const data = {
  labels: ['a', 'b', 'c'],
  dataset: { targets: [0, 1, 1, 2, 1, 0, 2, 2], targetSize: 1 },
  split: { train: [0, 1, 2, 3, 4], validation: [5], test: [] },
};

it('counts the samples of each class, and the share of the most frequent one', () => {
  expect(countClasses(data, data.split.train)).toEqual([1, 3, 1]);
  expect(largestClassShares(data)).toEqual({ train: 0.6, validation: 1, test: 0 });
});

it('has none for values', () => {
  expect(countClasses({ ...data, labels: null }, [0])).toBeNull();
  expect(largestClassShares({ ...data, labels: null })).toBeNull();
});

// The blocks around each layer, for display: one for each copy of a block that repeats, each branch and each join.
import { expect, it } from 'vitest';
import { parseSpec } from '../../src/model-spec';

const linear = { type: 'linear', out_features: 4 };

const blocksOf = (layers: readonly unknown[]): string[] => {
  const { spec, problems } = parseSpec(
    JSON.stringify({ data: 'circles', layers, loss: 'cross_entropy', optimizer: { type: 'sgd', lr: 0.1 } }),
  );
  expect(problems).toEqual([]);
  const ids = new Set(spec?.layers.flatMap(({ blocks }) => blocks.map(({ id, label }) => `${id} ${label}`)));
  // An id stands for one block.
  expect(new Set([...ids].map((id) => id.split(' ')[0])).size).toBe(ids.size);
  return (spec?.layers ?? []).map(({ name, blocks }) => [...blocks.map(({ label }) => label), name].join(' > '));
};

it('names the blocks around each layer, the outermost first', () => {
  expect(
    blocksOf([
      linear,
      { type: 'repeat', times: 2, layers: [{ type: 'residual', layers: ['tanh', linear] }] },
      { type: 'parallel', branches: [[linear], ['tanh']], merge: 'concat' },
      { type: 'residual', layers: [{ ...linear, out_features: 2 }], shortcut: [{ ...linear, out_features: 2 }] },
    ]),
  ).toEqual([
    'linear1',
    'repeat 1 of 2 > residual > tanh1',
    'repeat 1 of 2 > residual > linear2',
    'repeat 1 of 2 > residual > residual1',
    'repeat 2 of 2 > residual > tanh2',
    'repeat 2 of 2 > residual > linear3',
    'repeat 2 of 2 > residual > residual2',
    'parallel > branch 1 > linear4',
    'parallel > branch 2 > tanh3',
    'parallel > parallel1',
    'residual > linear5',
    'residual > shortcut > linear6',
    'residual > residual3',
  ]);
});

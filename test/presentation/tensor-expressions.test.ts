// The expressions of tensors name them in the language, and lead back to them.
import { expect, it } from 'vitest';
import { entryExpression, tensorExpression, tensorOfExpression } from '../../src/presentation/tensor-expressions';
import type { TensorRequest } from '../../src/protocol/queries';
import { runQuery } from '../../src/session/queries';
import type { Evaluated, QueryValue } from '../../src/protocol/queries';
import { createSession } from '../support/session-fixtures';

const session = createSession({
  data: { type: 'circles', samples: 20 },
  layers: [
    { type: 'linear', out_features: 3, name: 'my layer' },
    'batch_norm1d',
    'tanh',
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9 },
  batch_size: 10,
});
session.step(true);
const { model } = session;
const tensors = model.layers.flatMap(({ index, parameters, buffers }): TensorRequest[] => [
  { layer: index, kind: 'output' },
  { layer: index, kind: 'output_gradient' },
  ...parameters.flatMap(({ shortName: parameter }): TensorRequest[] => [
    { layer: index, kind: 'parameter', parameter },
    { layer: index, kind: 'parameter_gradient', parameter },
  ]),
  ...buffers.map(({ shortName: parameter }): TensorRequest => ({ layer: index, kind: 'buffer', parameter })),
]);

it('name the same numbers as the view of tensors', () => {
  expect(tensors.length).toBeGreaterThan(15);
  for (const tensor of tensors) {
    const text = tensorExpression(model, tensor);
    const [found] = runQuery(session, { type: 'evaluate', expressions: [{ text, count: 100 }] })
      .value as readonly Evaluated[];
    const tile = runQuery(session, { type: 'tensor', ...tensor }).value as QueryValue<'tensor'>;
    if (found.kind === 'error') throw new Error(`${text}: ${found.message}`);
    expect([text, ...found.entries]).toEqual([text, ...tile.cells]);
    expect(tensorOfExpression(model, text)).toEqual(tensor);
    expect(tensorOfExpression(model, `${entryExpression(text, [0])}[1]`)).toEqual(tensor);
  }
});

it('lead from what belongs to a parameter or an input to it', () => {
  expect(tensorOfExpression(model, `update(${model.layers[3].name}.weight)`)).toEqual({
    layer: 3,
    kind: 'parameter',
    parameter: 'weight',
  });
  expect(tensorOfExpression(model, `${model.layers[3].name}.weight.momentum[0]`)).toMatchObject({ kind: 'parameter' });
  expect(tensorOfExpression(model, 'tanh1.input')).toEqual({ layer: 1, kind: 'output' });
  for (const text of ['loss', 'norm(tanh1.output)', '', 'nothing.weight', 'layer("my layer").input'])
    expect(tensorOfExpression(model, text)).toBeNull();
});

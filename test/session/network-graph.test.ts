// The graph's numbers are those of the network for the followed sample.
import type { QueryValue, Query } from '../../src/protocol/queries';
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import { createSession, smallSpec } from '../support/session-fixtures';

const queryGraph = (
  session: TrainingSession,
  asked: Partial<Query<'network_graph'>> = {},
): QueryValue<'network_graph'> => {
  const { value } = runQuery(session, { type: 'network_graph', sample: null, edges: 'weight', maps: false, ...asked });
  if (!value) throw new Error('no answer');
  return value;
};

const wide = {
  ...smallSpec,
  layers: [{ type: 'linear', out_features: 60 }, 'tanh', { type: 'linear', out_features: 2 }],
};

describe('the network graph', () => {
  it('shows a sample of the batch during the step: its row of every tensor', () => {
    const session = createSession(smallSpec);
    session.seek(3);
    const { order, from } = session.batch;
    const sample = order[from + 2];
    const { columns, inBatch } = queryGraph(session, { sample });
    expect(inBatch).toBe(true);
    const { pass } = session;
    [pass.input, ...pass.outputs].forEach(({ data }, i) => {
      const width = data.length / pass.batchSize;
      expect([...(columns[i].values ?? [])]).toEqual([...data.subarray(2 * width, 3 * width)]);
    });
    pass.outputGradients.forEach(({ data }, i) => {
      const width = data.length / pass.batchSize;
      expect([...(columns[i + 1].gradients ?? [])]).toEqual([...data.subarray(2 * width, 3 * width)]);
    });
    const [{ values }] = queryGraph(session).edges;
    expect([...(values ?? [])]).toEqual([...session.network.parameters[0].value.data]);
  });

  it('evaluates a sample that is not in the batch, and says so', () => {
    const session = createSession(smallSpec);
    session.seek(3);
    const { order, from, size } = session.batch;
    const inBatch = [...order.subarray(from, from + size)];
    const sample = session.run.split.test[0];
    expect(inBatch).not.toContain(sample);
    const before = session.pass.outputs.map(({ data }) => [...data]);
    const answer = queryGraph(session, { sample });
    expect(answer).toMatchObject({ sample, inBatch: false });
    expect([...(answer.columns[0].values ?? [])]).toEqual([
      ...Float32Array.from(session.run.dataset.inputs.subarray(2 * sample, 2 * sample + 2)),
    ]);
    expect(answer.columns.every(({ gradients }) => gradients === null)).toBe(true);
    expect(session.pass.outputs.map(({ data }) => [...data])).toEqual(before);
  });

  it('shows only what the step has computed', () => {
    const session = createSession(smallSpec);
    session.seek(2, 2);
    const { columns, edges } = queryGraph(session, { edges: 'gradient' });
    expect(columns.map(({ values }) => values !== null)).toEqual([true, true, false, false]);
    expect(columns.every(({ gradients }) => gradients === null)).toBe(true);
    expect(edges.every(({ values }) => values === null)).toBe(true);
  });

  it('shows the update on its edges', () => {
    const session = createSession(smallSpec);
    session.seek(4);
    const before = [...session.network.parameters[0].value.data];
    session.step(true);
    const [{ values, maxMagnitude }] = queryGraph(session, { edges: 'update' }).edges;
    const moved = [...session.network.parameters[0].value.data].map((after, i) => Math.fround(after - before[i]));
    expect([...(values ?? [])]).toEqual(moved);
    expect(maxMagnitude).toBe(Math.max(...moved.map(Math.abs)));
  });

  it('thins out large layers evenly, and says how many units there are', () => {
    const session = createSession(wide);
    session.seek(1);
    const { columns, edges } = queryGraph(session);
    expect(columns.map(({ units }) => units)).toEqual([2, 60, 60, 2]);
    const { shown } = columns[1];
    expect(shown).toHaveLength(10);
    expect([shown[0], shown[9]]).toEqual([0, 59]);
    const weight = session.network.parameters[2].value;
    expect(edges[1].values?.[13]).toBe(weight.data[60 + shown[3]]);
  });

  it('maps each unit over the inputs', () => {
    const session = createSession(smallSpec);
    session.seek(9);
    const { columns } = queryGraph(session, { maps: true });
    const { maps, shown } = columns[1];
    if (!maps) throw new Error('no maps');
    const { width, height, pixels, low, high } = maps;
    const { inputs } = session.run.dataset;
    const range = [0, 1].map((i) => {
      const all = [...inputs].filter((_, at) => at % 2 === i);
      const [min, max] = [Math.min(...all), Math.max(...all)];
      return [min - 0.1 * (max - min), max + 0.1 * (max - min)];
    });
    const [weight, bias] = session.network.parameters.map(({ value }) => value.data);
    for (const [unit, x, y] of [
      [0, 0, 0],
      [1, width - 1, height - 1],
      [3, 5, 9],
    ]) {
      const a = range[0][0] + ((range[0][1] - range[0][0]) * x) / (width - 1);
      const b = range[1][1] - ((range[1][1] - range[1][0]) * y) / (height - 1);
      const value = weight[2 * shown[unit]] * a + weight[2 * shown[unit] + 1] * b + bias[shown[unit]];
      const shownValue = low + (pixels[(unit * height + y) * width + x] / 255) * (high - low);
      expect(Math.abs(shownValue - value)).toBeLessThan((high - low) / 255);
    }
  });
});

describe('filters', () => {
  const images = {
    data: { type: 'images', samples: 16, split: { validation: 0, test: 0 } },
    layers: [
      { type: 'conv2d', out_channels: 20, kernel_size: 3, stride: 4 },
      'flatten',
      { type: 'linear', out_features: 10 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.01 },
    batch_size: 4,
    epochs: 2,
  };

  it('are the weights, their gradients and updates, one tile per pair of channels', () => {
    const session = createSession(images);
    session.seek(2);
    const [weight] = session.network.parameters;
    for (const [edges, tensor] of [
      ['weight', weight.value],
      ['gradient', weight.gradient],
      ['update', weight.previous],
    ] as const) {
      const { value } = runQuery(session, { type: 'filters', layer: 0, edges });
      if (!value) throw new Error('no answer');
      const { outputs, inputs, columns, cells, shape } = value;
      expect([outputs.length, [...inputs], shape]).toEqual([16, [0, 1, 2], [20, 3, 3, 3]]);
      outputs.forEach((o, i) =>
        inputs.forEach((c, j) => {
          for (let y = 0; y < 3; y++)
            for (let x = 0; x < 3; x++)
              expect(cells[(i * 3 + y) * columns + j * 3 + x]).toBe(tensor.data[((o * 3 + c) * 3 + y) * 3 + x]);
        }),
      );
    }
  });

  it('are null for other layers, and have no gradients before the backward pass', () => {
    const session = createSession(images);
    expect(runQuery(session, { type: 'filters', layer: 2, edges: 'weight' }).value).toBeNull();
    expect(runQuery(session, { type: 'filters', layer: 0, edges: 'gradient' }).value).toBeNull();
    expect(runQuery(session, { type: 'filters', layer: 0, edges: 'weight' }).value).not.toBeNull();
  });
});

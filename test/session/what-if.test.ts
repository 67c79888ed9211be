// Counterfactuals compared with actually making the change, and with derivatives by hand.
import type { QueryValue } from '../../src/protocol/queries';
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import { example } from '../support/examples';
import { createSession, smallSpec } from '../support/session-fixtures';

type WhatIfInput = {
  sample: number | null;
  weights: { parameter: string; index: number; value: number }[];
  inputs: { index: number; value: number }[];
};

function whatIf(session: TrainingSession, asked: Partial<WhatIfInput>): QueryValue<'what_if'> {
  const { value } = runQuery(session, { type: 'what_if', sample: null, weights: [], inputs: [], ...asked });
  if (!value) throw new Error('no answer');
  return value;
}
const output = ({ nodes }: QueryValue<'what_if'>, layer: number) => {
  const found = nodes.find(({ node }) => node.of === 'output' && node.layer === layer);
  if (!found) throw new Error('no output');
  return found;
};

describe('what if', () => {
  it.each(['float32', 'float64'])(
    'of other weights is to the bit what follows where they are set, in %s',
    (precision) => {
      const session = createSession({ ...smallSpec, precision });
      session.seek(9);
      const before = [session.stateHash(), session.pass.outputs.map(({ data }) => [...data])];
      const weights = [
        { parameter: 'linear1.weight', index: 3, value: 1.5 },
        { parameter: 'linear2.bias', index: 0, value: -1 },
      ];
      const answer = whatIf(session, { sample: 4, weights });
      expect([session.stateHash(), session.pass.outputs.map(({ data }) => [...data])]).toEqual(before);
      expect(answer.sample).toBe(4);
      const evaluated = () => {
        const pass = session.network.evaluationPass(1);
        pass.loadBatch(session.run.dataset.inputs, session.run.targets, Uint32Array.of(4), 0);
        const loss = pass.evaluate();
        return { loss, outputs: pass.outputs.map(({ data }) => [...data]), train: session.evaluate().train?.loss };
      };
      const now = evaluated();
      session.setWeights(weights);
      const then = evaluated();
      expect(answer.loss).toEqual({ before: now.loss, after: then.loss });
      expect(answer.trainingLoss).toEqual({ before: now.train, after: then.train });
      [0, 1, 2].forEach((layer) => {
        expect([...output(answer, layer).before]).toEqual(now.outputs[layer]);
        expect([...output(answer, layer).after]).toEqual(then.outputs[layer]);
      });
    },
  );

  it("has the gradients of this sample's loss, compared with numeric derivatives", () => {
    const session = createSession({ ...smallSpec, precision: 'float64' });
    session.seek(5);
    const inputs = [{ index: 1, value: 0.3 }];
    const answer = whatIf(session, { sample: 2, inputs });
    const gradient = answer.nodes.find(
      ({ node }) => node.of === 'parameter_gradient' && node.layer === 0 && node.parameter === 'weight',
    );
    const h = 1e-5;
    const { data } = session.network.parameters[0].value;
    [...data].forEach((value, index) => {
      const loss = (at: number) =>
        whatIf(session, { sample: 2, inputs, weights: [{ parameter: 'linear1.weight', index, value: at }] }).loss.after;
      expect(gradient?.after[index]).toBeCloseTo((loss(value + h) - loss(value - h)) / (2 * h), 8);
    });
    const logits = output(answer, 2).after;
    const sum = Math.exp(logits[0]) + Math.exp(logits[1]);
    expect([...(answer.probabilities?.after ?? [])]).toEqual(
      [...logits].map((logit) => expect.closeTo(Math.exp(logit) / sum, 14)),
    );
    expect(answer.trainingLoss).toBeNull();
  });

  it('has the gradient with respect to the input, compared with numeric derivatives', () => {
    const session = createSession({ ...smallSpec, precision: 'float64' });
    session.seek(5);
    const { nodes } = whatIf(session, { sample: 2 });
    const gradient = nodes.find(({ node }) => node.of === 'input_gradient');
    const input = nodes.find(({ node }) => node.of === 'input')?.before ?? [];
    const slopes = [...input].map((at, index) => {
      const [above, below] = [1e-6, -1e-6].map(
        (h) => whatIf(session, { sample: 2, inputs: [{ index, value: at + h }] }).loss.after,
      );
      return (above - below) / 2e-6;
    });
    expect(slopes).toHaveLength(2);
    expect([...(gradient?.before ?? [])]).toEqual(slopes.map((slope) => expect.closeTo(slope, 8)));
  });

  it('is null for what does not exist', () => {
    const session = createSession(smallSpec);
    for (const asked of [
      { weights: [{ parameter: 'linear1.weight', index: 8, value: 1 }] },
      { weights: [{ parameter: 'none', index: 0, value: 1 }] },
      { inputs: [{ index: 2, value: 1 }] },
      { inputs: [{ index: 0, value: NaN }] },
    ]) {
      expect(runQuery(session, { type: 'what_if', sample: null, weights: [], inputs: [], ...asked }).value).toBeNull();
    }
  });
});

const images = {
  data: { type: 'images', samples: 40 },
  layers: [
    { type: 'conv2d', out_channels: 6, kernel_size: 5, padding: 2, name: 'conv' },
    'relu',
    { type: 'max_pool2d', kernel_size: 4 },
    'flatten',
    { type: 'linear', out_features: 10, name: 'out' },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.05 },
  batch_size: 8,
  epochs: 5,
};

describe('the counterfactual network graph', () => {
  const picture = (session: TrainingSession, sample: number, counterfactual?: Omit<WhatIfInput, 'sample'>) => {
    const { value } = runQuery(session, {
      type: 'network_graph',
      sample,
      edges: 'weight',
      maps: true,
      ...(counterfactual && { counterfactual }),
    });
    if (!value) throw new Error('no answer');
    return value as QueryValue<'network_graph'>;
  };
  /** A run has no gradients of a single sample. */
  const withoutGradients = (of: QueryValue<'network_graph'>) => ({
    ...of,
    columns: of.columns.map((column) => ({ ...column, gradients: null })),
  });

  it.each([
    [
      'units with maps of every input',
      smallSpec,
      {
        weights: [
          { parameter: 'linear1.weight', index: 3, value: 1.5 },
          { parameter: 'linear2.bias', index: 0, value: -1 },
        ],
        inputs: [],
      },
      45,
    ],
    [
      'a line of one input',
      {
        ...smallSpec,
        data: { type: 'noisy_sine', samples: 40 },
        layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 1 }],
        loss: 'mse',
      },
      { weights: [{ parameter: 'linear1.bias', index: 1, value: 2 }], inputs: [] },
      20,
    ],
    [
      'feature maps of an image',
      images,
      { weights: [{ parameter: 'conv.weight', index: 7, value: 2 }], inputs: [] },
      38,
    ],
    [
      'feature maps of another image',
      images,
      {
        weights: [],
        inputs: [
          { index: 40, value: 9 },
          { index: 1500, value: -4 },
        ],
      },
      38,
    ],
  ] as const)('is the picture once it is so: %s', (_, spec, tried, sample) => {
    const session = createSession(spec);
    session.seek(2);
    expect([
      ...session.batch.order.subarray(session.batch.from, session.batch.from + session.batch.size),
    ]).not.toContain(sample);
    const hash = session.stateHash();
    const now = picture(session, sample);
    const answer = picture(session, sample, { weights: [...tried.weights], inputs: [...tried.inputs] });
    expect(session.stateHash()).toBe(hash);
    expect(picture(session, sample)).toEqual(now);
    expect(answer.columns.every(({ gradients }) => gradients !== null)).toBe(true);
    if (tried.weights.length > 0) session.setWeights([...tried.weights]);
    const width = session.run.dataset.inputs.length / session.run.dataset.samples;
    for (const { index, value } of tried.inputs) session.run.dataset.inputs[sample * width + index] = value;
    const then = picture(session, sample);
    expect(withoutGradients(answer)).toEqual(then);
    // The maps have changed.
    expect(
      now.columns.some(({ maps }, i) => maps && String(maps.pixels) !== String(answer.columns[i].maps?.pixels)),
    ).toBe(true);
  });

  it('has filters and their gradients', () => {
    const session = createSession(images);
    session.seek(2);
    const counterfactual = {
      weights: [{ parameter: 'conv.weight', index: 7, value: 2 }],
      inputs: [{ index: 40, value: 9 }],
    };
    const filters = (edges: 'weight' | 'gradient' | 'update') =>
      runQuery(session, { type: 'filters', layer: 0, edges, counterfactual, sample: 3 })
        .value as QueryValue<'filters'> | null;
    const { value } = session.network.parameters[0];
    const own = Float32Array.from(value.data);
    own[7] = 2;
    expect([...(filters('weight')?.cells ?? [])].sort()).toEqual([...own].sort());
    const { nodes } = whatIf(session, { sample: 3, ...counterfactual });
    const gradient = nodes.find(
      ({ node }) => node.of === 'parameter_gradient' && node.layer === 0 && node.parameter === 'weight',
    );
    // The first row of the first filter.
    expect([...(filters('gradient')?.cells.subarray(0, 5) ?? [])]).toEqual([...(gradient?.after.subarray(0, 5) ?? [])]);
    expect(filters('update')).toBeNull();
  });

  it('is null for what does not exist', () => {
    const session = createSession(smallSpec);
    expect(
      runQuery(session, {
        type: 'network_graph',
        sample: null,
        edges: 'weight',
        maps: true,
        counterfactual: { weights: [{ parameter: 'none', index: 0, value: 1 }], inputs: [] },
      }).value,
    ).toBeNull();
  });
});

describe('the soft argmax of system E', () => {
  it('approaches the argmax as its input is scaled', () => {
    const session = example('soft-argmax');
    const input = [1, 2, 3];
    const shares = [1, 2, 5, 20].map((scale) => {
      const answer = whatIf(session, {
        sample: 0,
        inputs: input.map((value, index) => ({ index, value: value * scale })),
      });
      const { before, after } = output(answer, 1);
      const powers = input.map((value) => Math.exp(value * scale - 3 * scale));
      const sum = powers.reduce((a, b) => a + b, 0);
      expect([...after]).toEqual(powers.map((power) => expect.closeTo(power / sum, 14)));
      expect([...before]).toEqual(
        [0.09003057317038046, 0.24472847105479764, 0.6652409557748218].map((value) => expect.closeTo(value, 14)),
      );
      return after[2];
    });
    for (let i = 1; i < shares.length; i++) expect(shares[i]).toBeGreaterThan(shares[i - 1]);
    expect(1 - shares[3]).toBeLessThan(1e-8);
  });
});

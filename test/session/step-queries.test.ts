// Explanations of the step: every sum adds up to the value it explains, and local derivatives are those of forward.
import type { QueryValue, Query } from '../../src/protocol/queries';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import { createSession, smallSpec } from '../support/session-fixtures';
import '../support/allclose';

const precise = { ...smallSpec, precision: 'float64' };
const layersOf = ['tanh', 'sigmoid', 'relu', 'softmax', 'log_softmax', 'gelu', { type: 'dropout', p: 0.4 }, 'elu'];
const deep = (middle: unknown) => ({
  ...precise,
  layers: [
    { type: 'linear', out_features: 5 },
    middle,
    { type: 'linear', out_features: 3 },
    'tanh',
    { type: 'linear', out_features: 2 },
  ],
});
const imagesWith = (convolution: object, pool: string) => ({
  data: { type: 'images', samples: 12, size: 16 },
  layers: [
    { type: 'conv2d', ...convolution },
    'relu',
    { type: pool, kernel_size: 2, stride: 1 },
    { type: 'conv2d', out_channels: 2, kernel_size: 2 },
    'tanh',
    { type: pool, kernel_size: 2 },
    'flatten',
    { type: 'linear', out_features: 10 },
  ],
  loss: 'cross_entropy',
  batch_size: 4,
  epochs: 4,
  precision: 'float64',
  optimizer: { type: 'sgd', lr: 0.1 },
});
const attribute = (
  session: TrainingSession,
  asked: Omit<Query<'attribution'>, 'type' | 'sample'>,
  sample: number | null = null,
): QueryValue<'attribution'> => {
  const { value } = runQuery(session, { type: 'attribution', sample, ...asked });
  if (!value) throw new Error('no answer');
  return value;
};
const stepGraphOf = (session: TrainingSession, sample: number | null = null): QueryValue<'step_graph'> => {
  const { value } = runQuery(session, { type: 'step_graph', sample });
  if (!value) throw new Error('no answer');
  return value;
};

describe('attribution', () => {
  it('has terms that add up, at every node and entry of the step', () => {
    fc.assert(
      fc.property(fc.constantFrom(...layersOf), fc.integer({ min: 1, max: 9 }), fc.nat(7), (middle, steps, row) => {
        const session = createSession(deep(middle));
        session.seek(steps);
        const sample = session.batch.order[session.batch.from + (row % session.batch.size)];
        let sums = 0;
        for (const { id, preview } of stepGraphOf(session, sample).nodes) {
          preview?.cells.forEach((cell, i) => {
            const index = Math.floor(i / preview.columns) * preview.totalColumns + (i % preview.columns);
            const { kind, terms, remainder, value } = attribute(session, { node: id, index }, sample);
            expect(value).toBe(cell);
            if (kind !== 'sum') return;
            sums++;
            const sum = terms.reduce((all, term) => all + term.value, remainder);
            expect(Math.abs(sum - value)).toBeLessThanOrEqual(
              1e-12 * Math.max(1, ...terms.map((term) => Math.abs(term.value))),
            );
            for (const term of terms)
              expect(term.value).toBe(term.factors.reduce((of, factor) => of * factor.value, 1));
          });
        }
        expect(sums).toBeGreaterThan(30);
      }),
      { numRuns: 24 },
    );
  });

  it('also for a convolution, pooling and flatten, entry by entry', () => {
    const windows = fc.record({
      kernel_size: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.nat(2),
      dilation: fc.integer({ min: 1, max: 2 }),
      groups: fc.constantFrom(1, 3),
    });
    fc.assert(
      fc.property(
        windows,
        fc.constantFrom('max_pool2d', 'avg_pool2d'),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(3),
        fc.nat(),
        (own, pool, steps, row, seed) => {
          const session = createSession(imagesWith({ out_channels: 3, ...own }, pool));
          session.seek(steps);
          const sample = session.batch.order[session.batch.from + row];
          for (const { id, shape } of stepGraphOf(session, sample).nodes) {
            const size = shape.reduce((a, b) => a * b, 1);
            for (const index of [0, size - 1, seed % size, (7 * seed + 3) % size]) {
              const { kind, terms, termCount, remainder, value } = attribute(session, { node: id, index }, sample);
              if (id.of === 'output' || (id.of === 'output_gradient' && id.layer < 7) || id.of === 'parameter_gradient')
                expect(termCount > 0 || value === 0 || kind === 'sum').toBe(true);
              if (kind !== 'sum') continue;
              const sum = terms.reduce((all, term) => all + term.value, remainder);
              expect(Math.abs(sum - value)).toBeLessThanOrEqual(
                1e-11 * Math.max(1, ...terms.map((term) => Math.abs(term.value))),
              );
              for (const { factors } of terms)
                for (const factor of factors) {
                  if (factor.source)
                    expect(attribute(session, factor.source, factor.sample ?? sample).value).toBe(factor.value);
                }
            }
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it.each([
    ['parameter_gradient', { of: 'parameter_gradient', layer: 0, parameter: 'weight' }],
    ['output', { of: 'output', layer: 0 }],
    ['output_gradient', { of: 'output_gradient', layer: 2 }],
  ] as const)('of a convolution, %s is a sum', (_, node) => {
    const session = createSession(imagesWith({ out_channels: 3, kernel_size: 3, padding: 1 }, 'max_pool2d'));
    session.seek(2);
    const { kind, termCount } = attribute(session, { node, index: 20 });
    expect([kind, termCount > 4]).toEqual(['sum', true]);
  });

  it('can be followed from factor to factor, down to the data', () => {
    const session = createSession(precise);
    session.seek(4);
    const visited = new Set<string>();
    const visit = (asked: Omit<Query<'attribution'>, 'type' | 'sample'>): void => {
      const key = JSON.stringify(asked);
      if (visited.has(key) || visited.size > 300) return;
      visited.add(key);
      for (const { factors } of attribute(session, asked).terms) {
        for (const { source, value, sample } of factors) {
          if (!source) continue;
          expect(attribute(session, source, sample ?? null).value).toBe(value);
          visit(source);
        }
      }
    };
    visit({ node: { of: 'parameter_gradient', layer: 0, parameter: 'weight' }, index: 3 });
    expect([...visited].some((key) => key.includes('"target"'))).toBe(true);
    expect([...visited].some((key) => key.includes('"input"'))).toBe(true);
  });

  it('is null for what the step has not computed, or what does not exist', () => {
    const session = createSession(precise);
    session.seek(2, 2);
    const gone = { type: 'attribution', sample: null } as const;
    expect(runQuery(session, { ...gone, node: { of: 'output_gradient', layer: 0 }, index: 0 }).value).toBeNull();
    expect(runQuery(session, { ...gone, node: { of: 'output', layer: 9 }, index: 0 }).value).toBeNull();
    expect(
      runQuery(session, { ...gone, node: { of: 'parameter', layer: 0, parameter: 'no' }, index: 0 }).value,
    ).toBeNull();
  });
});

describe('local derivatives', () => {
  it.each(layersOf.map((layer) => [typeof layer === 'string' ? layer : layer.type, layer] as const))(
    'of %s are the slopes of its forward pass',
    (_, middle) => {
      const session = createSession(deep(middle));
      session.seek(3);
      const { value } = runQuery(session, { type: 'jacobian', layer: 1, sample: null });
      if (!value) throw new Error('no answer');
      const { pass } = session;
      const before = pass.outputs.map(({ data }) => data.slice());
      const [input, output] = [pass.outputs[0].data, pass.outputs[1].data];
      for (let j = 0; j < value.inputs; j++) {
        const at = input[j];
        const moved = [1e-6, -1e-6].map((h) => {
          input[j] = at + h;
          pass.forward(1);
          return output.slice(0, value.outputs);
        });
        input[j] = at;
        for (let i = 0; i < value.outputs; i++) {
          expect(value.values[i * value.inputs + j]).toBeCloseTo((moved[0][i] - moved[1][i]) / 2e-6, 8);
        }
      }
      pass.forward(1);
      expect(pass.outputs.map(({ data }) => data)).toEqual(before);
    },
  );

  it('match the courses: 5 where s > 0, otherwise 0', () => {
    const session = createSession({
      ...precise,
      layers: [
        { type: 'linear', out_features: 3 },
        { type: 'relu', scale: 5 },
        { type: 'linear', out_features: 2 },
      ],
    });
    session.seek(1);
    const s = session.pass.outputs[0].data.subarray(0, 3);
    const { value } = runQuery(session, { type: 'jacobian', layer: 1, sample: null });
    expect([...(value?.values ?? [])]).toEqual(
      [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => (i === j && s[i] > 0 ? 5 : 0))),
    );
  });
});

describe('the nodes of a step', () => {
  it('are in the order of computation', () => {
    const session = createSession(precise);
    session.seek(1);
    expect(
      stepGraphOf(session).nodes.map(
        ({ id }) => `${id.of}${'layer' in id ? id.layer : ''}${'parameter' in id ? id.parameter : ''}`,
      ),
    ).toEqual([
      'input',
      'parameter0weight',
      'parameter0bias',
      'output0',
      'output1',
      'parameter2weight',
      'parameter2bias',
      'output2',
      'target',
      'loss',
      'loss_gradient',
      'target_gradient',
      'output_gradient2',
      'parameter_gradient2weight',
      'parameter_gradient2bias',
      'output_gradient1',
      'output_gradient0',
      'parameter_gradient0weight',
      'parameter_gradient0bias',
      'input_gradient',
      'update0weight',
      'updated0weight',
      'update0bias',
      'updated0bias',
      'update2weight',
      'updated2weight',
      'update2bias',
      'updated2bias',
    ]);
  });

  it('have the loss, its derivative by itself, and the gradients of the target and of the input', () => {
    const session = createSession(precise);
    session.seek(3);
    const cellsOf = (of: string) => stepGraphOf(session).nodes.find(({ id }) => id.of === of)!.preview?.cells;
    expect([...cellsOf('loss')!]).toEqual([session.loss]);
    expect([...cellsOf('loss_gradient')!]).toEqual([1]);
    // Of a target, -log p / batch.
    const logits = [...session.pass.prediction.data.subarray(0, 2)];
    const logSum = Math.log(logits.reduce((sum, each) => sum + Math.exp(each), 0));
    expect(cellsOf('target_gradient')).toBeAllclose(logits.map((each) => (logSum - each) / session.batch.size));
    // dL/dx = dL/dy W.
    const [W, dy] = [session.network.parameters[0], session.pass.outputGradients[0].data];
    const before = W.value.data.map((after, i) => after - W.previous.data[i]);
    expect(cellsOf('input_gradient')).toBeAllclose(
      [0, 1].map((j) => [0, 1, 2, 3].reduce((sum, i) => sum + dy[i] * before[2 * i + j], 0)),
    );
    // A step that nobody watched has no gradient of its input.
    session.train(1);
    expect(cellsOf('input_gradient')).toBeUndefined();
  });

  it('have the courses’ gradient of the loss: (softmax of the logits - target) / batch', () => {
    const session = createSession(precise);
    session.seek(5);
    const { nodes } = stepGraphOf(session);
    const cells = (of: string, layer?: number) => [
      ...(nodes.find(({ id }) => id.of === of && (layer === undefined || ('layer' in id && id.layer === layer)))
        ?.preview?.cells ?? []),
    ];
    const [logits, target] = [cells('output', 2), cells('target')];
    const sum = logits.reduce((all, one) => all + Math.exp(one), 0);
    expect(cells('output_gradient', 2)).toBeAllclose(
      logits.map((one, i) => (Math.exp(one) / sum - target[i]) / session.batch.size),
      { rtol: 1e-12, atol: 1e-15 },
    );
  });
});

describe('cross-entropy against squared error', () => {
  const specOf = (last: readonly unknown[], loss: string, classes: number) => ({
    data: { type: 'blobs', samples: 30, centers: classes },
    layers: [{ type: 'linear', out_features: classes }, ...last],
    loss,
    batch_size: 8,
    epochs: 3,
    precision: 'float64',
  });

  it.each([
    ['logits', [], 'cross_entropy'],
    ['probabilities', ['softmax'], 'mse'],
    ['logarithms', ['log_softmax'], 'nll'],
  ])('has the losses of the followed sample from %s', (_, last, loss) => {
    const session = createSession(specOf(last, loss, 3));
    session.seek(2);
    const { value } = runQuery(session, { type: 'loss_comparison', sample: null });
    const logits = [...session.pass.outputs[0].data.subarray(0, 3)];
    const target = [...session.pass.target.data.subarray(0, 3)];
    const sum = logits.reduce((total, each) => total + Math.exp(each), 0);
    const p = logits.map((each) => Math.exp(each) / sum);
    const label = target.indexOf(1);
    expect(value).toMatchObject({ sample: session.batch.order[session.batch.from], label });
    expect(value!.probability).toBeCloseTo(p[label], 12);
    expect(value!.crossEntropy).toBeCloseTo(-Math.log(p[label]), 12);
    const squared = p.reduce((total, each, i) => total + (each - target[i]) ** 2, 0);
    expect(value!.squaredError).toBeCloseTo(squared, 12);
    // The sample lies on the curve.
    expect((1 - value!.probability) ** 2 * (1 + value!.othersShare)).toBeCloseTo(squared, 12);
  });

  it('has none for a regression', () => {
    const session = createSession({
      data: 'noisy_sine',
      layers: [{ type: 'linear', out_features: 1 }],
      loss: 'mse',
    });
    session.seek(1);
    expect(runQuery(session, { type: 'loss_comparison', sample: null }).value).toBeNull();
  });
});

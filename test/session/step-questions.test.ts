// The step, explained: every sum adds up to the value it explains, and local derivatives are the slopes of forward.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerTo, type AnswerTo, type Question } from '../../src/session/questions';
import type { TrainingSession } from '../../src/session/session';
import { sessionOf, smallSpec } from '../support/run';
import '../support/allclose';

const precise = { ...smallSpec, precision: 'float64' };
const layersOf = ['tanh', 'sigmoid', 'relu', 'softmax', 'log_softmax', 'gelu', { type: 'dropout', p: 0.4 }, 'elu'];
const deep = (middle: unknown) => ({
  ...precise, layers: [{ type: 'linear', out_features: 5 }, middle, { type: 'linear', out_features: 3 }, 'tanh', { type: 'linear', out_features: 2 }],
});
const imagesWith = (convolution: object, pool: string) => ({
  data: { type: 'images', samples: 12, size: 16 },
  layers: [
    { type: 'conv2d', ...convolution }, 'relu', { type: pool, kernel_size: 2, stride: 1 },
    { type: 'conv2d', out_channels: 2, kernel_size: 2 }, 'tanh', { type: pool, kernel_size: 2 }, 'flatten', { type: 'linear', out_features: 10 },
  ],
  loss: 'cross_entropy', batch_size: 4, epochs: 4, precision: 'float64', optimizer: { type: 'sgd', lr: 0.1 },
});
const why = (session: TrainingSession, asked: Omit<Question<'why'>, 'about' | 'sample'>, sample: number | null = null): AnswerTo<'why'> => {
  const { answer } = answerTo(session, { about: 'why', sample, ...asked });
  if (!answer) throw new Error('no answer');
  return answer;
};
const nodesOf = (session: TrainingSession, sample: number | null = null): AnswerTo<'nodes'> => {
  const { answer } = answerTo(session, { about: 'nodes', sample });
  if (!answer) throw new Error('no answer');
  return answer;
};

describe('why a value is what it is', () => {
  it('every sum adds up, at every node and entry of the step', () => {
    fc.assert(fc.property(fc.constantFrom(...layersOf), fc.integer({ min: 1, max: 9 }), fc.nat(7), (middle, steps, row) => {
      const session = sessionOf(deep(middle));
      session.seek(steps);
      const sample = session.batch.order[session.batch.from + (row % session.batch.size)];
      let sums = 0;
      for (const { id, corner } of nodesOf(session, sample).nodes) {
        corner?.cells.forEach((cell, i) => {
          const index = Math.floor(i / corner.columns) * corner.allColumns + (i % corner.columns);
          const { kind, terms, rest, value } = why(session, { node: id, index }, sample);
          expect(value).toBe(cell);
          if (kind !== 'sum') return;
          sums++;
          const sum = terms.reduce((all, term) => all + term.value, rest);
          expect(Math.abs(sum - value)).toBeLessThanOrEqual(1e-12 * Math.max(1, ...terms.map((term) => Math.abs(term.value))));
          for (const term of terms) expect(term.value).toBe(term.factors.reduce((of, factor) => of * factor.value, 1));
        });
      }
      expect(sums).toBeGreaterThan(30);
    }), { numRuns: 24 });
  });

  it('so do those of a convolution, of pooling and of flatten, entry by entry', () => {
    const windows = fc.record({ kernel_size: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), stride: fc.integer({ min: 1, max: 3 }), padding: fc.nat(2) });
    fc.assert(fc.property(windows, fc.constantFrom('max_pool2d', 'avg_pool2d'), fc.integer({ min: 1, max: 4 }), fc.nat(3), fc.nat(), (own, pool, steps, row, seed) => {
      const session = sessionOf(imagesWith({ out_channels: 3, ...own }, pool));
      session.seek(steps);
      const sample = session.batch.order[session.batch.from + row];
      for (const { id, shape } of nodesOf(session, sample).nodes) {
        const size = shape.reduce((a, b) => a * b, 1);
        for (const index of [0, size - 1, seed % size, (7 * seed + 3) % size]) {
          const { kind, terms, of, rest, value } = why(session, { node: id, index }, sample);
          if (id.of === 'output' || (id.of === 'output_gradient' && id.layer < 7) || id.of === 'parameter_gradient') expect(of > 0 || value === 0 || kind === 'sum').toBe(true);
          if (kind !== 'sum') continue;
          const sum = terms.reduce((all, term) => all + term.value, rest);
          expect(Math.abs(sum - value)).toBeLessThanOrEqual(1e-11 * Math.max(1, ...terms.map((term) => Math.abs(term.value))));
          for (const { factors } of terms) for (const factor of factors) {
            if (factor.cell) expect(why(session, factor.cell, factor.sample ?? sample).value).toBe(factor.value);
          }
        }
      }
    }), { numRuns: 12 });
  });

  it.each([
    ['parameter_gradient', { of: 'parameter_gradient', layer: 0, parameter: 'weight' }], ['output', { of: 'output', layer: 0 }], ['output_gradient', { of: 'output_gradient', layer: 2 }],
  ] as const)('of a convolution, %s is a sum', (_, node) => {
    const session = sessionOf(imagesWith({ out_channels: 3, kernel_size: 3, padding: 1 }, 'max_pool2d'));
    session.seek(2);
    const { kind, of } = why(session, { node, index: 20 });
    expect([kind, of > 4]).toEqual(['sum', true]);
  });

  it('each factor can be asked about in turn, down to what is given', () => {
    const session = sessionOf(precise);
    session.seek(4);
    const visited = new Set<string>();
    const visit = (asked: Omit<Question<'why'>, 'about' | 'sample'>): void => {
      const key = JSON.stringify(asked);
      if (visited.has(key) || visited.size > 300) return;
      visited.add(key);
      for (const { factors } of why(session, asked).terms) {
        for (const { cell, value, sample } of factors) {
          if (!cell) continue;
          expect(why(session, cell, sample ?? null).value).toBe(value);
          visit(cell);
        }
      }
    };
    visit({ node: { of: 'parameter_gradient', layer: 0, parameter: 'weight' }, index: 3 });
    expect([...visited].some((key) => key.includes('"target"'))).toBe(true);
    expect([...visited].some((key) => key.includes('"input"'))).toBe(true);
  });

  it('knows nothing of what the step has not computed, or of what does not exist', () => {
    const session = sessionOf(precise);
    session.seek(2, 2);
    const gone = { about: 'why', sample: null } as const;
    expect(answerTo(session, { ...gone, node: { of: 'output_gradient', layer: 0 }, index: 0 }).answer).toBeNull();
    expect(answerTo(session, { ...gone, node: { of: 'output', layer: 9 }, index: 0 }).answer).toBeNull();
    expect(answerTo(session, { ...gone, node: { of: 'parameter', layer: 0, parameter: 'no' }, index: 0 }).answer).toBeNull();
  });
});

describe('local derivatives', () => {
  it.each(layersOf.map((layer) => [typeof layer === 'string' ? layer : layer.type, layer] as const))('of %s are the slopes of its forward pass', (_, middle) => {
    const session = sessionOf(deep(middle));
    session.seek(3);
    const { answer } = answerTo(session, { about: 'jacobian', layer: 1, sample: null });
    if (!answer) throw new Error('no answer');
    const { pass } = session;
    const before = pass.outputs.map(({ data }) => data.slice());
    const [input, output] = [pass.outputs[0].data, pass.outputs[1].data];
    for (let j = 0; j < answer.inputs; j++) {
      const at = input[j];
      const moved = [1e-6, -1e-6].map((h) => {
        input[j] = at + h;
        pass.forward(1);
        return output.slice(0, answer.outputs);
      });
      input[j] = at;
      for (let i = 0; i < answer.outputs; i++) {
        expect(answer.values[i * answer.inputs + j]).toBeCloseTo((moved[0][i] - moved[1][i]) / 2e-6, 8);
      }
    }
    pass.forward(1);
    expect(pass.outputs.map(({ data }) => data)).toEqual(before);
  });

  it('of the courses’ layers are what is written there: 5 where s > 0, else 0', () => {
    const session = sessionOf({ ...precise, layers: [{ type: 'linear', out_features: 3 }, { type: 'relu', scale: 5 }, { type: 'linear', out_features: 2 }] });
    session.seek(1);
    const s = session.pass.outputs[0].data.subarray(0, 3);
    const { answer } = answerTo(session, { about: 'jacobian', layer: 1, sample: null });
    expect([...(answer?.values ?? [])]).toEqual([0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => (i === j && s[i] > 0 ? 5 : 0))));
  });
});

describe('the nodes of a step', () => {
  it('stand in the order in which they come about', () => {
    const session = sessionOf(precise);
    session.seek(1);
    expect(nodesOf(session).nodes.map(({ id }) => `${id.of}${'layer' in id ? id.layer : ''}${'parameter' in id ? id.parameter : ''}`)).toEqual([
      'input', 'parameter0weight', 'parameter0bias', 'output0', 'output1', 'parameter2weight', 'parameter2bias', 'output2', 'target',
      'output_gradient2', 'parameter_gradient2weight', 'parameter_gradient2bias', 'output_gradient1', 'output_gradient0',
      'parameter_gradient0weight', 'parameter_gradient0bias', 'update0weight', 'updated0weight', 'update0bias', 'updated0bias', 'update2weight', 'updated2weight', 'update2bias', 'updated2bias',
    ]);
  });

  it('have the loss’s gradient of the courses: (softmax of the logits less the target) / batch', () => {
    const session = sessionOf(precise);
    session.seek(5);
    const { nodes } = nodesOf(session);
    const cells = (of: string, layer?: number) => [...(nodes.find(({ id }) => id.of === of && (layer === undefined || ('layer' in id && id.layer === layer)))?.corner?.cells ?? [])];
    const [logits, target] = [cells('output', 2), cells('target')];
    const sum = logits.reduce((all, one) => all + Math.exp(one), 0);
    expect(cells('output_gradient', 2)).toBeAllclose(logits.map((one, i) => (Math.exp(one) / sum - target[i]) / session.batch.size), { rtol: 1e-12, atol: 1e-15 });
  });
});

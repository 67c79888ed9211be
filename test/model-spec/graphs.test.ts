// Networks that are more than a chain: what blocks and names of inputs stand for, and what is wrong with their edges.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputsOf } from '../../src/engine/network-graph';
import { fingerprintSpec } from '../../src/model-spec/fingerprint';
import { loadRun } from '../../src/model-spec/load';
import { parseSpec } from '../../src/model-spec/parse';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from '../support/data-files';
import { parseMarkedText } from './marked-text';

const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });
const specOf = (layers: readonly unknown[], loss: unknown = 'cross_entropy'): string =>
  JSON.stringify({ data: { type: 'circles', samples: 40 }, layers, loss, batch_size: 8 });

/** `add1: linear1, tanh1`, one for each layer of a spec without errors. */
function edgesOf(text: string): string[] {
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems[0].message);
  const { layers } = run.model;
  return layers.map(({ name }, i) => {
    const inputs = inputsOf(run.model, i).map((input) => layers[input]?.name ?? 'input');
    return `${name}: ${inputs.join(', ')}`;
  });
}

const stateAfter = (text: string, steps = 3): string => {
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems[0].message);
  const session = new TrainingSession(run, text);
  for (let i = 0; i < steps; i++) session.step();
  return session.stateHash();
};

describe('blocks with branches', () => {
  it('a residual block adds its input to its output', () => {
    const residual = { type: 'residual', layers: ['tanh', linear(4)] };
    expect(edgesOf(specOf([linear(4), residual, linear(2)]))).toEqual([
      'linear1: input',
      'tanh1: linear1',
      'linear2: tanh1',
      'residual1: linear2, linear1',
      'linear3: residual1',
    ]);
  });

  it('applies a shortcut to the input', () => {
    const residual = { type: 'residual', layers: [linear(3), 'relu'], shortcut: [linear(3)], name: 'block' };
    expect(edgesOf(specOf([residual, linear(2)]))).toEqual([
      'linear1: input',
      'relu1: linear1',
      'linear2: input',
      'block: relu1, linear2',
      'linear3: block',
    ]);
  });

  it('branches are joined in their order, and an empty one passes the input on', () => {
    const parallel = { type: 'parallel', branches: [[linear(3), 'tanh'], [], [linear(1)]], merge: 'concat' };
    const text = specOf([parallel, linear(2)]);
    expect(edgesOf(text)).toEqual([
      'linear1: input',
      'tanh1: linear1',
      'linear2: input',
      'parallel1: tanh1, input, linear2',
      'linear3: parallel1',
    ]);
    expect(loadRun(text, noFiles).run?.model.layers[3].outputShape).toEqual([6]);
  });

  it('blocks hold blocks, and copies refer to their own layers by name', () => {
    const inner = { type: 'residual', layers: [linear(4, { name: 'inner' })], name: 'sum' };
    const gate = { type: 'multiply', inputs: ['sum', 'inner'] };
    const repeat = { type: 'repeat', times: 2, layers: [inner, gate] };
    expect(edgesOf(specOf([linear(4), repeat, linear(2)]))).toEqual([
      'linear1: input',
      'inner1: linear1',
      'sum1: inner1, linear1',
      'multiply1: sum1, inner1',
      'inner2: multiply1',
      'sum2: inner2, multiply1',
      'multiply2: sum2, inner2',
      'linear4: multiply2',
    ]);
  });
});

describe('layers in any order', () => {
  it('are sorted by what they take, and otherwise stay as written', () => {
    const text = specOf([
      linear(3, { name: 'a', inputs: ['input'] }),
      { type: 'add', name: 'sum', inputs: ['a', 'b'] },
      linear(3, { name: 'b', inputs: ['input'] }),
      linear(2, { inputs: ['sum'] }),
    ]);
    expect(edgesOf(text)).toEqual(['a: input', 'b: input', 'sum: a, b', 'linear3: sum']);
  });

  it('train to the same bits as a chain if that is what they are', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('tanh', 'relu', 'sigmoid'), { minLength: 1, maxLength: 4 }), (kinds) => {
        const chain = [linear(3), ...kinds, linear(2)];
        const names = chain.map((_, i) => `layer${i}`);
        const written = chain.map((layer, i) => ({
          ...(typeof layer === 'string' ? { type: layer } : layer),
          name: names[i],
        }));
        const connected = written.map((layer, i) => ({ ...layer, inputs: [names[i - 1] ?? 'input'] }));
        const [plain, graph] = [written, connected].map((layers) => specOf(layers));
        const [a, b] = [plain, graph].map((text) => parseSpec(text).spec);
        expect(a && b && fingerprintSpec(a)).toEqual(b && fingerprintSpec(b));
        expect(stateAfter(graph)).toBe(stateAfter(plain));
      }),
      { numRuns: 10 },
    );
  });

  it('train to the same bits as a residual block if that is what they are', () => {
    const block = specOf([linear(4), { type: 'residual', layers: ['tanh', linear(4)], name: 'sum' }, linear(2)]);
    const byName = specOf([
      linear(4),
      'tanh',
      linear(4),
      { type: 'add', inputs: ['linear2', 'linear1'], name: 'sum' },
      linear(2),
    ]);
    expect(stateAfter(block)).toBe(stateAfter(byName));
  });
});

describe('shared parameters', () => {
  const sharing = (share: string, more: object = {}): string =>
    specOf([
      linear(3, { name: 'a' }),
      'tanh',
      linear(3, { name: 'b', in_features: 3 }),
      linear(3, { share, ...more }),
      linear(2),
    ]);

  it.each([
    ['b', { weight: 2, bias: 2 }],
    ['b.weight', { weight: 2 }],
  ])('"share": "%s" takes these', (share, expected) => {
    const { run } = loadRun(sharing(share), noFiles);
    expect(run?.model.layers[3].sharedParameters).toEqual(expected);
  });

  it('belong to their first owner, however often they are passed on', () => {
    const text = specOf([
      linear(2, { name: 'a' }),
      linear(2, { name: 'b', share: 'a' }),
      linear(2, { share: 'b.bias' }),
    ]);
    const { run } = loadRun(text, noFiles);
    expect(run?.model.layers.map(({ sharedParameters }) => sharedParameters)).toEqual([
      undefined,
      { weight: 0, bias: 0 },
      { bias: 0 },
    ]);
  });
});

describe('a problem with an edge', () => {
  const spec = (layers: string): string => `{ "data": "circles", "layers": [${layers}], "loss": "cross_entropy" }`;

  it.each([
    ['unknown-layer', '{ "type": "add", "inputs": ["linear1", «"tahn1"»] }'],
    [
      'unused-layer',
      '«{ "type": "linear", "out_features": 2, "inputs": ["tanh1"] }», { "type": "relu", "inputs": ["tanh1"] }',
    ],
    [
      'cycle',
      '{ "type": "add", "name": "a", "inputs": ["linear1", "b"] }, { "type": "relu", "name": "b", "inputs": [«"a"»] }',
    ],
    ['cycle', '{ "type": "relu", "name": "a", "inputs": [«"a"»] }'],
    ['input-count', '«"add"»'],
    ['input-count', '{ "type": "relu", "inputs": «["linear1", "tanh1"]» }'],
    ['input-count', '{ "type": "subtract", "inputs": «["linear1", "tanh1", "tanh1"]» }'],
    ['shape-mismatch', '{ "type": "add", "inputs": ["tanh1", «"input"»] }'],
    ['shape-mismatch', '{ "type": «"residual"», "layers": [{ "type": "linear", "out_features": 5 }] }'],
    [
      'shape-mismatch',
      '{ "type": "residual", "layers": ["relu"], "shortcut": «[{ "type": "linear", "out_features": 5 }]» }',
    ],
    [
      'shape-mismatch',
      '{ "type": "parallel", "branches": [[], [{ "type": "linear", "out_features": 5 }]], "merge": «"add"» }',
    ],
    ['unknown-layer', '{ "type": "linear", "out_features": 3, "share": «"linaer1"» }'],
    ['unknown-parameter', '{ "type": "linear", "out_features": 3, "share": «"linear1.wieght"» }'],
    ['shape-mismatch', '{ "type": "linear", "out_features": 3, "share": «"linear1"» }'],
    ['nothing-shared', '{ "type": "relu", "share": «"linear1"» }'],
    ['share-order', '{ "type": "linear", "out_features": 3, "name": "self", "share": «"self"» }'],
    ['shared-values', '{ "type": "linear", "share": "linear1.bias", "out_features": 3, "bias": «[1, 2, 3]» }'],
    ['unknown-parameter', '{ "type": "linear", "out_features": 3, "share": "linear1.bias", "freeze": [«"bias"»] }'],
  ])('%s has its place', (code, layers) => {
    const { text, start, end } = parseMarkedText(
      spec(
        `{ "type": "linear", "out_features": 3 }, "tanh", ${layers}, { "type": "linear", "out_features": 2, "name": "last" }`,
      ),
    );
    const problems = loadRun(text, noFiles).problems.filter(({ severity }) => severity === 'error');
    expect(problems.map((problem) => [problem.code, problem.start, problem.end])).toEqual([[code, start, end]]);
  });

  it('names both ends and both shapes', () => {
    const [{ message }] = loadRun(
      spec('{ "type": "linear", "out_features": 3 }, { "type": "add", "inputs": ["linear1", "input"] }'),
      noFiles,
    ).problems;
    for (const word of ['add1', 'linear1', '3', 'the data', '2']) expect(message).toContain(word);
  });

  it('shows a cycle as a path', () => {
    const [{ message }] = parseSpec(
      spec(
        '{ "type": "add", "name": "a", "inputs": ["input", "c"] }, { "type": "relu", "name": "b", "inputs": ["a"] }, ' +
          '{ "type": "tanh", "name": "c", "inputs": ["b"] }',
      ),
    ).problems;
    expect(message).toMatch(/(a → b → c → a|b → c → a → b|c → a → b → c)/);
  });

  it('suggests the nearest name', () => {
    const [{ replacement }] = parseSpec(
      spec('{ "type": "linear", "out_features": 3 }, { "type": "relu", "inputs": ["linaer1"] }'),
    ).problems;
    expect(replacement).toBe('"linear1"');
  });

  it('of any kind leaves a spec without an exception', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'linear1', 'input', 'nothing', 'a.weight');
    const layer = fc.record(
      {
        type: fc.constantFrom('linear', 'tanh', 'add', 'concat', 'matmul', 'multiply', 'flatten'),
        name: fc.constantFrom('a', 'b', 'c', undefined),
        inputs: fc.option(fc.array(names, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 }),
        share: fc.option(names, { nil: undefined, freq: 4 }),
        out_features: fc.constantFrom(2, 3),
      },
      { requiredKeys: ['type'] },
    );
    const block = fc.oneof(
      fc.record({ type: fc.constant('residual'), layers: fc.array(layer, { minLength: 1, maxLength: 2 }) }),
      fc.record({
        type: fc.constant('parallel'),
        branches: fc.array(fc.array(layer, { maxLength: 2 }), { minLength: 2, maxLength: 3 }),
        merge: fc.constantFrom('add', 'concat', 'multiply'),
      }),
      fc.record({
        type: fc.constant('repeat'),
        times: fc.constant(2),
        layers: fc.array(layer, { minLength: 1, maxLength: 2 }),
      }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(fc.oneof(layer, block), { maxLength: 5 }), (layers) => {
        const text = specOf([
          ...layers.map((each) =>
            each.type === 'linear'
              ? each
              : Object.fromEntries(Object.entries(each).filter(([key]) => key !== 'out_features')),
          ),
          linear(2, { name: 'last' }),
        ]);
        const { run, problems } = loadRun(text, noFiles);
        expect(run !== undefined || problems.some(({ severity }) => severity === 'error')).toBe(true);
        if (!run) return;
        accepted++;
        const session = new TrainingSession(run, text);
        session.step(true);
        session.evaluate();
      }),
      { numRuns: 400, seed: 11 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

// Data with several named inputs: from the options to what layers read, and the problems at their places.
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../src/engine/datasets/safetensors-format';
import { GradientCheck } from '../../src/gradcheck';
import { loadRun } from '../../src/model-spec/load';
import { TrainingSession } from '../../src/session/session';
import { inMemoryFiles } from '../support/data-files';

const ROWS = 12;
const CSV = ['a,b,c,d,y', ...Array.from({ length: ROWS }, (_, i) => `${i},${i * i},${-i},${i % 3},${i / 4}`)].join(
  '\n',
);

const array = (name: string, shape: readonly number[], value: (i: number) => number) => ({
  name,
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});
const ARRAYS = writeSafetensors([
  array('words', [ROWS, 3], (i) => i % 4),
  array('figures', [ROWS, 2, 2], (i) => Math.sin(i)),
  array('y', [ROWS, 1], (i) => Math.cos(i)),
]);
const files = inMemoryFiles({ 'd.csv': CSV, 'd.safetensors': ARRAYS });

const csv = (inputs: unknown) => ({ type: 'csv', path: 'd.csv', inputs, target: 'y', task: 'values' });
const arrays = (inputs: unknown, more: object = {}) => ({
  type: 'safetensors',
  path: 'd.safetensors',
  inputs,
  targets: 'y',
  ...more,
});
const out = { type: 'linear', out_features: 1, name: 'out' };

function load(data: object, layers: readonly object[]) {
  const text = JSON.stringify({ data, layers, loss: 'mse', precision: 'float64', batch_size: 4, epochs: 5 });
  return { ...loadRun(text, files), text };
}

function open(data: object, layers: readonly object[]): TrainingSession {
  const { run, problems, text } = load(data, layers);
  if (!run) throw new Error(problems[0]?.message);
  return new TrainingSession(run, text, { checkpointInterval: 2 });
}

const TOWERS = [
  { type: 'linear', out_features: 2, inputs: ['left'], name: 'l' },
  { type: 'linear', out_features: 2, inputs: ['right'], name: 'r' },
  { type: 'multiply', inputs: ['l', 'r'] },
  out,
];
const MANY = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`n${i}`, ['a']]));
/** Text and numbers. */
const MIXED = [
  { type: 'embedding', num_embeddings: 4, embedding_dim: 2, padding_idx: 3, inputs: ['text'], name: 'words' },
  { type: 'gru', hidden_size: 2, bidirectional: true, padding_idx: 3, name: 'read' },
  { type: 'flatten', inputs: ['numbers'], name: 'flat' },
  { type: 'concat', inputs: ['read', 'flat'] },
  out,
];

describe('columns of a table', () => {
  it('are read by name, in the order of their list', () => {
    const session = open(csv({ left: ['d', 'a'], right: ['b'] }), TOWERS);
    session.step();
    const { input, outputs } = session.pass;
    expect(input.shape).toEqual([4, 3]);
    expect(session.model.layers.slice(0, 2).map(({ name, outputShape }) => [name, outputShape])).toEqual([
      ['left', [2]],
      ['right', [1]],
    ]);
    const rows = Array.from({ length: 4 }, (_, i) => [...input.data.subarray(3 * i, 3 * i + 3)]);
    for (const [d, a, b] of rows) expect([d, b]).toEqual([a % 3, a * a]);
    expect([...outputs[0].data]).toEqual(rows.flatMap(([d, a]) => [d, a]));
    expect([...outputs[1].data]).toEqual(rows.map(([, , b]) => b));
  });

  it('are each a part of "input", which still takes all', () => {
    const session = open(csv({ left: [1, 2], right: ['c'] }), [
      { type: 'concat', inputs: ['left', 'right'], name: 'joined' },
      { type: 'subtract', inputs: ['joined', 'input'], name: 'nothing' },
      out,
    ]);
    session.step();
    expect([...session.pass.outputs[3].data]).toEqual(Array<number>(12).fill(0));
  });

  it.each([
    ['a column that does not exist', csv({ left: ['a'], right: ['zz'] }), TOWERS, 'data', '"zz"'],
    ['the target among them', csv({ left: ['a'], right: ['b', 'y'] }), TOWERS, 'data', '"y"'],
    ['an input that no layer takes', csv({ left: ['a'], right: ['b'], more: ['c'] }), TOWERS, 'unused-layer', '["c"]'],
    [
      'a layer of the same name',
      csv({ left: ['a'], right: ['b'] }),
      [{ ...TOWERS[0], name: 'left' }, ...TOWERS.slice(1)],
      'duplicate-name',
      '"left"',
    ],
    ['a name that does not exist', csv({ left: ['a'], rihgt: ['b'] }), TOWERS, 'unknown-layer', '"right"'],
    ['an empty list', csv({ left: [], right: ['b'] }), TOWERS, 'out-of-range', '[]'],
    ['the name of all inputs', csv({ input: ['a'], right: ['b'] }), TOWERS, 'duplicate-name', '"input"'],
    ['an empty name', csv({ '': ['a'], right: ['b'] }), TOWERS, 'out-of-range', '""'],
    ['a long name', csv({ ['n'.repeat(101)]: ['a'] }), TOWERS, 'out-of-range', JSON.stringify('n'.repeat(101))],
    ['more inputs than 100', csv(MANY), TOWERS, 'out-of-range', JSON.stringify(MANY)],
  ])('%s is a problem at its place', (_what, data, layers, code, at) => {
    const { problems, run, text } = load(data, layers);
    expect(run).toBeUndefined();
    const problem = problems.find((each) => each.code === code);
    expect(problems.map((each) => each.code)).toContain(code);
    expect(text.slice(problem?.start, problem?.end)).toBe(at);
  });
});

describe('arrays of several shapes', () => {
  const data = arrays({ text: 'words', numbers: 'figures' });

  it('keep their shapes', () => {
    const session = open(data, MIXED);
    expect(session.model.layers.slice(0, 2).map(({ outputShape }) => outputShape)).toEqual([[3], [2, 2]]);
    expect(session.run.dataset.inputShape).toEqual([7]);
    const row = session.run.dataset.inputs.subarray(7, 14);
    expect([...row]).toEqual([3, 0, 1, ...[4, 5, 6, 7].map(Math.sin)]);
  });

  it('are checked at every entry, with padding and indices, and go back bit for bit', () => {
    const session = open(data, MIXED);
    const hashes = Array.from({ length: 5 }, (_, i) => {
      if (i > 0) session.step();
      return session.stateHash();
    });
    for (const step of [1, 3, 0, 4]) {
      session.seek(step);
      expect(session.stateHash()).toBe(hashes[step]);
    }
    const { network, run } = session;
    const check = new GradientCheck({ network, pass: session.passToCheck(), step: 4, options: run.gradientCheck });
    while (check.advance(1000));
    const { counts, checked, entries } = check.report();
    expect([counts.wrong, checked]).toEqual([0, entries]);
  });

  it('say once that samples with missing values are dropped', () => {
    const gaps = writeSafetensors([
      array('words', [ROWS, 3], (i) => i % 4),
      array('figures', [ROWS, 2, 2], (i) => (i === 5 ? NaN : i)),
      array('y', [ROWS, 1], (i) => i),
    ]);
    const text = JSON.stringify({ data: { ...data, missing: 'drop' }, layers: MIXED, loss: 'mse' });
    const { run } = loadRun(text, inMemoryFiles({ 'd.safetensors': gaps }));
    expect(run?.dataset.samples).toBe(ROWS - 1);
    expect(run?.dataset.notes?.map(({ code }) => code)).toEqual(['rows-dropped']);
  });

  it('hold an index that a layer does not have at the name of the input', () => {
    const [words, ...rest] = MIXED;
    const { problems, text } = load(data, [{ ...words, num_embeddings: 3, padding_idx: 2 }, ...rest]);
    expect(problems.map(({ code, start, end }) => [code, text.slice(start, end)])).toEqual([['data', '"words"']]);
  });
});

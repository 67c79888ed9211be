// Compiled runs: splits, batches and targets follow the spec and the seed.
import { describe, expect, it } from 'vitest';
import type { DataFiles } from '../../src/engine/datasets/data-file';
import { Random } from '../../src/engine/random';
import type { CompiledRun } from '../../src/model-spec/compiled-run';
import { loadRun } from '../../src/model-spec/load';
import { inputsInPrecision } from '../../src/session/batches';
import { TrainingSession } from '../../src/session/session';
import { inMemoryFiles, noFiles } from '../support/data-files';
import { compileRun } from '../support/session-fixtures';
import { expectSingleProblem, parseMarkedText, specText } from './marked-text';

function run(text: string, files: DataFiles = noFiles): CompiledRun {
  const loaded = loadRun(text, files);
  expect(loaded.problems).toEqual([]);
  return loaded.run!;
}

describe('the split', () => {
  it('puts every sample into one split, in the order of the data', () => {
    const { split, dataset } = run(specText());
    expect([split.train.length, split.validation.length, split.test.length]).toEqual([240, 80, 80]);
    const all = [...split.train, ...split.validation, ...split.test];
    expect(new Set(all).size).toBe(dataset.samples);
    for (const part of Object.values(split)) expect([...part]).toEqual([...part].sort((a, b) => a - b));
  });

  it('follows from the seed', () => {
    const parts = (seed: number) => [...run(specText({ seed: String(seed) })).split.test];
    expect(parts(1)).toEqual(parts(1));
    expect(parts(1)).not.toEqual(parts(2));
  });

  it('is random, not contiguous', () => {
    const { split } = run(specText());
    expect([...split.test]).not.toEqual(Array.from({ length: 80 }, (_, i) => i));
  });

  it('trains on everything, in order, if nothing is held out', () => {
    const { split } = run(
      specText({ data: '{ "type": "circles", "samples": 10, "split": { "validation": 0, "test": 0 } }' }),
    );
    expect([...split.train]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(split.validation).toHaveLength(0);
    expect(split.test).toHaveLength(0);
  });

  it('holds out at least one sample for a share above 0', () => {
    const { split } = run(specText({ data: '{ "type": "xor", "split": { "validation": 0.1 } }' }));
    expect([split.train.length, split.validation.length]).toEqual([3, 1]);
  });
});

describe('batches', () => {
  it.each([
    ['the default', specText(), 32, true],
    ['online', specText({ batch_size: '1' }), 1, true],
    ['a full batch, never shuffled', specText({ batch_size: '"full"' }), 240, false],
    ['more than there are samples', specText({ batch_size: '1000' }), 240, false],
    ['no shuffling', specText({ shuffle: 'false' }), 32, false],
  ])('%s', (_what, text, batchSize, shuffle) => {
    expect(run(text)).toMatchObject({ batchSize, shuffle });
  });
});

describe('targets', () => {
  it('are one-hot rows for classes', () => {
    const { targets, targetWidth, labels, dataset } = run(specText());
    expect(targetWidth).toBe(2);
    expect(labels).toEqual(['outer', 'inner']);
    expect(targets).toHaveLength(800);
    for (let i = 0; i < dataset.samples; i++) {
      expect([targets[2 * i], targets[2 * i + 1]]).toEqual(dataset.targets[i] === 0 ? [1, 0] : [0, 1]);
    }
  });

  it('are one column for two classes and one output', () => {
    const { targets, targetWidth } = run(
      specText({ data: '"xor"', layers: '[{ "type": "linear", "out_features": 1 }]', loss: '"bce_with_logits"' }),
    );
    expect(targetWidth).toBe(1);
    expect([...targets]).toEqual([0, 1, 1, 0]);
  });

  it('are the values themselves', () => {
    const { targets, labels } = run(
      specText({ data: '{ "type": "inline", "inputs": [[1], [2]], "targets": [[3, 4], [5, 6]] }', loss: '"mse"' }),
    );
    expect([...targets]).toEqual([3, 4, 5, 6]);
    expect(labels).toBeNull();
  });

  it('may be probabilities under cross-entropy', () => {
    const { targets } = run(specText({ data: '{ "type": "inline", "inputs": [[1]], "targets": [[0.25, 0.75]] }' }));
    expect([...targets]).toEqual([0.25, 0.75]);
  });

  it('that are not probabilities are rejected under cross-entropy', () => {
    const mark = parseMarkedText(
      specText({ data: '{ "type": "inline", "inputs": [[1], [2]], "targets": [[0.5, 0.5], «[0.5, 0.6]»] }' }),
    );
    expectSingleProblem(loadRun(mark.text, noFiles).problems, mark, {
      code: 'data',
      mentions: ['2', '1.1', 'cross_entropy', '1'],
      remedyMentions: ['"mse"'],
    });
  });

  it('outside 0 to 1 are rejected under binary cross-entropy', () => {
    const mark = parseMarkedText(
      specText({
        data: '{ "type": "inline", "inputs": [[1], [2]], "targets": [1, «2»] }',
        layers: '[{ "type": "linear", "out_features": 1 }]',
        loss: '"bce_with_logits"',
      }),
    );
    expectSingleProblem(loadRun(mark.text, noFiles).problems, mark, {
      code: 'data',
      mentions: ['2'],
      remedyMentions: ['"mse"'],
    });
  });
});

describe('loadRun', () => {
  it('draws the data from the stream "data" of the seed', () => {
    const { dataset } = run(
      specText({ data: '"noisy_sine"', layers: '[{ "type": "linear", "out_features": 1 }]', loss: '"mse"', seed: '7' }),
    );
    expect(dataset.inputs[0]).toBe(new Random(7, 'data').uniform(-1, 1));
  });

  it('predicts the memory that a session then takes', () => {
    const compiled = run(specText({ optimizer: '{ "type": "sgd", "momentum": 0.9 }' }));
    const session = new TrainingSession(compiled, specText());
    expect(compiled.memory).toBe(session.network.memoryBytes + 400 * (2 + 1 + 2) * 8);
  });

  it.each(['float32', 'float64'])(
    'also of wide inputs, which in float32 are kept a second time as the network takes them: %s',
    (precision) => {
      const compiled = compileRun({
        data: { type: 'images', samples: 40 },
        layers: ['flatten', { type: 'linear', out_features: 10 }],
        loss: 'cross_entropy',
        optimizer: { type: 'sgd', lr: 0.1 },
        batch_size: 8,
        epochs: 1,
        precision,
      });
      const { inputs } = compiled.dataset;
      const kept = inputsInPrecision(compiled.dataset, compiled.precision);
      expect(kept.BYTES_PER_ELEMENT).toBe(precision === 'float32' ? 4 : 8);
      const session = new TrainingSession(compiled, '');
      expect(compiled.memory).toBe(
        session.network.memoryBytes + inputs.byteLength + (kept === inputs ? 0 : kept.byteLength) + 40 * (1 + 10) * 8,
      );
    },
  );

  it('reads a CSV file through the given files', () => {
    const { dataset, labels, model } = run(
      specText({ data: '{ "type": "csv", "path": "points.csv", "task": "classes" }' }),
      inMemoryFiles({ 'points.csv': 'a,b,c,kind\n1,2,3,x\n4,5,6,y\n7,8,9,x\n' }),
    );
    expect(model.inputShape).toEqual([3]);
    expect(dataset.samples).toBe(3);
    expect(labels).toEqual(['x', 'y']);
  });

  it.each([
    ['a file that cannot be had', '{ "type": "csv", "path": «"points.csv"» }', null, ['"points.csv"']],
    [
      'a column that is not there',
      '{ "type": "csv", "path": "points.csv", "target": «"kin\\"d"» }',
      'a,"kin""ds"\n1,x\n2,y\n',
      ['kin"d'],
      '"kin\\"ds"',
    ],
    [
      'an input column that is not there',
      '{ "type": "csv", "path": "points.csv", "inputs": ["a", «7»] }',
      'a,b,kind\n1,2,x\n2,3,y\n',
      ['7', '3'],
    ],
    ['a ragged row', '{ "type": "csv", "path": «"points.csv"» }', 'a,kind\n1,x\n2\n', ['3', '1', '2']],
    ['text in numbers', '{ "type": "csv", "path": «"points.csv"» }', 'a,kind\n1,x\ntwo,y\n', ['3', '1', '"two"']],
    [
      'a label out of range',
      '{ "type": "csv", "path": «"points.csv"», "classes": 2 }',
      'a,kind\n1,0\n2,5\n',
      ['3', '2', '5'],
    ],
  ] as const)('reports %s at its range', (_what, data, file, mentions, replacement?: string) => {
    const mark = parseMarkedText(specText({ data }));
    const files = inMemoryFiles(file === null ? {} : { 'points.csv': file });
    const { run: compiled, spec, problems } = loadRun(mark.text, files);
    expect(compiled).toBeUndefined();
    expect(spec).toBeDefined();
    expectSingleProblem(problems, mark, { code: 'data', mentions, ...(replacement && { replacement }) });
  });

  it('does not report an internal error as a problem of the text', () => {
    const broken: DataFiles = {
      ...noFiles,
      open: () => {
        throw new TypeError('a bug');
      },
    };
    expect(() => loadRun(specText({ data: '{ "type": "csv", "path": "points.csv" }' }), broken)).toThrow('a bug');
  });
});

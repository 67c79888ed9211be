// Shapes, losses and memory: valid ones are inferred once, invalid ones are rejected at their exact range.
import { describe, expect, it } from 'vitest';
import { checkSpec } from '../../src/model-spec/load';
import { formatBytes } from '../../src/model-spec/memory';
import { noFiles } from '../support/data-files';
import { type ExpectedProblem, expectMentions, expectSingleProblem, parseMarkedText, specText } from './marked-text';

const check = (text: string) => checkSpec(text, noFiles);

interface Case extends ExpectedProblem {
  readonly what: string;
  readonly text: string;
}

const values = '{ "type": "inline", "inputs": [[1, 2], [3, 4]], "targets": [[1, 2], [3, 4]] }';
const threeClasses = '{ "type": "inline", "inputs": [[1], [2], [3]], "labels": ["a", "b", "c"] }';
const images = '{ "type": "images", "classes": 2, "size": 8 }';
const linear = (out: string | number, more = ''): string => `{ "type": "linear", "out_features": ${out}${more} }`;

const cases: readonly Case[] = [
  // Shapes.
  {
    what: 'in_features that the layer before does not give',
    text: specText({ layers: `[${linear(3)}, "tanh", ${linear(2, ', "in_features": «4»')}]` }),
    code: 'shape-mismatch',
    mentions: ['linear2', '4', 'tanh1', '3'],
    remedyMentions: ['linear2', '3', 'linear1', '4'],
  },
  {
    what: 'weights that the data does not fit',
    text: specText({ layers: `[{ "type": "linear", "weight": «[[1], [2]]» }]` }),
    code: 'shape-mismatch',
    mentions: ['linear1', '1', '2'],
    remedyMentions: ['"weight"', 'linear1', '2'],
  },
  {
    what: 'names of its own in a mismatch',
    text: specText({
      layers: `[${linear(3, ', "name": "hidden"')}, ${linear(2, ', "name": "out", "in_features": «5»')}]`,
    }),
    code: 'shape-mismatch',
    mentions: ['5', '3'],
    remedyMentions: ['3', '5'],
  },
  {
    what: 'a parameter to freeze that is not there',
    text: specText({ layers: `[${linear(2, ', "freeze": ["bias", «"wieght"»]')}]` }),
    code: 'unknown-parameter',
    mentions: ['linear1', '"wieght"'],
    replacement: '"weight"',
  },
  {
    what: 'freezing what has no parameters',
    text: specText({ layers: `[${linear(2)}, { "type": "tanh", "freeze": [«"weight"»] }]` }),
    code: 'unknown-parameter',
    mentions: ['tanh1'],
    remedyMentions: ['"freeze"'],
  },

  // Images.
  {
    what: 'a convolution of plain numbers',
    text: specText({ layers: '[«{ "type": "conv2d", "out_channels": 2, "kernel_size": 3 }», "flatten"]' }),
    code: 'shape-mismatch',
    mentions: ['2', '1'],
  },
  {
    what: 'a window that is larger than the image with its padding',
    text: specText({
      data: images,
      layers:
        '[{ "type": "max_pool2d", "kernel_size": 3 }, { "type": "conv2d", "out_channels": 2, "kernel_size": «[3, 5]», "padding": [0, 1] }, "flatten"]',
    }),
    code: 'shape-mismatch',
    mentions: ['2', '1', '3', '5', 'max_pool2d1'],
    remedyMentions: ['"kernel_size"', '"padding"'],
  },
  {
    what: 'channels that the layer before does not give',
    text: specText({
      data: images,
      layers: '[{ "type": "conv2d", "in_channels": «1», "out_channels": 2, "kernel_size": 3 }, "flatten"]',
    }),
    code: 'shape-mismatch',
    mentions: ['2', '1', '3', '8'],
    remedyMentions: ['"in_channels"'],
  },
  {
    what: 'a linear layer on images',
    text: specText({ data: images, layers: `[«${linear(2)}»]` }),
    code: 'shape-mismatch',
    mentions: ['linear1', '3', '8'],
    remedyMentions: ['"flatten"'],
  },
  {
    what: 'images into the loss',
    text: specText({ data: images, layers: '[«{ "type": "conv2d", "out_channels": 2, "kernel_size": 8 }»]' }),
    code: 'loss-mismatch',
    mentions: ['cross_entropy', '2', '1'],
    remedyMentions: ['"flatten"'],
  },
  {
    what: 'more outputs of a convolution than classes',
    text: specText({
      data: images,
      layers: '[{ "type": "conv2d", "out_channels": 3, "kernel_size": 8 }, «"flatten"»]',
    }),
    code: 'loss-mismatch',
    mentions: ['cross_entropy', '2', 'flatten1', '3'],
    remedyMentions: ['"type"', '"linear"', '"out_features"', '2'],
  },

  // Loss and targets.
  {
    what: 'more outputs than classes',
    text: specText({ layers: `[${linear('«3»')}]` }),
    code: 'loss-mismatch',
    mentions: ['cross_entropy', '2', 'linear1', '3'],
    remedyMentions: ['linear1', '2'],
  },
  {
    what: 'a single output for cross_entropy',
    text: specText({ layers: `[${linear('«1»')}, "tanh"]` }),
    code: 'loss-mismatch',
    mentions: ['2', 'tanh1', '1'],
    remedyMentions: ['linear1', '2', '"bce_with_logits"'],
  },
  {
    what: 'one output for three classes',
    text: specText({ data: threeClasses, layers: `[${linear('«1»')}, "sigmoid"]`, loss: '"bce"' }),
    code: 'loss-mismatch',
    mentions: ['3', 'sigmoid1', '1'],
    remedyMentions: ['linear1', '3'],
  },
  {
    what: 'three outputs for two classes in a squared error',
    text: specText({ layers: `[${linear('«3»')}]`, loss: '"mse"' }),
    code: 'loss-mismatch',
    mentions: ['2', 'linear1', '3'],
    remedyMentions: ['linear1', '2', '1'],
  },
  {
    what: 'fewer outputs than values',
    text: specText({ data: values, layers: `[${linear('«1»')}]`, loss: '"mse"' }),
    code: 'loss-mismatch',
    mentions: ['2', 'linear1', '1'],
    remedyMentions: ['linear1', '2'],
  },
  {
    what: 'values under a loss for classes',
    text: specText({ data: '"noisy_sine"', layers: `[${linear(2)}]`, loss: '«"cross_entropy"»' }),
    code: 'loss-needs-classes',
    mentions: ['cross_entropy'],
    remedyMentions: ['"mse"'],
  },
  {
    what: 'activations alone, of the wrong size',
    text: specText({ data: '"noisy_sine"', layers: '["tanh", «"softmax"»]', loss: '"mse"' }).replace(
      '"noisy_sine"',
      values.replace(', 2], [3, 4]], "t', '], [3]], "t'),
    ),
    code: 'loss-mismatch',
    mentions: ['2', 'softmax1', '1'],
    remedyMentions: ['"type"', '"linear"', '"out_features"', '2'],
  },

  // Data.
  {
    what: 'a split that leaves nothing to train on',
    text: specText({ data: '{ "type": "circles", "samples": 2, "split": «{ "validation": 0.2, "test": 0.2 }» }' }),
    code: 'empty-train',
    mentions: ['2', '1'],
  },
  {
    what: 'labels out of range',
    text: specText({ data: '{ "type": "inline", "inputs": [[1], [2]], "labels": [0, «2»], "classes": 2 }' }),
    code: 'data',
    mentions: ['2', '0', '1'],
    remedyMentions: ['"classes"'],
  },
  {
    what: 'labels of which all are the same',
    text: specText({ data: '{ "type": "inline", "inputs": [[1], [2]], "labels": [«"a"», "a"] }' }),
    code: 'data',
    mentions: ['"a"'],
  },

  // Memory, predicted before anything is allocated.
  {
    what: 'a billion units',
    text: specText({ layers: `[${linear('«1e9»')}, "tanh", ${linear(2)}]` }),
    code: 'too-large',
    // 5e9 weights thrice, and 2e9 activations in 32 rows twice and in 240 rows once, 4 bytes each: 2.49e12 bytes.
    mentions: ['2.3 TB', '1.0 GB'],
  },
  {
    what: 'a billion units after a wide layer',
    text: specText({ layers: `[${linear(100)}, ${linear('«1000000000»')}, ${linear(2)}]`, batch_size: '1' }),
    code: 'too-large',
    mentions: ['1.0 GB'],
  },
  {
    what: 'the largest whole number of units',
    text: specText({ layers: `[${linear('«9007199254740991»')}, ${linear('9007199254740991')}, ${linear(2)}]` }),
    code: 'too-large',
    mentions: ['1.0 GB'],
  },
  {
    what: 'a billion samples',
    text: specText({ data: '{ "type": "circles", "samples": «1e9» }' }),
    code: 'too-large',
    mentions: ['37.3 GB', '1.0 GB'],
  },
  {
    what: 'a billion samples of XOR at once',
    text: specText({ data: '{ "type": "xor", "samples": «1e9» }', batch_size: '1' }),
    code: 'too-large',
    mentions: ['1.0 GB'],
  },
  {
    what: 'a batch with too many activations',
    text: specText({
      data: '{ "type": "circles", "samples": 1e6 }',
      layers: `[${linear(500)}, "tanh", ${linear(2)}]`,
      batch_size: '«"full"»',
    }),
    code: 'too-large',
    mentions: ['1.0 GB'],
  },
];

describe('checkSpec', () => {
  it.each(cases)('rejects $what', ({ text: source, ...expected }) => {
    const mark = parseMarkedText(source);
    const { resolved, problems } = check(mark.text);
    expect(resolved).toBeUndefined();
    expectSingleProblem(problems, mark, expected);
  });

  it('reports every mismatch at once, each relative to the declared output', () => {
    const { problems } = check(
      specText({ layers: `[${linear(3, ', "in_features": 5')}, ${linear(2, ', "in_features": 4')}]` }),
    );
    expect(problems.map(({ code }) => code)).toEqual(['shape-mismatch', 'shape-mismatch']);
    expectMentions(problems[0].message, ['linear1', '5', '2']);
    expectMentions(problems[1].message, ['linear2', '4', 'linear1', '3']);
  });

  it.each([
    ['classes, one output each', specText(), 'one_hot', 2],
    ['classes in a squared error', specText({ loss: '"mse"' }), 'one_hot', 2],
    ['two classes in one column', specText({ layers: `[${linear(1)}]`, loss: '"bce_with_logits"' }), 'column', 1],
    [
      'two classes in one column of a squared error',
      specText({ layers: `[${linear(1)}]`, loss: '"mse"' }),
      'column',
      1,
    ],
    ['values', specText({ data: values, loss: '"mse"' }), 'values', 2],
  ])('accepts %s', (_what, text, encoding, targetWidth) => {
    const { resolved, problems } = check(text);
    expect(problems).toEqual([]);
    expect(resolved).toMatchObject({ encoding, targetWidth });
  });

  it('infers the shapes of every layer', () => {
    const { resolved } = check(specText());
    expect(resolved!.model.layers.map(({ name, inputShape, outputShape }) => [name, inputShape, outputShape])).toEqual([
      ['linear1', [2], [4]],
      ['tanh1', [4], [4]],
      ['linear2', [4], [2]],
    ]);
    expect(resolved!.samples).toEqual({ train: 240, validation: 80, test: 80 });
  });

  it('accepts a larger limit', () => {
    const text = specText({ data: '{ "type": "circles", "samples": 4e7 }' });
    expect(checkSpec(text, noFiles).problems.map(({ code }) => code)).toEqual(['too-large']);
    expect(checkSpec(text, noFiles, { memoryLimit: 2 ** 32 }).problems).toEqual([]);
  });

  it('generates no data to check a spec', () => {
    // A quarter of a billion samples would be ten gigabytes, more than a typed array can hold.
    const { resolved } = checkSpec(specText({ data: '{ "type": "circles", "samples": 250000000 }' }), noFiles, {
      memoryLimit: 2 ** 40,
    });
    expect(resolved!.memory).toBeGreaterThan(250e6 * 5 * 8);
    expect(resolved!.memory).toBeLessThan(250e6 * 5 * 8 * 1.01);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1.0 KB'],
    [2 ** 30, '1.0 GB'],
    [8 * 2 ** 30, '8.0 GB'],
    [300 * 2 ** 20, '300 MB'],
  ])('%d is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

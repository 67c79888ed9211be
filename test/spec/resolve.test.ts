// Shapes, losses and memory: what fits is inferred once, what does not is refused at its exact range.
import { describe, expect, it } from 'vitest';
import { checkSpec } from '../../src/spec/load';
import { formatBytes } from '../../src/spec/memory';
import { noFiles } from '../support/files';
import { type Expected, expectOnly, marked, specText } from './marked';

const check = (text: string) => checkSpec(text, noFiles);

interface Case extends Expected {
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
    message: 'linear2 expects 4 inputs, but tanh1 gives 3.',
    remedy: 'Make linear2 take 3, or make linear1 give 4.',
  },
  {
    what: 'weights that the data does not fit',
    text: specText({ layers: `[{ "type": "linear", "weight": «[[1], [2]]» }]` }),
    code: 'shape-mismatch',
    message: 'linear1 expects 1 input, but the data gives 2.',
    remedy: 'Give each row of "weight" in linear1 2 numbers.',
  },
  {
    what: 'names of its own in a mismatch',
    text: specText({ layers: `[${linear(3, ', "name": "hidden"')}, ${linear(2, ', "name": "out", "in_features": «5»')}]` }),
    code: 'shape-mismatch',
    message: 'out expects 5 inputs, but hidden gives 3.',
    remedy: 'Make out take 3, or make hidden give 5.',
  },
  {
    what: 'a parameter to freeze that is not there',
    text: specText({ layers: `[${linear(2, ', "freeze": ["bias", «"wieght"»]')}]` }),
    code: 'unknown-parameter',
    message: 'linear1 has no parameter "wieght".',
    remedy: 'Did you mean "weight"?',
  },
  {
    what: 'freezing what has no parameters',
    text: specText({ layers: `[${linear(2)}, { "type": "tanh", "freeze": [«"weight"»] }]` }),
    code: 'unknown-parameter',
    message: 'tanh1 has no parameters to freeze.',
    remedy: 'Remove "freeze".',
  },

  // Images.
  {
    what: 'a convolution of plain numbers',
    text: specText({ layers: '[«{ "type": "conv2d", "out_channels": 2, "kernel_size": 3 }», "flatten"]' }),
    code: 'shape-mismatch',
    message: 'conv2d1 needs images, channels × height × width, but the data gives 2.',
    remedy: 'Take data of images',
  },
  {
    what: 'a window that is larger than the image with its padding',
    text: specText({ data: images, layers: '[{ "type": "max_pool2d", "kernel_size": 3 }, { "type": "conv2d", "out_channels": 2, "kernel_size": «[3, 5]», "padding": [0, 1] }, "flatten"]' }),
    code: 'shape-mismatch',
    message: 'conv2d1 has windows of 3×5 and needs at least 3×3 beside the padding, but max_pool2d1 gives 3×2×2.',
    remedy: 'Choose a smaller "kernel_size" or more "padding"',
  },
  {
    what: 'channels that the layer before does not give',
    text: specText({ data: images, layers: '[{ "type": "conv2d", "in_channels": «1», "out_channels": 2, "kernel_size": 3 }, "flatten"]' }),
    code: 'shape-mismatch',
    message: 'conv2d1 expects 1 channel, but the data gives 3×8×8.',
    remedy: 'Leave out "in_channels"',
  },
  {
    what: 'a linear layer on images',
    text: specText({ data: images, layers: `[«${linear(2)}»]` }),
    code: 'shape-mismatch',
    message: 'linear1 needs one row of numbers a sample, but the data gives 3×8×8.',
    remedy: 'Put "flatten" ahead of it.',
  },
  {
    what: 'images into the loss',
    text: specText({ data: images, layers: '[«{ "type": "conv2d", "out_channels": 2, "kernel_size": 8 }»]' }),
    code: 'loss-mismatch',
    message: 'cross_entropy compares one row of numbers a sample, but conv2d1 gives 2×1×1.',
    remedy: 'Add "flatten" as the last layer.',
  },
  {
    what: 'more outputs of a convolution than classes',
    text: specText({ data: images, layers: '[{ "type": "conv2d", "out_channels": 3, "kernel_size": 8 }, «"flatten"»]' }),
    code: 'loss-mismatch',
    message: 'cross_entropy needs one output for each of the 2 classes, but flatten1 gives 3 outputs.',
    remedy: 'Add { "type": "linear", "out_features": 2 } to the layers.',
  },

  // Loss and targets.
  {
    what: 'more outputs than classes',
    text: specText({ layers: `[${linear('«3»')}]` }),
    code: 'loss-mismatch',
    message: 'cross_entropy needs one output for each of the 2 classes, but linear1 gives 3 outputs.',
    remedy: 'Give linear1 2 units.',
  },
  {
    what: 'a single output for cross_entropy',
    text: specText({ layers: `[${linear('«1»')}, "tanh"]` }),
    code: 'loss-mismatch',
    message: 'for each of the 2 classes, but tanh1 gives 1 output.',
    remedy: 'Give linear1 2 units, or use "bce_with_logits" for a single output.',
  },
  {
    what: 'one output for three classes',
    text: specText({ data: threeClasses, layers: `[${linear('«1»')}, "sigmoid"]`, loss: '"bce"' }),
    code: 'loss-mismatch',
    message: 'bce needs one output for each of the 3 classes, but sigmoid1 gives 1 output.',
    remedy: 'Give linear1 3 units.',
  },
  {
    what: 'three outputs for two classes in a squared error',
    text: specText({ layers: `[${linear('«3»')}]`, loss: '"mse"' }),
    code: 'loss-mismatch',
    message: 'mse needs one output for each of the 2 classes, or a single one, but linear1 gives 3 outputs.',
    remedy: 'Give linear1 2 or 1 units.',
  },
  {
    what: 'fewer outputs than values',
    text: specText({ data: values, layers: `[${linear('«1»')}]`, loss: '"mse"' }),
    code: 'loss-mismatch',
    message: 'A target has 2 values, but linear1 gives 1 output.',
    remedy: 'Give linear1 2 units.',
  },
  {
    what: 'values under a loss for classes',
    text: specText({ data: '"noisy_sine"', layers: `[${linear(2)}]`, loss: '«"cross_entropy"»' }),
    code: 'loss-needs-classes',
    message: 'cross_entropy is for classes, but the data has values to predict.',
    remedy: 'Use "mse"',
  },
  {
    what: 'activations alone, of the wrong size',
    text: specText({ data: '"noisy_sine"', layers: '["tanh", «"softmax"»]', loss: '"mse"' }).replace('"noisy_sine"', values.replace(', 2], [3, 4]], "t', '], [3]], "t')),
    code: 'loss-mismatch',
    message: 'A target has 2 values, but softmax1 gives 1 output.',
    remedy: 'Add { "type": "linear", "out_features": 2 }',
  },

  // Data.
  {
    what: 'a split that leaves nothing to train on',
    text: specText({ data: '{ "type": "circles", "samples": 2, "split": «{ "validation": 0.2, "test": 0.2 }» }' }),
    code: 'empty-train',
    message: 'Of 2 samples, 1 is held out for validation and 1 for the test',
    remedy: 'hold out less',
  },
  {
    what: 'labels out of range',
    text: specText({ data: '{ "type": "inline", "inputs": [[1], [2]], "labels": [0, «2»], "classes": 2 }' }),
    code: 'data',
    message: 'Sample 2: the label 2 is out of range; with 2 classes it must be a whole number from 0 to 1.',
    remedy: '"classes"',
  },
  {
    what: 'labels of which all are the same',
    text: specText({ data: '{ "type": "inline", "inputs": [[1], [2]], "labels": [«"a"», "a"] }' }),
    code: 'data',
    message: 'Every sample has the label "a"',
    remedy: 'at least two classes',
  },

  // Memory, told before anything is allocated.
  {
    what: 'a billion units',
    text: specText({ layers: `[${linear('«1e9»')}, "tanh", ${linear(2)}]` }),
    code: 'too-large',
    // 5e9 weights thrice, and 2e9 activations in 32 rows twice and in 240 rows once, 4 bytes each: 2.49e12 bytes.
    message: /^This run would need 2\.3 TB; the limit is 1\.0 GB\.$/,
    remedy: 'smaller',
  },
  {
    what: 'a billion units after a wide layer',
    text: specText({ layers: `[${linear(100)}, ${linear('«1000000000»')}, ${linear(2)}]`, batch_size: '1' }),
    code: 'too-large', message: 'the limit is 1.0 GB', remedy: 'smaller',
  },
  {
    what: 'the largest whole number of units',
    text: specText({ layers: `[${linear('«9007199254740991»')}, ${linear('9007199254740991')}, ${linear(2)}]` }),
    code: 'too-large', message: / EB; the limit is 1\.0 GB\.$/, remedy: 'smaller',
  },
  {
    what: 'a billion samples',
    text: specText({ data: '{ "type": "circles", "samples": «1e9» }' }),
    code: 'too-large', message: 'would need 37.3 GB; the limit is 1.0 GB', remedy: 'smaller',
  },
  {
    what: 'a billion samples of XOR at once',
    text: specText({ data: '{ "type": "xor", "samples": «1e9» }', batch_size: '1' }),
    code: 'too-large', message: 'the limit is 1.0 GB', remedy: 'smaller',
  },
  {
    what: 'a batch with too many activations',
    text: specText({ data: '{ "type": "circles", "samples": 1e6 }', layers: `[${linear(500)}, "tanh", ${linear(2)}]`, batch_size: '«"full"»' }),
    code: 'too-large', message: 'the limit is 1.0 GB', remedy: 'smaller',
  },
];

describe('checkSpec', () => {
  it.each(cases)('refuses $what', ({ text: source, ...expected }) => {
    const mark = marked(source);
    const { resolved, problems } = check(mark.text);
    expect(resolved).toBeUndefined();
    expectOnly(problems, mark, expected);
  });

  it('reports every mismatch at once, each against what its layer says it gives', () => {
    const { problems } = check(
      specText({ layers: `[${linear(3, ', "in_features": 5')}, ${linear(2, ', "in_features": 4')}]` }),
    );
    expect(problems.map(({ message }) => message)).toEqual([
      'linear1 expects 5 inputs, but the data gives 2.',
      'linear2 expects 4 inputs, but linear1 gives 3.',
    ]);
  });

  it.each([
    ['classes, one output each', specText(), 'one_hot', 2],
    ['classes in a squared error', specText({ loss: '"mse"' }), 'one_hot', 2],
    ['two classes in one column', specText({ layers: `[${linear(1)}]`, loss: '"bce_with_logits"' }), 'column', 1],
    ['two classes in one column of a squared error', specText({ layers: `[${linear(1)}]`, loss: '"mse"' }), 'column', 1],
    ['values', specText({ data: values, loss: '"mse"' }), 'values', 2],
  ])('accepts %s', (_what, text, encoding, targetWidth) => {
    const { resolved, problems } = check(text);
    expect(problems).toEqual([]);
    expect(resolved).toMatchObject({ encoding, targetWidth });
  });

  it('gives every layer its shapes', () => {
    const { resolved } = check(specText());
    expect(resolved!.model.layers.map(({ name, inputShape, outputShape }) => [name, inputShape, outputShape])).toEqual([
      ['linear1', [2], [4]], ['tanh1', [4], [4]], ['linear2', [4], [2]],
    ]);
    expect(resolved!.samples).toEqual({ train: 240, validation: 80, test: 80 });
  });

  it('takes a larger limit where one is given', () => {
    const text = specText({ data: '{ "type": "circles", "samples": 4e7 }' });
    expect(checkSpec(text, noFiles).problems.map(({ code }) => code)).toEqual(['too-large']);
    expect(checkSpec(text, noFiles, { memoryLimit: 2 ** 32 }).problems).toEqual([]);
  });

  it('makes no data to tell that a spec is good', () => {
    // A quarter of a billion samples would be ten gigabytes: more than a typed array may hold here.
    const { resolved } = checkSpec(specText({ data: '{ "type": "circles", "samples": 250000000 }' }), noFiles, { memoryLimit: 2 ** 40 });
    expect(resolved!.memory).toBeGreaterThan(250e6 * 5 * 8);
    expect(resolved!.memory).toBeLessThan(250e6 * 5 * 8 * 1.01);
  });
});

describe('formatBytes', () => {
  it.each([[0, '0 bytes'], [1023, '1023 bytes'], [1024, '1.0 KB'], [2 ** 30, '1.0 GB'], [8 * 2 ** 30, '8.0 GB'], [300 * 2 ** 20, '300 MB']])(
    '%d is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text),
  );
});

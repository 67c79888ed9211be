// The rules about a spec's text: each one finds what it is for, at its range, and keeps quiet about the rest.
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/health/rules';
import { checkSpec, loadRun } from '../../src/spec/load';
import type { Problem } from '../../src/spec/problem';
import { noFiles } from '../support/files';
import { marked, specText } from '../spec/marked';

const check = (text: string) =>
  checkSpec(text, noFiles, { rules: specRules });

const two = '{ "type": "linear", "out_features": 2 }';
const one = '{ "type": "linear", "out_features": 1 }';
const images = '{ "type": "images", "classes": 2, "size": 6 }';
const conv = (more = ''): string => `{ "type": "conv2d", "out_channels": 2, "kernel_size": 3${more} }`;
const three = '{ "type": "inline", "inputs": [[1], [2], [3]], "labels": ["a", "b", "c"] }';

const found: readonly (readonly [code: string, what: string, text: string, message: string, remedy: string])[] = [
  ['softmax-twice', 'softmax ahead of cross_entropy', specText({ layers: `[${two}, «"softmax"»]` }), 'cross_entropy applies softmax itself, so after softmax1', 'Remove softmax1, or use the loss "cross_entropy_on_probabilities".'],
  ['softmax-twice', 'with identity between them', specText({ layers: `[${two}, «"softmax"», "identity"]` }), 'applied twice', 'Remove softmax1'],
  ['sigmoid-twice', 'sigmoid ahead of bce_with_logits', specText({ layers: `[${one}, «"sigmoid"»]`, loss: '"bce_with_logits"' }), 'bce_with_logits applies sigmoid itself', 'Remove sigmoid1, or use the loss "bce".'],
  ['bounded-logits', 'sigmoid ahead of cross_entropy', specText({ layers: `[${two}, «"sigmoid"»]` }), 'sigmoid1 keeps them within 0 and 1', 'Remove sigmoid1.'],
  ['bounded-logits', 'tanh ahead of bce_with_logits', specText({ layers: `[${one}, «"tanh"»]`, loss: '"bce_with_logits"' }), 'tanh1 keeps them within -1 and 1', 'Remove tanh1.'],
  ['not-probabilities', 'logits into bce', specText({ layers: `[${one}]`, loss: '«"bce"»' }), 'no sigmoid comes before it', 'Add "sigmoid" as the last layer, or use "bce_with_logits"'],
  ['not-probabilities', 'logits into cross-entropy on probabilities', specText({ layers: `[${two}]`, loss: '«"cross_entropy_on_probabilities"»' }), 'no softmax comes before it', 'Add "softmax"'],
  ['not-probabilities', 'a sigmoid into cross-entropy on probabilities', specText({ layers: `[${two}, "sigmoid"]`, loss: '«"cross_entropy_on_probabilities"»' }), 'no softmax comes before it', 'Add "softmax"'],
  ['independent-classes', 'a sigmoid for each of three classes', specText({ data: three, layers: '[{ "type": "linear", "out_features": 3 }, "sigmoid"]', loss: '«"bce"»' }), 'a sample has exactly one class', 'Use "cross_entropy"'],
  ['independent-classes', 'a hinge for each of three classes', specText({ data: three, layers: '[{ "type": "linear", "out_features": 3 }]', loss: '«"hinge"»' }), 'hinge judges each of the 3 outputs by itself', 'Use "multi_margin"'],
  ['bounded-logits', 'softmax ahead of a hinge', specText({ layers: `[${two}, «"softmax"»]`, loss: '"multi_margin"' }), 'takes scores, which may be any number, but softmax1', 'Remove softmax1.'],
  ['not-log-probabilities', 'a softmax into nll', specText({ layers: `[${two}, "softmax"]`, loss: '«"nll"»' }), 'no log_softmax comes before it', 'Add "log_softmax"'],
  ['sum-over-batch', 'a sum over a batch of 32', specText({ layers: `[${two}]`, loss: '«{ "type": "cross_entropy", "reduction": "sum" }»' }), 'up to 32 times', 'divide "lr"'],
  ['no-activation', 'two linear layers in a row', specText({ layers: `[{ "type": "linear", "out_features": 4 }, «${two}»]` }), 'No activation stands between linear1 and linear2', 'before linear2'],
  ['no-activation', 'with identity between them', specText({ layers: `[{ "type": "linear", "out_features": 4 }, "identity", «${two}»]` }), 'between linear1 and linear2', 'before linear2'],
  ['no-activation', 'with dropout between them', specText({ layers: `[{ "type": "linear", "out_features": 4 }, "dropout", «${two}»]` }), 'between linear1 and linear2', 'before linear2'],
  ['softmax-of-one', 'softmax of a single output', specText({ data: '"xor"', layers: `[${one}, «"softmax"»]`, loss: '"bce"' }), 'softmax1 has a single input, so it always gives 1', 'use "sigmoid"'],
  ['equal-units', 'hidden units that start at zero', specText({ layers: `[«{ "type": "linear", "out_features": 4, "init": "zeros", "bias_init": "zeros" }», "tanh", ${two}]` }), 'All units of linear1 start equal', 'at random'],
  ['equal-units', 'hidden units with equal weights', specText({ layers: `[«{ "type": "linear", "weight": [[1, 2], [1, 2]], "bias": false }», "tanh", ${two}]` }), 'All units of linear1 start equal', 'at random'],
  ['no-activation', 'with batch norm between them', specText({ layers: `[{ "type": "linear", "out_features": 4, "bias": false }, "batch_norm1d", «${two}»]` }), 'between linear1 and linear2', 'before linear2'],
  ['no-activation', 'a convolution with its mean', specText({ data: images, layers: `[${conv()}, { "type": "avg_pool2d", "kernel_size": 2 }, "flatten", «${two}»]` }), 'between conv2d1 and linear1', 'before linear1'],
  ['equal-units', 'channels that start at zero', specText({ data: images, layers: `[«${conv(', "init": "zeros", "bias_init": "zeros"')}», "relu", "flatten", ${two}]` }), 'All units of conv2d1 start equal', 'at random'],
  ['bias-before-norm', 'a bias ahead of batch norm', specText({ layers: `[«{ "type": "linear", "out_features": 4 }», "batch_norm1d", "tanh", ${two}]` }), 'the bias of linear1 changes nothing', 'Write "bias": false in linear1.'],
  ['bias-before-norm', 'of a convolution', specText({ data: images, layers: `[«${conv()}», "batch_norm2d", "relu", "flatten", ${two}]` }), 'batch_norm2d1 subtracts the mean again', '"bias": false'],
  ['norm-of-one', 'batch norm of one sample', specText({ layers: `[«"batch_norm1d"», ${two}]`, batch_size: '1' }), 'Each batch has a single sample, so batch_norm1d1', 'larger "batch_size"'],
  ['norm-of-one', 'a last batch of one sample', specText({ layers: `[«"batch_norm1d"», ${two}]`, batch_size: '239' }), 'The last batch of an epoch', 'one of the 240 training samples'],
  ['strong-dropout', 'most of the values dropped', specText({ layers: `[{ "type": "linear", "out_features": 4 }, "tanh", «{ "type": "dropout", "p": 0.8 }», ${two}]` }), 'dropout1 drops 80 % of the values', '0.5 or less'],
  ['nothing-to-train', 'everything frozen', specText({ layers: '[«{ "type": "linear", "out_features": 2, "freeze": ["weight", "bias"] }»]' }), 'No layer has a parameter that is updated', 'remove "freeze"'],
  ['equal-outgoing', 'an output layer with equal weights ahead of cross-entropy', specText({ layers: `[{ "type": "linear", "out_features": 3 }, "tanh", «{ "type": "linear", "weight": [[1, 2, 3], [1, 2, 3]] }»]` }), 'with the same weight to all 2 classes', 'at random'],
  ['equal-outgoing', 'an output layer of zeros ahead of softmax and its loss', specText({ layers: `[{ "type": "linear", "out_features": 3 }, "tanh", «{ "type": "linear", "out_features": 2, "init": "zeros" }», "softmax"]`, loss: '"cross_entropy_on_probabilities"' }), 'no layer before it learns in the first step', 'at random'],
  ['weights-one-sided', 'normal weights around 1', specText({ data: '{ "type": "blobs", "features": 10, "centers": 2 }', layers: `[«{ "type": "linear", "out_features": 4, "init": { "type": "normal", "mean": 1, "std": 0.1 } }», "sigmoid", ${two}]` }), 'around 1 and not 0, so the 10 terms', 'xavier_uniform'],
  ['weights-one-sided', 'uniform weights of [0, 1), which is what they are unless told', specText({ data: '{ "type": "blobs", "features": 10, "centers": 2 }', layers: `[«{ "type": "linear", "out_features": 4, "init": "uniform" }», "tanh", ${two}]` }), 'around 0.5', 'xavier_uniform'],
  ['nothing-to-train', 'no parameters at all', specText({ layers: '[«"identity"»]', loss: '"mse"' }), 'No layer has a parameter', 'Add a linear layer'],
];

describe('a rule', () => {
  it.each(found)('warns (%s) of %s', (code, _what, source, message, remedy) => {
    const { text, start, end } = marked(source);
    const { resolved, problems } = check(text);
    expect(resolved).toBeDefined();
    expect(problems).toEqual([
      { code, severity: 'warning', start, end, message: expect.stringContaining(message) as string, remedy: expect.stringContaining(remedy) as string },
    ]);
  });

  it.each([
    ['the plain network', specText()],
    ['batch and layer norm where they belong', specText({ layers: `[{ "type": "linear", "out_features": 4, "bias": false }, "batch_norm1d", "tanh", "layer_norm", { "type": "dropout", "p": 0.5 }, ${two}]` })],
    ['batch norm of one image at a time', specText({ data: images, layers: `[${conv(', "bias": false')}, "batch_norm2d", "relu", "flatten", ${two}]`, batch_size: '1' })],
    ['softmax under a loss on probabilities', specText({ layers: `[${two}, "softmax"]`, loss: '"cross_entropy_on_probabilities"' })],
    ['softmax under a squared error', specText({ layers: `[${two}, "softmax"]`, loss: '"mse"' })],
    ['sigmoid under bce', specText({ layers: `[${one}, "sigmoid"]`, loss: '"bce"' })],
    ['log-softmax under nll', specText({ layers: `[${two}, "log_softmax"]`, loss: '"nll"' })],
    ['relu at the end of a regression', specText({ data: '"noisy_sine"', layers: `[${one}, "relu"]`, loss: '"mse"' })],
    ['an output layer that starts at zero', specText({ layers: '[{ "type": "linear", "out_features": 2, "init": "zeros", "bias_init": "zeros" }]' })],
    ['equal weights with unequal biases', specText({ layers: `[{ "type": "linear", "weight": [[1, 1], [1, 1]], "bias": [0, 1] }, "tanh", ${two}]` })],
    ['equal weights of the output under a squared error', specText({ data: '"noisy_sine"', layers: `[{ "type": "linear", "out_features": 3 }, "tanh", { "type": "linear", "out_features": 1, "init": "zeros" }]`, loss: '"mse"' })],
    ['output weights that differ', specText({ layers: `[{ "type": "linear", "out_features": 2 }, "tanh", { "type": "linear", "weight": [[1, 2], [1, 3]] }]` })],
    ['weights around 1 ahead of relu', specText({ data: '{ "type": "blobs", "features": 10, "centers": 2 }', layers: `[{ "type": "linear", "out_features": 4, "init": "uniform" }, "relu", ${two}]` })],
    ['weights around 1 from two inputs', specText({ layers: `[{ "type": "linear", "out_features": 4, "init": "uniform" }, "tanh", ${two}]` })],
    ['a single hidden unit of constant weights', specText({ layers: `[{ "type": "linear", "out_features": 1, "init": "zeros", "bias": false }, "tanh", ${two}]` })],
    ['part of a layer frozen', specText({ layers: '[{ "type": "linear", "out_features": 2, "freeze": ["bias"] }]' })],
  ])('keeps quiet about %s', (_what, text) => {
    expect(check(text).problems).toEqual([]);
  });

  const scaled = (more: object, values = (i: number): number[] => [1013 + i % 7, i % 2]): object => ({
    data: { type: 'inline', inputs: Array.from({ length: 20 }, (_, i) => values(i)), labels: Array.from({ length: 20 }, (_, i) => i % 2), classes: 2 },
    layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }], loss: 'cross_entropy', ...more,
  });
  const ofData = (spec: object): readonly Problem[] => loadRun(JSON.stringify(spec), noFiles, { rules: specRules }).problems;

  it('warns (not-scaled) of inputs far from 0, and of tiny ones, at the data', () => {
    const spec = scaled({});
    const [large, ...others] = ofData(spec);
    expect(others).toEqual([]);
    expect(large).toMatchObject({ code: 'not-scaled', severity: 'warning', start: 8, end: 8 + JSON.stringify((spec as { data: object }).data).length });
    // 1013 to 1019, each nearly as often.
    expect(large.message).toMatch(/^The data is not scaled: input 1 is around 101\d(\.\d)? ± [12](\.\d)?, and /);
    expect(large.remedy).toContain('"transforms": ["standardize"]');
    expect(ofData(scaled({}, (i) => [1e-4 * (i % 5), 1e-5])).map(({ code, message }) => [code, message.includes('hardly anything')])).toEqual([['not-scaled', true]]);
  });

  it('keeps quiet about inputs that are scaled, by a transform or by a layer, or are all 0', () => {
    expect(ofData(scaled({ transforms: ['standardize'] }))).toEqual([]);
    expect(ofData(scaled({ layers: ['batch_norm1d', { type: 'linear', out_features: 2 }] }))).toEqual([]);
    expect(ofData(scaled({}, () => [0, 0]))).toEqual([]);
    expect(ofData(scaled({}, (i) => [i % 3, -3]))).toEqual([]);
  });

  it('has an id of its own', () => {
    const ids = specRules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

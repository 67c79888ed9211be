// The rules about a spec's text: each finds its case at its range, and nothing else.
import type { Problem } from '../../src/protocol/problem';
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { applyTextEdit, checkSpec, editSpec, loadRun } from '../../src/model-spec';
import { noFiles } from '../support/data-files';
import { expectMentions, parseMarkedText, specText } from '../model-spec/marked-text';

const check = (text: string) => checkSpec(text, noFiles, { rules: specRules });

const two = '{ "type": "linear", "out_features": 2 }';
const one = '{ "type": "linear", "out_features": 1 }';
const images = '{ "type": "images", "classes": 2, "size": 6 }';
const conv = (more = ''): string => `{ "type": "conv2d", "out_channels": 2, "kernel_size": 3${more} }`;
const three = '{ "type": "inline", "inputs": [[1], [2], [3]], "labels": ["a", "b", "c"] }';

const found: readonly (readonly [
  code: string,
  what: string,
  text: string,
  mentions: string[],
  remedyMentions: string[],
])[] = [
  [
    'softmax-twice',
    'softmax ahead of cross_entropy',
    specText({ layers: `[${two}, «"softmax"»]` }),
    ['cross_entropy', 'softmax1'],
    ['softmax1', '"cross_entropy_on_probabilities"'],
  ],
  [
    'softmax-twice',
    'with identity between them',
    specText({ layers: `[${two}, «"softmax"», "identity"]` }),
    [],
    ['softmax1'],
  ],
  [
    'sigmoid-twice',
    'sigmoid ahead of bce_with_logits',
    specText({ layers: `[${one}, «"sigmoid"»]`, loss: '"bce_with_logits"' }),
    ['bce_with_logits'],
    ['sigmoid1', '"bce"'],
  ],
  [
    'bounded-logits',
    'sigmoid ahead of cross_entropy',
    specText({ layers: `[${two}, «"sigmoid"»]` }),
    ['sigmoid1', '0', '1'],
    ['sigmoid1'],
  ],
  [
    'bounded-logits',
    'tanh ahead of bce_with_logits',
    specText({ layers: `[${one}, «"tanh"»]`, loss: '"bce_with_logits"' }),
    ['tanh1', '1'],
    ['tanh1'],
  ],
  [
    'not-probabilities',
    'logits into bce',
    specText({ layers: `[${one}]`, loss: '«"bce"»' }),
    [],
    ['"sigmoid"', '"bce_with_logits"'],
  ],
  [
    'not-probabilities',
    'logits into cross-entropy on probabilities',
    specText({ layers: `[${two}]`, loss: '«"cross_entropy_on_probabilities"»' }),
    [],
    ['"softmax"'],
  ],
  [
    'not-probabilities',
    'a sigmoid into cross-entropy on probabilities',
    specText({ layers: `[${two}, "sigmoid"]`, loss: '«"cross_entropy_on_probabilities"»' }),
    [],
    ['"softmax"'],
  ],
  [
    'independent-classes',
    'a sigmoid for each of three classes',
    specText({ data: three, layers: '[{ "type": "linear", "out_features": 3 }, "sigmoid"]', loss: '«"bce"»' }),
    [],
    ['"cross_entropy"'],
  ],
  [
    'independent-classes',
    'a hinge for each of three classes',
    specText({ data: three, layers: '[{ "type": "linear", "out_features": 3 }]', loss: '«"hinge"»' }),
    ['3'],
    ['"multi_margin"'],
  ],
  [
    'bounded-logits',
    'softmax ahead of a hinge',
    specText({ layers: `[${two}, «"softmax"»]`, loss: '"multi_margin"' }),
    ['softmax1'],
    ['softmax1'],
  ],
  [
    'not-log-probabilities',
    'a softmax into nll',
    specText({ layers: `[${two}, «"softmax"»]`, loss: '"nll"' }),
    ['softmax1'],
    ['"log_softmax"'],
  ],
  [
    'sum-over-batch',
    'a sum over a batch of 32',
    specText({ layers: `[${two}]`, loss: '«{ "type": "cross_entropy", "reduction": "sum" }»' }),
    ['32'],
    ['"lr"'],
  ],
  [
    'no-activation',
    'two linear layers in a row',
    specText({ layers: `[{ "type": "linear", "out_features": 4 }, «${two}»]` }),
    ['linear1', 'linear2'],
    ['linear2'],
  ],
  [
    'no-activation',
    'in branches that are added, all through the network',
    specText({
      layers: `[{ "type": "linear", "out_features": 4 }, { "type": "residual", "layers": [{ "type": "linear", "out_features": 4 }] }, «${two}»]`,
    }),
    ['3 linear layers'],
    ['linear3'],
  ],
  [
    'no-activation',
    'with identity between them',
    specText({ layers: `[{ "type": "linear", "out_features": 4 }, "identity", «${two}»]` }),
    ['linear1', 'linear2'],
    ['linear2'],
  ],
  [
    'no-activation',
    'with dropout between them',
    specText({ layers: `[{ "type": "linear", "out_features": 4 }, "dropout", «${two}»]` }),
    ['linear1', 'linear2'],
    ['linear2'],
  ],
  [
    'softmax-of-one',
    'softmax of a single output',
    specText({ data: '"xor"', layers: `[${one}, «"softmax"»]`, loss: '"bce"' }),
    ['softmax1', '1'],
    ['"sigmoid"'],
  ],
  [
    'equal-units',
    'hidden units that start at zero',
    specText({
      layers: `[«{ "type": "linear", "out_features": 4, "init": "zeros", "bias_init": "zeros" }», "tanh", ${two}]`,
    }),
    ['linear1'],
    [],
  ],
  [
    'equal-units',
    'hidden units with equal weights',
    specText({ layers: `[«{ "type": "linear", "weight": [[1, 2], [1, 2]], "bias": false }», "tanh", ${two}]` }),
    ['linear1'],
    [],
  ],
  [
    'no-activation',
    'with batch norm between them',
    specText({ layers: `[{ "type": "linear", "out_features": 4, "bias": false }, "batch_norm1d", «${two}»]` }),
    ['linear1', 'linear2'],
    ['linear2'],
  ],
  [
    'no-activation',
    'a convolution with its mean',
    specText({ data: images, layers: `[${conv()}, { "type": "avg_pool2d", "kernel_size": 2 }, "flatten", «${two}»]` }),
    ['2', '1', 'linear1'],
    ['linear1'],
  ],
  [
    'equal-units',
    'channels that start at zero',
    specText({
      data: images,
      layers: `[«${conv(', "init": "zeros", "bias_init": "zeros"')}», "relu", "flatten", ${two}]`,
    }),
    ['2', '1'],
    [],
  ],
  [
    'bias-before-norm',
    'a bias ahead of batch norm',
    specText({ layers: `[«{ "type": "linear", "out_features": 4 }», "batch_norm1d", "tanh", ${two}]` }),
    ['linear1'],
    ['"bias"', 'linear1'],
  ],
  [
    'bias-before-norm',
    'of a convolution',
    specText({ data: images, layers: `[«${conv()}», "batch_norm2d", "relu", "flatten", ${two}]` }),
    ['batch_norm2d1'],
    ['"bias"'],
  ],
  [
    'norm-of-one',
    'batch norm of one sample',
    specText({ layers: `[«"batch_norm1d"», ${two}]`, batch_size: '1' }),
    ['batch_norm1d1'],
    ['"batch_size"'],
  ],
  [
    'norm-of-one',
    'a last batch of one sample',
    specText({ layers: `[«"batch_norm1d"», ${two}]`, batch_size: '239' }),
    [],
    ['240'],
  ],
  [
    'strong-dropout',
    'most of the values dropped',
    specText({
      layers: `[{ "type": "linear", "out_features": 4 }, "tanh", «{ "type": "dropout", "p": 0.8 }», ${two}]`,
    }),
    ['dropout1', '80'],
    ['0.2'],
  ],
  [
    'strong-dropout',
    'most of the values of a wide layer dropped',
    specText({
      layers: `[{ "type": "linear", "out_features": 65 }, "tanh", «{ "type": "dropout", "p": 0.8 }», ${two}]`,
    }),
    ['dropout1', '80'],
    ['0.5'],
  ],
  [
    'nothing-to-train',
    'everything frozen',
    specText({ layers: '[«{ "type": "linear", "out_features": 2, "freeze": ["weight", "bias"] }»]' }),
    [],
    ['"freeze"'],
  ],
  [
    'equal-outgoing',
    'an output layer with equal weights ahead of cross-entropy',
    specText({
      layers: `[{ "type": "linear", "out_features": 3 }, "tanh", «{ "type": "linear", "weight": [[1, 2, 3], [1, 2, 3]] }»]`,
    }),
    ['2'],
    [],
  ],
  [
    'equal-outgoing',
    'an output layer of zeros ahead of softmax and its loss',
    specText({
      layers: `[{ "type": "linear", "out_features": 3 }, "tanh", «{ "type": "linear", "out_features": 2, "init": "zeros" }», "softmax"]`,
      loss: '"cross_entropy_on_probabilities"',
    }),
    [],
    [],
  ],
  [
    'weights-one-sided',
    'normal weights around 1',
    specText({
      data: '{ "type": "blobs", "features": 10, "centers": 2 }',
      layers: `[«{ "type": "linear", "out_features": 4, "init": { "type": "normal", "mean": 1, "std": 0.1 } }», "sigmoid", ${two}]`,
    }),
    ['1', '0', '10'],
    ['xavier_uniform'],
  ],
  [
    'weights-one-sided',
    'uniform weights of [0, 1), the default',
    specText({
      data: '{ "type": "blobs", "features": 10, "centers": 2 }',
      layers: `[«{ "type": "linear", "out_features": 4, "init": "uniform" }», "tanh", ${two}]`,
    }),
    ['0.5'],
    ['xavier_uniform'],
  ],
  ['nothing-to-train', 'no parameters at all', specText({ layers: '[«"identity"»]', loss: '"mse"' }), [], []],
];

describe('a rule', () => {
  it.each(found)('warns (%s) about %s', (code, _what, source, mentions, remedyMentions) => {
    const { text, start, end } = parseMarkedText(source);
    const { resolved, problems } = check(text);
    expect(resolved).toBeDefined();
    expect(problems).toMatchObject([{ code, severity: 'warning', start, end }]);
    expectMentions(problems[0].message, mentions);
    expectMentions(problems[0].remedy, remedyMentions);
  });

  it.each([
    ['the plain network', specText()],
    [
      'batch and layer norm where they belong',
      specText({
        layers: `[{ "type": "linear", "out_features": 4, "bias": false }, "batch_norm1d", "tanh", "layer_norm", { "type": "dropout", "p": 0.5 }, ${two}]`,
      }),
    ],
    [
      'batch norm of one image at a time',
      specText({
        data: images,
        layers: `[${conv(', "bias": false')}, "batch_norm2d", "relu", "flatten", ${two}]`,
        batch_size: '1',
      }),
    ],
    [
      'softmax under a loss on probabilities',
      specText({ layers: `[${two}, "softmax"]`, loss: '"cross_entropy_on_probabilities"' }),
    ],
    ['softmax under a squared error', specText({ layers: `[${two}, "softmax"]`, loss: '"mse"' })],
    ['sigmoid under bce', specText({ layers: `[${one}, "sigmoid"]`, loss: '"bce"' })],
    ['log-softmax under nll', specText({ layers: `[${two}, "log_softmax"]`, loss: '"nll"' })],
    [
      'an output layer that starts at zero',
      specText({ layers: '[{ "type": "linear", "out_features": 2, "init": "zeros", "bias_init": "zeros" }]' }),
    ],
    [
      'equal weights with unequal biases',
      specText({ layers: `[{ "type": "linear", "weight": [[1, 1], [1, 1]], "bias": [0, 1] }, "tanh", ${two}]` }),
    ],
    [
      'equal weights of the output under a squared error',
      specText({
        data: '"noisy_sine"',
        layers: `[{ "type": "linear", "out_features": 3 }, "tanh", { "type": "linear", "out_features": 1, "init": "zeros" }]`,
        loss: '"mse"',
      }),
    ],
    [
      'output weights that differ',
      specText({
        layers: `[{ "type": "linear", "out_features": 2 }, "tanh", { "type": "linear", "weight": [[1, 2], [1, 3]] }]`,
      }),
    ],
    [
      'weights around 1 ahead of relu',
      specText({
        data: '{ "type": "blobs", "features": 10, "centers": 2 }',
        layers: `[{ "type": "linear", "out_features": 4, "init": "uniform" }, "relu", ${two}]`,
      }),
    ],
    [
      'weights around 1 from two inputs',
      specText({ layers: `[{ "type": "linear", "out_features": 4, "init": "uniform" }, "tanh", ${two}]` }),
    ],
    [
      'a single hidden unit of constant weights',
      specText({ layers: `[{ "type": "linear", "out_features": 1, "init": "zeros", "bias": false }, "tanh", ${two}]` }),
    ],
    [
      'linear branches that are added, with one activation',
      specText({
        layers: `[{ "type": "linear", "out_features": 4 }, { "type": "residual", "layers": ["tanh", { "type": "linear", "out_features": 4 }] }, ${two}]`,
      }),
    ],
    [
      'a bias ahead of batch norm that an auxiliary loss needs',
      specText({
        layers: `[{ "type": "linear", "out_features": 2, "name": "head" }, "batch_norm1d", "tanh", ${two}]`,
        auxiliary_losses: '[{ "type": "cross_entropy", "input": "head" }]',
      }),
    ],
    ['part of a layer frozen', specText({ layers: '[{ "type": "linear", "out_features": 2, "freeze": ["bias"] }]' })],
  ])('keeps quiet about %s', (_what, text) => {
    expect(check(text).problems).toEqual([]);
  });

  const scaled = (more: object, values = (i: number): number[] => [1013 + (i % 7), i % 2]): object => ({
    data: {
      type: 'inline',
      inputs: Array.from({ length: 20 }, (_, i) => values(i)),
      labels: Array.from({ length: 20 }, (_, i) => i % 2),
      classes: 2,
    },
    layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
    ...more,
  });
  const ofData = (spec: object): readonly Problem[] =>
    loadRun(JSON.stringify(spec), noFiles, { rules: specRules }).problems.filter(({ code }) => code === 'not-scaled');

  it('warns (not-scaled) about inputs far from 0, and about tiny ones, at the data', () => {
    const spec = scaled({});
    const [large, ...others] = ofData(spec);
    expect(others).toEqual([]);
    expect(large).toMatchObject({
      code: 'not-scaled',
      severity: 'warning',
      start: 8,
      end: 8 + JSON.stringify((spec as { data: object }).data).length,
    });
    // 1013 to 1019, with nearly equal frequency.
    expect(large.message).toMatch(/input 1 .* 101\d(\.\d)? ± [12](\.\d)?/);
    expect(large.remedy).toContain('"transforms": ["standardize"]');
    const [tiny] = ofData(scaled({}, (i) => [1e-4 * (i % 5), 1e-5]));
    expect(tiny.code).toBe('not-scaled');
    expect(tiny.message).toContain('input 1');
  });

  it('accepts inputs that are scaled by a transform or a layer, or that are all 0', () => {
    expect(ofData(scaled({ transforms: ['standardize'] }))).toEqual([]);
    expect(ofData(scaled({ layers: ['batch_norm1d', { type: 'linear', out_features: 2 }] }))).toEqual([]);
    expect(ofData(scaled({}, () => [0, 0]))).toEqual([]);
    expect(ofData(scaled({}, (i) => [i % 3, -3]))).toEqual([]);
  });

  it.each(found)('%s (%s) has a fix that leaves a spec that can run', (code, _what, text) => {
    const { text: spec } = parseMarkedText(text);
    const { fix } = check(spec).problems.find((problem) => problem.code === code) ?? {};
    if (!fix) return;
    const { resolved, problems } = check(applyTextEdit(spec, editSpec(spec, fix.changes)));
    expect(resolved).toBeDefined();
    expect(problems.filter((problem) => problem.code === code)).toEqual([]);
  });

  it('has a unique id', () => {
    const ids = specRules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

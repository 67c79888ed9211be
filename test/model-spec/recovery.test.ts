// Mistakes do not hide each other: what can be checked in spite of one is checked.
import { describe, expect, it } from 'vitest';
import { checkSpec } from '../../src/model-spec/load';
import { noFiles } from '../support/data-files';
import { specText } from './marked-text';

const found = (text: string): string[] =>
  checkSpec(text, noFiles).problems.map(({ code, start, end }) => `${code} ${text.slice(start, end)}`);
const images = '{ "type": "images", "size": 6 }';

describe('mistakes are reported together', () => {
  it('a bad rate, a wrong shape and a typo', () => {
    const text = specText({
      optimizer: '{ "type": "sgd", "lr": -1 }',
      layers: '["tahn", { "type": "conv2d", "out_channels": 2, "kernel_size": 3 }]',
      epoch: '3',
    });
    expect(found(text)).toEqual([
      'unknown-layer "tahn"',
      'shape-mismatch ' + '{ "type": "conv2d", "out_channels": 2, "kernel_size": 3 }',
      'out-of-range -1',
      'unknown-key "epoch"',
    ]);
  });

  it('a bad seed, and an output that does not fit the loss', () => {
    const text = specText({ seed: '-1', layers: '[{ "type": "linear", "out_features": 3 }]' });
    expect(found(text)).toEqual(['loss-mismatch 3', 'out-of-range -1']);
  });

  it('a misspelled option of a layer, and a size that does not fit it', () => {
    const text = specText({
      layers: '[{ "type": "dense", "units": 5 }, { "type": "linear", "in_features": 4, "out_features": 2 }]',
    });
    expect(found(text)).toEqual(['unknown-layer "dense"', 'unknown-key "units"', 'shape-mismatch 4']);
  });

  it('shapes up to an unknown layer', () => {
    const text = specText({
      layers:
        '[{ "type": "linear", "in_features": 5, "out_features": 3 }, "transformer", { "type": "linear", "in_features": 4, "out_features": 2 }]',
    });
    expect(found(text)).toEqual(['shape-mismatch 5', 'unknown-layer "transformer"']);
  });

  it('duplicate names, a sweep of an unknown option, and a wrong shape', () => {
    const text = specText({
      layers:
        '[{ "type": "linear", "out_features": 3, "name": "a" }, { "type": "linear", "in_features": 4, "out_features": 2, "name": "a" }]',
      sweep: '{ "optimizer.nothing": [1] }',
    });
    expect(found(text)).toEqual(['shape-mismatch 4', 'duplicate-name "a"', 'unknown-key "optimizer.nothing"']);
  });

  it('everything held out, an augmentation without images, and a wrong shape', () => {
    const text = specText({
      data: '{ "type": "inline", "inputs": [[1], [2]], "labels": [0, 1], "split": { "validation": 0.4, "test": 0.4 } }',
      augment: '["random_crop"]',
      layers: '[{ "type": "linear", "in_features": 3, "out_features": 2 }]',
    });
    expect(found(text)).toEqual(
      ['empty-train { "validation": 0.4, "test": 0.4 }', 'shape-mismatch 3', 'no-images "random_crop"'].sort(
        (a, b) => text.indexOf(a.split(' ')[1]) - text.indexOf(b.split(' ')[1]),
      ),
    );
  });

  it('one mistake is one problem', () => {
    for (const [part, value] of [
      ['loss', '"mes"'],
      ['loss', '"transformer"'],
      ['data', '"circels"'],
      ['layers', '[{ "type": "linear", "out_features": "2" }]'],
      ['layers', '[{ "type": "linear" }]'],
      ['layers', '[{ "type": "linear", "out_features": 4 }, "dense", { "type": "linear", "out_features": 2 }]'],
      ['schedule', '"step"'],
      ['batch_size', '0'],
    ])
      expect(checkSpec(specText({ [part]: value }), noFiles).problems).toHaveLength(1);
    expect(
      checkSpec(specText({ data: images, layers: '[{ "type": "max_pool2d", "kernel_size": 0 }]' }), noFiles).problems,
    ).toHaveLength(1);
  });
});

describe('a syntax error', () => {
  it.each([
    ['a stray brace', '{ "data": "circels" }, "layers": ["tahn"], "loss": "mes" }'],
    ['a missing comma', '{ "data": "circels" "layers": ["tahn"], "loss": "mes" }'],
    ['a missing quote', '{ "data": "circels", "layers": ["tahn"], "loss": "mes", "name: 1\n}'],
    ['no end', '{ "data": "circels", "layers": ["tahn"], "loss": "mes"'],
  ])('(%s) is reported once and hides no typo', (_what, text) => {
    const codes = found(text).map((each) => each.split(' ')[0]);
    expect(codes.filter((code) => code === 'syntax')).toHaveLength(1);
    expect(codes.filter((code) => code !== 'syntax')).toEqual(['unknown-dataset', 'unknown-layer', 'unknown-loss']);
  });

  it('causes no further problems', () => {
    const text = specText();
    for (let length = 1; length < text.trimEnd().length; length++) {
      const codes = found(text.slice(0, length)).map((each) => each.split(' ')[0]);
      expect([length, codes]).toEqual([length, [length < 2 ? codes[0] : 'syntax']]);
    }
  });
});

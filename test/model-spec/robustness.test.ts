// Texts that once threw or took seconds, and the rule behind each: any text gives a spec or problems.
import { afterEach, describe, expect, it } from 'vitest';
import { loadRun } from '../../src/model-spec/load';
import { parseSpec } from '../../src/model-spec/parse';
import { noFiles } from '../support/data-files';
import { expectSingleProblem, parseMarkedText, specText } from './marked-text';
import { measureProcessorTime } from '../support/processor-time';

const images = '{ "type": "images", "size": 6 }';
const codes = (text: string): string[] => parseSpec(text).problems.map(({ code }) => code);

describe('windows of impossible sizes', () => {
  const layers = (layer: string): string =>
    specText({ data: images, layers: `[${layer}, "flatten", { "type": "linear", "out_features": 2 }]` });
  const sizes = [
    '0',
    '-1',
    '-0.0',
    '1.5',
    '9007199254740993',
    '1e300',
    '[0, 3]',
    '[2, 2, 2]',
    '[]',
    '"2"',
    'null',
    '{}',
  ];

  it.each(['max_pool2d', 'avg_pool2d'])('%s reports problems', (type) => {
    for (const size of sizes) {
      const { spec, problems } = parseSpec(layers(`{ "type": "${type}", "kernel_size": ${size} }`));
      expect(spec).toBeUndefined();
      expect(problems.length).toBeGreaterThan(0);
    }
  });

  it.each(sizes)('conv2d reports a problem for %s', (size) => {
    for (const option of ['kernel_size', 'stride', 'padding'].filter(
      (name) => name !== 'padding' || !/^-?0/.test(size),
    )) {
      const rest = option === 'kernel_size' ? '' : ', "kernel_size": 3';
      const text = layers(`{ "type": "conv2d", "out_channels": 2, "weight": [[[[1]]]], "${option}": ${size}${rest} }`);
      expect(parseSpec(text).problems.length).toBeGreaterThan(0);
    }
  });

  it('points to the number', () => {
    const mark = parseMarkedText(layers('{ "type": "max_pool2d", "kernel_size": «0» }'));
    expectSingleProblem(parseSpec(mark.text).problems, mark, {
      code: 'out-of-range',
      mentions: ['"kernel_size"', '0'],
    });
  });

  it.each(['-1', '9007199254740991', '1e15'])('a padding of %s is a problem', (padding) => {
    for (const type of ['max_pool2d', 'avg_pool2d', 'conv2d']) {
      const options = type === 'conv2d' ? ', "out_channels": 2' : '';
      const text = layers(`{ "type": "${type}", "kernel_size": 3${options}, "padding": ${padding} }`);
      expect(loadRun(text, noFiles).problems.length).toBeGreaterThan(0);
    }
  });
});

describe('long lists of mistakes', () => {
  const list = (entry: string): string => Array<string>(150_000).fill(entry).join(',');

  it.each([
    [
      'quoted numbers in one row',
      specText({ data: `{ "type": "inline", "inputs": [[${list('"1"')}]], "targets": [1] }` }),
    ],
    [
      'rows of quoted numbers',
      specText({ data: `{ "type": "inline", "inputs": [${list('["1"]')}], "targets": [1] }` }),
    ],
    [
      'names that are numbers',
      specText({ layers: `[{ "type": "linear", "out_features": 2, "freeze": [${list('1')}] }]` }),
    ],
    ['ragged rows', specText({ data: `{ "type": "inline", "inputs": [[1, 2], ${list('[1]')}], "targets": [1] }` })],
    ['equal keys', `{ ${list('"a": { "b": 1, "b": 1 }')} }`],
  ])('%s end at 100 problems', (_what, text) => {
    expect(codes(text)).toHaveLength(100);
  });

  it('of unknown keys take little time', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `"k${i}": 1`).join(',');
    const text = `{ "data": "circles", "layers": ["tanh"], "loss": "mse", ${keys} }`;
    const { result, milliseconds } = measureProcessorTime(2000, () => codes(text));
    expect(result).toHaveLength(100);
    // Once took 20 s.
    expect(milliseconds).toBeLessThan(2000);
  });

  it('of sweep values do not validate the data each time', () => {
    const inputs = Array.from({ length: 20_000 }, () => '[1, 2]').join(',');
    const rates = Array.from({ length: 1000 }, (_, i) => String((i + 1) / 1000)).join(',');
    const data = `{ "type": "inline", "inputs": [${inputs}], "targets": [${list('1').slice(0, 39_999)}] }`;
    const text = specText({ data, loss: '"mse"', sweep: `{ "optimizer.lr": [${rates}] }` });
    const { result, milliseconds } = measureProcessorTime(3000, () => codes(text));
    expect(result).toEqual([]);
    expect(milliseconds).toBeLessThan(3000);
  });
});

describe('an Object.prototype that a script has extended', () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, 'helper');
  });

  it('changes nothing', () => {
    const text = specText({
      layers:
        '[{ "type": "linear", "out_features": 4, "init": "xavier_uniform" }, "tanh", { "type": "repeat", "times": 1, "layers": [{ "type": "linear", "out_features": 2 }] }]',
      transforms: '["standardize"]',
      schedule: '"cosine"',
      sweep: '{ "optimizer.lr": [0.1, 0.2], "layers.tanh1.name": ["a"] }',
    });
    expect(codes(text)).toEqual([]);
    Object.defineProperty(Object.prototype, 'helper', {
      value: () => 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    expect(codes(text)).toEqual([]);
    expect(loadRun(text, noFiles).run).toBeDefined();
    expect(codes(specText({ loss: '"mes"', epochs: '0' }))).toEqual(['unknown-loss', 'out-of-range']);
  });
});

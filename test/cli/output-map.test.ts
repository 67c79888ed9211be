// `nablascope output-map`, and weights that `nablascope train` saves for another spec.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import { createSession } from '../support/session-fixtures';
import { train } from '../support/examples';
import { commandsIn } from './run-command';

const folder = mkdtempSync(join(tmpdir(), 'nablascope-output-map-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spec = (size: number, more: object = {}) => ({
  data: { type: 'images', samples: 20, size, classes: 3, split: { validation: 0, test: 0.2 } },
  layers: [
    { type: 'conv2d', out_channels: 3, kernel_size: 4, stride: 2 },
    'relu',
    { type: 'adaptive_avg_pool2d', output_size: 1 },
    'flatten',
  ],
  loss: 'cross_entropy',
  batch_size: 8,
  epochs: 2,
  ...more,
});
const write = (name: string, value: object): void => writeFileSync(join(folder, name), JSON.stringify(value));

const run = commandsIn(folder);

describe('nablascope output-map', () => {
  it('prints what the session answers', async () => {
    write('a.nabla.json', spec(8));
    const { code, out } = await run(
      'output-map',
      'a.nabla.json',
      '--tiles',
      '2',
      '--at',
      '3,1',
      '--sample',
      '5',
      '--json',
    );
    expect(code).toBe(0);
    const map = runQuery(train(createSession(spec(8))), {
      type: 'output_map',
      sample: 5,
      tiles: 2,
      place: { row: 3, column: 1 },
    }).value!;
    const { values, predicted, ...rest } = JSON.parse(out) as { values: number[][][]; predicted: number[][] };
    expect(values.flat(2)).toEqual([...map.values]);
    expect(predicted.flat()).toEqual([...map.classes!]);
    const { placed, window, stride, tiles } = map;
    expect(rest).toMatchObject({ step: 4, placed, window, stride, tiles, areProbabilities: true });
    const table = (await run('output-map', 'a.nabla.json', '--tiles', '2')).out;
    expect(table.split('\n').filter((line) => /^ ?\d+ +\S+ \d\.\d\d/.test(line))).toHaveLength(map.rows);
  });

  it.each([
    ['a network that starts with a fully connected layer', ['b.nabla.json'], 'no-output-map'],
    ['a sample that does not exist', ['a.nabla.json', '--sample', '20'], 'no-such-sample'],
    ['a place that is none', ['a.nabla.json', '--at', '3'], 'invalid-value'],
  ])('refuses %s', async (_, words, error) => {
    write('a.nabla.json', spec(8));
    write('b.nabla.json', spec(8, { layers: ['flatten', { type: 'linear', out_features: 3 }] }));
    const { code, out } = await run('output-map', ...words, '--json');
    expect({ code, answer: JSON.parse(out) as unknown }).toMatchObject({ code: 2, answer: { error: { code: error } } });
  });
});

it('weights that train saves are the initial ones of another spec, at another input size', async () => {
  write('small.nabla.json', spec(8));
  write('large.nabla.json', spec(12, { initial_weights: 'w.safetensors', seed: 4 }));
  expect((await run('train', 'small.nabla.json', '--save-weights', 'w.safetensors')).code).toBe(0);
  const { code, out } = await run('trace', 'large.nabla.json', '--json');
  expect(code).toBe(0);
  const { layers } = JSON.parse(out) as { layers: { parameters: { name: string; before: unknown }[] }[] };
  const trained = train(createSession(spec(8))).network.parameters;
  expect(layers[0].parameters.map(({ name }) => name)).toEqual(trained.map(({ shortName }) => shortName));
  layers[0].parameters.forEach(({ before }, i) => expect([before].flat(9)).toEqual([...trained[i].value.data]));
});

it('a file that cannot be written is refused before the run', async () => {
  write('small.nabla.json', spec(8));
  mkdirSync(join(folder, 'taken'));
  const { code, out } = await run('train', 'small.nabla.json', '--save-weights', 'taken');
  expect(code).toBe(2);
  expect(out).toBe('');
});

it('weights that are not finite are not saved, and the result of the run is kept', async () => {
  write('diverging.nabla.json', spec(8, { optimizer: { type: 'sgd', lr: 1e300 } }));
  // The loss of the only step is finite, its update is not.
  const words = ['train', 'diverging.nabla.json', '--steps', '1', '--json'];
  const { code, out } = await run(...words, '--save-weights', 'nan.safetensors');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    steps: 1,
    weights: { file: 'nan.safetensors', step: 1, error: expect.any(String) as string },
  });
  expect(existsSync(join(folder, 'nan.safetensors'))).toBe(false);
});

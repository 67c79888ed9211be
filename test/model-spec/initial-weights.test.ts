// Weights from a file: found by name, carried to another input size, and rejected where they do not fit.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRun, parseSpec } from '../../src/model-spec';
import { runQuery } from '../../src/session/queries';
import { hashData } from '../../src/session/state-hash';
import { TrainingSession } from '../../src/session/session';
import { inMemoryFiles } from '../support/data-files';
import { example, folder, textOf, train } from '../support/examples';
import '../support/allclose';

const spec = (size: number, change: object = {}) => ({
  data: { type: 'images', samples: 20, size, classes: 3 },
  layers: [
    { type: 'conv2d', out_channels: 4, kernel_size: 3, name: 'edges' },
    { type: 'batch_norm2d', name: 'norm' },
    'relu',
    { type: 'conv2d', out_channels: 3, kernel_size: 3, name: 'classes' },
    { type: 'adaptive_avg_pool2d', output_size: 1 },
    'flatten',
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'adam', lr: 0.01 },
  batch_size: 8,
  epochs: 2,
  ...change,
});

const allConvolution = {
  layers: (parseSpec(textOf('all-convolution')).spec!.source.value as { layers: unknown }).layers,
};

function open(value: object, files: Record<string, Uint8Array> = {}) {
  const text = JSON.stringify(value);
  const { run, problems } = loadRun(text, inMemoryFiles(files));
  return { session: run && new TrainingSession(run, text), run, problems };
}

const fileOf = (session: TrainingSession): Uint8Array => runQuery(session, { type: 'weight_file' }).value!;
const stateOf = ({ network }: TrainingSession) =>
  [...network.parameters, ...network.buffers].map(({ name, value }) => [name, [...value.data]]);

describe('weights of a run', () => {
  const trained = train(open(spec(12)).session!);
  const file = fileOf(trained);
  const carried = { initial_weights: 'w.safetensors' };

  it('are the initial weights of another, also for other image sizes, with its running statistics', () => {
    for (const size of [12, 20]) {
      const { session, problems } = open(spec(size, { ...carried, seed: 7 }), { 'w.safetensors': file });
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(stateOf(session!)).toEqual(stateOf(trained));
      // Going back to the start restores them.
      const hash = session!.stateHash();
      session!.seek(4);
      expect(session!.stateHash()).not.toBe(hash);
      session!.seek(0);
      expect(session!.stateHash()).toBe(hash);
    }
  });

  it('leave the others as they are drawn', () => {
    const value = spec(12);
    const layers = value.layers.map((layer) =>
      typeof layer === 'object' && 'name' in layer && layer.name === 'classes' ? { ...layer, name: 'other' } : layer,
    );
    const { session } = open({ ...value, layers, ...carried }, { 'w.safetensors': file });
    const drawn = open({ ...value, layers }).session!;
    const of = (each: TrainingSession, name: string) => stateOf(each).find(([own]) => own === name);
    expect(of(session!, 'edges.weight')).toEqual(of(trained, 'edges.weight'));
    expect(of(session!, 'other.weight')).toEqual(of(drawn, 'other.weight'));
  });

  it('do not include a table that follows from the length of a sequence', () => {
    const series = (length: number, more: object = {}): object => ({
      data: {
        type: 'inline',
        inputs: Array.from({ length: 12 }, (_, i) => Array.from({ length }, (_step, t) => (i * t) % 5)),
        labels: Array.from({ length: 12 }, (_, i) => i % 2),
      },
      layers: [
        { type: 'embedding', num_embeddings: 5, embedding_dim: 4 },
        { type: 'positional_encoding', encoding: 'sinusoidal' },
        { type: 'gru', hidden_size: 3 },
        { type: 'linear', out_features: 2 },
      ],
      loss: 'cross_entropy',
      batch_size: 4,
      epochs: 1,
      ...more,
    });
    const short = train(open(series(8)).session!);
    const { session, problems } = open(series(16, carried), { 'w.safetensors': fileOf(short) });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const valuesOf = ({ network }: TrainingSession) => network.parameters.map(({ value }) => [...value.data]);
    expect(valuesOf(session!)).toEqual(valuesOf(short));
    expect(session!.network.buffers[0].value.data).toEqual(open(series(16)).session!.network.buffers[0].value.data);
  });

  it('belong to the data of a run: other ones are another run', () => {
    const one = open(spec(12, carried), { 'w.safetensors': file }).run!;
    const other = open(spec(12, carried), { 'w.safetensors': fileOf(open(spec(12)).session!) }).run!;
    expect(hashData(one)).not.toBe(hashData(other));
  });

  it.each([
    [
      'another shape',
      spec(12, {
        ...carried,
        layers: [
          { type: 'conv2d', out_channels: 5, kernel_size: 3, name: 'edges' },
          'flatten',
          { type: 'linear', out_features: 3 },
        ],
      }),
      file,
      /edges\.weight is 4×3×3×3.*5×3×3×3/,
    ],
    [
      'no layer of the network',
      spec(12, { ...carried, layers: ['flatten', { type: 'linear', out_features: 3 }] }),
      file,
      /no weights for a layer/,
    ],
    ['something else', spec(12, carried), new TextEncoder().encode('{ "weights": 1 }'), /not a \.safetensors file/],
  ])('are an error at its place for %s', (_, value, content, message) => {
    const { run, problems } = open(value, { 'w.safetensors': content });
    expect(run).toBeUndefined();
    const [problem] = problems.filter(({ severity }) => severity === 'error');
    expect(problem.message).toMatch(message);
    expect(JSON.stringify(value).slice(problem.start, problem.end)).toBe('"w.safetensors"');
  });
});

it('the file of the example is what its network learns', () => {
  const { run } = open(
    {
      ...spec(8),
      data: { type: 'images', samples: 20, size: 8, channels: 1 },
      ...allConvolution,
      initial_weights: 'w',
    },
    { w: readFileSync(join(folder, 'data', 'all-convolution.safetensors')) },
  );
  const learned = train(example('all-convolution')).network.parameters;
  const saved = run!.model.layers.flatMap(({ name, givenValues = {} }) =>
    Object.entries(givenValues).map(([parameter, values]) => ({ name: `${name}.${parameter}`, values })),
  );
  expect(saved.map(({ name }) => name)).toEqual(learned.map(({ name }) => name));
  // Other processors round differently.
  saved.forEach(({ values }, i) =>
    expect([...values]).toBeAllclose([...learned[i].value.data], { rtol: 0, atol: 0.01 }),
  );
});

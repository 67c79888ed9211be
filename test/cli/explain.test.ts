// `nablascope explain`: every entry that it names can be explained in turn, and has the value that was printed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commandsIn } from './run-command';

const folder = mkdtempSync(join(tmpdir(), 'nablascope-explain-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const commands = commandsIn(folder);

async function run(...words: string[]): Promise<string> {
  const { code, out } = await commands('explain', ...words);
  expect(code).toBe(0);
  return out;
}

interface Explained {
  readonly value: number;
  readonly kind: string;
  readonly remainder: number;
  readonly sample: number | null;
  readonly terms: readonly { readonly value: number; readonly factors: readonly { value: number; name: string }[] }[];
}

const explain = async (spec: string, entry: string): Promise<Explained> =>
  JSON.parse(await run(spec, entry, '--step', '2', '--json')) as Explained;

const save = (name: string, spec: object): string => {
  writeFileSync(join(folder, `${name}.nabla.json`), JSON.stringify({ batch_size: 5, epochs: 2, seed: 3, ...spec }));
  return `${name}.nabla.json`;
};

const shared = save('shared', {
  data: { type: 'circles', samples: 40 },
  layers: [
    { type: 'linear', out_features: 4, name: 'first' },
    { type: 'tanh', name: 'bend' },
    { type: 'linear', out_features: 4, name: 'a' },
    { type: 'linear', out_features: 4, share: 'a', name: 'b' },
    { type: 'linear', out_features: 2, name: 'last' },
  ],
  loss: 'cross_entropy',
});
const images = save('images', {
  data: { type: 'images', samples: 40 },
  layers: [
    { type: 'conv2d', out_channels: 2, kernel_size: 3, name: 'conv' },
    { type: 'sigmoid', name: 'bend' },
    { type: 'max_pool2d', kernel_size: 2 },
    'flatten',
    { type: 'linear', out_features: 10, name: 'last' },
  ],
  loss: 'cross_entropy',
});

describe('the entries of an explanation', () => {
  it.each([
    [shared, 'last.output[2, 1]'],
    [shared, 'bend.output[1, 3]'],
    [shared, 'b.output[3, 0]'],
    [shared, 'grad(a.weight)[1, 2]'],
    [shared, 'grad(first.output)[4, 1]'],
    [shared, 'b.weight[1, 2]'],
    [images, 'conv.output[2, 1, 3, 4]'],
    [images, 'grad(conv.weight)[1, 0, 2, 1]'],
    [images, 'bend.output[0, 1, 2, 2]'],
  ])('%s %s', async (spec, entry) => {
    const { terms, value, kind, remainder } = await explain(spec, entry);
    expect(terms.length).toBeGreaterThan(0);
    const entries = new Map(terms.flatMap(({ factors }) => factors).map((factor) => [factor.name, factor.value]));
    const explainable = [...entries].filter(([name]) => /^[^ ]+\[[\d, ]+\]$/.test(name));
    for (const [name, printed] of explainable.slice(0, 6)) expect((await explain(spec, name)).value).toBe(printed);
    if (kind === 'sum') expect(terms.reduce((sum, term) => sum + term.value, remainder)).toBeCloseTo(value, 5);
    const text = await run(spec, entry, '--step', '2');
    // Only a sum has terms that equal products.
    expect(/^ +\S+ = /m.test(text)).toBe(kind === 'sum');
  });

  it('of a parameter belong to no sample', async () => {
    expect((await explain(shared, 'b.weight[1, 2]')).sample).toBeNull();
    expect((await explain(shared, 'b.output[1, 2]')).sample).not.toBeNull();
  });
});

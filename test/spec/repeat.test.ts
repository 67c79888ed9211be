// Blocks of layers that repeat are what they would be written out: the same model, the same bits, problems at their place.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/health/rules';
import { TrainingSession } from '../../src/session/session';
import { loadRun } from '../../src/spec/load';
import { meaningOf } from '../../src/spec/meaning';
import { parseSpec } from '../../src/spec/parse';
import { noFiles } from '../support/files';
import { textOf } from '../support/examples';
import { marked } from './marked';

const inner = fc.oneof(
  fc.constantFrom<unknown>('tanh', 'relu', 'batch_norm1d', { type: 'dropout', p: 0.3 }),
  fc.record({ type: fc.constant('linear'), out_features: fc.constant(3), bias: fc.boolean(), name: fc.constantFrom('a', 'b', undefined) }),
);
const { written } = fc.letrec<{ written: unknown[] }>((tie) => ({
  written: fc.array(
    fc.oneof(
      { depthSize: 'small', withCrossShrink: true }, inner,
      fc.record({ type: fc.constant('repeat'), times: fc.integer({ min: 1, max: 3 }), layers: tie('written').filter((layers) => layers.length > 0) }),
    ),
    { maxLength: 3 },
  ),
}));

interface Written {
  readonly type?: string;
  readonly times?: number;
  readonly layers?: readonly Written[];
  readonly name?: string;
}

/** By hand: every block copied out, blocks in it first; then the copies of what has a name are counted. */
function byHand(layers: readonly unknown[]): unknown[] {
  const copies = new Map<unknown, number>();
  const copied = (list: readonly Written[], inBlock: boolean): { layer: Written; inBlock: boolean }[] =>
    list.flatMap((layer) => {
      if (layer.type !== 'repeat') return [{ layer, inBlock }];
      const once = copied(layer.layers ?? [], true);
      return Array<typeof once>(layer.times ?? 0).fill(once).flat();
    });
  return copied(layers as readonly Written[], false).map(({ layer, inBlock }) => {
    if (!inBlock || layer.name === undefined) return layer;
    copies.set(layer, (copies.get(layer) ?? 0) + 1);
    return { ...layer, name: `${layer.name}${copies.get(layer)}` };
  });
}

const specOf = (layers: readonly unknown[]): string =>
  JSON.stringify({ data: { type: 'circles', samples: 40 }, layers: [...layers, { type: 'linear', out_features: 2, name: 'last' }], loss: 'cross_entropy', batch_size: 8 });

describe('a block that repeats', () => {
  it('means what it would mean written out, and trains to the same bits', () => {
    let accepted = 0;
    fc.assert(
      fc.property(written, (layers) => {
        const [block, hand] = [specOf(layers), specOf(byHand(layers))].map((text) => ({ text, ...parseSpec(text) }));
        expect(block.problems.map(({ code }) => code)).toEqual(hand.problems.map(({ code }) => code));
        if (!block.spec || !hand.spec) return;
        expect(meaningOf(block.spec)).toEqual(meaningOf(hand.spec));
        const [a, b] = [block.text, hand.text].map((text) => {
          const { run, problems } = loadRun(text, noFiles);
          if (!run) throw new Error(problems[0].message);
          const session = new TrainingSession(run, text);
          for (let i = 0; i < 3; i++) session.step();
          return session;
        });
        expect(a.network.parameters.map(({ name }) => name)).toEqual(b.network.parameters.map(({ name }) => name));
        expect(a.hash()).toBe(b.hash());
        accepted++;
      }),
      { numRuns: 120, seed: 5 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it('has names of its own for each layer, and the place of what is written', () => {
    const text = textOf('blocks');
    const { spec } = parseSpec(text);
    expect(spec?.layers.map(({ name }) => name)).toEqual(['hidden1', 'tanh1', 'hidden2', 'tanh2', 'hidden3', 'tanh3', 'output']);
    expect(spec?.layers.map(({ path }) => path.join('.'))).toEqual(['layers.0.layers.0', 'layers.0.layers.1', 'layers.0.layers.0', 'layers.0.layers.1', 'layers.0.layers.0', 'layers.0.layers.1', 'layers.1']);
    const { run } = loadRun(text, noFiles);
    const line = (words: string): number => text.slice(0, text.indexOf(words)).split('\n').length;
    expect(run?.model.layers.map((layer) => layer.line)).toEqual([...Array<number[]>(3).fill([line('"name": "hidden"'), line('"tanh"')]).flat(), line('"name": "output"')]);
  });

  it('may hold further blocks: copies are counted through all of them', () => {
    const inside = { type: 'repeat', times: 2, layers: [{ type: 'linear', out_features: 3, name: 'in' }, 'tanh'] };
    const { spec } = parseSpec(specOf([{ type: 'repeat', times: 2, layers: [inside, { type: 'linear', out_features: 3, name: 'between' }] }]));
    expect(spec?.layers.map(({ name }) => name)).toEqual(['in1', 'tanh1', 'in2', 'tanh2', 'between1', 'in3', 'tanh3', 'in4', 'tanh4', 'between2', 'last']);
    expect(spec?.layers[8].path).toEqual(['layers', 0, 'layers', 0, 'layers', 1]);
  });

  const spec = (layers: string): string => `{ "data": "circles", "layers": [${layers}], "loss": "cross_entropy" }`;
  const last = '{ "type": "linear", "out_features": 2 }';
  const faults: readonly (readonly [what: string, code: string, text: string, message: string])[] = [
    ['a name of the block that is taken', 'duplicate-name', spec(`{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", "out_features": 2, "name": «"x"» }, "tanh"] }, { "type": "linear", "out_features": 2, "name": "x2" }`).replace('«"x"»', '"x"').replace('"x2"', '«"x2"»'), 'Layers 3 and 5 are both named "x2".'],
    ['an option that there is none of', 'unknown-key', spec(`{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", «"units"»: 3, "out_features": 3 }] }, ${last}`), '"units" is not an option of linear.'],
    ['a layer that there is none of', 'unknown-layer', spec(`{ "type": "repeat", "times": 2, "layers": [«"tanhh"»] }, ${last}`), 'There is no layer "tanhh".'],
    ['a layer that there is none of, in a block in it', 'unknown-layer', spec(`{ "type": "repeat", "times": 2, "layers": [{ "type": "repeat", "times": 2, "layers": [«"tanhh"»] }] }, ${last}`), 'There is no layer "tanhh".'],
    ['too many with the blocks in it', 'out-of-range', spec(`{ "type": "repeat", "times": «40», "layers": [{ "type": "repeat", "times": 40, "layers": ["tanh"] }] }, ${last}`), 'With its blocks written out this spec has 1,601 layers; at most 1,000 are taken.'],
    ['no layer', 'out-of-range', spec(`{ "type": "repeat", "times": 2, "layers": «[]» }, ${last}`), '"layers" is empty.'],
    ['never', 'out-of-range', spec(`{ "type": "repeat", "times": «0», "layers": ["tanh"] }, ${last}`), '"times" cannot be 0.'],
    ['too many in all', 'out-of-range', spec(`{ "type": "repeat", "times": «600», "layers": [{ "type": "linear", "out_features": 2 }, "tanh"] }, ${last}`), 'With its blocks written out this spec has 1,201 layers; at most 1,000 are taken.'],
    ['shapes that fit the first time only', 'shape-mismatch', spec(`{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", "in_features": «2», "out_features": 3 }, "tanh"] }, ${last}`), 'linear2 expects 2 inputs, but tanh1 gives 3.'],
    ['something to freeze that is not there', 'unknown-parameter', spec(`{ "type": "repeat", "times": 1, "layers": [{ "type": "linear", "out_features": 2, "freeze": [«"w"»] }] }`), 'linear1 has no parameter "w".'],
  ];

  it.each(faults)('with %s: says so in the block', (_what, code, source, message) => {
    const { text, start, end } = marked(source);
    const { problems } = loadRun(text, noFiles, { rules: specRules });
    expect(problems[0]).toMatchObject({ code, message, start, end });
  });

  it('can be swept: how often it repeats, and layers after it by their running names', () => {
    const sweep = (path: string, block = '{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", "out_features": 3 }, "tanh"] }'): string[] =>
      parseSpec(`{ "data": "circles", "layers": [${block}, ${last}], "loss": "cross_entropy", "sweep": { "${path}": [2] } }`).problems.map(({ message }) => message);
    expect(sweep('layers.repeat1.times')).toEqual([]);
    expect(sweep('layers.repeat1.layers.0.out_features')).toEqual([]);
    expect(sweep('layers.linear3.out_features')).toEqual([]);
    expect(sweep('layers.linear1.out_features')).toEqual(['There is no layer "linear1".']);
    const nested = sweep('layers.linear4.out_features', `{ "type": "repeat", "times": 3, "layers": [{ "type": "repeat", "times": 1, "layers": ["tanh", { "type": "linear", "out_features": 3 }] }] }`);
    expect(nested).toEqual([]);
  });
});

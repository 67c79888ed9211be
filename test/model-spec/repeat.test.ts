// Repeated blocks are equivalent to written-out layers: the same model, the same bits, problems at their position.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { TrainingSession } from '../../src/session/session';
import { loadRun } from '../../src/model-spec/load';
import { fingerprintSpec } from '../../src/model-spec/fingerprint';
import { parseSpec } from '../../src/model-spec/parse';
import { noFiles } from '../support/data-files';
import { textOf } from '../support/examples';
import { expectMentions, parseMarkedText } from './marked-text';

const inner = fc.oneof(
  fc.constantFrom<unknown>('tanh', 'relu', 'batch_norm1d', { type: 'dropout', p: 0.3 }),
  fc.record({
    type: fc.constant('linear'),
    out_features: fc.constant(3),
    bias: fc.boolean(),
    name: fc.constantFrom('a', 'b', undefined),
  }),
);
const { written } = fc.letrec<{ written: unknown[] }>((tie) => ({
  written: fc.array(
    fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      inner,
      fc.record({
        type: fc.constant('repeat'),
        times: fc.integer({ min: 1, max: 3 }),
        layers: tie('written').filter((layers) => layers.length > 0),
      }),
    ),
    { maxLength: 3 },
  ),
}));

interface LayerInput {
  readonly type?: string;
  readonly times?: number;
  readonly layers?: readonly LayerInput[];
  readonly name?: string;
}

/** Expands every block by hand, inner ones first, and then numbers copies of named layers. */
function expandByHand(layers: readonly unknown[]): unknown[] {
  const copies = new Map<unknown, number>();
  const copied = (list: readonly LayerInput[], inBlock: boolean): { layer: LayerInput; inBlock: boolean }[] =>
    list.flatMap((layer) => {
      if (layer.type !== 'repeat') return [{ layer, inBlock }];
      const once = copied(layer.layers ?? [], true);
      return Array<typeof once>(layer.times ?? 0)
        .fill(once)
        .flat();
    });
  return copied(layers as readonly LayerInput[], false).map(({ layer, inBlock }) => {
    if (!inBlock || layer.name === undefined) return layer;
    copies.set(layer, (copies.get(layer) ?? 0) + 1);
    return { ...layer, name: `${layer.name}${copies.get(layer)}` };
  });
}

const specOf = (layers: readonly unknown[]): string =>
  JSON.stringify({
    data: { type: 'circles', samples: 40 },
    layers: [...layers, { type: 'linear', out_features: 2, name: 'last' }],
    loss: 'cross_entropy',
    batch_size: 8,
  });

describe('a repeated block', () => {
  it('trains like the same layers written out, bit for bit', () => {
    let accepted = 0;
    fc.assert(
      fc.property(written, (layers) => {
        const [block, hand] = [specOf(layers), specOf(expandByHand(layers))].map((text) => ({
          text,
          ...parseSpec(text),
        }));
        expect(block.problems.map(({ code }) => code)).toEqual(hand.problems.map(({ code }) => code));
        if (!block.spec || !hand.spec) return;
        expect(fingerprintSpec(block.spec)).toEqual(fingerprintSpec(hand.spec));
        const [a, b] = [block.text, hand.text].map((text) => {
          const { run, problems } = loadRun(text, noFiles);
          if (!run) throw new Error(problems[0].message);
          const session = new TrainingSession(run, text);
          for (let i = 0; i < 3; i++) session.step();
          return session;
        });
        expect(a.network.parameters.map(({ name }) => name)).toEqual(b.network.parameters.map(({ name }) => name));
        expect(a.stateHash()).toBe(b.stateHash());
        accepted++;
      }),
      { numRuns: 120, seed: 5 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it('has a unique name for each layer, with the position of what is written', () => {
    const text = textOf('blocks');
    const { spec } = parseSpec(text);
    expect(spec?.layers.map(({ name }) => name)).toEqual([
      'hidden1',
      'tanh1',
      'hidden2',
      'tanh2',
      'hidden3',
      'tanh3',
      'output',
    ]);
    expect(spec?.layers.map(({ path }) => path.join('.'))).toEqual([
      'layers.0.layers.0',
      'layers.0.layers.1',
      'layers.0.layers.0',
      'layers.0.layers.1',
      'layers.0.layers.0',
      'layers.0.layers.1',
      'layers.1',
    ]);
    const { run } = loadRun(text, noFiles);
    const line = (words: string): number => text.slice(0, text.indexOf(words)).split('\n').length;
    expect(run?.model.layers.map((layer) => layer.line)).toEqual([
      ...Array<number[]>(3)
        .fill([line('"name": "hidden"'), line('"tanh"')])
        .flat(),
      line('"name": "output"'),
    ]);
  });

  it('may contain blocks: copies are counted through all of them', () => {
    const inside = { type: 'repeat', times: 2, layers: [{ type: 'linear', out_features: 3, name: 'in' }, 'tanh'] };
    const { spec } = parseSpec(
      specOf([{ type: 'repeat', times: 2, layers: [inside, { type: 'linear', out_features: 3, name: 'between' }] }]),
    );
    expect(spec?.layers.map(({ name }) => name)).toEqual([
      'in1',
      'tanh1',
      'in2',
      'tanh2',
      'between1',
      'in3',
      'tanh3',
      'in4',
      'tanh4',
      'between2',
      'last',
    ]);
    expect(spec?.layers[8].path).toEqual(['layers', 0, 'layers', 0, 'layers', 1]);
  });

  const spec = (layers: string): string => `{ "data": "circles", "layers": [${layers}], "loss": "cross_entropy" }`;
  const last = '{ "type": "linear", "out_features": 2 }';
  const faults: readonly (readonly [what: string, code: string, text: string, mentions: string[]])[] = [
    [
      'a name of the block that is taken',
      'duplicate-name',
      spec(
        `{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", "out_features": 2, "name": «"x"» }, "tanh"] }, { "type": "linear", "out_features": 2, "name": "x2" }`,
      )
        .replace('«"x"»', '"x"')
        .replace('"x2"', '«"x2"»'),
      ['3', '5', '"x2"'],
    ],
    [
      'an option that there is none of',
      'unknown-key',
      spec(
        `{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", «"units"»: 3, "out_features": 3 }] }, ${last}`,
      ),
      ['"units"'],
    ],
    [
      'a layer that there is none of',
      'unknown-layer',
      spec(`{ "type": "repeat", "times": 2, "layers": [«"tanhh"»] }, ${last}`),
      ['"tanhh"'],
    ],
    [
      'a layer that there is none of, in a block in it',
      'unknown-layer',
      spec(
        `{ "type": "repeat", "times": 2, "layers": [{ "type": "repeat", "times": 2, "layers": [«"tanhh"»] }] }, ${last}`,
      ),
      ['"tanhh"'],
    ],
    [
      'too many with the blocks in it',
      'out-of-range',
      spec(
        `{ "type": "repeat", "times": «40», "layers": [{ "type": "repeat", "times": 40, "layers": ["tanh"] }] }, ${last}`,
      ),
      ['1,601', '1,000'],
    ],
    ['no layer', 'out-of-range', spec(`{ "type": "repeat", "times": 2, "layers": «[]» }, ${last}`), ['"layers"']],
    [
      'never',
      'out-of-range',
      spec(`{ "type": "repeat", "times": «0», "layers": ["tanh"] }, ${last}`),
      ['"times"', '0'],
    ],
    [
      'too many in all',
      'out-of-range',
      spec(
        `{ "type": "repeat", "times": «600», "layers": [{ "type": "linear", "out_features": 2 }, "tanh"] }, ${last}`,
      ),
      ['1,201', '1,000'],
    ],
    [
      'shapes that fit the first time only',
      'shape-mismatch',
      spec(
        `{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", "in_features": «2», "out_features": 3 }, "tanh"] }, ${last}`,
      ),
      ['linear2', '2', 'tanh1', '3'],
    ],
    [
      'something to freeze that is not there',
      'unknown-parameter',
      spec(`{ "type": "repeat", "times": 1, "layers": [{ "type": "linear", "out_features": 2, "freeze": [«"w"»] }] }`),
      ['linear1', '"w"'],
    ],
  ];

  it.each(faults)('with %s: the problem is in the block', (_what, code, source, mentions) => {
    const { text, start, end } = parseMarkedText(source);
    const { problems } = loadRun(text, noFiles, { rules: specRules });
    expect(problems[0]).toMatchObject({ code, start, end });
    expectMentions(problems[0].message, mentions);
  });

  it('can be swept: its number of repetitions, and later layers by their names', () => {
    const sweep = (
      path: string,
      block = '{ "type": "repeat", "times": 2, "layers": [{ "type": "linear", "out_features": 3 }, "tanh"] }',
    ): string[] =>
      parseSpec(
        `{ "data": "circles", "layers": [${block}, ${last}], "loss": "cross_entropy", "sweep": { "${path}": [2] } }`,
      ).problems.map(({ code }) => code);
    expect(sweep('layers.repeat1.times')).toEqual([]);
    expect(sweep('layers.repeat1.layers.0.out_features')).toEqual([]);
    expect(sweep('layers.linear3.out_features')).toEqual([]);
    expect(sweep('layers.linear1.out_features')).toEqual(['invalid-sweep']);
    const nested = sweep(
      'layers.linear4.out_features',
      `{ "type": "repeat", "times": 3, "layers": [{ "type": "repeat", "times": 1, "layers": ["tanh", { "type": "linear", "out_features": 3 }] }] }`,
    );
    expect(nested).toEqual([]);
  });
});

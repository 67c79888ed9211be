// Renaming a layer: every reference follows, nothing else changes, and a name that is not possible is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyTextEdit, type TextEdit } from '../../src/model-spec/edit-spec';
import { listLayerMentions, renamableAt, renameLayer } from '../../src/model-spec/layer-names';
import { parseSpec } from '../../src/model-spec/parse';
import type { Spec } from '../../src/model-spec/spec';

function specOf(layers: string, more = ''): Spec {
  const { spec, problems } = parseSpec(`{ "data": "circles", "layers": [${layers}], "loss": "mse"${more} }`);
  if (!spec) throw new Error(problems.map(({ message }) => message).join(' '));
  return spec;
}

const apply = (text: string, edits: readonly TextEdit[]): string =>
  [...edits].sort((a, b) => b.start - a.start).reduce(applyTextEdit, text);

/** The layers of the text after the layer at the first `‸` was renamed. */
function renamed(layers: string, name: string, more = ''): string {
  const marked = `{ "data": "circles", "layers": [${layers}], "loss": "mse"${more} }`;
  const spec = specOf(layers.replace('‸', ''), more.replace('‸', ''));
  const target = renamableAt(spec, marked.indexOf('‸'));
  if (!target) throw new Error('nothing to rename');
  const edits = renameLayer(spec, target.layer, name);
  if (typeof edits === 'string') return edits;
  const text = apply(spec.source.text, edits);
  return text.slice('{ "data": "circles", "layers": ['.length, text.indexOf('], "loss": "mse"'));
}

const linear = (more = '', units = 2): string => `{ "type": "linear", "out_features": ${units}${more} }`;

describe('a rename', () => {
  it('changes the name and the inputs that refer to it, from either place', () => {
    const after = `${linear(', "name": "first"')}, { "type": "add", "inputs": ["first", "input"] }`;
    for (const at of [
      `${linear(', "name": "‸one"')}, { "type": "add", "inputs": ["one", "input"] }`,
      `${linear(', "name": "one"')}, { "type": "add", "inputs": ["on‸e", "input"] }`,
    ])
      expect(renamed(at, 'first')).toBe(after);
  });

  it('changes what shares its parameters, of all of them or of one', () => {
    const share = (name: string): string =>
      `${linear(`, "name": "${name}"`)}, ${linear(`, "share": "${name}"`)}, ` +
      `{ "type": "linear_transpose", "out_features": 2, "share": "${name}.weight" }`;
    for (const place of ['"name": "', '"share": "', '.weight'])
      expect(renamed(share('encoder').replace(place, place.startsWith('.') ? `‸${place}` : `${place}‸`), 'e')).toBe(
        share('e'),
      );
  });

  it('adds a name where it was generated', () => {
    expect(renamed(`"‸tanh", { "type": "add", "inputs": ["tanh1", "input"] }`, 'bend')).toBe(
      `{ "type": "tanh", "name": "bend" }, { "type": "add", "inputs": ["bend", "input"] }`,
    );
    expect(
      renamed(`{ "type": "lin‸ear", "out_features": 2 }, { "type": "add", "inputs": ["linear1", "input"] }`, 'a'),
    ).toBe(`{ "type": "linear", "out_features": 2, "name": "a" }, { "type": "add", "inputs": ["a", "input"] }`);
  });

  it('keeps the numbers of copies in a block that repeats', () => {
    const repeat = (name: string): string =>
      `{ "type": "repeat", "times": 2, "layers": [${linear(`, "name": "${name}"`)}, ` +
      `{ "type": "add", "inputs": ["${name}", "input"] }] }, { "type": "add", "inputs": ["${name}2", "add2"] }`;
    for (const place of ['"name": "', '"inputs": ["', '"type": "add", "inputs": ["'])
      expect(renamed(repeat('h').replace(place, `${place}‸`), 'hidden')).toBe(repeat('hidden'));
    expect(renamed(repeat('h').replace('h2', '‸h2'), 'hidden')).toBe(repeat('hidden'));
  });

  it('changes the paths of a sweep', () => {
    const spec = specOf(
      linear(', "name": "out"'),
      ', "sweep": { "layers.out.init": ["zeros", "normal"], "seed": [1, 2] }',
    );
    const edits = renameLayer(spec, ['layers', 0], 'last');
    expect(typeof edits).toBe('object');
    expect(apply(spec.source.text, edits as TextEdit[])).toContain('"layers.last.init"');
  });

  it('keeps comments, and escapes the name', () => {
    expect(renamed(`/* one */ ${linear(', /* two */ "name": "‸one"')}`, 'a "b"')).toBe(
      `/* one */ ${linear(', /* two */ "name": "a \\"b\\""')}`,
    );
  });

  it.each([
    ['the name of another layer', 'two'],
    ['the name of the data', 'input'],
    ['no name', ''],
    ['the generated name of another layer', 'tanh1'],
  ])('to %s is refused', (_, name) => {
    const layers = `${linear(', "name": "one"')}, "tanh", ${linear(', "name": "two"')}`;
    const spec = specOf(layers);
    expect(typeof renameLayer(spec, ['layers', 0], name)).toBe('string');
  });

  it('is possible only at names, and at types of layers without one', () => {
    const text = `${linear(', "name": "one"')}, "tanh"`;
    const spec = specOf(text);
    const at = (part: string) => renamableAt(spec, spec.source.text.indexOf(part) + 1)?.layer;
    expect(at('one')).toEqual(['layers', 0]);
    expect(at('tanh')).toEqual(['layers', 1]);
    expect([at('linear'), at('out_features'), at('circles'), at('mse')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

it('of a named input is not possible', () => {
  const data = { type: 'csv', path: 'd.csv', inputs: { left: ['a'], right: ['b'] }, target: 'y', task: 'values' };
  const layers = [
    { type: 'concat', inputs: ['left', 'right'] },
    { type: 'linear', out_features: 1 },
  ];
  const text = JSON.stringify({ data, layers, loss: 'mse' });
  const spec = parseSpec(text).spec!;
  for (const part of ['left', '["a"]', '["left']) expect(renamableAt(spec, text.indexOf(part) + 2)).toBeUndefined();
  expect(renameLayer(spec, ['data', 'inputs', 'left'], 'x')).toContain('Rename it in "data"');
});

it('changes nothing but names in any chain with references, and back again restores the text', () => {
  const names = fc.uniqueArray(
    fc.stringMatching(/^[a-z]{1,6}$/).filter((name) => name !== 'input'),
    { minLength: 2, maxLength: 6 },
  );
  fc.assert(
    fc.property(names, fc.nat(), fc.stringMatching(/^[A-Z]{1,5}$/), (given, pick, fresh) => {
      const layers = given.map((name, i) =>
        linear(
          `, "name": "${name}"${i === 0 ? '' : `, "inputs": ["${given[i - 1]}"]`}${i > 1 ? `, "share": "${given[1]}.weight"` : ''}`,
        ),
      );
      const spec = specOf(layers.join(', '));
      const index = pick % given.length;
      const mentions = listLayerMentions(spec);
      for (const { range } of mentions) expect(given).toContain(spec.source.text.slice(range.start, range.end));
      const edits = renameLayer(spec, ['layers', index], fresh);
      if (typeof edits === 'string') throw new Error(edits);
      const text = apply(spec.source.text, edits);
      const after = parseSpec(text).spec!;
      expect(after.layers.map(({ name }) => name)).toEqual(given.map((name, i) => (i === index ? fresh : name)));
      const back = renameLayer(after, ['layers', index], given[index]);
      if (typeof back === 'string') throw new Error(back);
      expect(apply(text, back)).toBe(spec.source.text);
    }),
    { numRuns: 100 },
  );
});

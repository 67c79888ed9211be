// Changes of a spec's text by path: what they leave alone, and that the text stays a spec.
import { describe, expect, it } from 'vitest';
import { applyTextEdit, editSpec, parseSpec } from '../../src/model-spec';
import type { SpecChange } from '../../src/protocol/problem';

const text = `// A comment.
{
  "data": "circles",
  "layers": [
    { "type": "linear", "out_features": 2 }, // the logits
    "softmax"
  ],
  "loss": "cross_entropy",
  "optimizer": { "type": "sgd", "lr": 50 }
}
`;
const change = (...changes: readonly SpecChange[]): string => applyTextEdit(text, editSpec(text, changes));

describe('a change of a spec', () => {
  it('replaces a value and nothing else', () => {
    expect(change({ path: ['optimizer', 'lr'], value: 0.5 })).toBe(text.replace('50', '0.5'));
    expect(editSpec(text, [{ path: ['optimizer', 'lr'], value: 20 }])).toEqual({
      start: text.indexOf('50'),
      end: text.indexOf('50') + 1,
      text: '2',
    });
  });

  it('adds a key, inserts into a list and removes, and keeps the comments', () => {
    const changed = change(
      { path: ['transforms'], value: ['standardize'] },
      { path: ['layers', 0], value: 'tanh', insert: true },
      { path: ['layers', 2] },
    );
    const { spec, problems } = parseSpec(changed);
    expect(problems).toEqual([]);
    expect(spec?.transforms.map(({ type }) => type)).toEqual(['standardize']);
    expect(spec?.layers.map(({ type }) => type)).toEqual(['tanh', 'linear']);
    for (const kept of ['// A comment.', '// the logits']) expect(changed).toContain(kept);
  });

  it('works on a spec in one line', () => {
    const line = '{"data":"circles","layers":["softmax"],"loss":"mse"}';
    const changed = applyTextEdit(line, editSpec(line, [{ path: ['clip'], value: { norm: 1 } }]));
    expect(JSON.parse(changed)).toEqual({ ...(JSON.parse(line) as object), clip: { norm: 1 } });
  });
});

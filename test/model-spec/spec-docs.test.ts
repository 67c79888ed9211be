// Links into docs/spec.md lead to the heading of the component.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { locationAt } from '../../src/model-spec/location-at';
import { componentFamilies } from '../../src/model-spec/schema';
import { componentSummary, specReferenceAnchor } from '../../src/model-spec/spec-docs';

/** The headings with the section they are in, by anchor: as GitHub and VS Code make them. */
function anchors(): Map<string, { readonly title: string; readonly section: string }> {
  const found = new Map<string, { title: string; section: string }>();
  const counts = new Map<string, number>();
  let section = '';
  for (const line of readFileSync(resolve(__dirname, '../../docs/spec.md'), 'utf8').split('\n')) {
    const [, marks, title = ''] = /^(#{1,3}) (.*)$/.exec(line) ?? [];
    if (marks === undefined) continue;
    if (marks === '##') section = title;
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replace(/ /g, '-');
    const before = counts.get(slug) ?? 0;
    counts.set(slug, before + 1);
    found.set(before === 0 ? slug : `${slug}-${before}`, { title, section });
  }
  return found;
}

const sections: Readonly<Record<string, string>> = {
  data: 'Data',
  transforms: 'Transforms',
  augment: 'Augmentation',
  layers: 'Layers',
  loss: 'Losses',
  optimizer: 'Optimizers',
  schedule: 'Learning-rate schedules',
};

describe.each(Object.entries(componentFamilies))('the documentation of %s', (family, kinds) => {
  it.each(Object.keys(kinds))('has %s', (kind) => {
    expect(anchors().get(specReferenceAnchor([family, 0], kind))).toEqual({
      title: `\`${kind}\``,
      section: sections[family],
    });
    expect(componentSummary(family, kind)).toMatch(/\S/);
  });
});

it.each(['data', 'layers', 'loss', 'clip', 'penalty', 'gradient_check', 'epochs', 'seed', 'constructor'])(
  'the key %s has a section',
  (key) => {
    expect([...anchors().keys()]).toContain(specReferenceAnchor([key], undefined));
    expect([...anchors().keys()]).toContain(specReferenceAnchor([key], 'constructor'));
  },
);

it('finds keys and values by offset', () => {
  const text = '{ "loss": "mse", "layers": [{ "type": "linear" }, "tanh"] }';
  const at = (part: string) => locationAt(text, text.indexOf(part) + 1);
  expect(at('loss')).toMatchObject({ path: ['loss'], isKey: true });
  expect(at('mse')).toMatchObject({ path: ['loss'], isKey: false });
  expect(at('type')).toMatchObject({ path: ['layers', 0, 'type'], isKey: true });
  expect(at('linear')).toMatchObject({ path: ['layers', 0, 'type'], isKey: false });
  expect(at('tanh')).toMatchObject({ path: ['layers', 1], isKey: false });
});

// What is generated and committed is what the source says, and says enough.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type EditorSchema, schemaText } from '../../src/spec/editor-schema';
import { jsonSchema } from '../../src/spec/json-schema';
import { reference } from '../../src/spec/reference';
import { families } from '../../src/spec/schema';

const root = path.resolve(__dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');

describe('generated files', () => {
  it.each([
    ['media/nabla.schema.json', schemaText],
    ['docs/spec.md', reference],
    ['media/nablascope.d.ts', () => read('src/engine/custom/contract.ts')],
    ['examples/layers/nablascope.d.ts', () => read('src/engine/custom/contract.ts')],
  ])('%s is up to date; if not: npm run generate', (file, generate) => {
    expect(read(file)).toBe(generate());
  });
});

describe('the schema', () => {
  const schema = JSON.parse(schemaText()) as EditorSchema;

  /** With what a reference refers to in its place. */
  const followed = ({ $ref, ...own }: EditorSchema): EditorSchema =>
    $ref === undefined ? own : { ...schema.definitions?.[$ref.replace('#/definitions/', '')], ...own };

  interface Key {
    readonly at: string;
    readonly key: string;
    readonly schema: EditorSchema;
  }

  /** Every key of every object in it; families of units once, as the definitions they are. */
  function keys({ properties = {}, anyOf = [], items }: EditorSchema, at: string): Key[] {
    const own = Object.entries(properties).flatMap(([key, value]) => [{ at, key, schema: followed(value) }, ...keys(value, `${at}.${key}`)]);
    return [...own, ...[...anyOf, ...(items ? [items] : [])].flatMap((inner) => keys(inner, `${at}[${inner.title ?? ''}]`))];
  }
  const everyKey = [...keys(schema, ''), ...Object.entries(schema.definitions ?? {}).flatMap(([name, definition]) => keys(definition, name))];

  it('describes every key', () => {
    expect(everyKey.length).toBeGreaterThan(150);
    expect(everyKey.filter(({ schema: { description } }) => !description).map(({ at, key }) => `${at}.${key}`)).toEqual([]);
  });

  it('tells every default where a hover shows it', () => {
    const silent = everyKey.filter(({ schema: { default: value, description } }) => value !== undefined && !description?.includes('Default: '));
    expect(silent).toEqual([]);
  });

  it('writes down a default for every key at the top that may be left out', () => {
    const needed = ['data', 'layers', 'loss'];
    expect(jsonSchema().required).toEqual(needed);
    const top = Object.entries(schema.properties ?? {}).filter(([key]) => key !== '$schema' && !needed.includes(key));
    expect(top.filter(([, value]) => value.default === undefined).map(([key]) => key)).toEqual([]);
  });

  it.each(Object.entries(families))('knows every one of %s, by name or with options', (key, table) => {
    const place = schema.properties?.[key].items ?? schema.properties?.[key];
    const alternatives = followed(place ?? {}).anyOf;
    const objects = alternatives?.flatMap(({ properties }) => properties?.type?.const ?? []);
    expect(objects).toEqual(Object.keys(table));
    const names = alternatives?.find((branch) => branch.enum);
    expect(names?.enumDescriptions).toHaveLength(names?.enum?.length ?? NaN);
  });

  it('completes and explains only: what is wrong is said once, by the extension', () => {
    const strict = ['required', 'additionalProperties', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minItems', 'maxItems', 'minLength', 'maxLength', 'pattern', 'oneOf', 'not'];
    for (const keyword of strict) expect(schemaText()).not.toContain(`"${keyword}":`);
    // Whatever is neither a known name nor an object of a known type falls to the empty alternative.
    const unions = [schema.properties?.data, schema.properties?.layers.items, schema.properties?.loss, schema.properties?.precision];
    for (const union of unions) expect(followed(union ?? {}).anyOf?.at(-1)).toEqual({});
  });

  it('refers to nothing outside of it', () => {
    const references = [...schemaText().matchAll(/"\$ref": ?"([^"]*)"/g)].map(([, to]) => to);
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((to) => !Object.keys(schema.definitions ?? {}).some((name) => to === `#/definitions/${name}`))).toEqual([]);
  });

  it('knows in a block of layers what it knows outside of one, and is small for it', () => {
    const layer = schema.properties?.layers.items;
    const block = followed(layer ?? {}).anyOf?.find(({ properties }) => properties?.type?.const === 'repeat');
    expect(block?.properties?.layers.items?.$ref).toBe(layer?.$ref);
    expect(schemaText().length).toBeLessThan(100_000);
  });
});

describe('the reference', () => {
  it.each(Object.entries(families))('has every one of %s with its formula', (_family, table) => {
    const text = reference();
    for (const { kind, summary } of Object.values(table)) {
      expect(text).toContain(`### \`${kind}\``);
      expect(text).toContain(summary);
    }
  });
});

// Generated files that are committed are up to date and complete.
import fs from 'node:fs';
import path from 'node:path';
import * as prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { loadCommands } from '../../src/cli/command';
import { commands } from '../../src/cli/commands';
import { fillMarkdown } from '../../src/cli/help';
import { renderAssemblyOpcodes } from '../../src/engine/kernels/assembly-opcodes';
import { withToolContributions } from '../../src/agent-tools';
import { withCommandContributions } from '../../src/host/commands/contributions';
import { withTableTexts } from '../../src/host/commands/manifest-texts';
import { lectureEditorSchemaText } from '../../src/lectures/editor-schema';
import { type EditorSchema, editorSchemaText } from '../../src/model-spec/editor-schema';
import { getJsonSchema } from '../../src/model-spec/json-schema';
import { renderSpecReference } from '../../src/model-spec/spec-reference';
import { componentFamilies } from '../../src/model-spec/schema';
import { withFolderTable } from '../support/architecture-rules';
import { renderExampleList } from '../support/example-list';
import { renderSystems, renderSystemsTable } from '../support/questions';

const root = path.resolve(__dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');

describe('generated files', () => {
  it.each([
    ['media/nabla.schema.json', editorSchemaText],
    ['media/lecture.schema.json', lectureEditorSchemaText],
    ['docs/spec.md', renderSpecReference],
    ['docs/terminal.md', async () => fillMarkdown(read('docs/terminal.md'), await loadCommands(commands))],
    ['media/nablascope.d.ts', () => read('src/engine/custom/contract.ts')],
    ['examples/layers/nablascope.d.ts', () => read('src/engine/custom/contract.ts')],
    ['examples/losses/nablascope.d.ts', () => read('src/engine/custom/contract.ts')],
    ['package.json', () => withToolContributions(withCommandContributions(read('package.json')))],
    ['package.nls.json', () => withTableTexts(read('package.nls.json'))],
    ['assembly/opcodes.ts', renderAssemblyOpcodes],
    ['docs/architecture.md', () => withFolderTable(read('docs/architecture.md'))],
    ['media/examples.json', renderExampleList],
    ['docs/systems.md', renderSystems],
    ['docs/systems-tests.md', renderSystemsTable],
  ])('%s is up to date; if not: npm run generate', async (file, generate) => {
    const config = await prettier.resolveConfig(path.join(root, file));
    const text = await generate();
    expect(read(file)).toBe(
      file.endsWith('.md') ? await prettier.format(text, { ...config, parser: 'markdown' }) : text,
    );
  });
});

describe('the schema', () => {
  const schema = JSON.parse(editorSchemaText()) as EditorSchema;

  /** With references replaced by their targets. */
  const followed = ({ $ref, ...own }: EditorSchema): EditorSchema =>
    $ref === undefined ? own : { ...schema.definitions?.[$ref.replace('#/definitions/', '')], ...own };

  interface Key {
    readonly at: string;
    readonly key: string;
    readonly schema: EditorSchema;
  }

  /** Every key of every object in the schema; families of components once, as definitions. */
  function keys({ properties = {}, anyOf = [], items }: EditorSchema, at: string): Key[] {
    const own = Object.entries(properties).flatMap(([key, value]) => [
      { at, key, schema: followed(value) },
      ...keys(value, `${at}.${key}`),
    ]);
    return [
      ...own,
      ...[...anyOf, ...(items ? [items] : [])].flatMap((inner) => keys(inner, `${at}[${inner.title ?? ''}]`)),
    ];
  }
  const everyKey = [
    ...keys(schema, ''),
    ...Object.entries(schema.definitions ?? {}).flatMap(([name, definition]) => keys(definition, name)),
  ];

  it('describes every key', () => {
    expect(everyKey.length).toBeGreaterThan(150);
    expect(everyKey.filter(({ schema: { description } }) => !description).map(({ at, key }) => `${at}.${key}`)).toEqual(
      [],
    );
  });

  it('shows every default in a hover', () => {
    const silent = everyKey.filter(
      ({ schema: { default: value, description } }) => value !== undefined && !description?.includes('Default: '),
    );
    expect(silent).toEqual([]);
  });

  it('has a default for every optional key at the top level', () => {
    const needed = ['data', 'layers', 'loss'];
    expect(getJsonSchema().required).toEqual(needed);
    const top = Object.entries(schema.properties ?? {}).filter(([key]) => key !== '$schema' && !needed.includes(key));
    expect(top.filter(([, value]) => value.default === undefined).map(([key]) => key)).toEqual([]);
  });

  it.each(Object.entries(componentFamilies))('lists every one of %s, by name or with options', (key, table) => {
    const place = schema.properties?.[key].items ?? schema.properties?.[key];
    const alternatives = followed(place ?? {}).anyOf;
    const objects = alternatives?.flatMap(({ properties }) => properties?.type?.const ?? []);
    expect(objects).toEqual(Object.keys(table));
    const names = alternatives?.find((branch) => branch.enum);
    expect(names?.enumDescriptions).toHaveLength(names?.enum?.length ?? NaN);
  });

  it('only completes and explains: the extension reports problems', () => {
    const strict = [
      'required',
      'additionalProperties',
      'minimum',
      'maximum',
      'exclusiveMinimum',
      'exclusiveMaximum',
      'minItems',
      'maxItems',
      'minLength',
      'maxLength',
      'pattern',
      'oneOf',
      'not',
    ];
    for (const keyword of strict) expect(editorSchemaText()).not.toContain(`"${keyword}":`);
    // Anything that is neither a known name nor an object of a known type matches the empty alternative.
    const unions = [
      schema.properties?.data,
      schema.properties?.layers.items,
      schema.properties?.loss,
      schema.properties?.precision,
    ];
    for (const union of unions) expect(followed(union ?? {}).anyOf?.at(-1)).toEqual({});
  });

  it('has no external references', () => {
    const references = [...editorSchemaText().matchAll(/"\$ref": ?"([^"]*)"/g)].map(([, to]) => to);
    expect(references.length).toBeGreaterThan(50);
    expect(
      references.filter((to) => !Object.keys(schema.definitions ?? {}).some((name) => to === `#/definitions/${name}`)),
    ).toEqual([]);
  });

  it('knows the same in a block of layers as outside, and stays small', () => {
    const layer = schema.properties?.layers.items;
    const block = followed(layer ?? {}).anyOf?.find(({ properties }) => properties?.type?.const === 'repeat');
    expect(block?.properties?.layers.items?.$ref).toBe(layer?.$ref);
    expect(editorSchemaText().length).toBeLessThan(200_000);
  });
});

describe('the reference', () => {
  it.each(Object.entries(componentFamilies))('lists every one of %s with its formula', (_family, table) => {
    const text = renderSpecReference();
    for (const { kind, summary } of Object.values(table)) {
      expect(text).toContain(`### \`${kind}\``);
      expect(text).toContain(summary);
    }
  });
});

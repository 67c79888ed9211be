// Every text that VS Code shows for the extension is in the bundles, and the German ones are complete. A text that is
// not passed to `l10n.t` is found here.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import german from '../../l10n/bundle.l10n.de.json';
import manifest from '../../package.json';
import englishTexts from '../../package.nls.json';
import germanTexts from '../../package.nls.de.json';

const root = path.resolve(__dirname, '../..');

/** Texts of files for people to edit, of `package.nls.json`, and of the page's policy. */
const OTHER_TEXTS = ['templates.ts', 'command-table.ts', 'contributions.ts', 'panel-html.ts'];
/** Ids, styles, symbols, parts of file names, an answer to a language model, a line of the log. */
const NOT_SHOWN = new Set([
  'nablascope run 2\n',
  'lecture {}',
  'layer {}',
  'parameter {}',
  'step {}',
  'Δw/w {}',
  '2px solid',
  '0 1em 0 2em',
  'a spec',
  'Ask the user to open the spec in Nablascope and to allow its custom layers there, if they trust the code.',
  'the panel does not contain the name of its spec',
]);
/** The name of the product is the same everywhere. */
const NAMES = new Set(['Nablascope']);
const SHOWN_PROPERTIES =
  /^(label|description|detail|title|tooltip|placeHolder|placeholder|prompt|text|message|remedy|name)$/;

interface Text {
  readonly where: string;
  /** With `{}` for what is filled in. */
  readonly text: string;
}

/** @returns the texts that are passed to `l10n.t`, and the others that people may see */
export function textsOf(file: string, source: string): { readonly localized: Text[]; readonly others: Text[] } {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const localized: Text[] = [];
  const others: Text[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isLiteralTypeNode(node)) return;
    if (ts.isYieldExpression(node) && node.expression && ts.isStringLiteral(node.expression)) return;
    const { line } = parsed.getLineAndCharacterOfPosition(node.getStart());
    const where = `${file}:${line + 1}`;
    if (ts.isCallExpression(node)) {
      const called = node.expression.getText();
      if (/\blog\??\.(info|warn|error|debug)$/.test(called)) return;
      if (/(^|\.)l10n\.t$/.test(called)) {
        const [message, ...values] = node.arguments;
        localized.push({ where, text: message && ts.isStringLiteralLike(message) ? message.text : '' });
        values.forEach(visit);
        return;
      }
    }
    const text = textOf(node);
    if (text !== undefined && isShown(node, text)) others.push({ where, text });
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return { localized, others };
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `{}${literal.text}`).join('');
  return undefined;
}

/** Two words, or one that begins with a capital where VS Code shows it. */
function isShown(node: ts.Node, text: string): boolean {
  if (NOT_SHOWN.has(text) || NAMES.has(text)) return false;
  const words = text.replaceAll('{}', ' ').match(/\p{L}{2,}/gu) ?? [];
  if (/(\p{L}{2,}[.,:;"']?|\{\}) \p{L}{2,}|\p{L}{2,} \{\}/u.test(text)) return true;
  const { parent } = node;
  const isProperty = ts.isPropertyAssignment(parent) && SHOWN_PROPERTIES.test(parent.name.getText());
  const isArgument =
    ts.isCallExpression(parent) && /show\w+(Message|Pick|Box)$|notify$/.test(parent.expression.getText());
  const isElement = ts.isArrayLiteralExpression(parent);
  return (isProperty || isArgument || isElement) && words.some((word) => /^\p{Lu}\p{Ll}/u.test(word));
}

const files = ['src/host', 'src/test-explorer'].flatMap((folder) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !OTHER_TEXTS.includes(path.basename(file)))
    .map((file) => path.join(folder, file)),
);
const found = files.map((file) => textsOf(file, fs.readFileSync(path.join(root, file), 'utf8')));
const localized = found.flatMap((each) => each.localized);

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{\d+\}|\(command:[^)]*\)|`[^`]*`/g)].map(String).sort();

describe('texts of the extension', () => {
  it('are all passed to l10n.t, as literals', () => {
    expect(found.flatMap((each) => each.others)).toEqual([]);
    expect(localized.filter(({ text }) => text === '')).toEqual([]);
    expect(localized.length).toBeGreaterThan(100);
  });

  it('have a German translation each, and none is left over', () => {
    expect(Object.keys(german).sort()).toEqual([...new Set(localized.map(({ text }) => text))].sort());
    for (const [english, text] of Object.entries(german))
      expect(placeholders(text), english).toEqual(placeholders(english));
  });

  it.each([
    ["view.notify('info', 'Saved.');", 'Saved.'],
    ["window.showQuickPick([], { placeHolder: 'Layers' });", 'Layers'],
    ['item.tooltip = `Open ${file}`;', 'Open {}'],
    ["throw new Error('Save the spec first.');", 'Save the spec first.'],
    ["const items = [['run', 'Run']];", 'Run'],
  ])('are found in %s', (source, text) => {
    expect(textsOf('example.ts', source).others.map((each) => each.text)).toEqual([text]);
  });
});

/** Strings of package.json that VS Code shows, by the path to them. */
function* shownIn(value: unknown, at: readonly string[] = []): Generator<readonly [at: string, text: string]> {
  const key = at.at(-1) ?? '';
  if (typeof value === 'string') {
    const isShown =
      /^(title|shortTitle|displayName|userDescription|altText|contents|markdownDescription|label)$/.test(key) ||
      (key === 'description' && !at.includes('inputSchema')) ||
      (key === 'name' && (at.includes('views') || at.includes('debuggers')));
    if (isShown) yield [at.join('.'), value];
  } else if (typeof value === 'object' && value !== null)
    for (const [inner, each] of Object.entries(value)) yield* shownIn(each, [...at, inner]);
}

describe('texts of package.json', () => {
  const shown = [
    ...shownIn({
      description: manifest.description,
      capabilities: manifest.capabilities,
      contributes: manifest.contributes,
    }),
  ];

  it('are all keys of package.nls.json, which has no others', () => {
    const texts = shown.filter(([, text]) => !NAMES.has(text));
    expect(texts.filter(([, text]) => !/^%[\w.]+%$/.test(text))).toEqual([]);
    expect([...new Set(texts.map(([, text]) => text.slice(1, -1)))].sort()).toEqual(Object.keys(englishTexts).sort());
  });

  it('have a German translation each, with the same links and placeholders', () => {
    expect(Object.keys(germanTexts)).toEqual(Object.keys(englishTexts));
    for (const [key, text] of Object.entries(germanTexts))
      expect(placeholders(text), key).toEqual(placeholders((englishTexts as Readonly<Record<string, string>>)[key]!));
  });
});

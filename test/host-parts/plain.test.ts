// Names in VS Code's own interface: text wherever they go, whatever they hold.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { engineVoice } from '../../src/host/engine-voice';
import { plain, plainLines } from '../../src/host/plain';
import { suggestionOf } from '../../src/host/suggestion';
import { treeOf } from '../../src/testing/spec-tree';
import { names } from '../support/hostile-names';

/** What VS Code makes icons of in labels, and links in notifications: its `iconLabels.ts` and `linkedText.ts`. */
const ICON = /\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/;
const LINK = /\[[^\]]+\]\((?:https?:\/\/|command:|file:)[^)\s]+/i;
const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029]/u;
const TURNS = /[\u202A-\u202E\u2066\u2067]/;

function expectPlain(text: string): void {
  expect(text).not.toMatch(ICON);
  expect(text).not.toMatch(LINK);
  expect(text).not.toMatch(CONTROL);
  expect(text).not.toMatch(TURNS);
  expect(text).not.toMatch(/\p{Surrogate}/u);
  // Whatever is begun is ended, and nothing else is: what stands behind is as it was.
  expect((text.match(/\u2068/g) ?? []).length).toBe((text.match(/\u2069/g) ?? []).length);
}

describe('a name as it is shown', () => {
  it('is text, on one line, whatever it holds', () => {
    for (const name of names) {
      expectPlain(plain(name));
      expect(plain(name)).not.toContain('\n');
      expect(plain(name).length).toBeGreaterThan(0);
      expectPlain(plainLines(`The layer ${name} is at fault.\nRename ${name}.`));
    }
  });

  it('looks as it was written', () => {
    for (const name of ['hidden1', 'a layer', 'Größe × 2', '😀👨‍👩‍👧‍👦', '<b>', '$5 (five)', '[0](1)']) expect(plain(name).replaceAll('\u2060', '')).toBe(name);
    expect(plain('$(bug)')).toBe('$\u2060(bug)');
    expect(plain('[x](command:y)')).toBe('[x]\u2060(command:y)');
    expect(plain('a\0b\u001B[31m\r\nc\u202Ed')).toBe('a[U+0000]b[U+001B][31m⏎c[U+202E]d');
    expect(plain('אבג')).toBe('\u2068אבג\u2069');
    expect(plainLines('one\ntwo')).toBe('one\ntwo');
  });

  it('stays apart from others: two names that differ are shown differently', () => {
    expect(new Set(names.map(plain)).size).toBe(names.length);
  });
});

it('the log says whose words they are in one line of text', () => {
  for (const name of names) {
    const lines: string[] = [];
    const log = { debug: (text: string) => void lines.push(text), info: () => undefined, warn: () => undefined, error: (error: unknown) => void lines.push(String(error)), trace: () => undefined };
    const voice = engineVoice({ log: log as never, current: () => true, fault: () => undefined } as never);
    voice.log('debug', 'hello', name);
    voice.fault({ message: `The layer ${name} failed.` } as never);
    expect(lines.length).toBe(2);
    for (const line of lines) expectPlain(line);
  }
});

it('every layer has a place of its own in the tree of tests, with an id that VS Code takes', () => {
  const layers = names.slice(0, 250).map((name) => ({ type: 'linear', out_features: 1, name }));
  const tree = treeOf(JSON.stringify({ data: { type: 'noisy_sine' }, layers, loss: 'mse', optimizer: { type: 'sgd', lr: 0.1 } }));
  expect(tree.layers.length).toBe(251);
  expect(new Set(tree.layers.map(({ id }) => id)).size).toBe(251);
  for (const { id } of tree.layers) expect(id).not.toContain('\0');
});

it('a quick fix never writes a name as it is shown in place of the name', () => {
  expect(suggestionOf('There is no column "hight". Did you mean "height"?')).toBe('"height"');
  for (const name of names.filter((each) => !/["\\]/.test(each) && plain(each) !== each)) {
    expect(suggestionOf(plainLines(`Did you mean "${name}"?`))).toBeOneOf([undefined, `"${name}"`]);
  }
});

/** Where text goes into VS Code's interface: options of items, properties that are set, and what is called with it. */
const OPTIONS = new Set(['label', 'description', 'detail', 'title', 'placeHolder', 'prompt', 'tooltip']);
const PROPERTIES = new Set(['text', 'tooltip', 'title', 'error', 'message']);
const CALLS: Readonly<Record<string, number>> = {
  showInformationMessage: 0, showWarningMessage: 0, showErrorMessage: 0, setStatusBarMessage: 0, createTestItem: 1, TestMessage: 0, Diagnostic: 1, CodeAction: 0, MarkdownString: 0, appendMarkdown: 0,
};
/** What holds no name, or only what `plain` made of it. */
const SAFE = /^(plain(Lines)?\(.*\)|text|label|name|make|file|title|undefined|prompt|typed|hasOwnProperty|error && .*plainLines\(.*|Math\..*|(?:frame|model)\..*|vscode\.TestMessage.*)$/s;

it('every way into it goes through `plain`', () => {
  const found: string[] = [];
  let ways = 0;
  for (const folder of ['src/host', 'src/testing'].map((each) => resolve(__dirname, '../..', each))) {
    for (const file of readdirSync(folder)) {
      const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.ES2022, true);
      if (!source.text.includes("from 'vscode'")) continue;
      const look = (value: ts.Expression): void => {
        ways++;
        const parts = ts.isTemplateExpression(value) ? value.templateSpans.map(({ expression }) => expression) : ts.isStringLiteralLike(value) ? [] : [value];
        for (const part of parts) if (!SAFE.test(part.getText())) found.push(`${file}: ${part.getText()}`);
      };
      const visit = (node: ts.Node): void => {
        if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && OPTIONS.has(node.name.text)) look(node.initializer);
        if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isPropertyAccessExpression(node.left) && PROPERTIES.has(node.left.name.text)) look(node.right);
        if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
          const name = ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : node.expression.getText();
          const at = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
          if (at !== undefined && node.arguments?.[at]) look(node.arguments[at]);
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
  }
  expect(ways).toBeGreaterThan(25);
  expect(found).toEqual([]);
});

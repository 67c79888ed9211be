// Names in VS Code's interface are text everywhere, whatever they contain.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { createEngineEventHandlers } from '../../../src/host/run/run-engine';
import { escapeUiText, escapeUiLines } from '../../../src/host/ui/escape-ui';
import { buildSpecTree } from '../../../src/test-explorer/spec-tree';
import { names } from '../../support/hostile-names';

/** What VS Code turns into icons in labels and links in notifications, from its `iconLabels.ts` and `linkedText.ts`. */
const ICON = /\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/;
const LINK = /\[[^\]]+\]\((?:https?:\/\/|command:|file:)[^)\s]+/i;
const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029]/u;
const BIDI_CONTROL = /[\u202A-\u202E\u2066\u2067]/;

function expectEscaped(text: string): void {
  expect(text).not.toMatch(ICON);
  expect(text).not.toMatch(LINK);
  expect(text).not.toMatch(CONTROL);
  expect(text).not.toMatch(BIDI_CONTROL);
  expect(text).not.toMatch(/\p{Surrogate}/u);
  // Every isolate that is opened is closed, and no others, so the text after it is unaffected.
  expect((text.match(/\u2068/g) ?? []).length).toBe((text.match(/\u2069/g) ?? []).length);
}

describe('an escaped name', () => {
  it('is text on one line, whatever it contains', () => {
    for (const name of names) {
      expectEscaped(escapeUiText(name));
      expect(escapeUiText(name)).not.toContain('\n');
      expect(escapeUiText(name).length).toBeGreaterThan(0);
      expectEscaped(escapeUiLines(`The layer ${name} is at fault.\nRename ${name}.`));
    }
  });

  it('looks as it was written', () => {
    for (const name of ['hidden1', 'a layer', 'Größe × 2', '😀👨‍👩‍👧‍👦', '<b>', '$5 (five)', '[0](1)'])
      expect(escapeUiText(name).replaceAll('\u2060', '')).toBe(name);
    expect(escapeUiText('$(bug)')).toBe('$\u2060(bug)');
    expect(escapeUiText('[x](command:y)')).toBe('[x]\u2060(command:y)');
    expect(escapeUiText('a\0b\u001B[31m\r\nc\u202Ed')).toBe('a[U+0000]b[U+001B][31m⏎c[U+202E]d');
    expect(escapeUiText('אבג')).toBe('\u2068אבג\u2069');
    expect(escapeUiLines('one\ntwo')).toBe('one\ntwo');
  });

  it('stays distinct: two names that differ are shown differently', () => {
    expect(new Set(names.map(escapeUiText)).size).toBe(names.length);
  });
});

it('names the source of each log line in one line', () => {
  for (const name of names) {
    const lines: string[] = [];
    const log = {
      debug: (text: string) => void lines.push(text),
      info: () => undefined,
      warn: () => undefined,
      error: (error: unknown) => void lines.push(String(error)),
      trace: () => undefined,
    };
    const voice = createEngineEventHandlers({
      log: log as never,
      isCurrent: () => true,
      onFault: () => undefined,
    } as never);
    voice.log('debug', 'hello', name);
    voice.fault({ message: `The layer ${name} failed.` } as never);
    expect(lines.length).toBe(2);
    for (const line of lines) expectEscaped(line);
  }
});

it('gives every layer its own test item with an id that VS Code accepts', () => {
  const layers = names.slice(0, 250).map((name) => ({ type: 'linear', out_features: 1, name }));
  const tree = buildSpecTree(
    JSON.stringify({ data: { type: 'noisy_sine' }, layers, loss: 'mse', optimizer: { type: 'sgd', lr: 0.1 } }),
  );
  expect(tree.layers.length).toBe(251);
  expect(new Set(tree.layers.map(({ id }) => id)).size).toBe(251);
  for (const { id } of tree.layers) expect(id).not.toContain('\0');
});

/** Where text enters VS Code's interface: options of items, properties, and arguments. */
const OPTIONS = new Set(['label', 'description', 'detail', 'title', 'placeHolder', 'prompt', 'tooltip']);
const PROPERTIES = new Set(['text', 'tooltip', 'title', 'error', 'message']);
const CALLS: Readonly<Record<string, number>> = {
  showInformationMessage: 0,
  showWarningMessage: 0,
  showErrorMessage: 0,
  setStatusBarMessage: 0,
  createTestItem: 1,
  TestMessage: 0,
  Diagnostic: 1,
  CodeAction: 0,
  MarkdownString: 0,
  appendMarkdown: 0,
};
/** Expressions without a name, or with one escaped by `escapeUiText`. */
const SAFE =
  /^(escapeUi(Text|Lines)\(.*\)|text|label|name|tensor|goal|make|file|fileIcons\[.*\]|title(\(\))?|undefined|prompt|typed|hasOwnProperty|error && .*escapeUiLines\(.*|Math\..*|(?:frame|model)\..*|vscode\.TestMessage.*)$/s;

it('is used everywhere in the VS Code interface', () => {
  const found: string[] = [];
  let ways = 0;
  for (const folder of ['src/host', 'src/test-explorer'].map((each) => resolve(__dirname, '../../..', each))) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )) {
      const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.ES2022, true);
      if (!source.text.includes("from 'vscode'")) continue;
      const look = (value: ts.Expression): void => {
        if (ts.isConditionalExpression(value)) return [value.whenTrue, value.whenFalse].forEach(look);
        // The values of a localized text.
        if (ts.isCallExpression(value) && /^(vscode\.)?l10n\.t$/.test(value.expression.getText()))
          return value.arguments.slice(1).forEach(look);
        ways++;
        if (ts.isTemplateExpression(value)) return value.templateSpans.forEach(({ expression }) => look(expression));
        if (!ts.isStringLiteralLike(value) && !SAFE.test(value.getText())) found.push(`${file}: ${value.getText()}`);
      };
      const visit = (node: ts.Node): void => {
        if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && OPTIONS.has(node.name.text))
          look(node.initializer);
        if (
          ts.isBinaryExpression(node) &&
          node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
          ts.isPropertyAccessExpression(node.left) &&
          PROPERTIES.has(node.left.name.text)
        )
          look(node.right);
        if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
          const name = ts.isPropertyAccessExpression(node.expression)
            ? node.expression.name.text
            : node.expression.getText();
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

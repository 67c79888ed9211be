// A spec whose names look like icons, links, line breaks or colors of the editor.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample, problemsOf } from '../support/extension';
import { workbench } from '../support/workbench-driver';
import { closeAll } from '../support/runs';

const FILE = 'a-$(bug) hostile.nabla.json';
const WORD_JOINER = '\u2060';
/** Names, and how each must be shown. */
const expectedLabels: readonly (readonly [name: string, text: string])[] = [
  ['$(bug) icon', '$(bug) icon'],
  ['$(sync~spin)', '$(sync~spin)'],
  ['[quit](command:workbench.action.quit)', '[quit](command:workbench.action.quit)'],
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['\u202Etxet denrut', '[U+202E]txet denrut'],
  ['two\nlines', 'two⏎lines'],
  ['nul\0 and \u001B[31mred', 'nul[U+0000] and [U+001B][31mred'],
  ['**bold** `code`', '**bold** `code`'],
];
const spec = JSON.stringify(
  {
    data: 'circles',
    layers: [
      ...expectedLabels.map(([name]) => ({ type: 'linear', out_features: 2, name })),
      { type: 'custom', module: './layers/swish.layer.ts', name: '$(error) own' },
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.1 },
  },
  null,
  2,
);

const write = (text: string): Thenable<void> =>
  vscode.workspace.fs.writeFile(inWorkspace(FILE), new TextEncoder().encode(text));
/** As visible on screen, without invisible separators and direction marks. */
const visibleTexts = async (selector: string): Promise<string[]> =>
  (await workbench.texts(selector)).map((text) =>
    text
      .replaceAll(/[\u2060\u2068\u2069]/g, '')
      .replaceAll('\u00A0', ' ')
      .trim(),
  );
const count = async (selector: string): Promise<number> => (await workbench.texts(selector)).length;

describe('hostile names', () => {
  before(async () => {
    await activateExtension();
    await write(spec);
  });
  after(async () => {
    await closeAll();
    await vscode.workspace.fs.delete(inWorkspace(FILE));
  });

  it('are text in the code lens of a custom layer', async () => {
    await openExample(FILE);
    const editor = vscode.window.activeTextEditor as vscode.TextEditor;
    const line = spec.split('\n').findIndex((each) => each.includes('$(error) own'));
    editor.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.InCenter);
    await eventually('the line', async () =>
      (await visibleTexts('.codelens-decoration a')).includes('Debug $(error) own'),
    );
    assert.equal(await count('.codelens-decoration .codicon-error'), 0);
  });

  it('are text in Test Explorer, and do not break its tree', async () => {
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await openExample(FILE);
    await eventually('the spec', async () =>
      (await visibleTexts('.test-explorer .monaco-list-row .label')).some((text) => text === FILE),
    );
    await workbench.click(`.test-explorer .monaco-list-row[aria-label*="hostile.nabla.json"]`);
    await workbench.press('ArrowRight');
    const wanted = expectedLabels.map(([, text]) => text);
    await eventually('its layers', async () => {
      const labels = await visibleTexts('.test-explorer .monaco-list-row .label');
      return wanted.every((text) => labels.includes(text));
    });
    assert.equal(await count('.test-explorer .label .codicon'), 0);
    assert.equal(await count('.test-explorer .label a'), 0);
    await workbench.screenshot('hostile-names-test-explorer');
  });

  it('are text in the layer picker', async () => {
    await openExample(FILE);
    const asked = vscode.commands.executeCommand('nablascope.newLayer');
    await workbench.wait('.quick-input-widget .monaco-inputbox');
    await workbench.press('Enter');
    await eventually('the choices', async () =>
      (await visibleTexts('.quick-input-widget .monaco-list-row .label-name')).includes('After $(bug) icon'),
    );
    const labels = await visibleTexts('.quick-input-widget .monaco-list-row .label-name');
    for (const [, text] of expectedLabels.slice(0, 5))
      assert.ok(labels.includes(`After ${text}`), `${text} in ${labels.join(' | ')}`);
    assert.equal(await count('.quick-input-widget .monaco-list-row .codicon-bug'), 0);
    await workbench.screenshot('hostile-names-quick-pick');
    await workbench.press('Escape');
    await asked;
  });

  it('are text in Problems', async () => {
    const twice = spec.replace('"name": "**bold** `code`"', '"name": "$(bug) icon"');
    await write(twice);
    const editor = await openExample(FILE);
    await eventually('the text', () => editor.document.getText() === twice);
    const [{ message }] = await problemsOf(inWorkspace(FILE), 1);
    assert.ok(message.includes(`$${WORD_JOINER}(bug) icon`), message);
  });
});

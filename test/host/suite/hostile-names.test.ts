// A spec full of names that would be icons, links, lines or colours of the editor's own, if anybody took them for it.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample, problemsOf } from '../support/extension';
import { outside } from '../support/outside';
import { closeAll } from '../support/runs';

const FILE = 'a-$(bug) hostile.nabla.json';
const APART = '\u2060';
/** Names, and how each is to be shown. */
const shown: readonly (readonly [name: string, text: string])[] = [
  ['$(bug) icon', '$(bug) icon'],
  ['$(sync~spin)', '$(sync~spin)'],
  ['[quit](command:workbench.action.quit)', '[quit](command:workbench.action.quit)'],
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['\u202Etxet denrut', '[U+202E]txet denrut'],
  ['two\nlines', 'two⏎lines'],
  ['nul\0 and \u001B[31mred', 'nul[U+0000] and [U+001B][31mred'],
  ['**bold** `code`', '**bold** `code`'],
];
const spec = JSON.stringify({
  data: 'circles',
  layers: [
    ...shown.map(([name]) => ({ type: 'linear', out_features: 2, name })),
    { type: 'custom', module: './layers/swish.layer.ts', name: '$(error) own' },
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy', optimizer: { type: 'sgd', lr: 0.1 },
}, null, 2);

const write = (text: string): Thenable<void> => vscode.workspace.fs.writeFile(inWorkspace(FILE), new TextEncoder().encode(text));
/** As they are on the screen: what keeps signs apart and what holds directions cannot be seen. */
const seen = async (selector: string): Promise<string[]> => (await outside.texts(selector)).map((text) => text.replaceAll(/[\u2060\u2068\u2069]/g, '').replaceAll('\u00A0', ' ').trim());
const count = async (selector: string): Promise<number> => (await outside.texts(selector)).length;

describe('names that would be more than text', () => {
  before(async () => {
    await activateExtension();
    await write(spec);
  });
  after(async () => {
    await closeAll();
    await vscode.workspace.fs.delete(inWorkspace(FILE));
  });

  it('are text in the line above a layer of the user’s own', async () => {
    await openExample(FILE);
    const editor = vscode.window.activeTextEditor as vscode.TextEditor;
    const line = spec.split('\n').findIndex((each) => each.includes('$(error) own'));
    editor.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.InCenter);
    await eventually('the line', async () => (await seen('.codelens-decoration a')).includes('Debug $(error) own'));
    assert.equal(await count('.codelens-decoration .codicon-error'), 0);
  });

  it('are text in the Test Explorer, whose tree they do not break', async () => {
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await openExample(FILE);
    await eventually('the spec', async () => (await seen('.test-explorer .monaco-list-row .label')).some((text) => text === FILE));
    await outside.click(`.test-explorer .monaco-list-row[aria-label*="hostile.nabla.json"]`);
    await outside.press('ArrowRight');
    const wanted = shown.map(([, text]) => text);
    await eventually('its layers', async () => {
      const labels = await seen('.test-explorer .monaco-list-row .label');
      return wanted.every((text) => labels.includes(text));
    });
    assert.equal(await count('.test-explorer .label .codicon'), 0);
    assert.equal(await count('.test-explorer .label a'), 0);
    await outside.screenshot('hostile-names-test-explorer');
  });

  it('are text where a layer is chosen', async () => {
    await openExample(FILE);
    const asked = vscode.commands.executeCommand('nablascope.newLayer');
    await outside.wait('.quick-input-widget .monaco-inputbox');
    await outside.press('Enter');
    await eventually('the choices', async () => (await seen('.quick-input-widget .monaco-list-row .label-name')).includes('After $(bug) icon'));
    const labels = await seen('.quick-input-widget .monaco-list-row .label-name');
    for (const [, text] of shown.slice(0, 5)) assert.ok(labels.includes(`After ${text}`), `${text} in ${labels.join(' | ')}`);
    assert.equal(await count('.quick-input-widget .monaco-list-row .codicon-bug'), 0);
    await outside.screenshot('hostile-names-quick-pick');
    await outside.press('Escape');
    await asked;
  });

  it('are text in Problems', async () => {
    const twice = spec.replace('"name": "**bold** `code`"', '"name": "$(bug) icon"');
    await write(twice);
    const editor = await openExample(FILE);
    await eventually('the text', () => editor.document.getText() === twice);
    const [{ message }] = await problemsOf(inWorkspace(FILE), 1);
    assert.ok(message.includes(`$${APART}(bug) icon`), message);
  });
});

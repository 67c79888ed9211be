// What VS Code itself offers and explains in a spec, from the schema: the same in a block of layers as outside of one.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { closeAllEditors, eventually, openExample } from '../support/extension';

const before = '{ "data": "circles", "layers": [';
const after = '], "loss": "cross_entropy" }';
const block = (inner: string): string => `{ "type": "repeat", "times": 2, "layers": [${inner}] }`;

/** An example with these layers in place of its own; `‸` is where the cursor stands. */
async function openAt(layers: string): Promise<readonly [vscode.Uri, vscode.Position]> {
  const editor = await openExample('circles.nabla.json');
  const { document } = editor;
  const text = before + layers + after;
  const all = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
  await editor.edit((edit) => edit.replace(all, text.replace('‸', '')));
  return [document.uri, document.positionAt(text.indexOf('‸'))];
}

async function offered(layers: string): Promise<string[]> {
  const [uri, at] = await openAt(layers);
  let labels: string[] = [];
  await eventually('something offered', async () => {
    const list = await vscode.commands.executeCommand<vscode.CompletionList>('vscode.executeCompletionItemProvider', uri, at);
    labels = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    return labels.some((label) => label.includes('init') || label.includes('tanh'));
  });
  return labels.sort();
}

describe('completion in a spec', () => {
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await closeAllEditors();
  });

  for (const [what, text] of [['a layer', '‸'], ['an option of one', '{ "type": "linear", ‸ }']] as const) {
    it(`offers ${what} in a block, and in a block in a block, as outside of one`, async () => {
      const outside = await offered(text);
      assert.ok(outside.length > 5, outside.join());
      assert.deepEqual(await offered(block(text)), outside);
      assert.deepEqual(await offered(block(block(text))), outside);
    });
  }

  it('explains an option that several layers share', async () => {
    const [uri, at] = await openAt(block('{ "type": "linear", "out_features": 2, "fre‸eze": [] }'));
    await eventually('a hover', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', uri, at);
      return hovers.some(({ contents }) => contents.some((text) => (text as vscode.MarkdownString).value.includes('shown and checked but not updated')));
    });
  });
});

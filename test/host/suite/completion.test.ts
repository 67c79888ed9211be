// VS Code's completion and hovers in a spec, from the schema: the same in a block of layers as outside.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { closeAllEditors, eventually, openExample } from '../support/extension';

const before = '{ "data": "circles", "layers": [';
const after = '], "loss": "cross_entropy" }';
const block = (inner: string): string => `{ "type": "repeat", "times": 2, "layers": [${inner}] }`;

/** An example with these layers; `‸` marks the cursor. */
async function openWithLayers(layers: string): Promise<readonly [vscode.Uri, vscode.Position]> {
  const editor = await openExample('circles.nabla.json');
  const { document } = editor;
  const text = before + layers + after;
  const all = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
  await editor.edit((edit) => edit.replace(all, text.replace('‸', '')));
  return [document.uri, document.positionAt(text.indexOf('‸'))];
}

async function completionLabels(layers: string): Promise<string[]> {
  const [uri, at] = await openWithLayers(layers);
  let labels: string[] = [];
  await eventually('something offered', async () => {
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      uri,
      at,
    );
    labels = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    return labels.some((label) => label.includes('init') || label.includes('tanh'));
  });
  return labels.sort();
}

describe('an empty spec', () => {
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await closeAllEditors();
  });

  it('offers a network that trains, as a completion and as a quick fix', async () => {
    const { document } = await openExample('circles.nabla.json');
    const all = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, all, '');
    await vscode.workspace.applyEdit(edit);
    const start = new vscode.Position(0, 0);
    const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      document.uri,
      start,
    );
    const starter = items.find(({ label }) => label === 'Nablascope spec');
    assert.ok(starter?.insertText instanceof vscode.SnippetString);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
      10,
    );
    assert.deepEqual(
      lenses.map(({ command }) => command?.command),
      ['editor.action.insertSnippet', 'nablascope.newModel'],
    );
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      new vscode.Range(start, start),
    );
    const insert = actions.find(({ edit: change }) => change?.has(document.uri));
    assert.ok(insert?.edit, 'no quick fix');
    await vscode.workspace.applyEdit(insert.edit);
    assert.match(document.getText(), /"layers": \[/);
    await eventually('no error', () => vscode.languages.getDiagnostics(document.uri).length === 0);
  });
});

describe('navigation in a spec', () => {
  afterEach(closeAllEditors);

  it('goes from the module of a layer to its file, by link and by definition', async () => {
    const { document } = await openExample('custom-layer.nabla.json');
    const module = './layers/swish.layer.ts';
    const at = document.positionAt(document.getText().indexOf(module) + 3);
    const target = vscode.Uri.joinPath(document.uri, '..', module).path;
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      document.uri,
    );
    const link = links.find(({ range }) => range.contains(at));
    assert.equal(link?.target?.path, target);
    assert.equal(link && document.getText(link.range), module);
    const definitions = await vscode.commands.executeCommand<vscode.Location[]>(
      'vscode.executeDefinitionProvider',
      document.uri,
      at,
    );
    assert.deepEqual(
      definitions.map(({ uri }) => uri.path),
      [target],
    );
  });

  it('lists layers by name', async () => {
    const { document } = await openExample('circles.nabla.json');
    const symbols = await eventually('symbols', () =>
      vscode.commands.executeCommand<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider', document.uri),
    );
    const names = symbols.map(({ name }) => name);
    assert.ok(names.includes('tanh1'), names.join());
  });
});

describe('completion in a spec', () => {
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await closeAllEditors();
  });

  for (const [what, text] of [
    ['a layer', '‸'],
    ['an option of one', '{ "type": "linear", ‸ }'],
  ] as const) {
    it(`offers ${what} in a block, and in a block in a block, as outside of one`, async () => {
      const outside = await completionLabels(text);
      assert.ok(outside.length > 5, outside.join());
      assert.deepEqual(await completionLabels(block(text)), outside);
      assert.deepEqual(await completionLabels(block(block(text))), outside);
    });
  }

  it('documents an option that several layers share', async () => {
    const [uri, at] = await openWithLayers(block('{ "type": "linear", "out_features": 2, "fre‸eze": [] }'));
    await eventually('a hover', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', uri, at);
      return hovers.some(({ contents }) =>
        contents.some((text) => (text as vscode.MarkdownString).value.includes('Default: ')),
      );
    });
  });
});

// Problems of a spec in the Problems view: while typing, at the exact position, and removed when fixed.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, openExample } from '../support/extension';
import { closeAll, command, replace, waitForRun } from '../support/runs';

const ownDiagnostics = (uri: vscode.Uri): vscode.Diagnostic[] =>
  vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'Nablascope');

const oneProblem = (uri: vscode.Uri): Promise<vscode.Diagnostic> =>
  eventually('one problem', () => (ownDiagnostics(uri).length === 1 ? ownDiagnostics(uri)[0] : undefined));

const noProblem = (uri: vscode.Uri): Promise<boolean> =>
  eventually('no problem', () => ownDiagnostics(uri).length === 0);

describe('problems', () => {
  before(activateExtension);
  afterEach(closeAll);

  it('are absent from an example, which is JSON with comments', async () => {
    const { document } = await openExample('circles.nabla.json');
    assert.equal(document.languageId, 'json');
    assert.deepEqual(ownDiagnostics(document.uri), []);
  });

  it('are at the exact text, say what to do, and disappear when fixed', async () => {
    const editor = await openExample('circles.nabla.json');
    const { document } = editor;
    await replace(editor, '"cross_entropy"', '"cross_entropi"');
    const problem = await oneProblem(document.uri);
    assert.equal(document.getText(problem.range), '"cross_entropi"');
    assert.equal(problem.severity, vscode.DiagnosticSeverity.Error);
    assert.equal(typeof problem.code, 'string');
    assert.match(problem.message, /cross_entropi.*cross_entropy/s);
    await replace(editor, '"cross_entropi"', '"cross_entropy"');
    await noProblem(document.uri);
  });

  it('name both layers and both shapes of a mismatch, without a panel', async () => {
    const editor = await openExample('circles.nabla.json');
    const { document } = editor;
    const all = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(
      document.uri,
      all,
      '{\n  "data": "circles",\n  "layers": [\n    { "type": "linear", "out_features": 4 },\n' +
        '    { "type": "linear", "in_features": 3, "out_features": 2 }\n  ],\n  "loss": "cross_entropy"\n}\n',
    );
    await vscode.workspace.applyEdit(edit);
    const problem = await oneProblem(document.uri);
    assert.equal(document.getText(problem.range), '3');
    assert.match(problem.message, /linear2.*3.*linear1.*4/s);
  });

  it('in a data file appear when the spec is opened, and move with the text', async () => {
    const editor = await openExample('circles.nabla.json');
    const { document } = editor;
    const all = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(
      document.uri,
      all,
      '{\n  "data": { "type": "csv", "path": "../outside.csv", "target": "y" },\n' +
        '  "layers": [{ "type": "linear", "out_features": 1 }],\n  "loss": "mse"\n}\n',
    );
    await vscode.workspace.applyEdit(edit);
    await command('open', document.uri);
    const problem = await oneProblem(document.uri);
    assert.equal(document.getText(problem.range), '"../outside.csv"');
    await waitForRun(document.uri, 'the list of problems', ({ state }) => state.kind === 'problems');
    await replace(editor, '{\n', '{\n  // a comment\n\n');
    await eventually('the problem has moved', () => ownDiagnostics(document.uri)[0]?.range.start.line === 3);
    assert.equal(document.getText(ownDiagnostics(document.uri)[0].range), '"../outside.csv"');
  });

  it('suggest the intended name', async () => {
    const editor = await openExample('circles.nabla.json');
    const { document } = editor;
    await replace(editor, '"cross_entropy"', '"cross_entropi"');
    const { range } = await oneProblem(document.uri);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      range,
    );
    const fix = actions.find(({ title }) => title === 'Change to "cross_entropy"');
    assert.ok(fix?.edit, 'no such quick fix');
    await vscode.workspace.applyEdit(fix.edit);
    await noProblem(document.uri);
  });

  it('make an activation that is written as an option a layer of its own, which can be undone', async () => {
    const editor = await openExample('circles.nabla.json');
    const { document } = editor;
    await replace(editor, '"name": "hidden"', '"name": "hidden", "activation": "swish"');
    const before = document.getText();
    const { range } = await oneProblem(document.uri);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      range,
    );
    const fix = actions.find(({ edit }) => edit?.has(document.uri));
    assert.ok(fix?.edit, 'no quick fix');
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    await noProblem(document.uri);
    assert.match(document.getText(), /"name": "hidden" \},\s*"silu",\s*"tanh"/);
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), before);
  });

  it('leave syntax errors to VS Code', async () => {
    const editor = await openExample('circles.nabla.json');
    const { document } = editor;
    await replace(editor, '"cross_entropy"', '"cross_entropi" 7');
    const problem = await oneProblem(document.uri);
    assert.equal(document.getText(problem.range), '"cross_entropi"');
    await eventually('an error of VS Code', () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .some(({ source, severity }) => source !== 'Nablascope' && severity === vscode.DiagnosticSeverity.Error),
    );
  });

  it('disappear when the editor is closed', async () => {
    const editor = await openExample('circles.nabla.json');
    const { uri } = editor.document;
    await replace(editor, '"cross_entropy"', '7');
    await eventually('a problem', () => ownDiagnostics(uri).length > 0);
    await closeAll();
    await noProblem(uri);
  });
});

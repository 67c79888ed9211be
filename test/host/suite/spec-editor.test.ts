// A spec in the editor: code lenses, inlay hints, live values, hovers, folding, and renaming a layer.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, openExample } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, replace, waitForRun, waitForStep } from '../support/runs';

const setting = (name: string, value: unknown): Thenable<void> =>
  vscode.workspace.getConfiguration('nablascope').update(name, value, vscode.ConfigurationTarget.Global);

const lensesOf = async (uri: vscode.Uri): Promise<vscode.CodeLens[]> =>
  (await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri)).filter(
    ({ command: of }) => of?.command.startsWith('nablascope.'),
  );

async function hintsOf({ uri, lineCount }: vscode.TextDocument): Promise<string[]> {
  const whole = new vscode.Range(0, 0, lineCount, 0);
  const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>('vscode.executeInlayHintProvider', uri, whole);
  return hints.map(({ label, position }) => `${position.line} ${label as string}`);
}

async function hoverAt(document: vscode.TextDocument, part: string): Promise<string> {
  const at = document.positionAt(document.getText().indexOf(part) + 1);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, at);
  return hovers.flatMap(({ contents }) => contents.map((text) => (text as vscode.MarkdownString).value)).join('\n');
}

const lineOf = (document: vscode.TextDocument, part: string): number =>
  document.positionAt(document.getText().indexOf(part)).line;

describe('code lenses of a spec', () => {
  afterEach(async () => {
    await setting('codeLens', undefined);
    await closeAll();
  });

  it('run, step, check and diagnose it, and are off by setting', async () => {
    const { document } = await openExample('circles.nabla.json');
    const lenses = await lensesOf(document.uri);
    assert.deepEqual(
      lenses.map(({ command: of, range }) => [of?.command, range.start.line]),
      ['open', 'run', 'step', 'check', 'diagnose'].map((name) => [`nablascope.${name}`, 0]),
    );
    await setting('codeLens', false);
    await eventually('no lens', async () => (await lensesOf(document.uri)).length === 0);
  });

  it('act on their own spec, whichever is in front', async () => {
    const { uri } = await openRun('circles.nabla.json');
    const other = await openRun('xor.nabla.json');
    const step = (await lensesOf(uri)).find(({ command: of }) => of?.command === 'nablascope.step');
    assert.ok(step?.command);
    await vscode.commands.executeCommand(step.command.command, ...(step.command.arguments as unknown[]));
    await waitForStep(uri, 1);
    assert.equal(other.run.frame?.position.step, 0);
  });

  it('pause while the run trains', async () => {
    const { uri } = await openRun('circles.nabla.json', { epochs: 1_000_000 });
    await command('run', uri);
    const pause = await eventually('Pause', async () =>
      (await lensesOf(uri)).find(({ command: of }) => of?.command === 'nablascope.pause'),
    );
    await vscode.commands.executeCommand('nablascope.pause', ...(pause.command?.arguments as unknown[]));
    await eventually('Run', async () =>
      (await lensesOf(uri)).some(({ command: of }) => of?.command === 'nablascope.run'),
    );
  });
});

describe('inlay hints of a spec', () => {
  afterEach(async () => {
    await setting('inlayHints', undefined);
    await closeAll();
  });

  it('show shapes and parameters while it is typed, and are off by setting', async () => {
    const editor = await openExample('circles.nabla.json');
    const { document } = editor;
    const [hidden, tanh, output] = ['"hidden"', '"tanh"', '"output"'].map((part) => lineOf(document, part));
    assert.deepEqual(await hintsOf(document), [
      `${hidden} → 4 · 12 params`,
      `${tanh} → 4`,
      `${output} → 2 · 10 params`,
    ]);
    await replace(editor, '"out_features": 4', '"out_features": 5');
    assert.deepEqual(await hintsOf(document), [
      `${hidden} → 5 · 15 params`,
      `${tanh} → 5`,
      `${output} → 2 · 12 params`,
    ]);
    await setting('inlayHints', false);
    await eventually('no hint', async () => (await hintsOf(document)).length === 0);
  });

  it('show what only the run knows, from its data in a file', async () => {
    const { editor } = await openRun('digits.nabla.json');
    const hints = await eventually('hints', async () => {
      const found = await hintsOf(editor.document);
      return found.length > 0 ? found : null;
    });
    assert.ok(hints.at(-1)?.includes('→ 10 · '), hints.join('; '));
    await replace(editor, '"layers": [', '"layers": ["tanh", ');
    // None until the run of the changed spec is open, and then its own: never those of the run before.
    const changed = await hintsOf(editor.document);
    assert.ok(changed.length === 0 || changed[0]?.includes('→ 1 × 8 × 8'), changed.join('; '));
    assert.ok(!hints[0]?.includes('→ 1 × 8 × 8'));
  });
});

describe('live values of a run', () => {
  afterEach(async () => {
    await setting('liveValues', undefined);
    await closeAll();
  });

  it('stand behind the layers, are those of the panel, and are off by setting', async function () {
    const workbench = requireWorkbench(this);
    const { editor, uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 3);
    await waitForStep(uri, 3);
    await waitForRun(uri, 'statistics', ({ frame }) => (frame?.layers[0]?.parameters[0]?.updateRatio ?? null) !== null);
    const shown = async (): Promise<string[]> =>
      workbench.afterTexts('.editor-instance .view-lines span[class*="ced-"]');
    // The editor shows new values at most five times a second.
    const norm = await eventually('the values of the panel', async () => {
      const value = run.frame?.layers[0]?.outputGradient?.norm;
      return value && (await shown()).some((text) => text.includes(value.toPrecision(4))) ? value : null;
    });
    await setting('liveValues', false);
    await eventually('no value', async () => (await shown()).length === 0);
    await setting('liveValues', true);
    await eventually('values again', async () => (await shown()).length > 0);
    // They are not those of another spec.
    await replace(editor, '"tanh"', '"relu"');
    await eventually(
      'no value of the old spec',
      async () => !(await shown()).some((text) => text.includes(norm.toPrecision(4))),
    );
  });
});

describe('a hover', () => {
  afterEach(closeAll);

  it('of a layer has its formula, shapes, live values and documentation', async () => {
    const { editor, uri, run } = await openRun('circles.nabla.json');
    const { document } = editor;
    await command('runToStep', 2);
    await waitForStep(uri, 2);
    await waitForRun(uri, 'statistics', ({ frame }) => (frame?.layers[0]?.outputGradient ?? null) !== null);
    const norm = run.frame?.layers[0]?.outputGradient?.norm;
    assert.ok(norm);
    const text = await eventually('live values', async () => {
      const found = await hoverAt(document, '"hidden"');
      return found.includes('Step') ? found : null;
    });
    const plain = text.replaceAll('&nbsp;', ' ').replaceAll('\\', '');
    assert.match(plain, /y = x Wᵀ \+ b/);
    assert.match(plain, /2 → 4/);
    assert.match(plain, /12 parameters: weight 4 × 2, bias 4/);
    assert.ok(plain.includes(norm.toPrecision(4)), `${norm} is not in ${plain}`);
    assert.match(text, /command:markdown\.showPreview.*linear-1/);
  });

  it('of a key leads to its documentation, which opens', async () => {
    const { document } = await openExample('circles.nabla.json');
    const text = await hoverAt(document, '"optimizer"');
    const [, link] = /\(command:markdown\.showPreview\?([^)\s]+)\)/.exec(text) ?? [];
    assert.ok(link, text);
    const [page] = JSON.parse(decodeURIComponent(link)) as [Parameters<typeof vscode.Uri.from>[0]];
    const uri = vscode.Uri.from(page);
    assert.equal(uri.fragment, 'sgd');
    const opened = await vscode.workspace.fs.readFile(uri.with({ fragment: '' }));
    assert.match(new TextDecoder().decode(opened), /^### `sgd`$/m);
  });
});

describe('renaming a layer', () => {
  afterEach(closeAll);

  const rename = (uri: vscode.Uri, at: vscode.Position, name: string) =>
    vscode.commands.executeCommand<vscode.WorkspaceEdit>('vscode.executeDocumentRenameProvider', uri, at, name);

  it('changes every reference as one edit, and is undone as one', async () => {
    const editor = await openExample('tied-autoencoder.nabla.json');
    const { document } = editor;
    const before = document.getText();
    const [, name] = /"share": "(\w+)\.weight"/.exec(before) ?? [];
    assert.ok(name);
    const at = document.positionAt(before.indexOf(`"${name}.weight"`) + 2);
    const edit = await rename(document.uri, at, 'squeeze');
    assert.ok(edit.get(document.uri).length >= 2);
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.equal(
      document.getText(),
      before.replaceAll(`"${name}.weight"`, '"squeeze.weight"').replaceAll(`"name": "${name}"`, '"name": "squeeze"'),
    );
    assert.deepEqual(
      vscode.languages
        .getDiagnostics(document.uri)
        .filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error),
      [],
    );
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), before);
  });

  it('refuses a name that is taken', async () => {
    const { document } = await openExample('circles.nabla.json');
    const before = document.getText();
    await assert.rejects(async () =>
      rename(document.uri, document.positionAt(before.indexOf('"hidden"') + 1), 'output'),
    );
    assert.equal(document.getText(), before);
  });

  it('goes from a reference to its layer', async () => {
    const { document } = await openExample('tied-autoencoder.nabla.json');
    const text = document.getText();
    const [share, name] = /"share": "(\w+)\.weight"/.exec(text) ?? [];
    assert.ok(share && name);
    const [target] = await vscode.commands.executeCommand<vscode.Location[]>(
      'vscode.executeDefinitionProvider',
      document.uri,
      document.positionAt(text.indexOf(share) + '"share": "'.length + 1),
    );
    assert.ok(document.getText(target.range).includes(`"name": "${name}"`));
  });
});

describe('folding', () => {
  afterEach(closeAll);

  it('folds the list of layers', async () => {
    const { document } = await openExample('circles.nabla.json');
    const ranges = await eventually('folding ranges', () =>
      vscode.commands.executeCommand<vscode.FoldingRange[]>('vscode.executeFoldingRangeProvider', document.uri),
    );
    assert.ok(ranges.some(({ start }) => start === lineOf(document, '"layers"')));
  });
});

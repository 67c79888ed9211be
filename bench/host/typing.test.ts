// Measured in a real VS Code: typing in a spec of 1,000 lines. The problems of the last key, and how long anything
// blocks the extension host meanwhile.
import * as assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as vscode from 'vscode';
import { activateExtension } from '../../test/host/support/extension';
import { closeAll } from '../../test/host/support/runs';
import { recordMeasurement } from './measurements';

const KEYS = 25;
/** Between two keys: the pace of somebody who types fast. */
const KEY_INTERVAL_MS = 80;
const LINES = 1000;

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const layers = (count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    i % 2 ? '    "relu"' : '    {\n      "type": "linear",\n      "out_features": 16\n    }',
  );
const rows = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `      [${Math.sin(i).toFixed(4)}, ${Math.cos(3 * i).toFixed(4)}]`);

const end = `  "loss": "cross_entropy"\n}\n`;
const specs = {
  layers: `{\n  "data": "circles",\n  "layers": [\n${layers(400).join(',\n')},\n    { "type": "linear", "out_features": 2 }\n  ],\n${end}`,
  'inline data': `{\n  "data": {\n    "type": "inline",\n    "inputs": [\n${rows(990).join(',\n')}\n    ],\n    "labels": [${rows(
    990,
  )
    .map((_, i) => i % 2)
    .join(', ')}]\n  },\n  "layers": [{ "type": "linear", "out_features": 2 }],\n${end}`,
} as const;

const hasProblem = (uri: vscode.Uri): boolean =>
  vscode.languages.getDiagnostics(uri).some(({ source, code }) => source === 'Nablascope' && code === 'unknown-loss');

/** Resolves at the next change of the problems that makes them as expected. */
const problemsChange = (uri: vscode.Uri, expected: boolean): Promise<void> =>
  new Promise((resolve) => {
    const listener = vscode.languages.onDidChangeDiagnostics(({ uris }) => {
      if (!uris.some((each) => each.toString() === uri.toString()) || hasProblem(uri) !== expected) return;
      listener.dispose();
      resolve();
    });
  });

describe('typing', () => {
  before(activateExtension);
  afterEach(closeAll);

  for (const [name, text] of Object.entries(specs))
    it(`in a spec of ${LINES} lines: ${name}`, async () => {
      assert.ok(text.split('\n').length >= LINES);
      const folder = vscode.workspace.workspaceFolders![0].uri;
      const uri = vscode.Uri.joinPath(folder, `typing-${name.replace(' ', '-')}.nabla.json`);
      await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
      const document = await vscode.workspace.openTextDocument(uri);
      const editor = await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
      await wait(2000);
      const delay = monitorEventLoopDelay({ resolution: 1 });
      const blocks: number[] = [];
      for (let key = 0; key < KEYS; key++) {
        // Within the name of the loss: an error that the next key takes away.
        const at = document.positionAt(document.getText().lastIndexOf('cross_entropy'));
        const isError = key % 2 === 0;
        const changed = problemsChange(uri, isError);
        delay.reset();
        delay.enable();
        const range = new vscode.Range(at.translate(0, isError ? 0 : -1), at);
        await editor.edit((edit) => (isError ? edit.insert(at, 'x') : edit.delete(range)));
        const start = performance.now();
        await changed;
        recordMeasurement(`${name}: from a key to its problems, ms (goal: under 100)`, performance.now() - start);
        await wait(KEY_INTERVAL_MS);
        delay.disable();
        blocks.push(delay.max / 1e6);
      }
      recordMeasurement(`${name}: longest block of the host per key, ms (goal: under 16)`, ...blocks);
      delay.reset();
      delay.enable();
      await wait(KEYS * KEY_INTERVAL_MS);
      delay.disable();
      recordMeasurement(`${name}: longest block at rest, ms`, delay.max / 1e6);
      await vscode.workspace.fs.delete(uri);
    });
});

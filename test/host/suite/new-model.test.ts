// The command that asks three questions and opens a spec that trains.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace } from '../support/extension';
import { closeAll, command, waitForRun, waitForStep } from '../support/runs';
import { type WorkbenchDriver, requireWorkbench } from '../support/workbench-driver';

const ROW = '.quick-input-widget .monaco-list-row';

const specs = (): string[] =>
  vscode.workspace.textDocuments.filter(({ isUntitled }) => isUntitled).map(({ uri }) => uri.path);

/** Selects the item with this text once it is asked for. */
async function answer(workbench: WorkbenchDriver, text: string): Promise<void> {
  await workbench.wait(ROW, { text });
  await workbench.click(`${ROW}:has-text("${text}")`);
}

describe('a new model', () => {
  before(activateExtension);
  afterEach(closeAll);

  it('predicts a column of a CSV file, after an answer was taken back', async function () {
    const workbench = requireWorkbench(this);
    const asked = command('newModel');
    await workbench.wait('.quick-input-widget input');
    await workbench.type('weather');
    await answer(workbench, 'data/weather.csv');
    await answer(workbench, 'humidity_percent');
    await workbench.wait(ROW, { text: 'Two hidden layers' });
    await workbench.click('.quick-input-titlebar .action-label[aria-label*="Back"]');
    await answer(workbench, 'weather');
    await answer(workbench, 'Two hidden layers');
    await asked;
    const document = vscode.workspace.textDocuments.find(({ isUntitled }) => isUntitled);
    assert.ok(document);
    assert.equal(document.uri.path, inWorkspace('weather-2.nabla.json').path);
    assert.match(document.getText(), /"path": "data\/weather\.csv"/);
    await waitForRun(document.uri, 'the run', ({ state, frame }) => state.kind === 'run' && frame !== null);
    await command('runToStep', 3);
    await waitForStep(document.uri, 3);
    assert.deepEqual(vscode.languages.getDiagnostics(document.uri), []);
  });

  it('leaves nothing when it is dismissed', async function () {
    const workbench = requireWorkbench(this);
    for (const answers of [[], ['Curve'], ['data/marbles.csv', 'material']]) {
      const asked = command('newModel');
      for (const text of answers) await answer(workbench, text);
      await workbench.wait('.quick-input-widget input');
      await workbench.press('Escape');
      await asked;
      await eventually('no question', async () => (await workbench.texts(`${ROW}:visible`)).length === 0);
      assert.deepEqual(specs(), []);
      assert.equal(vscode.window.visibleTextEditors.length, 0);
    }
  });
});

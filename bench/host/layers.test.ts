// Measured inside a real VS Code: how soon a saved layer of the user's own is seen.
import * as vscode from 'vscode';
import { inWorkspace } from '../../test/host/support/extension';
import { LAYER, openOwnRun, saveLayer, writtenLayer } from '../../test/host/support/own-layer';
import { closeAll, command, until, untilStep } from '../../test/host/support/runs';
import { keep } from './figures';

const TIMES = 30;
const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('bench of layers', () => {
  afterEach(closeAll);

  it('saves a layer', async () => {
    const written = await writtenLayer();
    const uri = await openOwnRun();
    await command('runToStep', 5);
    const run = await untilStep(uri, 5);
    let saved = 0;
    const listener = vscode.workspace.onDidSaveTextDocument((document) => {
      if (document.uri.path === inWorkspace(LAYER).path) saved = performance.now();
    });
    for (let i = 0; i < TIMES; i++) {
      // Somebody who types between two saves.
      await wait(1000);
      const loss = run.frame?.loss;
      await saveLayer(written.replace('ops.sigmoid(', i % 2 === 0 ? 'ops.tanh(' : 'ops.sigmoid('));
      await until(uri, 'the new numbers', ({ frame }) => frame?.position.step === 5 && frame.loss !== null && frame.loss !== loss);
      keep('from a saved layer to its new numbers in the host, ms', performance.now() - saved);
    }
    listener.dispose();
    await saveLayer(written);
  });
});

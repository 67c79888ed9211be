// Measured in a real VS Code: the time from saving a custom layer to its effect.
import * as vscode from 'vscode';
import { inWorkspace } from '../../test/host/support/extension';
import {
  CUSTOM_LAYER_FILE,
  openCustomLayerRun,
  saveLayer,
  originalLayerText,
} from '../../test/host/support/custom-layer';
import { closeAll, command, waitForRun, waitForStep } from '../../test/host/support/runs';
import { recordMeasurement } from './measurements';

const REPEATS = 30;
const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('bench of layers', () => {
  afterEach(closeAll);

  it('saves a layer', async () => {
    const written = await originalLayerText();
    const uri = await openCustomLayerRun();
    await command('runToStep', 5);
    const run = await waitForStep(uri, 5);
    let saved = 0;
    const listener = vscode.workspace.onDidSaveTextDocument((document) => {
      if (document.uri.path === inWorkspace(CUSTOM_LAYER_FILE).path) saved = performance.now();
    });
    for (let i = 0; i < REPEATS; i++) {
      // The user types between two saves.
      await wait(1000);
      const loss = run.frame?.loss;
      await saveLayer(written.replace('ops.sigmoid(', i % 2 === 0 ? 'ops.tanh(' : 'ops.sigmoid('));
      await waitForRun(
        uri,
        'the new numbers',
        ({ frame }) => frame?.position.step === 5 && frame.loss !== null && frame.loss !== loss,
      );
      recordMeasurement('from a saved layer to its new numbers in the host, ms', performance.now() - saved);
    }
    listener.dispose();
    await saveLayer(written);
  });
});

// Whatever a custom layer does, it is reported at its location, the extension host survives, and the run continues.
import * as assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { wellBehavedSource, MISBEHAVING_LAYERS } from '../../support/misbehaving-layers';
import { eventually } from '../support/extension';
import {
  CUSTOM_LAYER_FILE,
  openCustomLayerRun,
  problemsIn,
  saveLayer,
  CUSTOM_LAYER_SPEC,
  originalLayerText,
} from '../support/custom-layer';
import { closeAll, command, waitForRun, waitForStep } from '../support/runs';

describe('a custom layer that', () => {
  let uri: vscode.Uri;
  let written: string;

  before(async () => {
    written = await originalLayerText();
  });

  afterEach(async () => {
    await saveLayer(written);
    await closeAll();
  });

  for (const kind of MISBEHAVING_LAYERS) {
    it(`${kind.name} is reported, and the run continues once it behaves`, async () => {
      await saveLayer(kind.source);
      uri = await openCustomLayerRun();
      const host = process.pid;
      await command('runToStep', 5);
      const run = await waitForStep(uri, 5);
      await command('run');
      await eventually('what it did, in its file', () =>
        problemsIn(CUSTOM_LAYER_FILE).some(({ message }) => kind.message.test(message)),
      );
      assert.match(problemsIn(CUSTOM_LAYER_FILE)[0].message, /^The forward pass of swish1 /);
      assert.ok(
        problemsIn(CUSTOM_LAYER_SPEC).some(({ message }) => kind.message.test(message)),
        'it is not at its line in the spec',
      );
      assert.equal(process.pid, host);
      assert.equal(run.state.kind, kind.endsProcess ? 'stopped' : 'run');

      await saveLayer(wellBehavedSource(kind));
      if (kind.endsProcess) await command('restore');
      await eventually(
        'no problem any more',
        () => problemsIn(CUSTOM_LAYER_FILE).length === 0 && problemsIn(CUSTOM_LAYER_SPEC).length === 0,
      );
      const { frame } = await waitForRun(
        uri,
        'the run',
        ({ state, frame: shown }) => state.kind === 'run' && shown !== null && shown.status !== 'running',
      );
      const from = frame?.position.step ?? -1;
      assert.ok(from >= 4, `it goes on from step ${from}`);
      await command('runToStep', from + 3);
      await waitForStep(uri, from + 3);
    });
  }
});

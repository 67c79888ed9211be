// Whatever a layer of the user's own does: it is named where it stands, the extension host lives, and the run goes on.
import * as assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { behaving, MISBEHAVIOURS } from '../../support/misbehaviours';
import { eventually } from '../support/extension';
import { LAYER, openOwnRun, problemsIn, saveLayer, SPEC, writtenLayer } from '../support/own-layer';
import { closeAll, command, until, untilStep } from '../support/runs';

describe('a layer of the user that', () => {
  let uri: vscode.Uri;
  let written: string;

  before(async () => {
    written = await writtenLayer();
  });

  afterEach(async () => {
    await saveLayer(written);
    await closeAll();
  });

  for (const kind of MISBEHAVIOURS) {
    it(`${kind.name} is named, and the run goes on once it behaves`, async () => {
      await saveLayer(kind.source);
      uri = await openOwnRun();
      const host = process.pid;
      await command('runToStep', 5);
      const run = await untilStep(uri, 5);
      await command('run');
      await eventually('what it did, in its file', () => problemsIn(LAYER).some(({ message }) => kind.words.test(message)));
      assert.match(problemsIn(LAYER)[0].message, /^The forward pass of swish1 /);
      assert.ok(problemsIn(SPEC).some(({ message }) => kind.words.test(message)), 'it is not at its line in the spec');
      assert.equal(process.pid, host);
      assert.equal(run.state.kind, kind.ends ? 'stopped' : 'run');

      await saveLayer(behaving(kind));
      if (kind.ends) await command('restore');
      await eventually('no problem any more', () => problemsIn(LAYER).length === 0 && problemsIn(SPEC).length === 0);
      const { frame } = await until(uri, 'the run', ({ state, frame: shown }) => state.kind === 'run' && shown !== null && shown.status !== 'running');
      const from = frame?.position.step ?? -1;
      assert.ok(from >= 4, `it goes on from step ${from}`);
      await command('runToStep', from + 3);
      await untilStep(uri, from + 3);
    });
  }
});

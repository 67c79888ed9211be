// Custom layers in VS Code: they need permission, are reloaded when saved, and their faults appear in Problems.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, inWorkspace } from '../support/extension';
import { requestPermissionInPanel, revokePermissions } from '../support/dialogs';
import { workbench } from '../support/workbench-driver';
import {
  CUSTOM_LAYER_FILE,
  openCustomLayerRun,
  problemsIn,
  saveLayer,
  CUSTOM_LAYER_SPEC,
  originalLayerText,
} from '../support/custom-layer';
import { closeAll, command, recordOf, waitForRun, waitForStep } from '../support/runs';

const GOOD = 'export default { forward: ({ x, ops }) => ops.multiply(x, ops.sigmoid(x)) };\n';

describe('custom layers', () => {
  let uri: vscode.Uri;
  let written: string;

  before(async () => {
    written = await originalLayerText();
  });

  beforeEach(async () => {
    uri = await openCustomLayerRun();
  });

  afterEach(async () => {
    await saveLayer(written);
    await closeAll();
  });

  it('stop when the permission is revoked, and run once the user allows them in a modal dialog', async () => {
    await revokePermissions();
    const run = await waitForRun(uri, 'the question', ({ state }) => state.kind === 'code');
    const { state, engineProcessId } = run;
    assert.ok(state.kind === 'code');
    assert.deepEqual({ trusted: state.trusted, layers: state.layers }, { trusted: true, layers: ['swish1'] });
    assert.equal(engineProcessId, undefined);
    await workbench.panelWait('.page', { text: 'swish1' });
    assert.deepEqual(await workbench.accessibilityOfPanel(), []);
    await requestPermissionInPanel('dismiss');
    assert.equal(run.state.kind, 'code', 'the dialog was dismissed');
    await requestPermissionInPanel('Allow');
    await waitForRun(uri, 'the run', (run) => run.state.kind === 'run' && run.frame !== null);
    // Once per folder: another panel does not ask again.
    await closeAll();
    await command('open', uri);
    await waitForRun(uri, 'the run', (run) => run.state.kind === 'run' && run.frame !== null);
  });

  it('are reloaded when saved: same step, same weights, other numbers', async () => {
    const run = await waitForRun(uri, 'the run', ({ frame }) => frame !== null);
    await command('runToStep', 5);
    await waitForStep(uri, 5);
    await command('check');
    const loss = run.frame?.loss;
    const checkOfOldCode = run.check;
    assert.ok(checkOfOldCode);
    const began = performance.now();
    await saveLayer(written.replace('ops.sigmoid(', 'ops.tanh('));
    const changed = performance.now();
    await waitForRun(
      uri,
      'another loss at the same step',
      ({ frame }) => frame?.position.step === 5 && frame.loss !== null && frame.loss !== loss,
    );
    console.log(
      `new code ${Math.round(performance.now() - changed)} ms after the file was saved, ${Math.round(performance.now() - began)} ms after it was edited`,
    );
    await eventually('the check of the new code', () => run.check !== null && run.check !== checkOfOldCode);
    await saveLayer(written);
    await waitForRun(uri, 'the first loss again', ({ frame }) => frame?.loss === loss && frame?.position.step === 5);
  });

  it('that cannot be loaded keep the old code running, and appear in Problems at their line until fixed', async () => {
    const run = await waitForRun(uri, 'the run', ({ frame }) => frame !== null);
    await command('step');
    const was = await recordOf(run);
    await saveLayer(`\n${GOOD.replace('=> ops', '=> enum')}`);
    await eventually('a problem in the file', () => problemsIn(CUSTOM_LAYER_FILE).length === 1);
    const [inFile] = problemsIn(CUSTOM_LAYER_FILE);
    assert.equal(inFile.range.start.line, 1);
    const [inSpec] = problemsIn(CUSTOM_LAYER_SPEC);
    assert.equal(inSpec.severity, vscode.DiagnosticSeverity.Error);
    assert.equal(inSpec.relatedInformation?.[0].location.uri.path, inWorkspace(CUSTOM_LAYER_FILE).path);
    assert.equal(run.state.kind, 'run');
    assert.deepEqual(await recordOf(run), was);
    await saveLayer(written);
    await eventually(
      'no problem',
      () => problemsIn(CUSTOM_LAYER_FILE).length === 0 && problemsIn(CUSTOM_LAYER_SPEC).length === 0,
    );
  });

  it('that throw are reported at their line, and the run stops there', async () => {
    const run = await waitForRun(uri, 'the run', ({ frame }) => frame !== null);
    await saveLayer(
      'let calls = 0;\nexport default {\n  forward({ x, ops }) {\n    if (calls++ > 3) throw new RangeError("enough");\n    return ops.tanh(x);\n  },\n};\n',
    );
    await waitForRun(
      uri,
      'other parameters, so a new run',
      ({ frame, model }) => frame?.position.step === 0 && model?.layers[1].parameters.length === 0,
    );
    await command('run');
    await eventually('a problem in the file', () => problemsIn(CUSTOM_LAYER_FILE).length === 1);
    assert.match(problemsIn(CUSTOM_LAYER_FILE)[0].message, /swish1.*RangeError.*enough/);
    assert.equal(problemsIn(CUSTOM_LAYER_FILE)[0].range.start.line, 3);
    assert.equal(run.state.kind, 'run');
  });
});

// Layers of the user's own in VS Code: asked about before they run, loaded anew when saved, their mistakes in Problems.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, inWorkspace } from '../support/extension';
import { outside } from '../support/outside';
import { LAYER, openOwnRun, problemsIn, saveLayer, SPEC, writtenLayer } from '../support/own-layer';
import { closeAll, command, recordOf, until, untilStep } from '../support/runs';

const GOOD = 'export default { forward: ({ x, ops }) => ops.multiply(x, ops.sigmoid(x)) };\n';

describe('layers of the user', () => {
  let uri: vscode.Uri;
  let written: string;

  before(async () => {
    written = await writtenLayer();
  });

  beforeEach(async () => {
    uri = await openOwnRun();
  });

  afterEach(async () => {
    await saveLayer(written);
    await closeAll();
  });

  it('do not run once the folder is forgotten, until somebody says yes, which opens the run at once', async () => {
    const forgotten = command('forgetCodeFolders');
    await outside.click('.quick-input-widget .monaco-list-row');
    await outside.press('Enter');
    await forgotten;
    const { state, engineProcessId } = await until(uri, 'the question', (run) => run.state.kind === 'code');
    assert.ok(state.kind === 'code');
    assert.deepEqual({ trusted: state.trusted, layers: state.layers }, { trusted: true, layers: ['swish1'] });
    assert.equal(engineProcessId, undefined);
    await outside.panelWait('.page', { text: 'swish1 is code of your own' });
    assert.deepEqual(await outside.accessibilityOfPanel(), []);
    await outside.clickInPanel('.page [data-action="allowCode"]');
    await until(uri, 'the run', (run) => run.state.kind === 'run' && run.frame !== null);
    // Once for the folder: another panel of it asks no more.
    await closeAll();
    await command('open', uri);
    await until(uri, 'the run', (run) => run.state.kind === 'run' && run.frame !== null);
  });

  it('are loaded anew when saved: same step, same weights, other numbers', async () => {
    const run = await until(uri, 'the run', ({ frame }) => frame !== null);
    await command('runToStep', 5);
    await untilStep(uri, 5);
    await command('check');
    const loss = run.frame?.loss;
    assert.ok(run.check);
    const began = performance.now();
    await saveLayer(written.replace('ops.sigmoid(', 'ops.tanh('));
    const changed = performance.now();
    await until(uri, 'another loss at the same step', ({ frame }) => frame?.position.step === 5 && frame.loss !== null && frame.loss !== loss);
    console.log(`new code ${Math.round(performance.now() - changed)} ms after the file was saved, ${Math.round(performance.now() - began)} ms after it was edited`);
    assert.equal(run.check, null, 'what was checked was the code before');
    await saveLayer(written);
    await until(uri, 'the first loss again', ({ frame }) => frame?.loss === loss && frame?.position.step === 5);
  });

  it('that cannot be loaded leave the code before running, and are in Problems at their line until they are good again', async () => {
    const run = await until(uri, 'the run', ({ frame }) => frame !== null);
    await command('step');
    const was = await recordOf(run);
    await saveLayer(`\n${GOOD.replace('=> ops', '=> enum')}`);
    await eventually('a problem in the file', () => problemsIn(LAYER).length === 1);
    const [inFile] = problemsIn(LAYER);
    assert.equal(inFile.range.start.line, 1);
    const [inSpec] = problemsIn(SPEC);
    assert.equal(inSpec.severity, vscode.DiagnosticSeverity.Error);
    assert.equal(inSpec.relatedInformation?.[0].location.uri.path, inWorkspace(LAYER).path);
    assert.equal(run.state.kind, 'run');
    assert.deepEqual(await recordOf(run), was);
    await saveLayer(written);
    await eventually('no problem', () => problemsIn(LAYER).length === 0 && problemsIn(SPEC).length === 0);
  });

  it('that throw are named at their line, where the run rests', async () => {
    const run = await until(uri, 'the run', ({ frame }) => frame !== null);
    await saveLayer('let calls = 0;\nexport default {\n  forward({ x, ops }) {\n    if (calls++ > 3) throw new RangeError("enough");\n    return ops.tanh(x);\n  },\n};\n');
    await until(uri, 'other parameters, so a new run', ({ frame, model }) => frame?.position.step === 0 && model?.layers[1].parameters.length === 0);
    await command('run');
    await eventually('a problem in the file', () => problemsIn(LAYER).length === 1);
    assert.match(problemsIn(LAYER)[0].message, /swish1.*RangeError.*enough/);
    assert.equal(problemsIn(LAYER)[0].range.start.line, 3);
    assert.equal(run.state.kind, 'run');
  });
});

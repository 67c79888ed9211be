// Layers of the user's own in VS Code: asked about before they run, loaded anew when saved, their mistakes in Problems.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample } from '../support/extension';
import { outside } from '../support/outside';
import { closeAll, command, nablascope, recordOf, until, untilStep } from '../support/runs';

const SPEC = 'custom-layer.nabla.json';
const LAYER = 'layers/swish.layer.ts';
const GOOD = 'export default { forward: ({ x, ops }) => ops.multiply(x, ops.sigmoid(x)) };\n';

const ours = (name: string): vscode.Diagnostic[] =>
  vscode.languages.getDiagnostics(inWorkspace(name)).filter(({ source }) => source === 'Nablascope');

/** The layer's file in an editor, with this text. */
async function save(text: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument(inWorkspace(LAYER));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  assert.ok(await vscode.workspace.applyEdit(edit));
  assert.ok(await document.save());
}

describe('layers of the user', () => {
  let uri: vscode.Uri;
  let written: string;

  before(async () => {
    await activateExtension();
    written = (await vscode.workspace.openTextDocument(inWorkspace(LAYER))).getText();
  });

  beforeEach(async () => {
    ({ uri } = (await openExample(SPEC)).document);
    await command('open', uri);
  });

  afterEach(async () => {
    await save(written);
    await closeAll();
  });

  const allowed = (): Promise<unknown> => until(uri, 'the run', ({ state, frame }) => state.kind === 'run' && frame !== null);

  it('do not run until somebody says yes, which opens the run at once', async () => {
    const { state } = await until(uri, 'the question', (run) => run.state.kind === 'code');
    assert.ok(state.kind === 'code');
    assert.deepEqual({ trusted: state.trusted, layers: state.layers }, { trusted: true, layers: ['swish1'] });
    await outside.panelWait('.page', { text: 'swish1 is code of your own' });
    assert.deepEqual(await outside.accessibilityOfPanel(), []);
    await outside.clickInPanel('.page [data-action="allowCode"]');
    await allowed();
  });

  it('are loaded anew when saved: same step, same weights, other numbers', async () => {
    const run = await until(uri, 'the run', ({ frame }) => frame !== null);
    await command('startOver');
    await until(uri, 'a new run', ({ frame }) => frame?.status === 'ready');
    await command('runToStep', 5);
    await untilStep(uri, 5);
    await command('check');
    const loss = run.frame?.loss;
    assert.ok(run.check);
    const began = performance.now();
    await save(written.replace('ops.sigmoid(', 'ops.tanh('));
    const changed = performance.now();
    await until(uri, 'another loss at the same step', ({ frame }) => frame?.position.step === 5 && frame.loss !== null && frame.loss !== loss);
    console.log(`new code ${Math.round(performance.now() - changed)} ms after the file was saved, ${Math.round(performance.now() - began)} ms after it was edited`);
    assert.equal(run.check, null, 'what was checked was the code before');
    await save(written);
    await until(uri, 'the first loss again', ({ frame }) => frame?.loss === loss && frame?.position.step === 5);
  });

  it('that cannot be loaded leave the code before running, and are in Problems at their line until they are good again', async () => {
    const run = await until(uri, 'the run', ({ frame }) => frame !== null);
    await command('step');
    const was = await recordOf(run);
    await save(`\n${GOOD.replace('=> ops', '=> enum')}`);
    await eventually('a problem in the file', () => ours(LAYER).length === 1);
    const [inFile] = ours(LAYER);
    assert.equal(inFile.range.start.line, 1);
    const [inSpec] = ours(SPEC);
    assert.equal(inSpec.severity, vscode.DiagnosticSeverity.Error);
    assert.equal(inSpec.relatedInformation?.[0].location.uri.path, inWorkspace(LAYER).path);
    assert.equal(run.state.kind, 'run');
    assert.deepEqual(await recordOf(run), was);
    await save(written);
    await eventually('no problem', () => ours(LAYER).length === 0 && ours(SPEC).length === 0);
  });

  it('that throw are named at their line, where the run rests', async () => {
    const run = await until(uri, 'the run', ({ frame }) => frame !== null);
    await save('let calls = 0;\nexport default {\n  forward({ x, ops }) {\n    if (calls++ > 3) throw new RangeError("enough");\n    return ops.tanh(x);\n  },\n};\n');
    await until(uri, 'other parameters, so a new run', ({ frame, model }) => frame?.position.step === 0 && model?.layers[1].parameters.length === 0);
    await command('run');
    await eventually('a problem in the file', () => ours(LAYER).length === 1);
    assert.match(ours(LAYER)[0].message, /swish1.*RangeError.*enough/);
    assert.equal(ours(LAYER)[0].range.start.line, 3);
    assert.equal(run.state.kind, 'run');
  });

  it('that hang are named, and the run is restored once they are good', async () => {
    await until(uri, 'the run', ({ frame }) => frame !== null);
    await save('let calls = 0;\nexport default {\n  forward({ x, ops }) {\n    while (calls++ > 3) calls = 9;\n    return ops.tanh(x);\n  },\n};\n');
    await until(uri, 'a new run', ({ model, frame }) => frame?.position.step === 0 && model?.layers[1].parameters.length === 0);
    await command('run');
    const { state } = await until(uri, 'the end of the engine', (run) => run.state.kind === 'stopped');
    assert.ok(state.kind === 'stopped');
    assert.match(state.reason, /swish1/);
    assert.equal(state.restorable, true);
    assert.equal(ours(LAYER).length, 1);
    await save(GOOD);
    await command('restore');
    await until(uri, 'the run again', (run) => run.state.kind === 'run' && run.frame !== null);
    await command('step');
    await until(uri, 'a step', ({ frame }) => (frame?.position.step ?? 0) >= 1 && frame?.target === null);
  });

  it('no longer run once the folder is forgotten', async () => {
    await until(uri, 'the run', ({ frame }) => frame !== null);
    const forgotten = command('forgetCodeFolders');
    await outside.click('.quick-input-widget .monaco-list-row');
    await outside.press('Enter');
    await forgotten;
    const { engineProcessId } = await until(uri, 'the question again', (run) => run.state.kind === 'code');
    assert.equal(engineProcessId, undefined);
    assert.ok((await nablascope()).run(uri));
  });
});

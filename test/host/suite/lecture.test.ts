// A lecture recorded by using the panel, saved beside the spec, replayed with Next and Back, and exported; and what is
// said about a lecture that does not fit its spec.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample } from '../support/extension';
import { requireWorkbench, workbench } from '../support/workbench-driver';
import { closeAll, command, openRun, replace, waitForRun } from '../support/runs';

const FILE = 'one-neuron-2.lecture.json';
const EXPORTED = 'one-neuron lecture.html';

const textOf = async (name: string): Promise<string> =>
  new TextDecoder().decode(await vscode.workspace.fs.readFile(inWorkspace(name)));

const at = (uri: vscode.Uri, step: number, phase: number) =>
  waitForRun(
    uri,
    `step ${step}, phase ${phase}`,
    ({ frame }) => frame?.target === null && frame.position.step === step && frame.position.phase === phase,
  );

/** Adds a stop by its button, and says this. */
async function addStop(stops: number, words: string): Promise<void> {
  await workbench.clickInPanel('[data-action="addStop"]');
  await workbench.wait('.quick-input-widget input');
  await workbench.type(words);
  await workbench.press('Enter');
  await workbench.panelWait('.recording [role="status"]', { text: stops === 1 ? '1 stop' : `${stops} stops` });
}

/** What the panel shows, where a lecture decides it. */
const shown = () =>
  workbench.panelEval<{ view: string; layer: string | null; sample: string; term: string | null; text: string }>(`({
    view: document.querySelector('.view').id,
    layer: document.querySelector('[data-layer][aria-selected="true"]')?.dataset.layer ?? null,
    sample: document.querySelector('[data-action="pin-sample"]')?.getAttribute('aria-pressed'),
    term: document.querySelector('.term[aria-pressed="true"] b')?.textContent ?? null,
    text: document.querySelector('.spoken .markdown')?.textContent.trim(),
  })`);

const highlightedLines = (): Promise<string[]> => workbench.texts('.monaco-editor .view-overlays [class*="ced-"]');

async function showView(workspace: string, view: string): Promise<void> {
  await workbench.clickInPanel(`#workspace-${workspace}`);
  await workbench.clickInPanel(`#tab-${view}`);
}

describe('a lecture', () => {
  before(activateExtension);
  afterEach(async () => {
    await closeAll();
    for (const name of [FILE, EXPORTED])
      await Promise.resolve(vscode.workspace.fs.delete(inWorkspace(name))).catch(() => undefined);
  });

  it('is recorded by using the panel, and replayed exactly', async function () {
    requireWorkbench(this);
    const { uri } = await openRun('one-neuron.nabla.json');
    // Wide enough for tabs.
    await workbench.resize(1900, 900);
    await workbench.panelWait('[data-layer]');
    await workbench.clickInPanel('[data-action="more"]');
    await workbench.clickInPanel('#more [data-action="record"]');
    await workbench.panelWait('.recording', { text: FILE });

    // The first stop: Step, in the forward pass of the first layer, which is selected, with a pinned sample.
    await command('stepPhase');
    await command('stepPhase');
    await at(uri, 0, 2);
    await showView('explain', 'step');
    await workbench.clickInPanel('[data-layer="0"] .what');
    await workbench.clickInPanel('[data-action="pin-sample"]');
    await addStop(1, 'The **sum**.');
    // The second stop: Loss, at the end of step 3, nothing selected.
    await workbench.clickInPanel('[data-action="pin-sample"]');
    await workbench.clickInPanel('.chosen-layer button');
    await showView('overview', 'learn');
    await command('runToStep', 3);
    await at(uri, 3, 0);
    await addStop(2, 'Three steps.');
    await workbench.clickInPanel('[data-action="finish"]');
    await eventually('the file in an editor', () => vscode.window.activeTextEditor?.document.uri.path.endsWith(FILE));

    assert.deepEqual(JSON.parse(await textOf(FILE)), {
      title: 'One neuron',
      spec: 'one-neuron.nabla.json',
      stops: [
        { text: 'The **sum**.', step: 1, phase: 'forward linear1', view: 'step', layer: 'linear1', sample: 0 },
        { text: 'Three steps.', step: 3, view: 'learn' },
      ],
    });

    // A term is added in the text, which is the lecture.
    const document = await vscode.workspace.openTextDocument(inWorkspace(FILE));
    const editor = await vscode.window.showTextDocument(document);
    await replace(editor, '"sample": 0', '"sample": 0, "highlight": "linear1.weight"');
    assert.ok(await document.save());

    // Replayed from another step and view.
    await command('seek', 1);
    await at(uri, 1, 0);
    await command('playLecture', inWorkspace(FILE));
    await at(uri, 0, 2);
    await workbench.panelWait('#panel.presenting .spoken', { text: 'The sum.' });
    const first = { view: 'view-step', layer: '0', sample: 'true', term: 'linear1.weight', text: 'The sum.' };
    await eventually('the first stop', async () => JSON.stringify(await shown()) === JSON.stringify(first));
    await workbench.pressInPanel('PageDown');
    await at(uri, 3, 0);
    await workbench.panelWait('.spoken', { text: 'Three steps.' });
    const { view, layer, sample } = await shown();
    assert.deepEqual({ view, layer, sample }, { view: 'view-learn', layer: null, sample: 'false' });
    await workbench.clickInPanel('.stage-controls [data-action="back"]');
    await at(uri, 0, 2);
    await eventually('the first stop again', async () => JSON.stringify(await shown()) === JSON.stringify(first));
    // The spec shows the term.
    await eventually('a mark in the spec', async () => (await highlightedLines()).length > 0);
    await workbench.pressInPanel('Escape');
    await workbench.panelWait('.transport');
    assert.deepEqual(await workbench.problemsSeen(), []);
  });

  it('trains to a stop that the run has not reached, and is exported with a picture of each stop', async function () {
    requireWorkbench(this);
    const { uri } = await openRun('one-neuron.nabla.json');
    await command('playLecture', inWorkspace('one-neuron.lecture.json'));
    await at(uri, 0, 0);
    await workbench.panelWait('#panel.presenting');
    await workbench.pressInPanel('End');
    const { frame } = await at(uri, 100, 0);
    assert.ok(frame?.loss !== null && frame !== null && frame.loss < 1e-3);
    const exported = command('exportLecture');
    await workbench.wait('.quick-input-widget input');
    await workbench.press('Enter');
    const page = await eventually('the file', () => textOf(EXPORTED));
    await exported;
    assert.equal(page.match(/<section class="stop">/g)?.length, 9);
    const pictures = page.match(/src="data:image\/png;base64,[A-Za-z0-9+/=]{1000,}"/g) ?? [];
    assert.ok(pictures.length >= 8, `${pictures.length} pictures`);
    assert.ok(page.includes('img-src data:'));
    assert.doesNotMatch(page, /<script/i);
    // dL/dw of the first weight, as the comment of the spec derives it by hand.
    assert.match(page, /dL\/d linear1\.weight<\/bdi><\/th>.*?<data value="1(\.0000000000000002)?"/s);
  });

  it('that does not fit its spec says so at its place', async () => {
    const editor = await openExample('one-neuron.lecture.json');
    const { document } = editor;
    const problems = (): string[] =>
      vscode.languages
        .getDiagnostics(document.uri)
        .filter(({ source }) => source === 'Nablascope')
        .map(({ code, range }) => `${String(code)}: ${document.getText(range)}`);
    assert.deepEqual(problems(), []);
    await replace(editor, '"layer": "linear1"', '"layer": "hidden"');
    await eventually('a missing layer', () => problems().join() === 'unknown-layer: "hidden"');
    await replace(editor, '"layer": "hidden"', '"layer": "linear1"');
    await replace(editor, '"view": "step"', '"view": "steps"');
    await eventually('an unknown view', () => problems().join() === 'unknown-value: "steps"');
    await replace(editor, '"view": "steps"', '"view": "step"');
    await replace(editor, '"step": 100', '"step": 101');
    // How long the run is follows from its data.
    await vscode.commands.executeCommand('nablascope.open', inWorkspace('one-neuron.nabla.json'));
    await eventually('a step beyond the run', () => problems().join() === 'step-beyond-run: 101');
    const offset = document.getText().indexOf('"linear1"') + 1;
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      document.uri,
      document.positionAt(offset),
    );
    const labels = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    assert.ok(labels.includes('"tanh1"'), labels.join());
  });
});

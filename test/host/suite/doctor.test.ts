// The diagnosis in VS Code: by command, with findings, a fix that is applied to the text and undone, and cancel.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, replace } from '../support/runs';

/** At this rate, nothing is learned. */
const lowRate = '"lr": 1e-6';

describe('the diagnosis', () => {
  afterEach(closeAll);

  it('names a rate that is too low; its fix is applied to the text and undone', async function () {
    this.timeout(120_000);
    const workbench = requireWorkbench(this);
    const { editor, uri } = await openRun('circles.nabla.json', { epochs: 5 });
    const { document } = editor;
    const [written] = /"lr": [\d.]+/.exec(document.getText()) ?? [];
    assert.ok(written);
    await replace(editor, written, lowRate);
    const before = document.getText();
    await vscode.window.showTextDocument(document, editor.viewColumn);
    await command('diagnose');
    const fix = '#view-doctor li:first-child [data-action="apply-fix"]';
    await workbench.panelWait(fix);
    await workbench.panelWait('#view-doctor li:first-child .effect');
    await workbench.clickInPanel('#view-doctor li:first-child [data-action="reveal-finding"]');
    const lineOfRate = document.positionAt(before.indexOf(lowRate)).line;
    await eventually('the cursor is at the rate', () => {
      const { activeTextEditor: active } = vscode.window;
      return active?.document.uri.toString() === uri.toString() && active.selection.active.line === lineOfRate;
    });
    await workbench.clickInPanel(fix);
    await eventually('the rate has changed', () => !document.getText().includes(lowRate));
    const [rate] = /(?<="lr": )[\d.e-]+/.exec(document.getText()) ?? [];
    assert.ok(Number(rate) >= 1e-3, rate);
    // Nothing else has.
    assert.equal(document.getText().replace(`"lr": ${rate}`, lowRate), before);
    await workbench.panelWait('#view-doctor [data-action="apply-fix"][disabled]');
    await eventually('the spec is in front', () => vscode.window.activeTextEditor?.document === document);
    await vscode.commands.executeCommand('undo');
    await eventually('the edit is undone', () => document.getText() === before);
    await workbench.panelWait(`${fix}:not([disabled])`);
    assert.deepEqual(await workbench.problemsSeen(), []);
  });

  // Its diagnosis takes half a minute.
  it('is canceled, while the run continues', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('images.nabla.json');
    const diagnosed = command('diagnose', uri);
    await workbench.clickInPanel('#view-doctor [data-action="doctor-cancel"]');
    await diagnosed;
    await workbench.panelWait('#view-doctor [data-action="doctor-start"]');
    await command('step');
    await workbench.panelWait('.state p', { text: 'Step 1' });
  });
});

// What is taken away, through the editor's own dialog onto the disk: a report by command, a chart's numbers by its button.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace } from '../support/extension';
import { outside } from '../support/outside';
import { closeAll, command, openRun, untilStep } from '../support/runs';

/** With its mark at the start, where it has one. */
const textOf = async (uri: vscode.Uri): Promise<string> => new TextDecoder('utf-8', { ignoreBOM: true }).decode(await vscode.workspace.fs.readFile(uri));

/** Takes the dialog's own proposal. */
async function accept(name: string): Promise<string> {
  await outside.wait('.quick-input-widget input');
  await outside.press('Enter');
  return eventually(`the file ${name}`, () => textOf(inWorkspace(name)));
}

/** What is left of a test that failed must not be what the next one finds. */
const files = ['circles step 7.html', 'circles Loss.csv'];

describe('taking away', () => {
  before(activateExtension);
  afterEach(async () => {
    await closeAll();
    for (const name of files) await Promise.resolve(vscode.workspace.fs.delete(inWorkspace(name))).catch(() => undefined);
  });

  it('a report holds the step’s loss to the last digit', async () => {
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 7);
    const { frame } = await untilStep(uri, 7);
    const asked = command('exportReport');
    const page = await accept('circles step 7.html');
    await asked;
    assert.ok(page.includes(`<data value="${frame?.loss}"`), 'the loss is not in the report');
    assert.ok(page.includes('content="default-src &#39;none&#39;;'));
    assert.doesNotMatch(page, /<script/i);
  });

  it('the numbers behind a chart become a CSV file', async () => {
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 5);
    const { frame } = await untilStep(uri, 5);
    await outside.clickInPanel('.chart summary');
    await outside.clickInPanel('.chart .take-away button:has-text("Save CSV")');
    const csv = await accept('circles Loss.csv');
    assert.equal(csv.split('\r\n')[0], '\uFEFFstep,batch,train,validation,test');
    assert.ok(csv.includes(`\r\n5,${frame?.loss},`), csv);
    await outside.panelWait('.notices', { text: 'Saved: circles Loss.csv' });
  });
});

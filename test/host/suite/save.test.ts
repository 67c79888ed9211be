// What is taken away, through the editor's own dialog onto the disk: a report by command, a chart's numbers by its button.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample } from '../support/extension';
import { outside } from '../support/outside';
import { closeAll, command, untilStep } from '../support/runs';

const textOf = async (uri: vscode.Uri): Promise<string> => new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));

/** Takes the dialog's own proposal. */
async function accept(name: string): Promise<string> {
  await outside.wait('.quick-input-widget input');
  await outside.press('Enter');
  return eventually(`the file ${name}`, () => textOf(inWorkspace(name)));
}

describe('taking away', () => {
  before(activateExtension);
  afterEach(closeAll);

  it('a report holds the step’s loss to the last digit', async () => {
    const { document } = await openExample('circles.nabla.json');
    await command('open', document.uri);
    await command('runToStep', 7);
    const { frame } = await untilStep(document.uri, 7);
    const asked = command('exportReport');
    const page = await accept('circles step 7.html');
    await asked;
    assert.ok(page.includes(`<data value="${frame?.loss}"`), 'the loss is not in the report');
    assert.ok(page.includes("default-src 'none'"));
    assert.doesNotMatch(page, /<script/i);
    await vscode.workspace.fs.delete(inWorkspace('circles step 7.html'));
  });

  it('the numbers behind a chart become a CSV file', async () => {
    const { document } = await openExample('circles.nabla.json');
    await command('open', document.uri);
    await command('runToStep', 5);
    const { frame } = await untilStep(document.uri, 5);
    await outside.clickInPanel('.chart summary');
    await outside.clickInPanel('.chart .take-away button:has-text("Save CSV")');
    const csv = await accept('circles Loss.csv');
    assert.equal(csv.split('\r\n')[0], '\uFEFFstep,batch,train,validation,test');
    assert.ok(csv.includes(`\r\n5,${frame?.loss},`), csv);
    await outside.panelWait('.notices', { text: 'Saved: circles Loss.csv' });
    await vscode.workspace.fs.delete(inWorkspace('circles Loss.csv'));
  });
});

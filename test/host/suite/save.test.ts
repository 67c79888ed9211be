// Exports through the editor's own dialog to disk: a report by command, a chart's data by its button.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace } from '../support/extension';
import { workbench } from '../support/workbench-driver';
import { closeAll, command, openRun, waitForStep } from '../support/runs';

/** Including its byte order mark, if any. */
const textOf = async (uri: vscode.Uri): Promise<string> =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(await vscode.workspace.fs.readFile(uri));

/** Accepts the name that the dialog proposes. */
async function accept(name: string): Promise<string> {
  await workbench.wait('.quick-input-widget input');
  await workbench.press('Enter');
  return eventually(`the file ${name}`, () => textOf(inWorkspace(name)));
}

/** Files of an earlier failed test must not affect the next one. */
const files = ['circles step 7.html', 'circles Loss.csv', 'circles step 3.safetensors'];

describe('exporting', () => {
  before(activateExtension);
  afterEach(async () => {
    await closeAll();
    for (const name of files)
      await Promise.resolve(vscode.workspace.fs.delete(inWorkspace(name))).catch(() => undefined);
  });

  it('a report contains the step’s loss to the last digit', async () => {
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 7);
    const { frame } = await waitForStep(uri, 7);
    const asked = command('exportReport');
    const page = await accept('circles step 7.html');
    await asked;
    assert.ok(page.includes(`<data value="${frame?.loss}"`), 'the loss is not in the report');
    assert.ok(page.includes('content="default-src &#39;none&#39;;'));
    assert.doesNotMatch(page, /<script/i);
  });

  it('the weights of the step are a file that another spec can begin with', async () => {
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 3);
    await waitForStep(uri, 3);
    const asked = command('saveWeights');
    await accept('circles step 3.safetensors');
    await asked;
    const bytes = await vscode.workspace.fs.readFile(inWorkspace('circles step 3.safetensors'));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = 8 + Number(view.getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    assert.deepEqual(Object.keys(header), ['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']);
    const { dtype, shape, data_offsets: offsets } = header['hidden.weight'];
    assert.deepEqual([dtype, shape, offsets], ['F32', [4, 2], [0, 32]]);
    const saved = Array.from({ length: 8 }, (_, i) => view.getFloat32(start + 4 * i, true));
    assert.ok(
      saved.every((weight) => Number.isFinite(weight) && weight !== 0),
      String(saved),
    );
  });

  it('the data behind a chart is saved as a CSV file', async () => {
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 5);
    const { frame } = await waitForStep(uri, 5);
    await workbench.clickInPanel('.chart summary');
    await workbench.clickInPanel('.chart .export-actions button:has-text("Save CSV")');
    const csv = await accept('circles Loss.csv');
    assert.equal(csv.split('\r\n')[0], '\uFEFFstep,batch,train,validation,test');
    assert.ok(csv.includes(`\r\n5,${frame?.loss},`), csv);
    await workbench.panelWait('.notices', { text: 'Saved: circles Loss.csv' });
  });
});

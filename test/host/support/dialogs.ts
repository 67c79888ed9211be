// Answers the modal dialogs of the extension. VS Code shows none while it runs tests, so they are intercepted at its
// API.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, inWorkspace } from './extension';
import { workbench } from './workbench-driver';

export interface ShownDialog {
  readonly message: string;
  readonly modal: boolean;
  readonly buttons: readonly string[];
}

/** Answers every warning with this button while `action` runs; undefined dismisses it. */
export async function answerDialogs(
  button: string | undefined,
  action: (shown: readonly ShownDialog[]) => PromiseLike<unknown>,
): Promise<readonly ShownDialog[]> {
  const shown: ShownDialog[] = [];
  const original = vscode.window.showWarningMessage;
  const stub = (message: string, options: vscode.MessageOptions | string, ...buttons: string[]) => {
    shown.push({ message, modal: typeof options === 'object' && options.modal === true, buttons });
    return Promise.resolve(button);
  };
  vscode.window.showWarningMessage = stub as typeof original;
  try {
    await action(shown);
  } finally {
    vscode.window.showWarningMessage = original;
  }
  return shown;
}

/** Revokes all permissions to run custom layers. */
export async function revokePermissions(): Promise<void> {
  // Without a permission there is nothing to select.
  await answerDialogs('Allow', async () => {
    await vscode.commands.executeCommand('nablascope.allowCustomLayers', {
      uri: inWorkspace('custom-layer.nabla.json'),
    });
  });
  const revoked = vscode.commands.executeCommand('nablascope.forgetCodeFolders');
  await workbench.click('.quick-input-widget .monaco-list-row');
  await workbench.press('Enter');
  await revoked;
}

/** Presses "Allow" in the panel, and answers the dialog that follows. */
export async function requestPermissionInPanel(answer: 'Allow' | 'dismiss' = 'Allow'): Promise<void> {
  const [dialog] = await answerDialogs(answer === 'dismiss' ? undefined : answer, async (shown) => {
    await workbench.clickInPanel('.page [data-action="allowCode"]');
    await eventually('the dialog', () => shown.length > 0);
  });
  assert.equal(dialog.modal, true);
  assert.deepEqual(dialog.buttons, ['Allow']);
}

// Creates a new spec by command.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension } from './extension';

export async function openNewSpec(): Promise<vscode.Uri> {
  await activateExtension();
  await vscode.commands.executeCommand('nablascope.newSpec');
  const document = vscode.workspace.textDocuments.find(
    ({ isUntitled, uri }) => isUntitled && uri.path.endsWith('.nabla.json'),
  );
  assert.ok(document, 'no new spec is open');
  return document.uri;
}

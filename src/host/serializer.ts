// Brings a panel back after a window reload, with its run.
import * as vscode from 'vscode';
import type { Log } from './run-options';
import { panelType } from './panel';
import type { Runs } from './runs';

export function registerSerializer(runs: Runs, log: Log): vscode.Disposable {
  return vscode.window.registerWebviewPanelSerializer(panelType, {
    async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
      const uri = uriOf(state);
      try {
        if (!uri) throw new Error('the panel does not say which spec it was of');
        await runs.open(await vscode.workspace.openTextDocument(uri), panel);
      } catch (error) {
        log.warn(`A panel could not be restored: ${error instanceof Error ? error.message : String(error)}`);
        panel.dispose();
      }
    },
  });
}

function uriOf(state: unknown): vscode.Uri | undefined {
  const uri = typeof state === 'object' && state !== null ? (state as { uri?: unknown }).uri : undefined;
  return typeof uri === 'string' ? vscode.Uri.parse(uri) : undefined;
}

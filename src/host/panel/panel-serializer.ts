// Restores a panel and its run after a window reload.
import * as vscode from 'vscode';
import type { Log } from '../run/run-options';
import { panelViewType } from './panel';
import type { RunManager } from '../run/run-manager';

export function registerPanelSerializer(runs: RunManager, log: Log): vscode.Disposable {
  return vscode.window.registerWebviewPanelSerializer(panelViewType, {
    async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
      const uri = specUriOf(state);
      try {
        if (!uri) throw new Error('the panel does not contain the name of its spec');
        await runs.open(await vscode.workspace.openTextDocument(uri), panel);
      } catch (error) {
        log.warn(`A panel could not be restored: ${error instanceof Error ? error.message : String(error)}`);
        panel.dispose();
      }
    },
  });
}

function specUriOf(state: unknown): vscode.Uri | undefined {
  const uri = typeof state === 'object' && state !== null ? (state as { uri?: unknown }).uri : undefined;
  return typeof uri === 'string' ? vscode.Uri.parse(uri) : undefined;
}

// What people set, as the engine takes it.
import * as vscode from 'vscode';

/** Bytes. */
export function checkpointBudget(): number {
  const megabytes = vscode.workspace.getConfiguration('nablascope').get<number>('checkpointBudgetMB', 64);
  return Math.max(1, megabytes) * 2 ** 20;
}

/** From the user's own settings: those of a workspace cannot open folders outside of it. */
export function dataFolders(): readonly string[] {
  const setting = vscode.workspace.getConfiguration('nablascope').inspect<unknown>('dataFolders')?.globalValue;
  return Array.isArray(setting) ? setting.filter((folder): folder is string => typeof folder === 'string') : [];
}

/** Products in vectors of 256 bits, where the engine can. */
export const wideVectors = (): boolean => vscode.workspace.getConfiguration('nablascope').get('wideVectors', true);

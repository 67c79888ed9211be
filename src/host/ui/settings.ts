// The user's settings, in the form that the engine needs.
import * as vscode from 'vscode';
import type { RuleSettings } from '../../protocol/problem';

/** Bytes. */
export function checkpointBudget(): number {
  const megabytes = vscode.workspace.getConfiguration('nablascope').get<number>('checkpointBudgetMB', 64);
  return Math.max(1, megabytes) * 2 ** 20;
}

/** Only from the user's own settings: those of a workspace must not open folders outside of it. */
export function dataFolders(): readonly string[] {
  const setting = vscode.workspace.getConfiguration('nablascope').inspect<unknown>('dataFolders')?.globalValue;
  return Array.isArray(setting) ? setting.filter((folder): folder is string => typeof folder === 'string') : [];
}

/** Settings for each rule id; values other than `off` and numbers are ignored. */
export function ruleSettings(): RuleSettings {
  const setting = vscode.workspace.getConfiguration('nablascope').get<unknown>('rules');
  if (typeof setting !== 'object' || setting === null) return {};
  return Object.fromEntries(
    Object.entries(setting).filter(
      (entry): entry is [string, 'off' | number] => entry[1] === 'off' || typeof entry[1] === 'number',
    ),
  );
}

/** Whether to use 256-bit vectors where the JavaScript engine supports them. */
export const simd256 = (): boolean => vscode.workspace.getConfiguration('nablascope').get('wideVectors', true);

/** A switch that is on by default. */
const isOn = (setting: string): boolean => vscode.workspace.getConfiguration('nablascope').get(setting, true);

export const showsCodeLenses = (): boolean => isOn('codeLens');
export const showsInlayHints = (): boolean => isOn('inlayHints');
/** Figures of a run behind the layers of its spec. */
export const showsLiveValues = (): boolean => isOn('liveValues');

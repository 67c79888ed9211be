// Files that somebody takes away: asks for a place, writes there, and says in the panel what came of it.
import * as vscode from 'vscode';
import type { FromPanel } from '../protocol/panel';
import { fileNameOf } from './file-name';
import { nameOf } from './panel';
import type { OpenRun } from './runs';
import { messageOf } from './run-words';

const kinds = {
  csv: { CSV: ['csv'] },
  png: { PNG: ['png'] },
  html: { HTML: ['html'] },
} as const;

/** What a chart of the panel handed over. */
export async function saveTaken(run: OpenRun, { kind, title, content }: Extract<FromPanel, { type: 'save' }>): Promise<void> {
  await saveAs(run, kind, title, Buffer.from(content, kind === 'png' ? 'base64' : 'utf8'));
}

/** @returns where it was written; undefined where the dialog was left, or it could not be. */
export async function saveAs(run: OpenRun, kind: keyof typeof kinds, title: string, content: Uint8Array): Promise<vscode.Uri | undefined> {
  const { view } = run.controller;
  const name = fileNameOf(`${nameOf(run.uri)} ${title}`, kind);
  // A spec that was never saved has no folder.
  const folder = run.uri.scheme === 'untitled' ? vscode.workspace.workspaceFolders?.[0]?.uri : vscode.Uri.joinPath(run.uri, '..');
  const filters = Object.fromEntries(Object.entries(kinds[kind]).map(([label, endings]) => [label, [...endings]]));
  const target = await vscode.window.showSaveDialog({ filters, ...(folder && { defaultUri: vscode.Uri.joinPath(folder, name) }) });
  if (!target) return undefined;
  try {
    await vscode.workspace.fs.writeFile(target, content);
  } catch (error) {
    view.notice('error', `The file could not be written: ${messageOf(error)} Choose another place.`);
    return undefined;
  }
  view.notice('info', `Saved: ${vscode.workspace.asRelativePath(target)}`);
  return target;
}

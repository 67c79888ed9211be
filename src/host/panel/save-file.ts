// Saves exports of a panel: asks where, writes the file, and reports the outcome in the panel.
import * as vscode from 'vscode';
import type { ExportedFile } from '../../protocol/panel';
import { toFileName } from './file-name';
import { specNameOf } from './panel';
import { toErrorMessage } from '../run/run-messages';
import type { RunViewModel } from '../run/run-view-model';
import { writeFile } from '../write-file';

const FILE_FILTERS = {
  csv: { CSV: ['csv'] },
  png: { PNG: ['png'] },
  html: { HTML: ['html'] },
  safetensors: { safetensors: ['safetensors'] },
} as const;

interface SavedFile {
  readonly kind: keyof typeof FILE_FILTERS;
  /** Appended to the spec's name in the proposed file name. */
  readonly title: string;
  readonly content: Uint8Array;
}

/** Saves a chart or table that the webview exported. */
export async function saveExport(spec: vscode.Uri, view: RunViewModel, file: ExportedFile): Promise<void> {
  const content = Buffer.from(file.content, file.kind === 'png' ? 'base64' : 'utf8');
  await saveWithDialog(spec, view, { ...file, content });
}

/** @returns the file written; undefined if the dialog was canceled or writing failed. */
export async function saveWithDialog(
  spec: vscode.Uri,
  view: RunViewModel,
  { kind, title, content }: SavedFile,
): Promise<vscode.Uri | undefined> {
  const name = toFileName(`${specNameOf(spec)} ${title}`, kind);
  // A spec that was never saved has no folder.
  const folder =
    spec.scheme === 'untitled' ? vscode.workspace.workspaceFolders?.[0]?.uri : vscode.Uri.joinPath(spec, '..');
  const filters = Object.fromEntries(
    Object.entries(FILE_FILTERS[kind]).map(([label, extensions]) => [label, [...(extensions as readonly string[])]]),
  );
  const target = await vscode.window.showSaveDialog({
    filters,
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, name) }),
  });
  if (!target) return undefined;
  try {
    await writeFile(target, content);
  } catch (error) {
    view.notify(
      'error',
      vscode.l10n.t('The file could not be written: {0} Choose another folder.', toErrorMessage(error)),
    );
    return undefined;
  }
  view.notify('info', vscode.l10n.t('Saved: {0}', vscode.workspace.asRelativePath(target)));
  return target;
}

// Opens an example with its panel, in a window with or without a folder.
import * as vscode from 'vscode';
import type { RunManager } from '../run/run-manager';
import { escapeUiText } from '../ui/escape-ui';
import type { ExampleFiles } from './example-files';

/** @param file of the list; without one, the user picks */
export async function openExample(runs: RunManager, examples: ExampleFiles, file: unknown): Promise<void> {
  const picked = typeof file === 'string' ? file : await pickExample(examples);
  if (picked === undefined) return;
  const document = await examples.open(picked);
  if (!document) return;
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One });
  await runs.open(document);
}

async function pickExample(examples: ExampleFiles): Promise<string | undefined> {
  const all = await examples.list();
  const topics = [...new Set(all.map(({ topic }) => topic))].sort();
  const items = topics.flatMap((topic) => [
    { label: escapeUiText(topic), kind: vscode.QuickPickItemKind.Separator, file: undefined },
    ...all
      .filter((each) => each.topic === topic)
      .map(({ name, about, file }) => ({ label: escapeUiText(name), detail: escapeUiText(about), file })),
  ]);
  const selected = await vscode.window.showQuickPick(items, {
    placeHolder: vscode.l10n.t('Select an example to open'),
    matchOnDetail: true,
  });
  return selected?.file;
}

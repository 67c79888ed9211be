// Opens the answer to a question, in docs/systems.md.
import * as vscode from 'vscode';
import { type PanelQuestion, panelQuestions } from '../../protocol/questions';

/** The anchor of a heading in VS Code's Markdown preview. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/\s+/g, '-')
    .replace(/[^\p{L}\p{N}_-]/gu, '');

/** Shows the page at the answer. While a panel is in front, VS Code opens the preview in the first column. */
export async function openAnswer(extensionUri: vscode.Uri, question: PanelQuestion): Promise<void> {
  // The page may send anything.
  if (!Object.hasOwn(panelQuestions, question)) return;
  const page = vscode.Uri.joinPath(extensionUri, 'docs', 'systems.md');
  const fragment = anchorOf(panelQuestions[question]);
  await vscode.commands.executeCommand('markdown.showPreview', page.with({ fragment }));
}

// Completion in lecture files beyond their schema: phases, layers and terms of the spec.
import * as vscode from 'vscode';
import { completeLecture } from '../../lectures';
import { LECTURE_SUFFIX, type LectureDocuments } from './lecture-documents';

export const registerLectureCompletion = (lectures: LectureDocuments): vscode.Disposable =>
  vscode.languages.registerCompletionItemProvider(
    { pattern: `**/*${LECTURE_SUFFIX}` },
    {
      async provideCompletionItems(document, position) {
        const facts = await lectures.namesFor(document);
        const found = facts && completeLecture(document.getText(), document.offsetAt(position), facts);
        if (!found) return [];
        const range = new vscode.Range(document.positionAt(found.start), document.positionAt(found.end));
        return found.names.map((name, i) => {
          const item = new vscode.CompletionItem(name, vscode.CompletionItemKind.Value);
          item.range = range;
          item.filterText = name;
          // In the order of the network.
          item.sortText = String(i).padStart(5, '0');
          return item;
        });
      },
    },
    '"',
  );

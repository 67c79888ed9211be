// Problems of every open spec, in VS Code's Problems: what its text shows while it is typed, and what only
// opening it found, such as in its data.
import * as vscode from 'vscode';
import type { Problem } from '../spec';
import type { SpecDocuments } from './spec-documents';

export class Diagnostics implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection('nablascope');
  readonly #found = new Map<string, readonly Problem[]>();
  readonly #typed = new Map<string, readonly Problem[]>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(documents: SpecDocuments) {
    this.#subscriptions = [
      documents.onRead(({ document, source }) => {
        this.#typed.set(document.uri.toString(), source.problems);
        this.#show(document);
      }),
      documents.onClosed(({ uri }) => {
        this.#typed.delete(uri.toString());
        this.#found.delete(uri.toString());
        this.#collection.delete(uri);
      }),
    ];
  }

  /** What opening the text of a spec found. */
  setFound(uri: vscode.Uri, problems: readonly Problem[]): void {
    const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
    if (!document) return;
    this.#found.set(uri.toString(), problems);
    this.#show(document);
  }

  dispose(): void {
    this.#collection.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #show(document: vscode.TextDocument): void {
    if (document.isClosed) return;
    const key = document.uri.toString();
    const problems = [...(this.#typed.get(key) ?? []), ...(this.#found.get(key) ?? [])];
    this.#collection.set(document.uri, problems.map((problem) => toDiagnostic(document, problem)));
  }
}

function toDiagnostic(document: vscode.TextDocument, problem: Problem): vscode.Diagnostic {
  const range = new vscode.Range(document.positionAt(problem.start), document.positionAt(problem.end));
  const severity =
    problem.severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
  const diagnostic = new vscode.Diagnostic(range, `${problem.message} ${problem.remedy}`, severity);
  diagnostic.source = 'Nablascope';
  diagnostic.code = problem.code;
  return diagnostic;
}

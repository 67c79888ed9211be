// Problems of every open spec, in VS Code's Problems: what its text shows while it is typed, and what only
// opening it found, such as in its data.
import * as vscode from 'vscode';
import type { Problem } from '../spec';
import { plainLines } from './plain';
import type { SpecDocuments } from './spec-documents';

export class Diagnostics implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection('nablascope');
  readonly #found = new Map<string, readonly Problem[]>();
  /** Of layers of the user's own, in their files. */
  readonly #inFiles = vscode.languages.createDiagnosticCollection('nablascope-layers');
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
        this.#showInFiles();
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
    this.#showInFiles();
  }

  dispose(): void {
    this.#collection.dispose();
    this.#inFiles.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** One file may be a layer of several specs, which then find the same in it. */
  #showInFiles(): void {
    const byFile = new Map<string, Map<string, vscode.Diagnostic>>();
    for (const { message, remedy, severity, code, place } of [...this.#found.values()].flat()) {
      if (!place) continue;
      const line = (place.line ?? 1) - 1;
      const column = (place.column ?? 1) - 1;
      // To the end of the line, whose length the file knows.
      const range = new vscode.Range(line, column, line, Number.MAX_SAFE_INTEGER);
      const diagnostic = diagnosticOf(range, { message, remedy, severity, code });
      byFile.set(place.file, (byFile.get(place.file) ?? new Map<string, vscode.Diagnostic>()).set(`${line}:${column} ${message}`, diagnostic));
    }
    this.#inFiles.clear();
    for (const [file, found] of byFile) this.#inFiles.set(vscode.Uri.file(file), [...found.values()]);
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
  const diagnostic = diagnosticOf(range, problem);
  const { place } = problem;
  if (place) {
    const at = new vscode.Position((place.line ?? 1) - 1, (place.column ?? 1) - 1);
    const there = new vscode.Location(vscode.Uri.file(place.file), at);
    diagnostic.relatedInformation = [new vscode.DiagnosticRelatedInformation(there, 'It arises here.')];
  }
  return diagnostic;
}

function diagnosticOf(range: vscode.Range, { severity, message, remedy, code }: Pick<Problem, 'severity' | 'message' | 'remedy' | 'code'>): vscode.Diagnostic {
  const level = severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
  const diagnostic = new vscode.Diagnostic(range, plainLines(`${message} ${remedy}`), level);
  diagnostic.source = 'Nablascope';
  diagnostic.code = code;
  return diagnostic;
}

// The problems of every open spec in the Problems view: those found in its text while the user types, and those found
// by running it, such as in its data or in the code of a custom layer.
import type { Problem } from '../../protocol/problem';
import * as vscode from 'vscode';
import { escapeUiLines } from '../ui/escape-ui';
import type { SpecDocuments } from './spec-documents';

const SOURCE = 'Nablascope';

export class SpecDiagnostics implements vscode.Disposable {
  readonly #specCollection = vscode.languages.createDiagnosticCollection('nablascope');
  readonly #openProblems = new Map<string, readonly Problem[]>();
  /** Diagnostics in the files of custom layers. */
  readonly #layerCollection = vscode.languages.createDiagnosticCollection('nablascope-layers');
  readonly #textProblems = new Map<string, readonly Problem[]>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(documents: SpecDocuments) {
    this.#subscriptions = [
      documents.onDidAnalyze(({ document, analysis }) => {
        this.#textProblems.set(document.uri.toString(), analysis.problems);
        this.#publish(document);
      }),
      documents.onDidClose(({ uri }) => {
        this.#textProblems.delete(uri.toString());
        this.#openProblems.delete(uri.toString());
        this.#publishLayerProblems();
        this.#specCollection.delete(uri);
      }),
    ];
  }

  /** The problem that a diagnostic of this document shows. */
  problemOf({ uri }: vscode.TextDocument, { source, code, message }: vscode.Diagnostic): Problem | undefined {
    if (source !== SOURCE) return undefined;
    return this.#problemsOf(uri).find(
      (problem) => problem.code === code && escapeUiLines(`${problem.message} ${problem.remedy}`) === message,
    );
  }

  /** Problems that only running the spec found. */
  setOpenProblems(uri: vscode.Uri, problems: readonly Problem[]): void {
    const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
    if (!document) return;
    this.#openProblems.set(uri.toString(), problems);
    this.#publish(document);
    this.#publishLayerProblems();
  }

  dispose(): void {
    this.#specCollection.dispose();
    this.#layerCollection.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Several specs may use the same file and find the same problem in it. */
  #publishLayerProblems(): void {
    const byFile = new Map<string, Map<string, vscode.Diagnostic>>();
    for (const { message, remedy, severity, code, place } of [...this.#openProblems.values()].flat()) {
      if (!place) continue;
      const line = (place.line ?? 1) - 1;
      const column = (place.column ?? 1) - 1;
      // To the end of the line; VS Code clips the range.
      const range = new vscode.Range(line, column, line, Number.MAX_SAFE_INTEGER);
      const diagnostic = createDiagnostic(range, { message, remedy, severity, code });
      byFile.set(
        place.file,
        (byFile.get(place.file) ?? new Map<string, vscode.Diagnostic>()).set(
          `${line}:${column} ${message}`,
          diagnostic,
        ),
      );
    }
    this.#layerCollection.clear();
    for (const [file, diagnostics] of byFile)
      this.#layerCollection.set(vscode.Uri.file(file), [...diagnostics.values()]);
  }

  #publish(document: vscode.TextDocument): void {
    if (document.isClosed) return;
    this.#specCollection.set(
      document.uri,
      publishableProblems(document, this.#problemsOf(document.uri)).map((problem) => toDiagnostic(document, problem)),
    );
  }

  #problemsOf(uri: vscode.Uri): readonly Problem[] {
    const key = uri.toString();
    return [...(this.#textProblems.get(key) ?? []), ...(this.#openProblems.get(key) ?? [])];
  }
}

/** Whether VS Code itself reports the syntax errors of a document. */
const hasJsonValidation = (document: vscode.TextDocument): boolean =>
  ['json', 'jsonc'].includes(document.languageId) &&
  vscode.extensions.getExtension('vscode.json-language-features') !== undefined &&
  vscode.workspace.getConfiguration('json', document).get('validate.enable', true);

/** Without what VS Code itself reports. */
export const publishableProblems = (document: vscode.TextDocument, problems: readonly Problem[]): readonly Problem[] =>
  hasJsonValidation(document) ? problems.filter(({ code }) => code !== 'syntax') : problems;

export function toDiagnostic(document: vscode.TextDocument, problem: Problem): vscode.Diagnostic {
  const range = new vscode.Range(document.positionAt(problem.start), document.positionAt(problem.end));
  const diagnostic = createDiagnostic(range, problem);
  const { place } = problem;
  if (place) {
    const position = new vscode.Position((place.line ?? 1) - 1, (place.column ?? 1) - 1);
    const location = new vscode.Location(vscode.Uri.file(place.file), position);
    diagnostic.relatedInformation = [
      new vscode.DiagnosticRelatedInformation(location, vscode.l10n.t('Caused by this line.')),
    ];
  }
  return diagnostic;
}

const diagnosticSeverity: Readonly<Record<Problem['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};

function createDiagnostic(
  range: vscode.Range,
  { severity, message, remedy, code }: Pick<Problem, 'severity' | 'message' | 'remedy' | 'code'>,
): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(range, escapeUiLines(`${message} ${remedy}`), diagnosticSeverity[severity]);
  diagnostic.source = SOURCE;
  diagnostic.code = code;
  return diagnostic;
}

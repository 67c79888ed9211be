// The open specs: which documents are specs, where they are, and what the analysis of their text found. A spec is
// analyzed when it is opened and shortly after it is edited.
import path from 'node:path';
import * as vscode from 'vscode';
import type { SpecAnalysis, SpecLocation } from '../run/run-options';
import { ruleSettings } from '../ui/settings';
import { analyzeSpec, analyzeSpecTask, prepareExplanations } from './analyze-spec';
import { runInSlices } from './run-in-slices';

const DEBOUNCE_MS = 20;
// A long text takes long to analyze, so it is analyzed less often while the user types.
const LONG_TEXT_LENGTH = 100_000;
const LONG_TEXT_DEBOUNCE_MS = 1000;
/** After a spec was opened, when VS Code has asked for all that it shows of it. */
const IDLE_MS = 500;

/** Only specs that can be edited, so not an old version shown by source control. */
export function isSpec({ uri }: { readonly uri: vscode.Uri }): boolean {
  if (!uri.path.endsWith('.nabla.json')) return false;
  return (
    uri.scheme === 'file' || uri.scheme === 'untitled' || vscode.workspace.fs.isWritableFileSystem(uri.scheme) === true
  );
}

/** Without a text yet. */
export const isBlankSpec = (document: vscode.TextDocument): boolean =>
  isSpec(document) && document.lineCount < 100 && document.getText().trim() === '';

/** Files of the workspace, by path. @param suffix of their names */
export async function findWorkspaceFiles(suffix: string, limit: number): Promise<vscode.Uri[]> {
  const files = await vscode.workspace.findFiles(`**/*${suffix}`, '**/node_modules/**', limit);
  const pathOf = new Map(files.map((uri) => [uri, vscode.workspace.asRelativePath(uri)]));
  return files.sort((a, b) => (pathOf.get(a)! < pathOf.get(b)! ? -1 : 1));
}

/** Where a spec is, for the files that it names. */
export function specLocationOf({ uri }: Pick<vscode.TextDocument, 'uri'>): SpecLocation {
  const file = uri.path.split('/').pop() ?? uri.path;
  const workspace = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.workspace.workspaceFolders?.[0];
  const workspaceFolder = workspace?.uri.scheme === 'file' ? workspace.uri.fsPath : null;
  const isOnDisk = uri.scheme === 'file' || (uri.scheme === 'untitled' && path.isAbsolute(uri.fsPath));
  const folder = isOnDisk ? path.dirname(uri.fsPath) : (workspaceFolder ?? '');
  // A file outside of the workspace may only read its own folder.
  const root = vscode.workspace.getWorkspaceFolder(uri) && workspaceFolder !== null ? workspaceFolder : folder;
  return { uri: uri.toString(), file, folder, root };
}

export interface SpecAnalyzedEvent {
  readonly document: vscode.TextDocument;
  readonly analysis: SpecAnalysis;
}

export class SpecDocuments implements vscode.Disposable {
  readonly #onDidAnalyze = new vscode.EventEmitter<SpecAnalyzedEvent>();
  readonly #onDidClose = new vscode.EventEmitter<vscode.TextDocument>();
  readonly #analyses = new Map<string, SpecAnalysis>();
  #preparation: NodeJS.Timeout | undefined;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** A spec was opened or edited, and its text has been analyzed. */
  readonly onDidAnalyze = this.#onDidAnalyze.event;
  readonly onDidClose = this.#onDidClose.event;

  constructor() {
    this.#subscriptions = [
      this.#onDidAnalyze,
      this.#onDidClose,
      vscode.workspace.onDidOpenTextDocument((document) => {
        this.#analyzeNow(document);
        if (isSpec(document)) this.#prepare();
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.#scheduleAnalysis(document);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => this.#handleClose(document)),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (!event.affectsConfiguration('nablascope.rules')) return;
        this.#analyses.clear();
        this.start();
      }),
    ];
  }

  /** Analyzes all open specs. To be called once the listeners are registered. */
  start(): void {
    for (const document of vscode.workspace.textDocuments) this.#analyzeNow(document);
    if (vscode.workspace.textDocuments.some(isSpec)) this.#prepare();
  }

  /** The analysis of the current text; undefined if nothing has asked for it since the last edit. */
  cachedAnalysisOf(document: vscode.TextDocument): SpecAnalysis | undefined {
    const cached = this.#analyses.get(document.uri.toString());
    return cached?.text === document.getText() ? cached : undefined;
  }

  /** The analysis of the current text, which is analyzed now if needed, and only once. */
  analysisOf(document: vscode.TextDocument): SpecAnalysis {
    const cached = this.cachedAnalysisOf(document);
    if (cached) return cached;
    const analysis = analyzeSpec(document.getText(), ruleSettings());
    if (isSpec(document) && !document.isClosed) this.#analyses.set(document.uri.toString(), analysis);
    return analysis;
  }

  /** Resolves once the current text has been analyzed, in slices; for what VS Code asks for while the user types. */
  async whenAnalyzed(document: vscode.TextDocument): Promise<void> {
    const key = document.uri.toString();
    while (isSpec(document) && !document.isClosed && !this.cachedAnalysisOf(document)) {
      if (!this.#timers.has(key)) this.#scheduleAnalysis(document);
      await new Promise<void>((resolve) => {
        const listener = vscode.Disposable.from(this.onDidAnalyze(done), this.onDidClose(done));
        function done(): void {
          listener.dispose();
          resolve();
        }
      });
    }
  }

  #prepare(): void {
    this.#preparation ??= setTimeout(prepareExplanations, IDLE_MS);
  }

  dispose(): void {
    clearTimeout(this.#preparation);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #scheduleAnalysis(document: vscode.TextDocument): void {
    if (!isSpec(document)) return;
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    const delay = document.getText().length > LONG_TEXT_LENGTH ? LONG_TEXT_DEBOUNCE_MS : DEBOUNCE_MS;
    this.#timers.set(
      key,
      setTimeout(() => void this.#analyzeInSlices(document), delay),
    );
  }

  /** Stops if the text changes, which schedules the next analysis. */
  async #analyzeInSlices(document: vscode.TextDocument): Promise<void> {
    const { version } = document;
    if (!this.cachedAnalysisOf(document)) {
      const task = analyzeSpecTask(document.getText(), ruleSettings());
      const isChanged = (): boolean => document.version !== version || document.isClosed;
      const analysis = await runInSlices(task, () => isChanged() || this.cachedAnalysisOf(document) !== undefined);
      if (isChanged()) return;
      if (analysis) this.#analyses.set(document.uri.toString(), analysis);
    }
    this.#analyzeNow(document);
  }

  #analyzeNow(document: vscode.TextDocument): void {
    if (!isSpec(document) || document.isClosed) return;
    this.#clearTimer(document.uri.toString());
    this.#onDidAnalyze.fire({ document, analysis: this.analysisOf(document) });
  }

  #handleClose(document: vscode.TextDocument): void {
    if (!isSpec(document)) return;
    const key = document.uri.toString();
    this.#clearTimer(key);
    this.#analyses.delete(key);
    this.#onDidClose.fire(document);
  }

  #clearTimer(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }
}

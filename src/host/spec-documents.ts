// The open specs: reads each when it opens and a moment after it was edited, and tells who wants to know.
import * as vscode from 'vscode';
import type { SpecText } from './run-options';
import { readSpecText } from './spec-text';

const EDIT_MS = 200;
// A long text takes long to read, so it is read less often while it is typed.
const LONG = 100_000;
const LONG_EDIT_MS = 1000;

/** Specs that can be edited; what version control shows of the past is none. */
export function isSpec({ uri }: { readonly uri: vscode.Uri }): boolean {
  if (!uri.path.endsWith('.nabla.json')) return false;
  return uri.scheme === 'file' || uri.scheme === 'untitled' || vscode.workspace.fs.isWritableFileSystem(uri.scheme) === true;
}

export interface ReadSpec {
  readonly document: vscode.TextDocument;
  readonly source: SpecText;
}

export class SpecDocuments implements vscode.Disposable {
  readonly #read = new vscode.EventEmitter<ReadSpec>();
  readonly #closed = new vscode.EventEmitter<vscode.TextDocument>();
  readonly #sources = new Map<string, SpecText>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** A spec was opened or edited, and has been read. */
  readonly onRead = this.#read.event;
  readonly onClosed = this.#closed.event;

  constructor() {
    this.#subscriptions = [
      this.#read,
      this.#closed,
      vscode.workspace.onDidOpenTextDocument((document) => this.#readNow(document)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.#readSoon(document);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => this.#forget(document)),
    ];
  }

  /** Reads the specs that are open already; whoever listens hears of them. */
  start(): void {
    for (const document of vscode.workspace.textDocuments) this.#readNow(document);
  }

  /** The document as it stands; undefined where its last edit was not read yet. */
  knownSourceOf(document: vscode.TextDocument): SpecText | undefined {
    const known = this.#sources.get(document.uri.toString());
    return known?.text === document.getText() ? known : undefined;
  }

  /** The document as it stands, read now where needed. */
  sourceOf(document: vscode.TextDocument): SpecText {
    return this.knownSourceOf(document) ?? readSpecText(document.getText());
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #readSoon(document: vscode.TextDocument): void {
    if (!isSpec(document)) return;
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    const delay = document.getText().length > LONG ? LONG_EDIT_MS : EDIT_MS;
    this.#timers.set(key, setTimeout(() => this.#readNow(document), delay));
  }

  #readNow(document: vscode.TextDocument): void {
    if (!isSpec(document) || document.isClosed) return;
    const key = document.uri.toString();
    this.#stopTimer(key);
    const source = readSpecText(document.getText());
    this.#sources.set(key, source);
    this.#read.fire({ document, source });
  }

  #forget(document: vscode.TextDocument): void {
    if (!isSpec(document)) return;
    const key = document.uri.toString();
    this.#stopTimer(key);
    this.#sources.delete(key);
    this.#closed.fire(document);
  }

  #stopTimer(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }
}

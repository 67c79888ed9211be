// The specs of the workspace as files: finds them when somebody asks, and tells of those that come, change and go.
// What changes together, such as at a checkout, is told together.
import * as vscode from 'vscode';
import { isSpec } from '../host/spec-documents';

const GLOB = '**/*.nabla.json';
const APART = '**/node_modules/**';
const TOGETHER_MS = 100;

export interface ChangedFiles {
  readonly there: readonly vscode.Uri[];
  readonly gone: readonly vscode.Uri[];
}

export class SpecFiles implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<ChangedFiles>();
  readonly #folders = new vscode.EventEmitter<void>();
  readonly #pending = new Map<string, { readonly uri: vscode.Uri; readonly there: boolean }>();
  readonly #subscriptions: vscode.Disposable[];
  #timer: NodeJS.Timeout | null = null;
  #watching = false;

  readonly onChanged = this.#changed.event;
  /** Whole folders came or went: the specs are to be found anew. */
  readonly onFolders = this.#folders.event;

  constructor() {
    this.#subscriptions = [this.#changed, this.#folders];
  }

  /** All of them; from the first call on, changes are told. */
  async find(): Promise<vscode.Uri[]> {
    this.#watch();
    return (await vscode.workspace.findFiles(GLOB, APART)).filter(isTest);
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const watcher = vscode.workspace.createFileSystemWatcher(GLOB);
    const folders = (): void => this.#folders.fire();
    this.#subscriptions.push(
      watcher,
      watcher.onDidCreate((uri) => this.#add(uri, true)),
      watcher.onDidChange((uri) => this.#add(uri, true)),
      watcher.onDidDelete((uri) => this.#add(uri, false)),
      // Told at once; the watcher is told later by the system.
      vscode.workspace.onDidSaveTextDocument(({ uri }) => this.#add(uri, true)),
      // With a folder its files go, of which no watcher of files hears.
      vscode.workspace.onDidDeleteFiles(folders),
      vscode.workspace.onDidRenameFiles(folders),
      vscode.workspace.onDidChangeWorkspaceFolders(folders),
    );
  }

  #add(uri: vscode.Uri, there: boolean): void {
    if (!isTest(uri)) return;
    this.#pending.set(uri.toString(), { uri, there });
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const all = [...this.#pending.values()];
      this.#pending.clear();
      const which = (there: boolean): vscode.Uri[] => all.filter((each) => each.there === there).map((each) => each.uri);
      this.#changed.fire({ there: which(true), gone: which(false) });
    }, TOGETHER_MS);
  }
}

/** In a folder of the workspace, and not somebody else's package. */
export const isTest = (uri: vscode.Uri): boolean =>
  isSpec({ uri }) && uri.scheme !== 'untitled' && vscode.workspace.getWorkspaceFolder(uri) !== undefined && !uri.path.includes('/node_modules/');

/** As the editor has it where it is open, else as the file has it; undefined where it is gone or no text. */
export async function readSpecFile(uri: vscode.Uri): Promise<string | undefined> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open) return open.getText();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return undefined;
  }
}

// The spec files of the workspace: finds them on request, then reports those that are created, changed and deleted.
// Changes that happen together, such as a checkout, are reported together.
import * as vscode from 'vscode';
import { isSpec } from '../host/model-spec/spec-documents';

const SPEC_GLOB = '**/*.nabla.json';
const EXCLUDE_GLOB = '**/node_modules/**';
const BATCH_MS = 100;

export interface SpecFileChanges {
  readonly changed: readonly vscode.Uri[];
  readonly deleted: readonly vscode.Uri[];
}

export class SpecFiles implements vscode.Disposable {
  readonly #onDidChange = new vscode.EventEmitter<SpecFileChanges>();
  readonly #onDidChangeFolders = new vscode.EventEmitter<void>();
  readonly #pending = new Map<string, { readonly uri: vscode.Uri; readonly exists: boolean }>();
  readonly #subscriptions: vscode.Disposable[];
  #timer: NodeJS.Timeout | null = null;
  #watching = false;

  readonly onDidChange = this.#onDidChange.event;
  /** Whole folders were added or removed, so the specs must be searched again. */
  readonly onDidChangeFolders = this.#onDidChangeFolders.event;

  constructor() {
    this.#subscriptions = [this.#onDidChange, this.#onDidChangeFolders];
  }

  /** All specs. The first call starts reporting changes. */
  async findAll(): Promise<vscode.Uri[]> {
    this.#watch();
    return (await vscode.workspace.findFiles(SPEC_GLOB, EXCLUDE_GLOB)).filter(isWorkspaceSpec);
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const watcher = vscode.workspace.createFileSystemWatcher(SPEC_GLOB);
    const folders = (): void => this.#onDidChangeFolders.fire();
    this.#subscriptions.push(
      watcher,
      watcher.onDidCreate((uri) => this.#add(uri, true)),
      watcher.onDidChange((uri) => this.#add(uri, true)),
      watcher.onDidDelete((uri) => this.#add(uri, false)),
      // Immediate; the file system reports to the watcher later.
      vscode.workspace.onDidSaveTextDocument(({ uri }) => this.#add(uri, true)),
      // If a folder is deleted, the watcher does not report its files.
      vscode.workspace.onDidDeleteFiles(folders),
      vscode.workspace.onDidRenameFiles(folders),
      vscode.workspace.onDidChangeWorkspaceFolders(folders),
    );
  }

  #add(uri: vscode.Uri, exists: boolean): void {
    if (!isWorkspaceSpec(uri)) return;
    this.#pending.set(uri.toString(), { uri, exists });
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const all = [...this.#pending.values()];
      this.#pending.clear();
      const which = (there: boolean): vscode.Uri[] =>
        all.filter((each) => each.exists === there).map((each) => each.uri);
      this.#onDidChange.fire({ changed: which(true), deleted: which(false) });
    }, BATCH_MS);
  }
}

/** In a folder of the workspace, but not in a dependency. */
export const isWorkspaceSpec = (uri: vscode.Uri): boolean =>
  isSpec({ uri }) &&
  uri.scheme !== 'untitled' &&
  vscode.workspace.getWorkspaceFolder(uri) !== undefined &&
  !uri.path.includes('/node_modules/');

/**
 * The text in the editor if the spec is open, else that of the file; undefined if there is no such file, or no text.
 */
export async function readSpecFile(uri: vscode.Uri): Promise<string | undefined> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open) return open.getText();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return undefined;
  }
}

// Whether layers of the user's own may run: in a trusted workspace, and in folders that the user said yes to. Asked in
// the panel that needs it, and remembered until it is taken back.
import * as vscode from 'vscode';
import { plain } from './plain';
import type { CodePermission } from './run-options';

const KEY = 'nablascope.codeFolders';

export class CodeConsent implements vscode.Disposable {
  readonly #memory: vscode.Memento;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** More, or less, may run now. */
  readonly onChanged = this.#changed.event;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
    this.#subscriptions = [this.#changed, vscode.workspace.onDidGrantWorkspaceTrust(() => this.#changed.fire())];
  }

  /** Allowed so far, by full path. */
  get folders(): readonly string[] {
    return this.#memory.get<readonly string[]>(KEY, []);
  }

  /** @param folder that the code lies in, by its full path. */
  permission(folder: string): CodePermission {
    if (!vscode.workspace.isTrusted) return 'untrusted';
    return this.folders.includes(folder) ? 'allowed' : 'ask';
  }

  async allow(folder: string): Promise<void> {
    if (this.folders.includes(folder)) return;
    await this.#set([...this.folders, folder]);
  }

  async forget(folders: readonly string[]): Promise<void> {
    await this.#set(this.folders.filter((folder) => !folders.includes(folder)));
  }

  /** Asks which of them. */
  async askAndForget(): Promise<void> {
    if (this.folders.length === 0) {
      void vscode.window.showInformationMessage('Layers of your own were not allowed in any folder.');
      return;
    }
    const chosen = await vscode.window.showQuickPick(this.folders.map((folder) => ({ label: plain(folder), folder })), {
      canPickMany: true, placeHolder: 'In which folders shall layers of your own no longer run?',
    });
    if (chosen && chosen.length > 0) await this.forget(chosen.map(({ folder }) => folder));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #set(folders: readonly string[]): Promise<void> {
    await this.#memory.update(KEY, folders);
    this.#changed.fire();
  }
}

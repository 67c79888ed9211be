// Permission to run custom layers: only in a trusted workspace, and only in folders that the user allowed in a modal
// dialog of the editor. It is remembered until the user revokes it.
import * as vscode from 'vscode';
import type { CustomLayerPermission } from '../run/run-options';
import { escapeUiText } from '../ui/escape-ui';

// Saved by earlier versions under this name.
const STORAGE_KEY = 'nablascope.codeFolders';

export interface PermissionRequest {
  /** Absolute; the permission covers all custom layers in it. */
  readonly folder: string;
  /** Names of the layers that want to run. */
  readonly layers: readonly string[];
}

export class CustomLayerPermissions implements vscode.Disposable {
  readonly #memento: vscode.Memento;
  readonly #onDidChange = new vscode.EventEmitter<void>();
  readonly #subscriptions: readonly vscode.Disposable[];
  /** Open dialogs by folder, so that a second request waits for the first. */
  readonly #openDialogs = new Map<string, Promise<boolean>>();

  /** A permission was given or revoked. */
  readonly onDidChange = this.#onDidChange.event;

  constructor(memento: vscode.Memento) {
    this.#memento = memento;
    this.#subscriptions = [
      this.#onDidChange,
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#onDidChange.fire()),
    ];
  }

  /** Absolute paths. */
  get allowedFolders(): readonly string[] {
    return this.#memento.get<readonly string[]>(STORAGE_KEY, []);
  }

  /** @param folder that the code is in, as an absolute path. */
  permission(folder: string): CustomLayerPermission {
    if (!vscode.workspace.isTrusted) return 'untrusted';
    return this.allowedFolders.includes(folder) ? 'allowed' : 'ask';
  }

  /**
   * Asks in a modal dialog, which neither a page nor a workspace can answer for the user.
   * @returns whether the layers may run.
   */
  async promptAndAllow(request: PermissionRequest): Promise<boolean> {
    const permission = this.permission(request.folder);
    if (permission !== 'ask') return permission === 'allowed';
    const open = this.#openDialogs.get(request.folder);
    if (open) return open;
    const dialog = this.#showDialog(request).finally(() => this.#openDialogs.delete(request.folder));
    this.#openDialogs.set(request.folder, dialog);
    return dialog;
  }

  /** Lets the user pick the folders whose permission ends. */
  async promptAndRevoke(): Promise<void> {
    if (this.allowedFolders.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('No folder has permission to run custom layers.'));
      return;
    }
    const selected = await vscode.window.showQuickPick(
      this.allowedFolders.map((folder) => ({ label: escapeUiText(folder), folder })),
      { canPickMany: true, placeHolder: vscode.l10n.t('Select folders that may no longer run custom layers') },
    );
    if (!selected || selected.length === 0) return;
    const revoked = selected.map(({ folder }) => folder);
    await this.#update(this.allowedFolders.filter((folder) => !revoked.includes(folder)));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #showDialog({ folder, layers }: PermissionRequest): Promise<boolean> {
    const allow = vscode.l10n.t('Allow');
    const answer = await vscode.window.showWarningMessage(
      vscode.l10n.t('Allow custom layers in {0} to run?', escapeUiText(folder)),
      {
        modal: true,
        detail: vscode.l10n.t(
          'This spec uses custom code: {0}. It runs on this computer with your permissions. Allow it only if you trust its author.\n\nThe permission covers all custom layers, losses and penalties in this folder. To end it, run "Nablascope: Revoke Permission to Run Custom Layers…".',
          escapeUiText(layers.join(', ')),
        ),
      },
      allow,
    );
    if (answer !== allow) return false;
    await this.#update([...this.allowedFolders, folder]);
    return true;
  }

  async #update(folders: readonly string[]): Promise<void> {
    await this.#memento.update(STORAGE_KEY, folders);
    this.#onDidChange.fire();
  }
}

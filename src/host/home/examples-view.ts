// The view of examples in the side bar, by topic.
import * as vscode from 'vscode';
import { escapeUiText } from '../ui/escape-ui';
import type { ExampleFiles, ListedExample } from './example-files';

type Item = { readonly topic: string } | ListedExample;

export class ExamplesView implements vscode.TreeDataProvider<Item> {
  readonly #files: ExampleFiles;

  constructor(files: ExampleFiles) {
    this.#files = files;
  }

  async getChildren(item?: Item): Promise<Item[]> {
    const all = await this.#files.list();
    if (!item) return [...new Set(all.map(({ topic }) => topic))].sort().map((topic) => ({ topic }));
    return 'file' in item ? [] : all.filter(({ topic }) => topic === item.topic);
  }

  getTreeItem(item: Item): vscode.TreeItem {
    if (!('file' in item)) return new vscode.TreeItem(item.topic, vscode.TreeItemCollapsibleState.Collapsed);
    const { name, file, about } = item;
    const shown = new vscode.TreeItem(escapeUiText(name));
    shown.tooltip = `${escapeUiText(file)}\n\n${escapeUiText(about)}`;
    shown.command = { command: 'nablascope.openExample', title: vscode.l10n.t('Open Example'), arguments: [file] };
    shown.contextValue = 'example';
    return shown;
  }
}

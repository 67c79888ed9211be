// The items of Test Explorer: a tree for each spec. An item stays the same object as long as its spec, layer or check
// exists, so that it keeps its results.
import * as vscode from 'vscode';
import { escapeUiText, escapeUiLines } from '../host/ui/escape-ui';
import { type CooperativeTask, runToCompletion } from '../model-spec';
import { isSameLayer, type CheckNode, type LayerNode, type LineRange, type SpecTree } from './spec-tree';

export class SpecTestItems {
  readonly #controller: vscode.TestController;
  /** What the children of an item show. */
  readonly #shown = new WeakMap<vscode.TestItem, readonly LayerNode[]>();

  constructor(controller: vscode.TestController) {
    this.#controller = controller;
  }

  get all(): vscode.TestItem[] {
    return [...this.#controller.items].map(([, item]) => item);
  }

  get(uri: vscode.Uri): vscode.TestItem | undefined {
    return this.#controller.items.get(uri.toString());
  }

  add(uri: vscode.Uri): vscode.TestItem {
    const existing = this.get(uri);
    if (existing) return existing;
    const item = this.#controller.createTestItem(
      uri.toString(),
      escapeUiText(vscode.workspace.asRelativePath(uri)),
      uri,
    );
    item.canResolveChildren = true;
    item.range = new vscode.Range(0, 0, 0, 0);
    this.#controller.items.add(item);
    return item;
  }

  remove(uri: vscode.Uri): void {
    this.#controller.items.delete(uri.toString());
  }

  /** Keeps or adds the items of these files, and removes all others. */
  sync(uris: readonly vscode.Uri[]): void {
    const ids = new Set(uris.map(String));
    for (const item of this.all) if (!ids.has(item.id)) this.#controller.items.delete(item.id);
    for (const uri of uris) this.add(uri);
  }

  /** Shows the layers and checks of the spec. While its text has errors, the previous tree stays. */
  update(item: vscode.TestItem, tree: SpecTree): void {
    runToCompletion(this.updateTask(item, tree));
  }

  /** Layer by layer, and only what is not shown yet: VS Code compares and sends every change. */
  *updateTask(item: vscode.TestItem, tree: SpecTree): CooperativeTask<void> {
    const [error] = tree.errors;
    item.error = error && vscode.l10n.t('Line {0}: {1}', error.range.start.line + 1, escapeUiLines(error.message));
    if (!tree.isValid) return;
    const shown = this.#shown.get(item) ?? [];
    const layers: vscode.TestItem[] = [];
    let isSame = shown.length === tree.layers.length;
    // Until it is done, nothing of it counts as shown.
    this.#shown.delete(item);
    for (const [i, node] of tree.layers.entries()) {
      const existing = isSameLayer(shown[i], node) ? item.children.get(node.id) : undefined;
      isSame &&= existing !== undefined;
      layers.push(existing ?? this.#layerItem(item, node, i));
      yield 'updating layers';
    }
    if (!isSame) item.children.replace(layers);
    this.#shown.set(item, tree.layers);
  }

  #layerItem(item: vscode.TestItem, { range, checks, ...node }: LayerNode, order: number): vscode.TestItem {
    const layer = this.#childItem(item, node, range, order);
    layer.children.replace(checks.map((check, j) => this.#childItem(layer, check, range, j)));
    return layer;
  }

  /** Sorted in the order of the network. */
  #childItem(
    parent: vscode.TestItem,
    { id, label: name }: CheckNode,
    place: LineRange,
    order: number,
  ): vscode.TestItem {
    const label = escapeUiText(name);
    const existing = parent.children.get(id);
    const item = existing?.label === label ? existing : this.#controller.createTestItem(id, label, parent.uri);
    item.range = toVsCodeRange(place);
    item.sortText = String(order).padStart(6, '0');
    return item;
  }
}

export const toVsCodeRange = ({ start, end }: LineRange): vscode.Range =>
  new vscode.Range(start.line, start.column, end.line, end.column);

export function specItemOf(item: vscode.TestItem): vscode.TestItem {
  return item.parent ? specItemOf(item.parent) : item;
}

/** The checks below an item; the item itself if there are none. */
export function leafItemsOf(item: vscode.TestItem): vscode.TestItem[] {
  return item.children.size === 0 ? [item] : [...item.children].flatMap(([, child]) => leafItemsOf(child));
}

/** Whether a request includes this item or one of its ancestors, and excludes neither. */
export function isIncluded({ include, exclude }: vscode.TestRunRequest, item: vscode.TestItem): boolean {
  const containsOrAncestor = (items: readonly vscode.TestItem[], each: vscode.TestItem | undefined): boolean =>
    each !== undefined && (items.includes(each) || containsOrAncestor(items, each.parent));
  return (!include || containsOrAncestor(include, item)) && !(exclude && containsOrAncestor(exclude, item));
}

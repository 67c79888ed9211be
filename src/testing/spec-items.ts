// The specs as items of Test Explorer, and back: which spec and which check an item stands for. An item stays the
// same object as long as what it stands for is there, so that its results stay with it.
import * as vscode from 'vscode';
import { plain, plainLines } from '../host/plain';
import type { CheckNode, Place, SpecTree } from './spec-tree';

export class SpecItems {
  readonly #controller: vscode.TestController;

  constructor(controller: vscode.TestController) {
    this.#controller = controller;
  }

  get all(): vscode.TestItem[] {
    return [...this.#controller.items].map(([, item]) => item);
  }

  of(uri: vscode.Uri): vscode.TestItem | undefined {
    return this.#controller.items.get(uri.toString());
  }

  add(uri: vscode.Uri): vscode.TestItem {
    const known = this.of(uri);
    if (known) return known;
    const item = this.#controller.createTestItem(uri.toString(), plain(vscode.workspace.asRelativePath(uri)), uri);
    item.canResolveChildren = true;
    item.range = new vscode.Range(0, 0, 0, 0);
    this.#controller.items.add(item);
    return item;
  }

  remove(uri: vscode.Uri): void {
    this.#controller.items.delete(uri.toString());
  }

  /** Those of exactly these files. */
  replace(uris: readonly vscode.Uri[]): void {
    const there = new Set(uris.map(String));
    for (const item of this.all) if (!there.has(item.id)) this.#controller.items.delete(item.id);
    for (const uri of uris) this.add(uri);
  }

  /** Shows what the spec holds. Of a text with errors the tree from before stays. */
  show(item: vscode.TestItem, tree: SpecTree): void {
    const [error] = tree.errors;
    item.error = error && `Line ${error.place.start.line + 1}: ${plainLines(error.message)}`;
    if (!tree.legible) return;
    item.children.replace(
      tree.layers.map(({ place, checks, ...node }, i) => {
        const layer = this.#child(item, node, place, i);
        layer.children.replace(checks.map((check, j) => this.#child(layer, check, place, j)));
        return layer;
      }),
    );
  }

  /** In the order of the network, not of the alphabet. */
  #child(parent: vscode.TestItem, { id, label: name }: CheckNode, place: Place, order: number): vscode.TestItem {
    const label = plain(name);
    const known = parent.children.get(id);
    const item = known?.label === label ? known : this.#controller.createTestItem(id, label, parent.uri);
    item.range = rangeOf(place);
    item.sortText = String(order).padStart(6, '0');
    return item;
  }
}

export const rangeOf = ({ start, end }: Place): vscode.Range => new vscode.Range(start.line, start.column, end.line, end.column);

export function specOf(item: vscode.TestItem): vscode.TestItem {
  return item.parent ? specOf(item.parent) : item;
}

/** The checks below an item, or itself. */
export function leavesOf(item: vscode.TestItem): vscode.TestItem[] {
  return item.children.size === 0 ? [item] : [...item.children].flatMap(([, child]) => leavesOf(child));
}

/** Whether a request is about this item: it or what holds it was named, and not left out. */
export function isWanted({ include, exclude }: vscode.TestRunRequest, item: vscode.TestItem): boolean {
  const among = (items: readonly vscode.TestItem[], each: vscode.TestItem | undefined): boolean =>
    each !== undefined && (items.includes(each) || among(items, each.parent));
  return (!include || among(include, item)) && !(exclude && among(exclude, item));
}

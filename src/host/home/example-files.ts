// The examples that come with the extension. They are opened as copies, so that they can be edited and kept.
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { listCustomLayers, parseSpec } from '../../model-spec';
import { fileExists } from '../model-spec/new-spec';

/** An entry of media/examples.json. */
export interface ListedExample {
  readonly file: string;
  /** The name of the spec. */
  readonly name: string;
  /** The comment at its beginning. */
  readonly about: string;
  readonly topic: string;
}

export class ExampleFiles {
  readonly #extensionUri: vscode.Uri;
  /** The copies of this version of the extension. */
  readonly #folder: vscode.Uri;
  #list: Promise<readonly ListedExample[]> | undefined;
  #copying: Promise<void> | undefined;

  constructor(extensionUri: vscode.Uri, storage: vscode.Uri, version: string) {
    this.#extensionUri = extensionUri;
    this.#folder = vscode.Uri.joinPath(storage, `examples-${version}`);
  }

  list(): Promise<readonly ListedExample[]> {
    return (this.#list ??= this.#readList());
  }

  /**
   * The copy of an example, with all files that examples use beside it.
   * @param file of the list; undefined if it is none
   */
  async open(file: string): Promise<vscode.TextDocument | undefined> {
    if (!(await this.list()).some((each) => each.file === file)) return undefined;
    await (this.#copying ??= this.#copyAll().finally(() => (this.#copying = undefined)));
    return this.#openCopy(file);
  }

  /** Gives the copy and its custom code their original texts again, which can be undone. */
  async restore(file: string): Promise<void> {
    const document = await this.open(file);
    if (!document) return;
    const { spec } = parseSpec(await this.#readOriginal(file));
    const modules = spec ? listCustomLayers(spec).map(({ module }) => module) : [];
    for (const each of new Set([file, ...modules])) await this.#restoreText(each);
  }

  async #restoreText(file: string): Promise<void> {
    const document = await this.#openCopy(file);
    const original = await this.#readOriginal(file);
    if (document.getText() === original) return;
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), original);
    await vscode.workspace.applyEdit(edit);
    await document.save();
  }

  /** One that was deleted comes back. */
  async #openCopy(file: string): Promise<vscode.TextDocument> {
    const copy = vscode.Uri.joinPath(this.#folder, file);
    if (!(await fileExists(copy))) await vscode.workspace.fs.copy(this.#original(file), copy);
    return vscode.workspace.openTextDocument(copy);
  }

  async #readOriginal(file: string): Promise<string> {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(this.#original(file)));
  }

  #original(file: string): vscode.Uri {
    return vscode.Uri.joinPath(this.#extensionUri, 'examples', file);
  }

  async #readList(): Promise<readonly ListedExample[]> {
    const file = vscode.Uri.joinPath(this.#extensionUri, 'media', 'examples.json');
    return JSON.parse(new TextDecoder().decode(await vscode.workspace.fs.readFile(file))) as ListedExample[];
  }

  /** The folder appears as a whole: an interrupted copy leaves no part of it, and another window may be faster. */
  async #copyAll(): Promise<void> {
    if (await fileExists(this.#folder)) return;
    const partial = this.#folder.with({ path: `${this.#folder.path}.${randomUUID()}` });
    await vscode.workspace.fs.copy(vscode.Uri.joinPath(this.#extensionUri, 'examples'), partial);
    try {
      await vscode.workspace.fs.rename(partial, this.#folder);
    } catch (error) {
      await vscode.workspace.fs.delete(partial, { recursive: true });
      if (!(await fileExists(this.#folder))) throw error;
    }
  }
}

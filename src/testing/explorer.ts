// The specs of the workspace in VS Code's Test Explorer: each a tree of its layers' gradients, checked by an engine
// process apart from every open panel.
import * as vscode from 'vscode';
import type { CodeConsent } from '../host/code-consent';
import type { SpecDocuments } from '../host/spec-documents';
import { CheckEngine } from './check-engine';
import { CheckRun, type CheckRunOptions, requestOf } from './check-run';
import { type ChangedFiles, isTest, readSpecFile, SpecFiles } from './spec-files';
import { isWanted, SpecItems } from './spec-items';
import { treeOf } from './spec-tree';

export interface TestExplorerOptions {
  readonly documents: SpecDocuments;
  readonly consent: CodeConsent;
  /** dist/engine-process.js. */
  readonly engineFile: string;
  readonly fail: (error: unknown) => void;
}

/** A run on save that somebody switched on. */
interface Continuous {
  readonly request: vscode.TestRunRequest;
  readonly token: vscode.CancellationToken;
}

export class TestExplorer implements vscode.Disposable {
  readonly #controller = vscode.tests.createTestController('nablascope', 'Nablascope');
  readonly #items = new SpecItems(this.#controller);
  readonly #options: TestExplorerOptions;
  readonly #files = new SpecFiles();
  readonly #profile: vscode.TestRunProfile;
  readonly #continuous = new Set<Continuous>();
  /** The text of each spec that a run on save checked last, and what stops that run. */
  readonly #saved = new Map<string, { readonly text: string; readonly stop: vscode.CancellationTokenSource }>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(options: TestExplorerOptions) {
    this.#options = options;
    const { documents, fail } = options;
    const controller = this.#controller;
    controller.resolveHandler = (item) => (item ? this.#resolve(item) : this.#findAll());
    controller.refreshHandler = () => this.#findAll();
    this.#profile = controller.createRunProfile(
      'Check Gradients',
      vscode.TestRunProfileKind.Run,
      (request, token) => (request.continuous ? this.#keepRunning({ request, token }) : this.#run(request, token)),
      true, undefined, true,
    );
    this.#subscriptions = [
      controller,
      this.#profile,
      this.#files,
      this.#files.onChanged((changed) => void this.#filesChanged(changed).catch(fail)),
      this.#files.onFolders(() => void this.#findAll().catch(fail)),
      // An open spec is a test at once, and its checks follow the lines as they move.
      documents.onRead(({ document, source }) => {
        if (isTest(document.uri)) this.#items.show(this.#items.add(document.uri), treeOf(source.text));
      }),
    ];
  }

  dispose(): void {
    for (const { stop } of this.#saved.values()) stop.cancel();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Settles when all of the request is checked. */
  async #run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    if (!request.include) await this.#findAll();
    await new CheckRun(this.#runOptions(), request).go(token);
  }

  #runOptions(): CheckRunOptions {
    return { controller: this.#controller, items: this.#items, consent: this.#options.consent, engineFile: this.#options.engineFile };
  }

  async #findAll(): Promise<void> {
    this.#items.replace(await this.#files.find());
  }

  async #resolve(item: vscode.TestItem): Promise<void> {
    const { uri } = item;
    const text = uri && (await readSpecFile(uri));
    if (!uri || text === undefined) return;
    const tree = treeOf(text);
    this.#items.show(item, tree);
    if (!tree.complete) await this.#complete(item, uri, text);
  }

  /** Asks an engine what the text alone does not say. */
  async #complete(item: vscode.TestItem, uri: vscode.Uri, text: string): Promise<void> {
    const { engineFile, fail } = this.#options;
    const engine = new CheckEngine({ file: engineFile, onOutput: () => undefined });
    item.busy = true;
    try {
      const model = await engine.describe(requestOf(uri, text, this.#options.consent));
      if (model) this.#items.show(item, treeOf(text, model));
    } catch (error) {
      // The spec's checks are found when it is run.
      fail(error);
    } finally {
      item.busy = false;
      await engine.dispose();
    }
  }

  async #filesChanged({ there, gone }: ChangedFiles): Promise<void> {
    for (const uri of gone) this.#items.remove(uri);
    for (const uri of there) {
      const item = this.#items.add(uri);
      // Those that nobody has looked into yet are not read.
      if (item.children.size > 0 || item.error) await this.#resolve(item);
      await this.#runOnSave(item);
    }
  }

  async #keepRunning(continuous: Continuous): Promise<void> {
    // Files are watched from the first search on.
    await this.#findAll();
    this.#continuous.add(continuous);
    continuous.token.onCancellationRequested(() => this.#continuous.delete(continuous));
  }

  /** Once for each text, though the editor and the system both tell of it; what still runs of the text before is stopped. */
  async #runOnSave(item: vscode.TestItem): Promise<void> {
    const wishes = [...this.#continuous].filter(({ request: { include } }) => !include || include.some((each) => within(each, item)));
    const text = wishes.length > 0 && item.uri ? await readSpecFile(item.uri) : undefined;
    const before = this.#saved.get(item.id);
    if (text === undefined || before?.text === text) return;
    before?.stop.cancel();
    const stop = new vscode.CancellationTokenSource();
    this.#saved.set(item.id, { text, stop });
    for (const { request, token } of wishes) {
      token.onCancellationRequested(() => stop.cancel());
      const include = request.include?.filter((each) => within(each, item)) ?? [item];
      const again = new vscode.TestRunRequest(include, request.exclude, this.#profile, true);
      void new CheckRun(this.#runOptions(), again).go(stop.token).catch(this.#options.fail);
    }
  }
}

/** Whether an item is part of this spec. */
const within = (item: vscode.TestItem, spec: vscode.TestItem): boolean => isWanted(new vscode.TestRunRequest([spec]), item);

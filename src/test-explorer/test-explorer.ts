// The specs of the workspace in VS Code's Test Explorer: each is a tree of its layers' gradients, which an engine
// process of its own checks.
import * as vscode from 'vscode';
import type { CustomLayerPermissions } from '../host/custom-layers/custom-layer-permissions';
import { contextKeys } from '../host/commands/command-table';
import { permissionFolderOf } from '../host/custom-layers/layer-files';
import { runInSlices } from '../host/model-spec/run-in-slices';
import { type SpecDocuments, specLocationOf } from '../host/model-spec/spec-documents';
import type { SpecAnalysis } from '../host/run/run-options';
import { SpecChecker } from './spec-checker';
import { GradientTestRun, type GradientTestRunOptions, createCheckRequest } from './gradient-test-run';
import { type SpecFileChanges, isWorkspaceSpec, readSpecFile, SpecFiles } from './spec-files';
import { isIncluded, SpecTestItems } from './spec-test-items';
import { buildSpecTree, buildSpecTreeTask, type SpecTree } from './spec-tree';

/** After the last key, so that typing does not wait for it. */
const UPDATE_DELAY_MS = 300;

export interface TestExplorerOptions {
  readonly documents: SpecDocuments;
  readonly permissions: CustomLayerPermissions;
  /** dist/engine-process.js. */
  readonly engineFile: string;
  readonly onError: (error: unknown) => void;
}

/** A run on save that the user turned on. */
interface ContinuousRun {
  readonly request: vscode.TestRunRequest;
  readonly token: vscode.CancellationToken;
}

export class TestExplorer implements vscode.Disposable {
  readonly #controller = vscode.tests.createTestController('nablascope', 'Nablascope');
  readonly #items = new SpecTestItems(this.#controller);
  readonly #options: TestExplorerOptions;
  readonly #files = new SpecFiles();
  readonly #profile: vscode.TestRunProfile;
  readonly #continuous = new Set<ContinuousRun>();
  /** The specs that have custom layers, by the id of their item. */
  readonly #customLayers = new Map<string, { readonly uri: vscode.Uri; readonly layers: readonly string[] }>();
  /** For each spec, the text that a run on save checked last, and how to stop that run. */
  readonly #runsOnSave = new Map<
    string,
    { readonly text: string; readonly cancellation: vscode.CancellationTokenSource }
  >();
  #publishedBlockedSpecs = '{}';
  /** Updates to come of open specs, by URI. */
  readonly #updates = new Map<string, NodeJS.Timeout>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(options: TestExplorerOptions) {
    this.#options = options;
    const { documents, onError } = options;
    const controller = this.#controller;
    controller.resolveHandler = (item) => (item ? this.#resolveItem(item) : this.#findAll());
    controller.refreshHandler = () => this.#findAll();
    this.#profile = controller.createRunProfile(
      vscode.l10n.t('Check Gradients'),
      vscode.TestRunProfileKind.Run,
      (request, token) =>
        request.continuous ? this.#startContinuousRun({ request, token }) : this.#runTests(request, token),
      true,
      undefined,
      true,
    );
    this.#subscriptions = [
      controller,
      this.#profile,
      this.#files,
      this.#files.onDidChange((changed) => void this.#handleFileChanges(changed).catch(onError)),
      this.#files.onDidChangeFolders(() => void this.#findAll().catch(onError)),
      // An open spec becomes a test immediately, and its checks follow the lines once the user stops typing.
      documents.onDidAnalyze(({ document: { uri }, analysis }) => {
        if (!isWorkspaceSpec(uri)) return;
        this.#items.add(uri);
        this.#scheduleUpdate(uri, analysis);
      }),
      options.permissions.onDidChange(() => this.#publishBlockedSpecs()),
    ];
  }

  dispose(): void {
    for (const timer of this.#updates.values()) clearTimeout(timer);
    this.#updates.clear();
    for (const { cancellation } of this.#runsOnSave.values()) cancellation.cancel();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Settles when the whole request has been checked. */
  async #runTests(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    if (!request.include) await this.#findAll();
    await new GradientTestRun(this.#runOptions(), request).execute(token);
  }

  #runOptions(): GradientTestRunOptions {
    return {
      controller: this.#controller,
      items: this.#items,
      updateItem: (item, uri, tree) => this.#updateItem(item, uri, tree),
      permissions: this.#options.permissions,
      engineFile: this.#options.engineFile,
    };
  }

  async #findAll(): Promise<void> {
    this.#items.sync(await this.#files.findAll());
  }

  async #resolveItem(item: vscode.TestItem): Promise<void> {
    const { uri } = item;
    const text = uri && (await readSpecFile(uri));
    if (!uri || text === undefined) return;
    const tree = buildSpecTree(text);
    this.#updateItem(item, uri, tree);
    if (!tree.isComplete && !this.#isBlocked(uri)) await this.#resolveFromEngine(item, uri, text);
  }

  #scheduleUpdate(uri: vscode.Uri, analysis: SpecAnalysis): void {
    const key = uri.toString();
    clearTimeout(this.#updates.get(key));
    const timer = setTimeout(() => {
      const isStale = (): boolean => this.#updates.get(key) !== timer;
      this.#updateInSlices(uri, analysis, isStale)
        .finally(() => isStale() || this.#updates.delete(key))
        .catch(this.#options.onError);
    }, UPDATE_DELAY_MS);
    this.#updates.set(key, timer);
  }

  async #updateInSlices(uri: vscode.Uri, analysis: SpecAnalysis, isStale: () => boolean): Promise<void> {
    const tree = await runInSlices(buildSpecTreeTask(analysis), isStale);
    const item = this.#items.get(uri);
    if (!tree || !item || isStale()) return;
    await runInSlices(this.#items.updateTask(item, tree), isStale);
    if (!isStale()) this.#setCustomLayers(uri, tree);
  }

  #updateItem(item: vscode.TestItem, uri: vscode.Uri, tree: SpecTree): void {
    // What is scheduled knows less than what was asked for.
    clearTimeout(this.#updates.get(uri.toString()));
    this.#updates.delete(uri.toString());
    this.#items.update(item, tree);
    this.#setCustomLayers(uri, tree);
  }

  #setCustomLayers(uri: vscode.Uri, tree: SpecTree): void {
    if (!tree.isValid) return;
    if (tree.customLayers.length > 0) this.#customLayers.set(uri.toString(), { uri, layers: tree.customLayers });
    else this.#customLayers.delete(uri.toString());
    this.#publishBlockedSpecs();
  }

  /** Asks for permission to run the custom layers of a spec; the button on its item. */
  async requestPermission(uri: vscode.Uri): Promise<void> {
    const layers = this.#customLayers.get(uri.toString())?.layers ?? [];
    const folder = permissionFolderOf(specLocationOf({ uri }));
    if (!(await this.#options.permissions.promptAndAllow({ folder, layers }))) return;
    const item = this.#items.get(uri);
    if (item) await this.#resolveItem(item);
  }

  #isBlocked(uri: vscode.Uri): boolean {
    const folder = permissionFolderOf(specLocationOf({ uri }));
    return this.#customLayers.has(uri.toString()) && this.#options.permissions.permission(folder) !== 'allowed';
  }

  /** The items that offer the button. */
  #publishBlockedSpecs(): void {
    const blocked = [...this.#customLayers.values()].filter(({ uri }) => this.#isBlocked(uri));
    const ids = Object.fromEntries(blocked.map(({ uri }) => [uri.toString(), true]));
    const published = JSON.stringify(ids);
    if (published === this.#publishedBlockedSpecs) return;
    this.#publishedBlockedSpecs = published;
    void vscode.commands.executeCommand('setContext', contextKeys.blockedSpecs, ids);
  }

  /** Asks an engine for what does not follow from the text alone. */
  async #resolveFromEngine(item: vscode.TestItem, uri: vscode.Uri, text: string): Promise<void> {
    const { engineFile, onError } = this.#options;
    const checker = new SpecChecker({ engineFile, onOutput: () => undefined });
    item.busy = true;
    try {
      const model = await checker.describe(createCheckRequest(uri, text, this.#options.permissions));
      // An edit meanwhile has its own update.
      if (model && (await readSpecFile(uri)) === text) this.#updateItem(item, uri, buildSpecTree(text, model));
    } catch (error) {
      // Its checks become known when it is run.
      onError(error);
    } finally {
      item.busy = false;
      await checker.dispose();
    }
  }

  async #handleFileChanges({ changed, deleted }: SpecFileChanges): Promise<void> {
    for (const uri of deleted) {
      this.#items.remove(uri);
      this.#customLayers.delete(uri.toString());
    }
    for (const uri of changed) {
      const item = this.#items.add(uri);
      // Items that were never expanded are not read.
      if (item.children.size > 0 || item.error) await this.#resolveItem(item);
      await this.#runOnSave(item);
    }
  }

  async #startContinuousRun(continuous: ContinuousRun): Promise<void> {
    // The first search starts watching the files.
    await this.#findAll();
    this.#continuous.add(continuous);
    continuous.token.onCancellationRequested(() => this.#continuous.delete(continuous));
  }

  /**
   * Runs once for each text, although the editor and the file system both report a save. Stops the run of the previous
   * text.
   */
  async #runOnSave(item: vscode.TestItem): Promise<void> {
    const continuousRuns = [...this.#continuous].filter(
      ({ request: { include } }) => !include || include.some((each) => isWithin(each, item)),
    );
    const text = continuousRuns.length > 0 && item.uri ? await readSpecFile(item.uri) : undefined;
    const previous = this.#runsOnSave.get(item.id);
    if (text === undefined || previous?.text === text) return;
    previous?.cancellation.cancel();
    const cancellation = new vscode.CancellationTokenSource();
    this.#runsOnSave.set(item.id, { text, cancellation });
    for (const { request, token } of continuousRuns) {
      token.onCancellationRequested(() => cancellation.cancel());
      const include = request.include?.filter((each) => isWithin(each, item)) ?? [item];
      const rerunRequest = new vscode.TestRunRequest(include, request.exclude, this.#profile, true);
      void new GradientTestRun(this.#runOptions(), rerunRequest)
        .execute(cancellation.token)
        .catch(this.#options.onError);
    }
  }
}

/** Whether an item is part of this spec. */
const isWithin = (item: vscode.TestItem, spec: vscode.TestItem): boolean =>
  isIncluded(new vscode.TestRunRequest([spec]), item);

// Specs in the Test Explorer: a tree of spec, layer and parameter, whose tests are gradient checks at the starting
// weights. Found lazily, run in an engine process of their own, again on save where that is asked for.
import * as vscode from 'vscode';
import { outcomeOf, summaryOf } from '../../gradcheck/outcome';
import type { ModelInfo } from '../../session/frame';
import type { Problem } from '../../spec';
import { placeOf } from '../run-place';
import { readSpecText } from '../spec-text';
import { type Checked, CheckEngine } from './check-engine';

const PATTERN = '**/*.nabla.json';
const ELSEWHERE = '**/node_modules/**';

export class SpecTests implements vscode.Disposable {
  readonly #controller = vscode.tests.createTestController('nablascope', 'Nablascope');
  readonly #engine: CheckEngine;
  readonly #subscriptions: vscode.Disposable[];
  #watching: vscode.Disposable | null = null;

  /** @param engineFile dist/engine-process.js */
  constructor(
    engineFile: string,
    readonly fail: (error: unknown) => void,
  ) {
    this.#engine = new CheckEngine(engineFile);
    const controller = this.#controller;
    controller.resolveHandler = (item) => (item ? this.#fill(item) : this.#discover());
    controller.refreshHandler = () => this.#discover();
    const profile = controller.createRunProfile('Check gradients', vscode.TestRunProfileKind.Run, (request, token) => this.#asked(request, token), true);
    profile.supportsContinuousRun = true;
    this.#subscriptions = [controller, profile, vscode.workspace.onDidOpenTextDocument(({ uri }) => this.#found(uri))];
    for (const { uri } of vscode.workspace.textDocuments) this.#found(uri);
  }

  /** The tree, for tests of it. */
  get items(): vscode.TestItemCollection {
    return this.#controller.items;
  }

  dispose(): void {
    this.#engine.dispose();
    this.#watching?.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #discover(): Promise<void> {
    this.#watching ??= this.#watch();
    const files = await vscode.workspace.findFiles(PATTERN, ELSEWHERE);
    this.#controller.items.replace(files.sort((a, b) => a.path.localeCompare(b.path)).map((uri) => this.#spec(uri)));
  }

  #watch(): vscode.Disposable {
    const watcher = vscode.workspace.createFileSystemWatcher(PATTERN);
    watcher.onDidCreate((uri) => this.#found(uri));
    watcher.onDidDelete((uri) => this.#controller.items.delete(uri.toString()));
    watcher.onDidChange((uri) => {
      const item = this.#controller.items.get(uri.toString());
      // Its layers may be others now; what is folded is read when it is opened.
      if (item && item.children.size > 0) this.#fill(item).catch(this.fail);
    });
    return watcher;
  }

  #found(uri: vscode.Uri): void {
    if (uri.scheme !== 'file' || !uri.path.endsWith('.nabla.json') || uri.path.includes('/node_modules/')) return;
    if (!vscode.workspace.getWorkspaceFolder(uri)) return;
    if (!this.#controller.items.get(uri.toString())) this.#controller.items.add(this.#spec(uri));
  }

  #spec(uri: vscode.Uri): vscode.TestItem {
    const known = this.#controller.items.get(uri.toString());
    if (known) return known;
    const item = this.#controller.createTestItem(uri.toString(), vscode.workspace.asRelativePath(uri), uri);
    item.canResolveChildren = true;
    return item;
  }

  /** Gives a spec its layers and their parameters. */
  async #fill(item: vscode.TestItem): Promise<void> {
    if (!item.uri || item.parent) return;
    item.busy = true;
    try {
      const document = await vscode.workspace.openTextDocument(item.uri);
      const result = await this.#engine.describe({ text: document.getText(), place: placeOf(document) });
      if (result.ok) this.#branch(item, document, result.model);
      else this.#show(item, result.problems);
    } catch (error) {
      item.error = messageOf(error);
    } finally {
      item.busy = false;
    }
  }

  #show(item: vscode.TestItem, problems: readonly Problem[]): void {
    item.error = problems.filter(({ severity }) => severity === 'error').map(({ message, remedy }) => `${message} ${remedy}`).join('\n');
    item.children.replace([]);
  }

  #branch(item: vscode.TestItem, document: vscode.TextDocument, { layers }: ModelInfo): void {
    item.error = undefined;
    const ranges = readSpecText(document.getText()).spec?.layers ?? [];
    const test = (id: string, label: string, range: vscode.Range | undefined): vscode.TestItem => {
      const made = this.#controller.createTestItem(id, label, item.uri);
      made.range = range;
      return made;
    };
    item.children.replace(
      layers.filter(({ parameters }) => parameters.length > 0).map(({ name, kind, index, parameters }) => {
        const at = ranges[index]?.range;
        const range = at && new vscode.Range(document.positionAt(at.start), document.positionAt(at.end));
        const layer = test(`${item.id}#${name}`, name, range);
        layer.description = kind;
        layer.children.replace(parameters.map((parameter) => test(`${item.id}#${parameter.name}`, parameter.shortName, range)));
        return layer;
      }),
    );
  }

  async #asked(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    if (!request.continuous) return this.#run(request, token);
    // Until it is switched off: each spec again when it is saved.
    const saved = vscode.workspace.onDidSaveTextDocument(({ uri }) => {
      const item = this.#controller.items.get(uri.toString());
      if (!item || !this.#specsOf(request).includes(item)) return;
      this.#run(new vscode.TestRunRequest([item], request.exclude, request.profile, true), token).catch(this.fail);
    });
    token.onCancellationRequested(() => saved.dispose());
  }

  /** The specs that a request is about; all of them where it names none. */
  #specsOf({ include, exclude }: vscode.TestRunRequest): vscode.TestItem[] {
    const wanted = new Set<vscode.TestItem>();
    for (const item of include ?? [...this.#controller.items].map(([, each]) => each)) wanted.add(rootOf(item));
    return [...wanted].filter((item) => !exclude?.includes(item));
  }

  async #run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    if (!request.include && this.#controller.items.size === 0) await this.#discover();
    const run = this.#controller.createTestRun(request);
    const cancelled = new Promise<void>((resolve) => {
      token.onCancellationRequested(() => resolve());
      run.token.onCancellationRequested(() => resolve());
    });
    try {
      for (const item of this.#specsOf(request)) {
        if (token.isCancellationRequested || run.token.isCancellationRequested) run.skipped(item);
        else await this.#check(run, item, request, cancelled);
      }
    } finally {
      run.end();
    }
  }

  async #check(run: vscode.TestRun, item: vscode.TestItem, request: vscode.TestRunRequest, cancelled: Promise<void>): Promise<void> {
    if (!item.uri) return;
    run.started(item);
    const start = performance.now();
    try {
      const document = await vscode.workspace.openTextDocument(item.uri);
      let shown = 0;
      const result = await this.#engine.check({ text: document.getText(), place: placeOf(document) }, cancelled, (checked, entries) => {
        // A line at every tenth: large networks take a while.
        const tenth = Math.floor((10 * checked) / Math.max(1, entries));
        if (tenth > shown && checked < entries) run.appendOutput(`${item.label}: ${checked} of ${entries} entries checked\r\n`);
        shown = tenth;
      });
      const took = performance.now() - start;
      if (!result.ok) {
        this.#show(item, result.problems);
        run.errored(item, problemMessages(document, result.problems), took);
        return;
      }
      this.#branch(item, document, result.model);
      run.appendOutput(`${summaryOf(item.label, result.report)}\r\n`);
      tell(run, item, result, request, took);
    } catch (error) {
      run.errored(item, new vscode.TestMessage(messageOf(error)), performance.now() - start);
    }
  }
}

/** Says of each parameter's test how it went; a spec and its layers follow from those. */
function tell(run: vscode.TestRun, item: vscode.TestItem, { report }: Checked, request: vscode.TestRunRequest, took: number): void {
  let failed = false;
  item.children.forEach((layer) => layer.children.forEach((test) => {
    if (!isWanted(test, request)) return;
    const parameter = report.parameters.find(({ name }) => test.id === `${item.id}#${name}`);
    if (!parameter) return run.skipped(test);
    const outcome = outcomeOf(parameter, report);
    if (outcome.kind === 'passed') run.passed(test);
    else if (outcome.kind === 'skipped') {
      run.appendOutput(`${parameter.name}: ${outcome.why}\r\n`, undefined, test);
      run.skipped(test);
    } else {
      failed = true;
      const message = vscode.TestMessage.diff(outcome.message, outcome.expected, outcome.actual);
      if (test.uri && test.range) message.location = new vscode.Location(test.uri, test.range);
      run.failed(test, message);
    }
  }));
  if (item.children.size === 0) run.skipped(item);
  else if (!failed && isWanted(item, request) && report.passed) run.passed(item, took);
  // A loss that is wrong alone misleads no parameter's own layer, but it is wrong.
  else if (!failed && report.counts.wrong > 0) run.failed(item, new vscode.TestMessage(report.diagnosis?.sentence ?? 'Backprop is wrong.'), took);
}

function isWanted(item: vscode.TestItem, { include, exclude }: vscode.TestRunRequest): boolean {
  const above: vscode.TestItem[] = [];
  for (let at: vscode.TestItem | undefined = item; at; at = at.parent) above.push(at);
  if (exclude?.some((each) => above.some(({ id }) => id === each.id))) return false;
  return !include || include.some((each) => above.some(({ id }) => id === each.id));
}

function rootOf(item: vscode.TestItem): vscode.TestItem {
  let root = item;
  while (root.parent) root = root.parent;
  return root;
}

const problemMessages = (document: vscode.TextDocument, problems: readonly Problem[]): vscode.TestMessage[] =>
  problems.filter(({ severity }) => severity === 'error').map(({ message, remedy, start, end }) => {
    const told = new vscode.TestMessage(`${message} ${remedy}`);
    told.location = new vscode.Location(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)));
    return told;
  });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

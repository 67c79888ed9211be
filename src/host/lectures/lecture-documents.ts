// The open lecture files: their problems while they are edited, and what of them does not exist in the run of their
// spec.
import * as vscode from 'vscode';
import { type Lecture, lectureProblems, parseLecture, type RunFacts } from '../../lectures';
import type { Problem } from '../../protocol/problem';
import { publishableProblems, toDiagnostic } from '../model-spec/spec-diagnostics';
import { isSpec, type SpecDocuments } from '../model-spec/spec-documents';
import type { RunManager } from '../run/run-manager';

const DEBOUNCE_MS = 50;

export const LECTURE_SUFFIX = '.lecture.json';

/** Only files that can be edited, so not an old version shown by source control. */
export const isLecture = ({ uri }: { readonly uri: vscode.Uri }): boolean =>
  uri.path.endsWith(LECTURE_SUFFIX) &&
  (uri.scheme === 'file' || vscode.workspace.fs.isWritableFileSystem(uri.scheme) === true);

/** A lecture with its spec. */
export interface ReadLecture {
  /** Undefined if a problem keeps it from being played. */
  readonly lecture?: Lecture;
  readonly spec?: vscode.TextDocument;
  readonly problems: readonly Problem[];
}

export class LectureDocuments implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection('nablascope-lectures');
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #subscriptions: readonly vscode.Disposable[];
  /** The model of each run when its lectures were checked last. */
  readonly #checkedModels = new Map<string, unknown>();

  constructor(
    readonly documents: SpecDocuments,
    readonly runs: RunManager,
    readonly onError: (error: unknown) => void,
  ) {
    this.#subscriptions = [
      this.#collection,
      vscode.workspace.onDidOpenTextDocument((document) => this.#schedule(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#schedule(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        clearTimeout(this.#timers.get(uri.toString()));
        this.#collection.delete(uri);
      }),
      documents.onDidAnalyze(() => this.#scheduleAll()),
      runs.onDidChange(({ uri, controller: { view } }) => {
        const key = uri.toString();
        if (this.#checkedModels.get(key) === view.model) return;
        this.#checkedModels.set(key, view.model);
        this.#scheduleAll();
      }),
    ];
    this.#scheduleAll();
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Reads a lecture, and checks it against its spec and, if there is one, against its run. */
  async read(document: vscode.TextDocument): Promise<ReadLecture> {
    const { lecture, problems } = parseLecture(document.getText());
    if (!lecture) return { problems };
    const uri = vscode.Uri.joinPath(document.uri, '..', lecture.spec);
    const spec = isSpec({ uri }) ? await vscode.workspace.openTextDocument(uri).then(undefined, () => null) : null;
    if (!spec) {
      const problem: Problem = {
        code: 'unknown-spec',
        severity: 'error',
        ...lecture.source.locate(['spec']),
        message: vscode.l10n.t('There is no spec {0} beside this file.', JSON.stringify(lecture.spec)),
        remedy: vscode.l10n.t('Write the path of a .nabla.json file, relative to this file.'),
      };
      return { problems: [problem] };
    }
    const facts = this.#factsOf(spec);
    const found = facts ? lectureProblems(lecture, facts) : [];
    return { spec, problems: found, ...(found.length === 0 && { lecture }) };
  }

  /** Null while the spec has problems, so that it has no layers. */
  #factsOf(spec: vscode.TextDocument): RunFacts | null {
    const run = this.runs.get(spec.uri)?.controller;
    const analyzed = this.documents.analysisOf(spec).spec;
    const model = run && analyzed && run.isRunOf(analyzed) ? run.view.model : null;
    if (model) return { layers: model.layers.map(({ name }) => name), model };
    return analyzed ? { layers: analyzed.layers.map(({ name }) => name) } : null;
  }

  /** The names that can be written for a key of a stop; none for other keys. */
  async namesFor(document: vscode.TextDocument): Promise<RunFacts | null> {
    const { spec } = await this.read(document);
    return spec ? this.#factsOf(spec) : null;
  }

  #scheduleAll(): void {
    for (const document of vscode.workspace.textDocuments) this.#schedule(document);
  }

  #schedule(document: vscode.TextDocument): void {
    if (!isLecture(document)) return;
    const key = document.uri.toString();
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => void this.#publish(document).catch(this.onError), DEBOUNCE_MS),
    );
  }

  async #publish(document: vscode.TextDocument): Promise<void> {
    const { version } = document;
    const { problems } = await this.read(document);
    if (document.isClosed || document.version !== version) return;
    this.#collection.set(
      document.uri,
      publishableProblems(document, problems).map((problem) => toDiagnostic(document, problem)),
    );
  }
}

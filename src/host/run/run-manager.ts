// The open panels and their runs, one of each for a spec: creates and disposes them, and knows which one is active.
import * as vscode from 'vscode';
import type { LectureAction, PanelRequests } from '../../protocol/panel';
import type { CustomLayerPermissions } from '../custom-layers/custom-layer-permissions';
import type { SpecDiagnostics } from '../model-spec/spec-diagnostics';
import { listCustomLayers } from '../../model-spec';
import { permissionFolderOf } from '../custom-layers/layer-files';
import { Panel, type PanelEvents } from '../panel/panel';
import { RunController } from './run-controller';
import type { Log } from './run-options';
import type { RunStore } from './run-store';
import { checkpointBudget, dataFolders, ruleSettings, simd256 } from '../ui/settings';
import { isSpec, type SpecAnalyzedEvent, type SpecDocuments, specLocationOf } from '../model-spec/spec-documents';
import { analyzeSpec } from '../model-spec/analyze-spec';
import { openUnsavedVariant } from '../model-spec/new-spec';
import { applyQuickFix } from '../panel/apply-quick-fix';
import { openAnswer } from '../panel/open-answer';
import { saveExport } from '../panel/save-file';
import { applyFix, revealFinding } from '../panel/doctor-findings';
import { DoctorController } from './doctor-controller';
import { SweepController } from './sweep-controller';

export interface RunManagerOptions {
  readonly extensionUri: vscode.Uri;
  readonly permissions: CustomLayerPermissions;
  /** dist/engine-process.js. */
  readonly engineFile: string;
  readonly documents: SpecDocuments;
  readonly diagnostics: SpecDiagnostics;
  readonly store: RunStore;
  readonly log: Log;
}

/** A panel and its run. */
export interface OpenRun {
  uri: vscode.Uri;
  readonly panel: Panel;
  readonly controller: RunController;
  readonly sweep: SweepController;
  readonly doctor: DoctorController;
}

/** A panel asks the editor to show a place in its spec. */
export interface EditorRequest {
  readonly run: OpenRun;
  /**
   * A layer or a problem by index, the place that the diagnosis of the last check names, or that of a highlighted term;
   * no term removes its mark.
   */
  readonly target:
    { readonly layer: number } | { readonly problem: number } | { readonly term: string | null } | 'diagnosis';
}

/** A panel asks for something of a lecture. */
export interface LectureRequest {
  readonly run: OpenRun;
  readonly action: LectureAction;
}

/** A query without a result; the message says why. */
class QueryError extends Error {
  override name = 'QueryError';
}

export class RunManager implements vscode.Disposable {
  readonly #options: RunManagerOptions;
  readonly #runs = new Map<string, OpenRun>();
  readonly #onDidChange = new vscode.EventEmitter<OpenRun>();
  readonly #onDidLoadPage = new vscode.EventEmitter<OpenRun>();
  readonly #onDidReceiveEditorRequest = new vscode.EventEmitter<EditorRequest>();
  readonly #onDidReceiveLectureRequest = new vscode.EventEmitter<LectureRequest>();
  readonly #subscriptions: readonly vscode.Disposable[];
  #lastActive: OpenRun | null = null;

  /** A run changed: its frame, its state, or whether it is active. Its panel may be closed. */
  readonly onDidChange = this.#onDidChange.event;
  /** The page of a panel was created and has its snapshot. */
  readonly onDidLoadPage = this.#onDidLoadPage.event;
  readonly onDidReceiveEditorRequest = this.#onDidReceiveEditorRequest.event;
  readonly onDidReceiveLectureRequest = this.#onDidReceiveLectureRequest.event;

  constructor(options: RunManagerOptions) {
    this.#options = options;
    const { documents } = options;
    this.#subscriptions = [
      this.#onDidChange,
      this.#onDidLoadPage,
      this.#onDidReceiveEditorRequest,
      this.#onDidReceiveLectureRequest,
      options.permissions.onDidChange(() => {
        for (const { controller } of this.all)
          controller.handlePermissionChange().catch((error: unknown) => options.log.error(String(error)));
      }),
      documents.onDidAnalyze((read) => this.#handleSpecChange(read)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        const edits = contentChanges.map(({ rangeOffset, rangeLength, text }) => ({
          offset: rangeOffset,
          length: rangeLength,
          text,
        }));
        this.get(document.uri)?.controller.applyTextChanges(edits);
      }),
      vscode.workspace.onDidDeleteFiles(({ files }) => {
        for (const uri of files)
          this.get(uri)?.controller.view.notify(
            'warning',
            vscode.l10n.t('The file of this spec was deleted. The run continues until you close the panel.'),
          );
      }),
    ];
  }

  get(uri: vscode.Uri): OpenRun | undefined {
    return this.#runs.get(uri.toString());
  }

  get all(): OpenRun[] {
    return [...this.#runs.values()];
  }

  /** The run of the active panel or editor; otherwise the one that was active last. */
  get active(): OpenRun | undefined {
    const activePanelRun = this.all.find(({ panel }) => panel.isActive);
    if (activePanelRun) return activePanelRun;
    const document = vscode.window.activeTextEditor?.document;
    if (document && isSpec(document)) return this.get(document.uri);
    return this.#lastActive ?? undefined;
  }

  /** Opens the panel of a spec, or reveals it; settles when its run is open. */
  async open(document: vscode.TextDocument, restored?: vscode.WebviewPanel): Promise<OpenRun> {
    const existing = this.get(document.uri);
    if (existing) {
      restored?.dispose();
      existing.panel.reveal();
      return existing;
    }
    const run = this.#create(document, restored);
    await run.controller.start();
    await run.sweep.refresh();
    return run;
  }

  /** Deletes the stored run of a spec that has no panel. */
  async deleteStored(uri: vscode.Uri): Promise<void> {
    if (!this.get(uri)) await this.#options.store.delete(uri.toString());
  }

  /** Saves every run to disk, then ends it. */
  async disposeAll(): Promise<void> {
    await Promise.all(
      this.all.flatMap(({ controller, sweep, doctor }) => [controller.dispose(), sweep.dispose(), doctor.dispose()]),
    );
  }

  dispose(): void {
    for (const { panel, controller, sweep, doctor } of this.all) {
      void controller.dispose();
      void sweep.dispose();
      void doctor.dispose();
      panel.dispose();
    }
    this.#runs.clear();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #create(document: vscode.TextDocument, restored?: vscode.WebviewPanel): OpenRun {
    const { permissions, extensionUri, engineFile, documents, store, log, diagnostics } = this.#options;
    const events: PanelEvents = {
      requests: this.#requestsOf(() => run),
      onRequestError: (error) => {
        if (!(error instanceof QueryError)) log.error(error instanceof Error ? error : String(error));
      },
      onActiveChange: (active) => {
        if (active) this.#lastActive = run;
        this.#onDidChange.fire(run);
      },
      onDispose: () => this.#close(run),
    };
    const panel = restored
      ? new Panel(restored, extensionUri, document.uri, events)
      : Panel.create(extensionUri, document.uri, events);
    const permissionOf = (folder: string) => permissions.permission(folder);
    const source = () => ({ location: controller.location, analysis: controller.analysis });
    const controller: RunController = new RunController(
      {
        location: specLocationOf(document),
        store,
        log,
        engineFile,
        checkpointBudget,
        simd256,
        ruleSettings,
        dataFolders,
        permissionOf,
        analyzeSpec: (text) => analyzeSpec(text, ruleSettings()),
        postToPanel: (message) => {
          panel.postUpdate(message);
          this.#onDidChange.fire(run);
        },
        showFrame: async (_frame, chunks) => {
          this.#onDidChange.fire(run);
          await panel.showFrame(chunks);
        },
        onOpenProblems: (problems) => diagnostics.setOpenProblems(run.uri, problems),
      },
      documents.analysisOf(document),
    );
    const sweep = new SweepController({
      source,
      dataFolders,
      processFile: vscode.Uri.joinPath(extensionUri, 'dist', 'sweep-process.js').fsPath,
      log,
      onChange: (view) => {
        panel.postUpdate({ type: 'sweep', sweep: view });
        this.#onDidChange.fire(run);
      },
    });
    const doctor = new DoctorController({
      // The controller knows of the last edit only once it has been analyzed.
      source: () => ({
        location: controller.location,
        analysis: document.isClosed ? controller.analysis : documents.analysisOf(document),
      }),
      dataFolders,
      ruleSettings,
      permissionOf,
      processFile: vscode.Uri.joinPath(extensionUri, 'dist', 'doctor-process.js').fsPath,
      log,
      onChange: (view) => panel.postUpdate({ type: 'doctor', doctor: view }),
    });
    const run: OpenRun = { uri: document.uri, panel, controller, sweep, doctor };
    this.#runs.set(document.uri.toString(), run);
    this.#lastActive = run;
    return run;
  }

  #close(run: OpenRun): void {
    this.#runs.delete(run.uri.toString());
    if (this.#lastActive === run) this.#lastActive = null;
    void run.controller.dispose();
    void run.sweep.dispose();
    void run.doctor.dispose();
    // Without a run, nothing would notice that these are fixed.
    this.#options.diagnostics.setOpenProblems(run.uri, []);
    this.#onDidChange.fire(run);
  }

  #handleSpecChange({ document, analysis }: SpecAnalyzedEvent): void {
    const run = this.get(document.uri) ?? this.#adoptSavedDocument(document);
    run?.controller.handleSpecChange(analysis);
    void run?.sweep.refresh();
    run?.doctor.refresh();
  }

  /** An untitled spec was saved: its run continues under the name of the file. */
  #adoptSavedDocument(document: vscode.TextDocument): OpenRun | undefined {
    if (document.isUntitled) return undefined;
    const text = document.getText();
    const run = this.all.find(({ uri, controller }) => uri.scheme === 'untitled' && controller.analysis.text === text);
    if (!run) return undefined;
    this.#runs.delete(run.uri.toString());
    run.uri = document.uri;
    this.#runs.set(document.uri.toString(), run);
    void run.controller.moveTo(specLocationOf(document));
    run.panel.load(document.uri);
    this.#onDidChange.fire(run);
    return run;
  }

  /** @param run the run that the panel shows; it exists when the page calls. */
  #requestsOf(run: () => OpenRun): PanelRequests {
    const controller = (): RunController => run().controller;
    return {
      ready: () => {
        const { panel, sweep, doctor } = run();
        panel.postUpdate({ type: 'snapshot', snapshot: controller().view.snapshot() });
        panel.postUpdate({ type: 'sweep', sweep: sweep.view });
        panel.postUpdate({ type: 'doctor', doctor: doctor.view });
        this.#onDidLoadPage.fire(run());
      },
      subscribe: (probes, queries) => controller().subscribe(probes, queries),
      query: async (query) => {
        const result = await controller().query(query);
        if (typeof result === 'string') throw new QueryError(result);
        return result;
      },
      command: (command) => controller().command(command),
      check: () => controller().check(),
      cancelCheck: () => controller().cancelCheck(),
      sweep: (action) => (action === 'cancel' ? run().sweep.cancel() : run().sweep.start(action === 'fresh')),
      openSweepRun: async (index) => {
        const { uri, sweep } = run();
        const text = sweep.runText(index);
        if (text === null) return;
        const document = await openUnsavedVariant(uri, `run-${index + 1}`, text);
        // The run of a discarded document of the same name must not come back.
        await this.deleteStored(document.uri);
        await this.open(document);
      },
      doctor: (action) => (action === 'cancel' ? run().doctor.cancel() : run().doctor.start()),
      applyFix: (finding) => applyFix(run(), finding),
      revealFinding: (finding) => revealFinding(run(), finding),
      selectLayer: (layer) => this.#onDidReceiveEditorRequest.fire({ run: run(), target: { layer } }),
      revealProblem: (problem) => this.#onDidReceiveEditorRequest.fire({ run: run(), target: { problem } }),
      revealDiagnosis: () => this.#onDidReceiveEditorRequest.fire({ run: run(), target: 'diagnosis' }),
      applyQuickFix: (fix) => applyQuickFix(run(), fix),
      debugLayer: async (layer) => {
        await vscode.commands.executeCommand('nablascope.debugLayer', run().uri, layer);
      },
      undo: async () => {
        await controller().undo();
      },
      restore: () => controller().restore(),
      startOver: () => controller().startOver(),
      allowCode: async () => {
        const {
          location,
          analysis: { spec },
        } = controller();
        await this.#options.permissions.promptAndAllow({
          folder: permissionFolderOf(location),
          layers: spec ? listCustomLayers(spec).map(({ name }) => name) : [],
        });
      },
      manageTrust: async () => {
        await vscode.commands.executeCommand('workbench.trust.manage');
      },
      openAnswer: (question) => openAnswer(this.#options.extensionUri, question),
      copyText: async (text) => vscode.env.clipboard.writeText(text),
      saveFile: (file) => saveExport(run().uri, controller().view, file),
      lecture: (action) => Promise.resolve(this.#onDidReceiveLectureRequest.fire({ run: run(), action })),
      highlight: (term) => this.#onDidReceiveEditorRequest.fire({ run: run(), target: { term } }),
    };
  }
}

// The open panels and their runs, one of each for a spec: makes them, ends them, and knows which one a
// command is about.
import * as vscode from 'vscode';
import type { FromPanel } from '../protocol/panel';
import type { CodeConsent } from './code-consent';
import type { Diagnostics } from './diagnostics';
import { codeFolder } from './layer-files';
import { Panel, type PanelEvents } from './panel';
import { RunController } from './run-controller';
import type { Log } from './run-options';
import { placeOf } from './run-place';
import type { RunStore } from './run-store';
import { checkpointBudget, dataFolders, wideVectors } from './settings';
import { isSpec, type ReadSpec, type SpecDocuments } from './spec-documents';
import { readSpecText } from './spec-text';
import { saveTaken } from './save';
import { SweepController } from './sweep-controller';

export interface RunsOptions {
  readonly extensionUri: vscode.Uri;
  readonly consent: CodeConsent;
  /** dist/engine-process.js. */
  readonly engineFile: string;
  readonly documents: SpecDocuments;
  readonly diagnostics: Diagnostics;
  readonly store: RunStore;
  readonly log: Log;
}

/** A panel and its run. */
export interface OpenRun {
  uri: vscode.Uri;
  readonly panel: Panel;
  readonly controller: RunController;
  readonly sweep: SweepController;
}

/** What a panel asks of the editor around it. */
export interface EditorRequest {
  readonly run: OpenRun;
  readonly message: Extract<FromPanel, { type: 'select' | 'reveal' }>;
}

export class Runs implements vscode.Disposable {
  readonly #options: RunsOptions;
  readonly #runs = new Map<string, OpenRun>();
  readonly #changed = new vscode.EventEmitter<OpenRun>();
  readonly #pageReady = new vscode.EventEmitter<OpenRun>();
  readonly #editorRequest = new vscode.EventEmitter<EditorRequest>();
  readonly #subscriptions: readonly vscode.Disposable[];
  #lastActive: OpenRun | null = null;

  /** Something about a run changed: a frame, its state, or which one is active. Its panel may be gone. */
  readonly onChanged = this.#changed.event;
  /** The page of a panel is new and has its snapshot. */
  readonly onPageReady = this.#pageReady.event;
  readonly onEditorRequest = this.#editorRequest.event;

  constructor(options: RunsOptions) {
    this.#options = options;
    const { documents } = options;
    this.#subscriptions = [
      this.#changed,
      this.#pageReady,
      this.#editorRequest,
      options.consent.onChanged(() => {
        for (const { controller } of this.all) controller.permissionChanged().catch((error: unknown) => options.log.error(String(error)));
      }),
      documents.onRead((read) => this.#wasRead(read)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        const edits = contentChanges.map(({ rangeOffset, rangeLength, text }) => ({ offset: rangeOffset, length: rangeLength, text }));
        this.of(document.uri)?.controller.edited(edits);
      }),
      vscode.workspace.onDidDeleteFiles(({ files }) => {
        for (const uri of files) this.of(uri)?.controller.view.notice('warning', 'The file of this spec was deleted. The run is still here.');
      }),
    ];
  }

  of(uri: vscode.Uri): OpenRun | undefined {
    return this.#runs.get(uri.toString());
  }

  get all(): OpenRun[] {
    return [...this.#runs.values()];
  }

  /** The run that a command is about: the panel's or the editor's in front, else the last one that was. */
  get active(): OpenRun | undefined {
    const inFront = this.all.find(({ panel }) => panel.active);
    if (inFront) return inFront;
    const document = vscode.window.activeTextEditor?.document;
    if (document && isSpec(document)) return this.of(document.uri);
    return this.#lastActive ?? undefined;
  }

  /** Opens the panel of a spec, or brings it to the front; settles when the run is there. */
  async open(document: vscode.TextDocument, restored?: vscode.WebviewPanel): Promise<OpenRun> {
    const known = this.of(document.uri);
    if (known) {
      restored?.dispose();
      known.panel.reveal();
      return known;
    }
    const run = this.#make(document, restored);
    await run.controller.start();
    run.sweep.look();
    return run;
  }

  /** Forgets the run that was kept of a spec without a panel. */
  async forget(uri: vscode.Uri): Promise<void> {
    if (!this.of(uri)) await this.#options.store.forget(uri.toString());
  }

  /** Keeps every run on disk, then ends it. */
  async disposeAll(): Promise<void> {
    await Promise.all(this.all.flatMap(({ controller, sweep }) => [controller.dispose(), sweep.dispose()]));
  }

  dispose(): void {
    for (const { panel, controller, sweep } of this.all) {
      void controller.dispose();
      void sweep.dispose();
      panel.dispose();
    }
    this.#runs.clear();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #make(document: vscode.TextDocument, restored?: vscode.WebviewPanel): OpenRun {
    const { consent, extensionUri, engineFile, documents, store, log, diagnostics } = this.#options;
    const events: PanelEvents = {
      ready: () => {
        panel.send({ type: 'snapshot', snapshot: controller.view.snapshot() });
        panel.send({ type: 'sweep', sweep: sweep.view });
        this.#pageReady.fire(run);
      },
      message: (message) => {
        this.#receive(run, message).catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
      },
      active: (active) => {
        if (active) this.#lastActive = run;
        this.#changed.fire(run);
      },
      disposed: () => this.#close(run),
    };
    const panel = restored
      ? new Panel(restored, extensionUri, document.uri, events)
      : Panel.create(extensionUri, document.uri, events);
    const controller = new RunController(
      {
        place: placeOf(document),
        store,
        log,
        engineFile,
        checkpointBudget,
        wideVectors,
        dataFolders,
        permission: (folder) => consent.permission(folder),
        read: readSpecText,
        tell: (message) => {
          panel.send(message);
          this.#changed.fire(run);
        },
        show: async (frame) => {
          this.#changed.fire(run);
          await panel.show(frame);
        },
        found: (problems) => diagnostics.setFound(run.uri, problems),
      },
      documents.sourceOf(document),
    );
    const sweep = new SweepController({
      spec: () => ({ place: controller.place, text: controller.text }),
      allowed: dataFolders,
      processFile: vscode.Uri.joinPath(extensionUri, 'dist', 'sweep-process.js').fsPath,
      log,
      tell: (view) => {
        panel.send({ type: 'sweep', sweep: view });
        this.#changed.fire(run);
      },
    });
    const run: OpenRun = { uri: document.uri, panel, controller, sweep };
    this.#runs.set(document.uri.toString(), run);
    this.#lastActive = run;
    return run;
  }

  #close(run: OpenRun): void {
    this.#runs.delete(run.uri.toString());
    if (this.#lastActive === run) this.#lastActive = null;
    void run.controller.dispose();
    void run.sweep.dispose();
    // Nobody opens the text again when it is edited, so nobody would know when these are solved.
    this.#options.diagnostics.setFound(run.uri, []);
    this.#changed.fire(run);
  }

  #wasRead({ document, source }: ReadSpec): void {
    const run = this.of(document.uri) ?? this.#adopt(document);
    run?.controller.textChanged(source);
    run?.sweep.look();
  }

  /** A spec without a file was saved: its run goes on under the name of the file. */
  #adopt(document: vscode.TextDocument): OpenRun | undefined {
    if (document.isUntitled) return undefined;
    const text = document.getText();
    const run = this.all.find(({ uri, controller }) => uri.scheme === 'untitled' && controller.text === text);
    if (!run) return undefined;
    this.#runs.delete(run.uri.toString());
    run.uri = document.uri;
    this.#runs.set(document.uri.toString(), run);
    void run.controller.moveTo(placeOf(document));
    run.panel.load(document.uri);
    this.#changed.fire(run);
    return run;
  }

  async #receive(run: OpenRun, message: Parameters<PanelEvents['message']>[0]): Promise<void> {
    const { panel, controller, sweep } = run;
    switch (message.type) {
      case 'command':
        return controller.command(message.command);
      case 'need':
        return controller.need(message.probes, message.questions);
      case 'ask':
        panel.send({ type: 'answer', id: message.id, answered: await controller.ask(message.question) });
        return;
      case 'check':
        return controller.check();
      case 'cancelCheck':
        return controller.cancelCheck();
      case 'sweep':
        return message.action === 'cancel' ? sweep.cancel() : sweep.start(message.action === 'fresh');
      case 'undo':
        return controller.undo();
      case 'restore':
        return controller.restore();
      case 'startOver':
        return controller.startOver();
      case 'allowCode':
        return this.#options.consent.allow(codeFolder(controller.place));
      case 'manageTrust':
        await vscode.commands.executeCommand('workbench.trust.manage');
        return;
      case 'copy':
        return vscode.env.clipboard.writeText(message.text);
      case 'save':
        return saveTaken(run, message);
      case 'select':
      case 'reveal':
        this.#editorRequest.fire({ run, message });
        return;
      default:
        message satisfies never;
    }
  }
}

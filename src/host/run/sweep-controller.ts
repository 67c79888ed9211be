// The sweep of one spec: shows the contents of its results file, and runs the rest in a separate process. Independent
// of VS Code.
import { l10n } from 'vscode';
import path from 'node:path';
import { ProcessClient } from '../../process/process-client';
import { savedSweepState, sweepRunText } from '../../process/sweep/saved-sweep';
import type { PanelSweep } from '../../protocol/panel';
import type { SweepCalls, SweepEvents } from '../../protocol/sweep';
import { toErrorMessage } from './run-messages';
import type { Log, SpecAnalysis, SpecLocation } from './run-options';

export interface SweepControllerOptions {
  /** The location and the text of the spec. */
  readonly source: () => { readonly location: SpecLocation; readonly analysis: SpecAnalysis };
  /** Folders outside the workspace that data may be read from. */
  readonly dataFolders: () => readonly string[];
  /** dist/sweep-process.js. */
  readonly processFile: string;
  readonly log: Log;
  readonly onChange: (sweep: PanelSweep) => void;
}

type Client = ProcessClient<SweepCalls, SweepEvents>;

export class SweepController {
  readonly #options: SweepControllerOptions;
  #view: PanelSweep = { state: null, isStarting: false, error: null };
  #client: Client | null = null;
  #refreshCount = 0;
  /** The spec whose runs are shown. */
  #shown: SpecAnalysis | null = null;

  constructor(options: SweepControllerOptions) {
    this.#options = options;
  }

  get view(): PanelSweep {
    return this.#view;
  }

  /** The spec of one of the shown runs, with its own settings; null if there is no such run. */
  runText(index: number): string | null {
    if (!this.#shown || !this.#view.state) return null;
    return sweepRunText(this.#shown, index);
  }

  /**
   * Shows what the spec sweeps and which results exist. A running sweep continues with the spec that it started with.
   */
  async refresh(): Promise<void> {
    if (this.#client) return;
    const refreshNumber = ++this.#refreshCount;
    const { analysis, location } = this.#options.source();
    try {
      const result = await savedSweepState(analysis, {
        specFile: this.#specPath(location),
        root: location.root ?? location.folder,
      });
      // The spec may have changed or the sweep started while the file was read.
      if (refreshNumber !== this.#refreshCount || this.#client) return;
      // While the spec has errors, its previous state is more useful than none.
      if (result !== 'problems') {
        this.#shown = analysis;
        this.#setView({ state: result === 'noSweep' ? null : result, isStarting: false, error: null });
      }
    } catch (error) {
      this.#options.log.warn(`Cannot read the results of the sweep: ${toErrorMessage(error)}`);
    }
  }

  async start(fresh: boolean): Promise<void> {
    if (this.#client) return;
    const { analysis, location } = this.#options.source();
    if (location.folder === '' || location.uri.startsWith('untitled:')) {
      this.#setView({ ...this.#view, error: l10n.t('Save the spec first. The results file is stored next to it.') });
      return;
    }
    const client = this.#spawn();
    this.#client = client;
    this.#shown = analysis;
    this.#setView({ ...this.#view, isStarting: true, error: null });
    let failure: string | null;
    try {
      failure = await client.calls.start({
        text: analysis.text,
        specFile: this.#specPath(location),
        root: location.root,
        allowed: this.#options.dataFolders(),
        fresh,
      });
    } catch (error) {
      failure = toErrorMessage(error);
    }
    await client.dispose();
    if (this.#client !== client) return;
    this.#client = null;
    const { state } = this.#view;
    this.#setView({ state, isStarting: false, error: failure });
    // The spec may have been edited in the meantime, and the file contains what a crashed process had done.
    if (failure === null || state?.running === true) await this.refresh();
    if (failure !== null) this.#setView({ ...this.#view, error: failure });
  }

  async cancel(): Promise<void> {
    await this.#client?.calls.cancel().catch((error: unknown) => this.#options.log.warn(toErrorMessage(error)));
  }

  async dispose(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.dispose();
  }

  #specPath({ folder, file }: SpecLocation): string {
    return path.join(folder, file);
  }

  #spawn(): Client {
    const { log, processFile } = this.#options;
    const client: Client = new ProcessClient<SweepCalls, SweepEvents>({
      file: processFile,
      events: {
        stateChanged: (state) => {
          if (this.#client === client) this.#setView({ state, isStarting: false, error: null });
        },
      },
      onExit: (reason) => log.error(`sweep: ${reason}`),
      onOutput: (text) => log.info(`sweep: ${text.trimEnd()}`),
    });
    return client;
  }

  #setView(view: PanelSweep): void {
    if (
      view.state === null &&
      view.error === null &&
      this.#view.state === null &&
      this.#view.error === null &&
      view.isStarting === this.#view.isStarting
    )
      return;
    this.#view = view;
    this.#options.onChange(view);
  }
}

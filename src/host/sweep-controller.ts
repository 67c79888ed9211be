// The sweep of one spec: shows what its file holds, and starts a process of its own for what is to be done. It knows no
// editor and no webview.
import path from 'node:path';
import { EngineClient } from '../process/client';
import { lookAt } from '../process/sweep/sweep';
import type { PanelSweep } from '../protocol/panel';
import type { SweepCalls, SweepVoice } from '../protocol/sweep';
import type { Log, RunPlace } from './run-options';

export interface SweepOptions {
  /** Where the spec lies, and its text as it stands. */
  readonly spec: () => { readonly place: RunPlace; readonly text: string };
  /** Folders beside the workspace that data may be read from. */
  readonly allowed: () => readonly string[];
  /** dist/sweep-process.js. */
  readonly processFile: string;
  readonly log: Log;
  readonly tell: (sweep: PanelSweep) => void;
}

type Client = EngineClient<SweepCalls, SweepVoice>;

export class SweepController {
  readonly #options: SweepOptions;
  #view: PanelSweep = { state: null, starting: false, trouble: null };
  #client: Client | null = null;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  get view(): PanelSweep {
    return this.#view;
  }

  /** The spec was opened or edited: what it sweeps, and what is there of it. A sweep that runs goes on with what it began. */
  look(): void {
    if (this.#client) return;
    const { text, place } = this.#options.spec();
    try {
      const found = lookAt({ text, spec: this.#path(place), root: place.root });
      // A spec that is being edited; what was there before is nearer to what it will be than nothing.
      if (found !== 'problems') this.#show({ state: found === 'nothing' ? null : found, starting: false, trouble: null });
    } catch (error) {
      this.#options.log.warn(`results of a sweep: ${messageOf(error)}`);
    }
  }

  async start(fresh: boolean): Promise<void> {
    if (this.#client) return;
    const { text, place } = this.#options.spec();
    if (place.folder === '' || place.uri.startsWith('untitled:')) {
      this.#show({ ...this.#view, trouble: 'Save the spec first: results are kept beside it.' });
      return;
    }
    const client = this.#begin();
    this.#client = client;
    this.#show({ ...this.#view, starting: true, trouble: null });
    let trouble: string | null;
    try {
      trouble = await client.calls.start({ text, spec: this.#path(place), root: place.root, allowed: this.#options.allowed(), fresh });
    } catch (error) {
      trouble = messageOf(error);
    }
    await client.dispose();
    if (this.#client !== client) return;
    this.#client = null;
    const { state } = this.#view;
    this.#show({ state, starting: false, trouble });
    // The spec may have been edited meanwhile; and what a process that died had done is in the file.
    if (trouble === null || state?.running === true) this.look();
    if (trouble !== null) this.#show({ ...this.#view, trouble });
  }

  async cancel(): Promise<void> {
    await this.#client?.calls.cancel().catch((error: unknown) => this.#options.log.warn(messageOf(error)));
  }

  async dispose(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.dispose();
  }

  #path({ folder, file }: RunPlace): string {
    return path.join(folder, file);
  }

  #begin(): Client {
    const { log, processFile } = this.#options;
    const client: Client = new EngineClient<SweepCalls, SweepVoice>({
      file: processFile,
      host: {
        sweep: (state) => {
          if (this.#client === client) this.#show({ state, starting: false, trouble: null });
        },
      },
      onExit: (reason) => log.error(`sweep: ${reason}`),
      onOutput: (text) => log.info(`sweep: ${text.trimEnd()}`),
    });
    return client;
  }

  #show(view: PanelSweep): void {
    if (view.state === null && view.trouble === null && this.#view.state === null && this.#view.trouble === null && view.starting === this.#view.starting) return;
    this.#view = view;
    this.#options.tell(view);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

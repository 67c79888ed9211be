// The diagnosis of one spec, in a process of its own, so that the run continues meanwhile. It knows neither the editor
// nor the page.
import { l10n } from 'vscode';
import { ProcessClient } from '../../process/process-client';
import type { Spec } from '../../model-spec';
import type { DoctorCalls, DoctorEvents } from '../../protocol/doctor';
import type { DoctorReport } from '../../protocol/doctor-report';
import type { PanelDoctor } from '../../protocol/panel';
import { positionsAt } from '../model-spec/text-positions';
import { createOpenRequest } from './run-engine';
import { toErrorMessage, UNAVAILABLE_REASON } from './run-messages';
import type { RunControllerOptions, SpecAnalysis, SpecLocation } from './run-options';

export interface DoctorControllerOptions extends Pick<
  RunControllerOptions,
  'dataFolders' | 'permissionOf' | 'ruleSettings' | 'log'
> {
  /** The location and the text of the spec. */
  readonly source: () => { readonly location: SpecLocation; readonly analysis: SpecAnalysis };
  /** dist/doctor-process.js. */
  readonly processFile: string;
  readonly onChange: (doctor: PanelDoctor) => void;
}

type Client = ProcessClient<DoctorCalls, DoctorEvents>;

/** Equal for texts in which every path leads to the same value. */
const contentOf = (spec: Spec | undefined): string | null => (spec ? JSON.stringify(spec.source.value) : null);

export class DoctorController {
  readonly #options: DoctorControllerOptions;
  #view: PanelDoctor = { kind: 'idle' };
  #client: Client | null = null;
  /** The text of the spec that was diagnosed last. */
  #content: string | null = null;

  constructor(options: DoctorControllerOptions) {
    this.#options = options;
  }

  get view(): PanelDoctor {
    return this.#view;
  }

  /** @returns when the diagnosis has ended; the view says how */
  async start(): Promise<void> {
    if (this.#client) return;
    const { analysis, location } = this.#options.source();
    if (!analysis.spec) {
      this.#setView({ kind: 'failed', reason: UNAVAILABLE_REASON.problems });
      return;
    }
    const client = this.#spawn();
    this.#client = client;
    this.#content = contentOf(analysis.spec);
    this.#setView({ kind: 'running', stage: l10n.t('loading the spec and its data'), share: 0 });
    const view = await this.#diagnose(client, analysis, location);
    await client.dispose();
    // It was canceled, and may have been started again.
    if (this.#client !== client) return;
    this.#client = null;
    this.#setView(view);
    this.refresh();
  }

  async #diagnose(client: Client, { text }: SpecAnalysis, location: SpecLocation): Promise<PanelDoctor> {
    try {
      const result = await client.calls.diagnose(createOpenRequest(text, location, this.#options));
      if (result.kind === 'report') return toView(text, result.report);
      const error = result.problems.find(({ severity }) => severity === 'error');
      return { kind: 'failed', reason: error ? `${error.message} ${error.remedy}` : UNAVAILABLE_REASON.problems };
    } catch (error) {
      return { kind: 'failed', reason: toErrorMessage(error) };
    }
  }

  /** Ends the process at once, also while a custom layer hangs. */
  async cancel(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    this.#client = null;
    this.#setView({ kind: 'canceled' });
    await client.dispose();
  }

  /** The spec was edited: a report of another spec is outdated, and no longer if the edit is undone. */
  refresh(): void {
    if (this.#view.kind !== 'done') return;
    const { spec } = this.#options.source().analysis;
    const isOutdated = contentOf(spec) !== this.#content;
    if (isOutdated !== this.#view.isOutdated) this.#setView({ ...this.#view, isOutdated });
  }

  async dispose(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.dispose();
  }

  #spawn(): Client {
    const { log, processFile } = this.#options;
    const client: Client = new ProcessClient<DoctorCalls, DoctorEvents>({
      file: processFile,
      events: {
        progress: (stage, share) => {
          if (this.#client === client) this.#setView({ kind: 'running', stage, share });
        },
      },
      onExit: (reason) => log.error(`doctor: ${reason}`),
      onOutput: (text) => log.info(`doctor: ${text.trimEnd()}`),
    });
    return client;
  }

  #setView(view: PanelDoctor): void {
    this.#view = view;
    this.#options.onChange(view);
  }
}

function toView(text: string, report: DoctorReport): PanelDoctor {
  const positions = positionsAt(
    text,
    report.findings.map(({ range }) => range?.start ?? 0),
  );
  const lines = report.findings.map(({ range }, i) => (range ? (positions[i]?.line ?? null) : null));
  return { kind: 'done', report, lines, isOutdated: false };
}

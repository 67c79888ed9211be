// Checks specs one after the other in a separate engine process, independent of those of open panels. Independent of VS
// Code. If it is disposed during a check, the process is killed and the check resolves as stopped.

import type { CustomLayerErrorDetails, Problem } from '../protocol/problem';
import type { CheckReport } from '../protocol/check-report';
import type { Frame, NonFinite } from '../protocol/frame';
import type { ModelInfo } from '../protocol/model-info';
import { escapeUiText } from '../host/ui/escape-ui';
import { ENGINE_RESPONSE_TIMEOUT_MS, ProcessClient, ProcessExitError } from '../process/process-client';
import { describeFault } from '../process/exit-cause';
import { createAssembler } from '../chunking/chunks';
import type { EngineEvents, OpenRequest } from '../protocol/engine';

/** The result for one spec. */
export type CheckOutcome =
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }
  /** One report for each step that was requested and reached, in order, and where training diverged, if it did. */
  | {
      readonly kind: 'checked';
      readonly model: ModelInfo;
      readonly problems: readonly Problem[];
      readonly reports: readonly CheckReport[];
      readonly diverged: NonFinite | null;
    }
  /** The engine failed. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'stopped' };

export interface SpecCheckerOptions {
  /** dist/engine-process.js. */
  readonly engineFile: string;
  /** Output of the process. */
  readonly onOutput: (text: string) => void;
}

export class SpecChecker {
  readonly #options: SpecCheckerOptions;
  #client: ProcessClient | null = null;
  #disposed = false;
  #frame: Frame | null = null;
  /** The last fault of a custom layer. */
  #fault: CustomLayerErrorDetails | null = null;
  /** The latest report of a scheduled check. */
  #scheduledReport: CheckReport | null = null;
  #wake: () => void = () => undefined;
  #onProgress: (share: number) => void = () => undefined;

  constructor(options: SpecCheckerOptions) {
    this.#options = options;
  }

  /** The process id, if there is one. */
  get processId(): number | undefined {
    return this.#client?.pid;
  }

  /**
   * Checks a spec's gradients at the start of its run, and at the first step for which the spec schedules a check.
   * @param onProgress receives the share of entries that are done, for each check
   */
  async check(request: OpenRequest, onProgress: (share: number) => void): Promise<CheckOutcome> {
    if (this.#disposed) return { kind: 'stopped' };
    this.#onProgress = onProgress;
    this.#frame = null;
    this.#fault = null;
    this.#scheduledReport = null;
    try {
      this.#client ??= this.#spawn();
      return await this.#runCheck(this.#client, request);
    } catch (error) {
      if (this.#disposed) return { kind: 'stopped' };
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The model of a spec; null if it cannot run. */
  async describe(request: OpenRequest): Promise<ModelInfo | null> {
    this.#client ??= this.#spawn();
    const opened = await this.#client.calls.open(request);
    return opened.ok ? opened.model : null;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#client?.dispose();
  }

  async #runCheck({ calls, exited }: ProcessClient, request: OpenRequest): Promise<CheckOutcome> {
    const opened = await calls.open(request);
    if (!opened.ok) return { kind: 'problems', problems: opened.problems };
    const { model, problems } = opened;
    const reports = [await calls.check()];
    const { checkEvery } = model;
    if (checkEvery === 0 || checkEvery > model.totalSteps)
      return { kind: 'checked', model, problems, reports, diverged: null };
    await calls.command({ type: 'runToStep', step: checkEvery });
    const exit = exited.then((reason) => {
      throw new ProcessExitError(reason);
    });
    const diverged = await Promise.race([this.#untilStep(checkEvery), exit]);
    // The run has already checked at this step if it was scheduled; otherwise, request a check.
    if (!diverged)
      reports.push(
        this.#scheduledReport?.step === checkEvery && this.#scheduledReport
          ? this.#scheduledReport
          : await calls.check(),
      );
    return { kind: 'checked', model, problems, reports, diverged };
  }

  /** Resolves when the run pauses at this step, with null, or diverges before it. */
  async #untilStep(step: number): Promise<NonFinite | null> {
    for (;;) {
      const frame = this.#frame;
      if (this.#fault) throw new Error(describeFault(this.#fault));
      if (frame?.nonFinite) return frame.nonFinite;
      if (frame?.target === null && frame.position.step === step) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #spawn(): ProcessClient {
    const events: EngineEvents = {
      frame: createAssembler(async (frame: Frame) => {
        this.#frame = frame;
        this.#wake();
      }),
      checkProgress: ({ checked, entries }) => this.#onProgress(entries === 0 ? 1 : checked / entries),
      checkFinished: (report) => {
        this.#scheduledReport = report;
      },
      loading: () => undefined,
      checkpoint: () => undefined,
      stateChanged: () => undefined,
      logpoints: () => undefined,
      simd256Enabled: () => undefined,
      fault: (fault) => {
        this.#fault = fault;
        this.#wake();
      },
      log: (_level, text, source) =>
        this.#options.onOutput(`${source === null ? '' : `${escapeUiText(source)}: `}${text}\n`),
    };
    const client: ProcessClient = new ProcessClient({
      file: this.#options.engineFile,
      events,
      responseTimeout: ENGINE_RESPONSE_TIMEOUT_MS,
      // The next spec starts a new process.
      onExit: () => {
        if (this.#client === client) this.#client = null;
      },
      onOutput: this.#options.onOutput,
    });
    return client;
  }
}

// Checks specs one after the other in an engine process of its own, so that no open panel notices. It knows nothing
// of VS Code. Disposed in the middle of a check, the process is killed, and the check settles as stopped.
import type { Fault } from '../engine/custom/fault';
import { plain } from '../host/plain';
import { EngineClient, EngineExitError } from '../process/client';
import { describeFault } from '../process/words';
import { joining } from '../parts/parts';
import type { HostCalls, OpenRequest } from '../protocol/engine';
import type { CheckReport } from '../gradcheck/report';
import type { Frame, ModelInfo, NonFinite } from '../session/frame';
import type { Problem } from '../spec';

/** What came of a spec. */
export type CheckOutcome =
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }
  /** At each step that was asked for and reached, in order; where training diverged on the way, also where. */
  | { readonly kind: 'checked'; readonly model: ModelInfo; readonly problems: readonly Problem[]; readonly reports: readonly CheckReport[]; readonly diverged: NonFinite | null }
  /** The engine failed, and says why. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'stopped' };

export interface CheckEngineOptions {
  /** dist/engine-process.js. */
  readonly file: string;
  /** What the process wrote to its output. */
  readonly onOutput: (text: string) => void;
}

export class CheckEngine {
  readonly #options: CheckEngineOptions;
  #client: EngineClient | null = null;
  #disposed = false;
  #frame: Frame | null = null;
  /** A layer of the user's own that failed. */
  #fault: Fault | null = null;
  /** From the run itself, by its step. */
  #own: CheckReport | null = null;
  #heard: () => void = () => undefined;
  #progress: (share: number) => void = () => undefined;

  constructor(options: CheckEngineOptions) {
    this.#options = options;
  }

  /** Of the process, while there is one. */
  get processId(): number | undefined {
    return this.#client?.pid;
  }

  /**
   * Checks a spec's gradients where its run starts, and where the spec wants them checked on the way for the first time.
   * @param progress told which share of the entries of one check is done.
   */
  async check(request: OpenRequest, progress: (share: number) => void): Promise<CheckOutcome> {
    if (this.#disposed) return { kind: 'stopped' };
    this.#progress = progress;
    this.#frame = null;
    this.#fault = null;
    this.#own = null;
    try {
      this.#client ??= this.#start();
      return await this.#checkWith(this.#client, request);
    } catch (error) {
      if (this.#disposed) return { kind: 'stopped' };
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** What a spec is made of; null where it cannot run. */
  async describe(request: OpenRequest): Promise<ModelInfo | null> {
    this.#client ??= this.#start();
    const opened = await this.#client.calls.open(request);
    return opened.ok ? opened.model : null;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#client?.dispose();
  }

  async #checkWith({ calls, exited }: EngineClient, request: OpenRequest): Promise<CheckOutcome> {
    const opened = await calls.open(request);
    if (!opened.ok) return { kind: 'problems', problems: opened.problems };
    const { model, problems } = opened;
    const reports = [await calls.check()];
    const { checkEvery } = model;
    if (checkEvery === 0 || checkEvery > model.totalSteps) return { kind: 'checked', model, problems, reports, diverged: null };
    await calls.command({ type: 'runToStep', step: checkEvery });
    const gone = exited.then((reason) => {
      throw new EngineExitError(reason);
    });
    const diverged = await Promise.race([this.#arrival(checkEvery), gone]);
    // The run checks by itself there; to be sure, it is asked where it did not.
    if (!diverged) reports.push((this.#own as CheckReport | null)?.step === checkEvery && this.#own ? this.#own : await calls.check());
    return { kind: 'checked', model, problems, reports, diverged };
  }

  /** At rest at this step, or where the run diverged before it. */
  async #arrival(step: number): Promise<NonFinite | null> {
    for (;;) {
      const frame = this.#frame as Frame | null;
      if (this.#fault) throw new Error(describeFault(this.#fault));
      if (frame?.nonFinite) return frame.nonFinite;
      if (frame?.target === null && frame.position.step === step) return null;
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  #start(): EngineClient {
    const host: HostCalls = {
      frame: joining(async (frame: Frame) => {
        this.#frame = frame;
        this.#heard();
      }),
      checkProgress: ({ checked, entries }) => this.#progress(entries === 0 ? 1 : checked / entries),
      checked: (report) => {
        this.#own = report;
      },
      loading: () => undefined,
      checkpoint: () => undefined,
      triesWideVectors: () => undefined,
      fault: (fault) => {
        this.#fault = fault;
        this.#heard();
      },
      log: (_level, text, source) => this.#options.onOutput(`${source === null ? '' : `${plain(source)}: `}${text}\n`),
    };
    const client: EngineClient = new EngineClient({
      file: this.#options.file,
      host,
      // The next spec gets a new process.
      onExit: () => {
        if (this.#client === client) this.#client = null;
      },
      onOutput: this.#options.onOutput,
    });
    return client;
  }
}

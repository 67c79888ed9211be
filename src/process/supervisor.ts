// Runs on the main thread of the engine process and computes nothing itself, so it can always answer. A worker
// computes. Custom layers are loaded into a fresh worker each time, free of state that their code left behind; the
// previous worker continues until the new one takes over.
import type { SessionCommand } from '../protocol/command';
import type { EngineCalls, EngineEvents, HotReloadState, OpenRequest, OpenResult } from '../protocol/engine';
import type { RunStarted } from './messages';
import type { ExitCause } from './exit-cause';
import { WorkerExitError, WorkerHandle, type WorkerHandleOptions } from './worker-handle';

export interface SupervisorOptions {
  readonly worker: Omit<WorkerHandleOptions, 'number' | 'onEvent' | 'onExit'>;
  /** Sends an event to the host. @returns when the host has handled it, if `awaited` */
  readonly notifyHost: (name: string, args: readonly unknown[], awaited: boolean) => Promise<unknown>;
  /** The current worker has ended, so the process must end as well. */
  readonly onExit: (cause: ExitCause) => void;
}

const SPARE_START_DELAY_MS = 250;

/** Calls that involve more than one worker. */
export type SupervisorCalls = Pick<EngineCalls, 'open' | 'cancelOpen' | 'reload' | 'command'>;

interface EventRule {
  /** The worker waits until the host has handled it. */
  readonly awaited: boolean;
  /** Forwarded also from a worker that is opening a spec. */
  readonly whileOpening: boolean;
}

/** How the events of a worker reach the host. */
const EVENT_RULES: Readonly<Record<keyof EngineEvents, EventRule>> = {
  frame: { awaited: true, whileOpening: false },
  checkpoint: { awaited: true, whileOpening: false },
  checkProgress: { awaited: false, whileOpening: false },
  checkFinished: { awaited: false, whileOpening: false },
  loading: { awaited: false, whileOpening: true },
  fault: { awaited: false, whileOpening: true },
  log: { awaited: false, whileOpening: true },
  stateChanged: { awaited: false, whileOpening: false },
  logpoints: { awaited: true, whileOpening: false },
  simd256Enabled: { awaited: false, whileOpening: true },
};

export class Supervisor implements SupervisorCalls {
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<WorkerHandle>();
  #current: WorkerHandle;
  /**
   * Started and warmed up for the next time that custom layers are loaded, since starting takes longer than loading.
   */
  #spare: WorkerHandle | null = null;
  /** The worker in which a spec is being opened. */
  #openingWorker: WorkerHandle | null = null;
  /** Specs are opened one after the other. */
  #openQueue: Promise<unknown> = Promise.resolve();
  /** Resolves when no worker is about to take over. */
  #takeover: Promise<unknown> = Promise.resolve();
  #request: OpenRequest | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#current = this.#start();
  }

  /** Checks the workers. @param elapsed milliseconds since the last check */
  poll(elapsed: number): void {
    for (const worker of this.#workers) worker.poll(elapsed);
  }

  /** The worker whose custom layers may use memory that nothing else limits. */
  get customLayerWorker(): WorkerHandle | null {
    return [...this.#workers].find((worker) => worker.hasCustomLayers) ?? null;
  }

  open(request: OpenRequest): Promise<OpenResult> {
    return this.#enqueueOpen(() => {
      const hasCustomLayers = request.allowCustomLayers === true;
      const needsFreshWorker = this.#current.hasCustomLayers || (hasCustomLayers && this.#current.hasHeldRun);
      return this.#open(needsFreshWorker ? this.#takeSpareOrStart() : this.#current, request, hasCustomLayers, () =>
        Promise.resolve(request.record ? { record: request.record, resumeCommand: null } : null),
      );
    });
  }

  async cancelOpen(): Promise<void> {
    await this.#openingWorker?.calls.cancelOpen();
  }

  reload(): Promise<OpenResult> {
    return this.#enqueueOpen(() => {
      const request = this.#request;
      if (!request) throw new Error('No run is open.');
      return this.#open(this.#takeSpareOrStart(), request, true, () => this.#current.calls.getHotReloadState());
    });
  }

  async command(command: SessionCommand): Promise<void> {
    await this.#takeover;
    return this.#current.calls.command(command);
  }

  /** Forwards every other call of the host to the current worker. */
  async forward(name: string, args: readonly unknown[]): Promise<unknown> {
    return this.#current.call(name, args);
  }

  #enqueueOpen<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#openQueue.then(work);
    this.#openQueue = result.catch(() => undefined);
    return result;
  }

  async #open(
    worker: WorkerHandle,
    request: OpenRequest,
    hasCustomLayers: boolean,
    getHotReloadState: () => Promise<HotReloadState | null>,
  ): Promise<OpenResult> {
    this.#openingWorker = worker;
    worker.hasCustomLayers ||= hasCustomLayers;
    try {
      worker.startLoading();
      const { ok, ...loaded } = await worker.calls.load(request);
      if (!ok) {
        this.#discard(worker);
        return { ok, ...loaded };
      }
      const { problems } = loaded;
      const started = await this.#switchWorker(async () => {
        const { record, resumeCommand } = (await getHotReloadState()) ?? { record: null, resumeCommand: null };
        const answer = await worker.calls.startRun(record && { ...record, text: request.text });
        return { answer, resumeCommand };
      }, worker);
      worker.hasHeldRun = true;
      this.#request = request;
      return { ok, problems, ...started };
    } catch (error) {
      if (!(error instanceof WorkerExitError) || !error.exitCause.fault) {
        this.#discard(worker);
        throw error;
      }
      // The spec's own code ended the worker that was to run it, so this is a problem of the spec.
      this.#dispose(worker);
      if (worker === this.#current) this.#current = this.#start();
      const problem = worker.toProblem(error.exitCause.fault);
      if (!problem) throw error;
      return { ok: false, problems: [problem] };
    } finally {
      this.#openingWorker = null;
      // The opened run is shown first.
      setTimeout(() => this.#updateSpare(), SPARE_START_DELAY_MS).unref();
    }
  }

  #takeSpareOrStart(): WorkerHandle {
    const spare = this.#spare;
    this.#spare = null;
    return spare ?? this.#start();
  }

  /** Keeps a spare worker if one may be needed soon, and otherwise none. */
  #updateSpare(): void {
    if (this.#openingWorker) return;
    if (!this.#current.hasCustomLayers) {
      if (this.#spare) this.#dispose(this.#spare);
      this.#spare = null;
    } else if (!this.#spare) {
      this.#spare = this.#start();
      // A worker that is not warm works as well.
      this.#spare.calls.warmUp().catch(() => undefined);
    }
  }

  /** Commands wait meanwhile, since the old worker would execute them in vain. */
  async #switchWorker(
    work: () => Promise<{ readonly answer: RunStarted; readonly resumeCommand: SessionCommand | null }>,
    worker: WorkerHandle,
  ): Promise<RunStarted> {
    const taking = work();
    this.#takeover = taking.catch(() => undefined);
    const { answer, resumeCommand } = await taking;
    const before = this.#current;
    this.#current = worker;
    if (resumeCommand) worker.calls.command(resumeCommand).catch(() => undefined);
    if (before !== worker) this.#dispose(before);
    return answer;
  }

  /** Discards a worker that could not take over; the current one stays. */
  #discard(worker: WorkerHandle): void {
    if (worker !== this.#current) this.#dispose(worker);
  }

  #dispose(worker: WorkerHandle): void {
    this.#workers.delete(worker);
    worker.dispose();
  }

  #start(): WorkerHandle {
    const worker: WorkerHandle = new WorkerHandle({
      ...this.#options.worker,
      // The numbers of the current worker and its successor never have the same parity; see CrashBreadcrumb.
      number: (this.#current?.number ?? 0) + 1,
      onEvent: (from, name, args) => this.#forwardEvent(from, name, args),
      onExit: (from, ending) => {
        this.#workers.delete(from);
        if (from === this.#spare) this.#spare = null;
        // If code of the spec ended a worker during opening, the code that opens it reports that.
        const isHandledByOpen = from === this.#openingWorker && ending.fault !== null;
        if (from === this.#current && !isHandledByOpen) this.#options.onExit(ending);
      },
    });
    this.#workers.add(worker);
    return worker;
  }

  #forwardEvent(from: WorkerHandle, name: string, args: readonly unknown[]): Promise<unknown> | undefined {
    // A custom layer could post any message.
    if (!Object.hasOwn(EVENT_RULES, name)) return undefined;
    const { awaited, whileOpening } = EVENT_RULES[name as keyof EngineEvents];
    if (from !== this.#current && !whileOpening) return undefined;
    return this.#options.notifyHost(name, args, awaited);
  }
}

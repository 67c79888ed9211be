// A worker thread from its supervisor's view: calls in both directions, its watchdog, and why it ended.
import path from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { CustomLayerErrorDetails, Problem } from '../protocol/problem';
import { SharedActivity } from './activity';
import type { NamedLayerCall } from './crash-breadcrumb';
import { isEndMessage, isNamesMessage, type NamesMessage, type WorkerCalls, type WorkerData } from './messages';
import { createStarvationClock } from './starvation-clock';
import { typeStrippingFlags } from './type-stripping';
import { Watchdog } from './watchdog';
import { describeFailure, describeHang, type ExitCause, layerExitCause, outOfMemoryCause } from './exit-cause';

export interface WorkerHandleOptions {
  /** Distinguishes it from others, see CrashBreadcrumb. */
  readonly number: number;
  /** Milliseconds, see Watchdog. */
  readonly hangTimeout: number;
  readonly layerTimeout: number;
  readonly loadingGracePeriod: number;
  /** Milliseconds between polls. */
  readonly pollInterval: number;
  /** Megabytes of JavaScript objects. */
  readonly heapMb: number;
  readonly breadcrumbFile: string | null;
  /** The worker sent an event. @returns a promise for when it was handled */
  readonly onEvent: (worker: WorkerHandle, name: string, args: readonly unknown[]) => Promise<unknown> | undefined;
  /** Called once, unless `dispose` was called before. */
  readonly onExit: (worker: WorkerHandle, ending: ExitCause) => void;
}

/** The worker ended before it answered a call. */
export class WorkerExitError extends Error {
  override name = 'WorkerExitError';

  constructor(readonly exitCause: ExitCause) {
    super(exitCause.reason);
  }
}

/**
 * Megabytes of V8's young generation. Training allocates little, but by default V8 would let it grow to many times as
 * much.
 */
const YOUNG_GENERATION_MB = 24;

export class WorkerHandle {
  readonly number: number;
  readonly calls: BirpcReturn<WorkerCalls>;
  /** Whether it has held a run. */
  hasHeldRun = false;
  /** Whether it has loaded custom layers, which may have left any state behind. */
  hasCustomLayers = false;
  readonly #options: WorkerHandleOptions;
  readonly #worker: Worker;
  /** Not the worker's own port, which every file of a custom layer can import. */
  readonly #port: MessagePort;
  readonly #activity = new SharedActivity();
  readonly #watchdog: Watchdog;
  #names: Required<Omit<NamesMessage, 'type'>> = { phases: [], layers: {} };
  #isClosed = false;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    this.number = options.number;
    const { number, loadingGracePeriod, breadcrumbFile, heapMb, hangTimeout, layerTimeout, pollInterval } = options;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(path.join(__dirname, 'engine-worker.js'), {
      workerData: {
        port: port2,
        activity: this.#activity.buffer,
        loadingGracePeriod,
        breadcrumbFile,
        workerNumber: number,
      } satisfies WorkerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      execArgv: typeStrippingFlags(),
    });
    this.#watchdog = new Watchdog({
      readActivity: () => this.#activity.read(),
      timeout: hangTimeout,
      layerTimeout: layerTimeout,
      pollInterval,
      starvedTime: createStarvationClock(() => this.#activity.read().threadId),
    });
    this.calls = createBirpc<WorkerCalls>(
      {},
      {
        resolver:
          (name) =>
          (...args: unknown[]) =>
            options.onEvent(this, name, args),
        post: (message) => port1.postMessage(message),
        on: (listener) =>
          port1.on('message', (message: unknown) => {
            if (isNamesMessage(message)) this.#names = { ...this.#names, ...message };
            else if (isEndMessage(message)) this.#exit(message.cause);
            else listener(message);
          }),
        bind: 'functions',
        timeout: -1,
        onGeneralError: (_error, functionName) => functionName !== undefined,
      },
    );
    this.#worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#exit(outOfMemoryCause(this.runningLayerCall));
      else this.#exit(describeFailure(error, this.hasCustomLayers));
    });
    this.#worker.on('exit', (code) => {
      // What it sent last may not have arrived.
      for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1))
        if (isEndMessage(last.message)) this.#exit(last.message.cause);
      const { runningLayerCall } = this;
      this.#exit(
        runningLayerCall
          ? layerExitCause(
              runningLayerCall,
              `ended the engine with exit code ${code}`,
              'Remove the code that ends the process.',
            )
          : { reason: `The engine's worker exited with code ${code}.`, fault: null },
      );
    });
  }

  call(name: string, args: readonly unknown[]): Promise<unknown> {
    return this.calls.$call(name as keyof WorkerCalls, ...(args as never));
  }

  /** The call of a custom layer that is running. */
  get runningLayerCall(): NamedLayerCall | null {
    const { layerCall } = this.#activity.read();
    const layer = layerCall && this.#names.layers[layerCall.layer];
    return layerCall && layer ? { layer: layer.name, call: layerCall.call, file: layer.file } : null;
  }

  /** Converts a fault of a custom layer to a problem at its position in the spec. */
  toProblem({ layer, call, message, remedy, place }: CustomLayerErrorDetails): Problem | null {
    const found = Object.values(this.#names.layers).find(({ name }) => name === layer);
    if (!found) return null;
    const { start, end } = call === 'load' ? found.moduleRange : found.range;
    return { code: 'custom-layer', severity: 'error', start, end, message, remedy, place };
  }

  /** A spec was sent to it. A long one takes a while to arrive. */
  startLoading(): void {
    this.#activity.setKind('load');
    this.#activity.setGracePeriod(this.#options.loadingGracePeriod);
  }

  /** Checks whether it hangs. @param elapsed milliseconds since the last check */
  poll(elapsed: number): void {
    // Starting may take any time, until its event loop turns for the first time.
    if (this.#activity.read().heartbeats === 0) return;
    const hang = this.#watchdog.poll(elapsed);
    if (hang) this.#exit(describeHang(hang.activity, hang.milliseconds, this.#names.phases, this.runningLayerCall));
  }

  /** Ends it with this cause. */
  exitWith(ending: ExitCause): void {
    this.#exit(ending);
  }

  /** Ends it; pending calls are rejected, and no event is sent. */
  dispose(): void {
    this.#close({ reason: 'The run was replaced.', fault: null });
  }

  #exit(ending: ExitCause): void {
    if (this.#isClosed) return;
    this.#close(ending);
    this.#options.onExit(this, ending);
  }

  /** A blocking system call cannot be interrupted; then the thread stays until the process ends. */
  #close(ending: ExitCause): void {
    this.#isClosed = true;
    this.calls.$close(new WorkerExitError(ending));
    this.#port.close();
    void this.#worker.terminate();
  }
}

// A worker thread as its supervisor sees it: calls to it, what it calls, its watchdog, and why it ended.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { HostCalls } from '../protocol/engine';
import { ActivityCell } from './activity';
import type { NamedCode } from './black-box';
import { isNamesMessage, type NamesMessage, type WorkerCalls, type WorkerData } from './messages';
import { Watchdog } from './watchdog';
import { describeHang, type Ending, endInCode, outOfMemory } from './words';

export interface WorkerHandleOptions {
  /** Counted up. */
  readonly number: number;
  /** Milliseconds, see Watchdog. */
  readonly hangAfter: number;
  readonly codeHangAfter: number;
  readonly loading: number;
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** Megabytes of JavaScript objects. */
  readonly heap: number;
  readonly blackBox: string | null;
  /** What the worker may call. */
  readonly host: (worker: WorkerHandle) => HostCalls;
  /** Called once, unless `dispose` was called before. */
  readonly onEnd: (worker: WorkerHandle, ending: Ending) => void;
}

/** A call that the end of the worker left without an answer. */
export class WorkerEndError extends Error {
  override name = 'WorkerEndError';

  constructor(readonly ending: Ending) {
    super(ending.reason);
  }
}

/** Before it became the default, types were removed from TypeScript on request only. */
const stripsTypes = (): string[] => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const asked = (major === 22 && minor >= 6 && minor < 18) || (major === 23 && minor < 6);
  return asked ? ['--experimental-strip-types'] : [];
};

/** Megabytes for objects just made: training makes few, but the engine would let them pile up to many times as much. */
const YOUNG_MB = 24;

export class WorkerHandle {
  readonly calls: BirpcReturn<WorkerCalls, HostCalls>;
  /** Whether it has held a run. */
  used = false;
  /** Whether code of the user's own was loaded in it: what it left behind cannot be known. */
  hasOwnCode = false;
  readonly #options: WorkerHandleOptions;
  readonly #worker: Worker;
  readonly #activity = new ActivityCell();
  readonly #watchdog: Watchdog;
  #names: Required<Omit<NamesMessage, 'type'>> = { phases: [], layers: {} };
  #ended = false;

  constructor(options: WorkerHandleOptions) {
    this.#options = options;
    const { number, loading, blackBox, heap, hangAfter, codeHangAfter, interval } = options;
    this.#worker = new Worker(path.join(__dirname, 'engine-worker.js'), {
      workerData: { activity: this.#activity.memory, loading, blackBox, worker: number } satisfies WorkerData,
      resourceLimits: { maxOldGenerationSizeMb: heap, maxYoungGenerationSizeMb: YOUNG_MB },
      execArgv: stripsTypes(),
    });
    this.#watchdog = new Watchdog({ read: () => this.#activity.read(), limit: hangAfter, codeLimit: codeHangAfter, interval });
    this.calls = createBirpc<WorkerCalls, HostCalls>(options.host(this), {
      post: (message) => this.#worker.postMessage(message),
      on: (listener) =>
        this.#worker.on('message', (message: unknown) => {
          if (isNamesMessage(message)) this.#names = { ...this.#names, ...message };
          else listener(message);
        }),
      bind: 'functions',
      timeout: -1,
      onGeneralError: (_error, answering) => answering !== undefined,
    });
    this.#worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#end(outOfMemory(this.running));
      else this.#end({ reason: `The engine failed: ${error.message}`, fault: null });
    });
    this.#worker.on('exit', (code) => {
      const { running } = this;
      this.#end(
        running
          ? endInCode(running, `ended the engine with exit code ${code}`, 'Remove what ends a process.')
          : { reason: `The engine's worker ended by itself with exit code ${code}.`, fault: null },
      );
    });
  }

  /** Code of the user's own that runs right now. */
  get running(): NamedCode | null {
    const { ownCode } = this.#activity.read();
    const layer = ownCode && this.#names.layers[ownCode.layer];
    return ownCode && layer ? { layer: layer.name, call: ownCode.call, file: layer.file } : null;
  }

  /** A spec is on its way to it: a long one takes a while until it is heard of. */
  expectLoading(): void {
    this.#activity.begin('load');
    this.#activity.allow(this.#options.loading);
  }

  /** Looks whether it hangs. @param elapsed milliseconds since the look before. */
  look(elapsed: number): void {
    // Until its event loop turns for the first time it starts, which takes what it takes.
    if (this.#activity.read().beats === 0) return;
    const hang = this.#watchdog.look(elapsed);
    if (hang) this.#end(describeHang(hang.activity, hang.milliseconds, this.#names.phases, this.running));
  }

  /** Ends it for a reason. */
  end(ending: Ending): void {
    this.#end(ending);
  }

  /** Ends it; pending calls are rejected, nobody is told. */
  dispose(): void {
    this.#close({ reason: 'The run was replaced.', fault: null });
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#close(ending);
    this.#options.onEnd(this, ending);
  }

  /** What it waits for in the system cannot be ended; then the thread stays until the process goes. */
  #close(ending: Ending): void {
    this.#ended = true;
    this.calls.$close(new WorkerEndError(ending));
    void this.#worker.terminate();
  }
}

// Worker threads for large work. The engine cannot start any, so the code that creates kernels passes them in.
// assembly/parallel.ts describes how work is shared.
import { type WasmExports, instantiate, type Memory } from './wasm-instance';

/** Everything that a worker needs to work on a memory, sent to it as a message. */
export interface WorkerContext {
  readonly id: number;
  readonly module: object;
  readonly memory: Memory;
  readonly useSimd256: boolean;
  /** The address of its own scratch memory. */
  readonly scratch: number;
}

export interface PoolWorker {
  /** Sends a context to the thread, which passes it to `runWorker`. */
  attach(context: WorkerContext): void;
  /** Ends the thread. */
  terminate(): void;
}

/** In the worker thread: takes work until it is detached, and sleeps while there is none. */
export function runWorker({ id, module, memory, useSimd256, scratch }: WorkerContext): void {
  const exports = instantiate(module, memory);
  exports.useSimd256Tiles(useSimd256 ? 1 : 0);
  exports.runWorker(id, scratch);
}

/** The workers serve one network's kernels at a time: those that had the last large product. */
export class ThreadPool {
  /** The kernels that the workers serve. */
  owner: object | null = null;
  #exports: WasmExports | null = null;
  #attachments = 0;

  constructor(readonly workers: readonly PoolWorker[]) {}

  attach(
    owner: object,
    exports: WasmExports,
    context: Pick<WorkerContext, 'module' | 'memory' | 'useSimd256'>,
    scratch: readonly number[],
  ): void {
    this.detach();
    this.owner = owner;
    if (this.workers.length === 0) return;
    const id = ++this.#attachments;
    this.#exports = exports;
    exports.attach(id);
    this.workers.forEach((helper, i) => helper.attach({ id, ...context, scratch: scratch[i]! }));
  }

  /** Releases the memory, so that it can be freed. */
  detach(): void {
    this.#exports?.attach(0);
    this.#exports = null;
    this.owner = null;
  }

  /** Ends the threads. A computation in progress continues without them. */
  terminate(): void {
    this.detach();
    for (const helper of this.workers) helper.terminate();
  }
}

// Threads that help the one that trains with large pieces of work. This room cannot start any: whoever makes kernels
// brings them. How work is shared is in assembly/threads.ts.
import { type Exports, instantiate, type Memory } from './instance';

/** Everything that a helper needs to work on a memory; it goes to another thread as a message. */
export interface Engagement {
  readonly id: number;
  readonly module: object;
  readonly memory: Memory;
  readonly wide: boolean;
  /** Where it works by itself. */
  readonly scratch: number;
}

export interface Helper {
  /** Sends an engagement to the thread, which hands it to `serve`. */
  engage(engagement: Engagement): void;
  /** Ends the thread. */
  end(): void;
}

/** In the helping thread: works until the engagement is over, and sleeps while there is nothing to do. */
export function serve({ id, module, memory, wide, scratch }: Engagement): void {
  const exports = instantiate(module, memory);
  exports.useWideTiles(wide ? 1 : 0);
  exports.serve(id, scratch);
}

/** The helpers work for one network's kernels at a time: those that had the last large product. */
export class Team {
  /** For whom they work. */
  engagedWith: object | null = null;
  #exports: Exports | null = null;
  #engagements = 0;

  constructor(readonly helpers: readonly Helper[]) {}

  engage(whom: object, exports: Exports, on: Pick<Engagement, 'module' | 'memory' | 'wide'>, scratch: readonly number[]): void {
    this.release();
    this.engagedWith = whom;
    if (this.helpers.length === 0) return;
    const id = ++this.#engagements;
    this.#exports = exports;
    exports.engage(id);
    this.helpers.forEach((helper, i) => helper.engage({ id, ...on, scratch: scratch[i] }));
  }

  /** Lets go of the memory: what nobody else holds can be freed. */
  release(): void {
    this.#exports?.engage(0);
    this.#exports = null;
    this.engagedWith = null;
  }

  /** Ends the threads. Who still computes does so alone. */
  end(): void {
    this.release();
    for (const helper of this.helpers) helper.end();
  }
}

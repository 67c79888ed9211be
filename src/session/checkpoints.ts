// Copies of the parameters to go back to, in bounded memory however long a run is. Half of the budget
// holds a grid over the whole run whose spacing doubles when it is full; the other half the newest
// copies, so that stepping back near the present is cheap even for a large network.
import type { Tensor } from '../engine/kernels/tensor';
import type { Checkpoint } from './record';

/** Bytes. */
export const DEFAULT_BUDGET = 64 * 2 ** 20;

// Enough to step back a while without replaying anything; more would only be searched in vain.
const MOST_RECENT = 64;

/** Multiply-adds between two checkpoints, or up to twice as many: a few milliseconds to replay. */
const REPLAY_WORK = 2e6;

/** Multiply-adds in the time that a byte is copied in, 50 times over: copies take about 2 % of the time. */
const WORK_OF_BYTE = 170;

/** Steps from one checkpoint to the next, a power of two. @param work multiply-adds of a step. @param bytes of a checkpoint. */
export function intervalFor(work: number, bytes: number): number {
  const steps = Math.max(REPLAY_WORK, WORK_OF_BYTE * bytes) / Math.max(1, work);
  return 2 ** Math.max(0, Math.ceil(Math.log2(steps)));
}

/** @throws RangeError where a copy is not of tensors like these. */
export function assertFits({ tensors }: Checkpoint, state: readonly Tensor[]): void {
  if (tensors.length !== state.length || state.some(({ data }, i) => data.length !== tensors[i].length)) {
    throw new RangeError('the checkpoint is of another model');
  }
}

const bytesOf = ({ tensors }: Checkpoint): number => tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);

export class Checkpoints {
  readonly #grid = new Map<number, Checkpoint>();
  #recent: Checkpoint[] = [];
  #spacing: number;

  /**
   * @param budget bytes of all copies together.
   * @param interval steps from one copy to the next before any are thinned out.
   */
  constructor(
    readonly budget: number,
    readonly interval: number,
  ) {
    this.#spacing = interval;
  }

  /** Bytes held. A copy in both halves counts twice, which only errs on the safe side. */
  get bytes(): number {
    return [...this.#grid.values(), ...this.#recent].reduce((sum, checkpoint) => sum + bytesOf(checkpoint), 0);
  }

  /** Whether a copy should be taken after this step. Step 0 needs none: it is drawn from the seed. */
  wants(step: number): boolean {
    if (step === 0 || step % this.interval !== 0 || this.#grid.has(step)) return false;
    return !this.#recent.some((checkpoint) => checkpoint.step === step);
  }

  /** The first step after this one at which a copy may be wanted. */
  nextAfter(step: number): number {
    return step - (step % this.interval) + this.interval;
  }

  add(checkpoint: Checkpoint): void {
    const bytes = Math.max(1, bytesOf(checkpoint));
    const room = Math.floor(this.budget / 2 / bytes);
    this.#recent.push(checkpoint);
    if (this.#recent.length > Math.min(room, MOST_RECENT)) this.#recent.shift();
    if (checkpoint.step % this.#spacing !== 0) return;
    this.#grid.set(checkpoint.step, checkpoint);
    while (this.#grid.size > room) {
      this.#spacing *= 2;
      for (const step of this.#grid.keys()) if (step % this.#spacing !== 0 || room === 0) this.#grid.delete(step);
    }
  }

  /** Keeps a copy from elsewhere, whatever its step. */
  keep(checkpoint: Checkpoint): void {
    this.#grid.set(checkpoint.step, checkpoint);
  }

  /** Every copy once, by rising step. */
  get all(): Checkpoint[] {
    const copies = new Map([...this.#grid.values(), ...this.#recent].map((checkpoint) => [checkpoint.step, checkpoint]));
    return [...copies.values()].sort((a, b) => a.step - b.step);
  }

  /** The latest copy at or before `step`. */
  nearest(step: number): Checkpoint | undefined {
    let best: Checkpoint | undefined;
    for (const checkpoint of this.#recent) {
      if (checkpoint.step <= step && checkpoint.step > (best?.step ?? -1)) best = checkpoint;
    }
    for (const checkpoint of this.#grid.values()) {
      if (checkpoint.step <= step && checkpoint.step > (best?.step ?? -1)) best = checkpoint;
    }
    return best;
  }

  /** Forgets what comes after `step`. */
  truncate(step: number): void {
    for (const key of this.#grid.keys()) if (key > step) this.#grid.delete(key);
    this.#recent = this.#recent.filter((checkpoint) => checkpoint.step <= step);
  }
}

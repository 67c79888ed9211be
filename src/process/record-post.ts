// Sends the latest record of a run, small ones at once, large ones seldom enough that moving them costs
// the host nothing worth mentioning. What is overtaken by a newer one is never sent.
import type { RunRecord } from '../session/record';

export interface RecordPostOptions {
  /** Milliseconds, from any origin. */
  readonly now: () => number;
  readonly later: (milliseconds: number, work: () => void) => void;
  readonly post: (record: RunRecord) => void;
}

/** Bytes that may be sent in a millisecond on average. */
const BYTES_PER_MS = 10_000;

export class RecordPost {
  readonly #options: RecordPostOptions;
  #free = -Infinity;
  #waiting: RunRecord | null = null;

  constructor(options: RecordPostOptions) {
    this.#options = options;
  }

  add(record: RunRecord): void {
    const { now, later } = this.#options;
    const alreadyLate = this.#waiting !== null;
    this.#waiting = record;
    if (alreadyLate) return;
    const wait = this.#free - now();
    if (wait <= 0) this.#flush();
    else later(wait, () => this.#flush());
  }

  #flush(): void {
    const record = this.#waiting;
    if (!record) return;
    this.#waiting = null;
    this.#free = this.#options.now() + bytesOf(record) / BYTES_PER_MS;
    this.#options.post(record);
  }
}

const bytesOf = ({ checkpoint }: RunRecord): number =>
  checkpoint.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);

// Sends the latest record of a run: a small one at once, a large one seldom enough that its transfer does not slow the
// host. A record that was replaced by a newer one is never sent.

import type { RunRecord } from '../protocol/run-record';
export interface CheckpointThrottleOptions {
  /** Milliseconds since an arbitrary origin. */
  readonly now: () => number;
  readonly schedule: (milliseconds: number, work: () => void) => void;
  /** Resolves when the host has the record. */
  readonly send: (record: RunRecord) => Promise<void>;
}

/** Average bytes per millisecond. */
const BYTES_PER_MS = 10_000;

export class CheckpointThrottle {
  readonly #options: CheckpointThrottleOptions;
  #nextSendTime = -Infinity;
  #pending: RunRecord | null = null;
  #delivery: Promise<void> = Promise.resolve();

  constructor(options: CheckpointThrottleOptions) {
    this.#options = options;
  }

  push(record: RunRecord): void {
    const { now, schedule } = this.#options;
    const isScheduled = this.#pending !== null;
    this.#pending = record;
    if (isScheduled) return;
    const wait = this.#nextSendTime - now();
    if (wait <= 0) this.#flush();
    else schedule(wait, () => this.#flush());
  }

  /** Sends the latest record at once. @returns when the host has it */
  async flush(): Promise<void> {
    this.#flush();
    await this.#delivery;
  }

  #flush(): void {
    const record = this.#pending;
    if (!record) return;
    this.#pending = null;
    this.#nextSendTime = this.#options.now() + checkpointBytes(record) / BYTES_PER_MS;
    this.#delivery = this.#options.send(record);
    // Only a caller that waits for the delivery needs to know that it failed.
    this.#delivery.catch(() => undefined);
  }
}

const checkpointBytes = ({ checkpoint }: RunRecord): number =>
  checkpoint.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);

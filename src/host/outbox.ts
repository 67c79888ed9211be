// What is on its way to a page: messages in their order, large ones in parts, of which the next leaves when the one before
// has arrived.
import { cut } from '../parts/parts';
import type { SentToPanel, ToPanel } from '../protocol/panel';

export class Outbox {
  #waiting: SentToPanel[] = [];
  #busy = false;

  /** @param post settles once the page has it. */
  constructor(readonly post: (message: SentToPanel) => PromiseLike<unknown>) {}

  send(message: ToPanel): void {
    this.#waiting.push(...cut(message));
    if (!this.#busy) void this.#empty();
  }

  /** The page is gone, and nothing of this is for the next one. */
  close(): void {
    this.#waiting = [];
  }

  async #empty(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        const arrived = this.post(next);
        if (this.#waiting.length > 0) await arrived;
      } catch {
        // Without this part nobody can read the others.
        while (isRest(this.#waiting[0])) this.#waiting.shift();
      }
    }
    this.#busy = false;
  }
}

const isRest = (message: SentToPanel | undefined): boolean => message?.type === 'part' && !message.first;

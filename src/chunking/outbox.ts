// Sends messages in order over a slow channel. A large message goes in chunks, one at a time.
import { type Chunk, MAX_MESSAGE_BYTES, splitMessage } from './chunks';

interface Packet<Message> {
  readonly content: Message | Chunk;
  /** Set on the last chunk of a message: called when that was sent, failed or was dropped. */
  readonly onSettled: (() => void) | null;
}

export class Outbox<Message extends object> {
  #queue: Packet<Message>[] = [];
  #flushing = false;

  /** @param post resolves when the channel can take another packet */
  constructor(readonly post: (packet: Message | Chunk) => PromiseLike<unknown>) {}

  /** Resolves when the message was sent or dropped. */
  send(message: Message): Promise<void> {
    return new Promise((onSettled) => {
      const chunks = splitMessage(message, MAX_MESSAGE_BYTES);
      chunks.forEach((content, i) =>
        this.#queue.push({ content, onSettled: i === chunks.length - 1 ? onSettled : null }),
      );
      if (!this.#flushing) void this.#flush();
    });
  }

  /** The receiver has gone: drops what was not sent. */
  clear(): void {
    for (const { onSettled } of this.#queue.splice(0)) onSettled?.();
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      try {
        const posted = this.post(next.content);
        // Nothing waits behind the last packet, and what is sent next need not wait for it either.
        if (this.#queue.length > 0) await posted;
        else void posted.then(undefined, () => undefined);
        next.onSettled?.();
      } catch {
        next.onSettled?.();
        // The other chunks of this message are useless without this one.
        while (isContinuation(this.#queue[0]?.content)) this.#queue.shift()?.onSettled?.();
      }
    }
    this.#flushing = false;
  }
}

const isContinuation = (packet: object | undefined): boolean =>
  packet !== undefined && 'type' in packet && packet.type === 'chunk' && !(packet as Chunk).first;

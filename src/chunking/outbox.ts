// Sends messages in order over a slow channel. A large message goes in chunks, one at a time.
import { type Chunk, MAX_MESSAGE_BYTES, splitMessage } from './chunks';

interface Packet<Message> {
  readonly content: Message | Chunk;
  /** Called with the last chunk of a message. */
  readonly onDelivered: (() => void) | null;
}

export class Outbox<Message extends object> {
  #queue: Packet<Message>[] = [];
  #flushing = false;

  /** @param post resolves when the receiver has the packet */
  constructor(readonly post: (packet: Message | Chunk) => PromiseLike<unknown>) {}

  /** Resolves when the message was delivered or dropped. */
  send(message: Message): Promise<void> {
    return new Promise((onDelivered) => {
      const chunks = splitMessage(message, MAX_MESSAGE_BYTES);
      chunks.forEach((content, i) =>
        this.#queue.push({ content, onDelivered: i === chunks.length - 1 ? onDelivered : null }),
      );
      if (!this.#flushing) void this.#flush();
    });
  }

  /** The receiver has gone: drops what was not sent. */
  clear(): void {
    for (const { onDelivered } of this.#queue.splice(0)) onDelivered?.();
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      try {
        const delivered = this.post(next.content);
        if (this.#queue.length > 0) await delivered;
        next.onDelivered?.();
      } catch {
        next.onDelivered?.();
        // The other chunks of this message are useless without this one.
        while (isContinuation(this.#queue[0]?.content)) this.#queue.shift()?.onDelivered?.();
      }
    }
    this.#flushing = false;
  }
}

const isContinuation = (packet: object | undefined): boolean =>
  packet !== undefined && 'type' in packet && packet.type === 'chunk' && !(packet as Chunk).first;

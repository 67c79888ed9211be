// Messages between the extension host and a process that it started, over a pipe. Node's own channel would throw in
// the host, where nothing can catch it, when code in the process writes other bytes to the pipe. Here, such bytes end
// the channel. The token of a channel is known to its two ends only, so that no other code in the process can send
// messages.
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import v8 from 'node:v8';

/** The file descriptor of the pipe in the process. */
export const CHANNEL_FD = 3;

const LENGTH_BYTES = 4;
const TOKEN_BYTES = 16;
const HEADER_BYTES = LENGTH_BYTES + TOKEN_BYTES;
/** Above any message: a record holds the checkpoint of a run, which a limit on its memory bounds. */
const MAX_MESSAGE_BYTES = 2 ** 30;

export interface ChannelEvents {
  readonly onMessage: (message: unknown) => void;
  /** The other end closed the channel. */
  readonly onClose: () => void;
  /** Something that is no message arrived. Nothing is received after that. */
  readonly onMalformed: () => void;
}

/** A length, the token, and a value in V8's format. */
export class FramedChannel {
  readonly #stream: Duplex;
  readonly #events: ChannelEvents;
  #token: Buffer | null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isOpen = true;

  /** @param token null at the end that receives it: with the first message */
  constructor(stream: Duplex, token: Buffer | null, events: ChannelEvents) {
    this.#stream = stream;
    this.#token = token;
    this.#events = events;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    // An error, such as EPIPE, is followed by the close.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.#isOpen = false;
      events.onClose();
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @param sent called when the message has left, or could not be sent. Throws for what cannot be cloned. */
  send(message: unknown, sent?: (error: Error | null) => void): void {
    const token = this.#token;
    if (!token || !this.#isOpen) {
      sent?.(new Error('The channel is closed.'));
      return;
    }
    const payload = v8.serialize(message);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(payload.length);
    this.#stream.cork();
    this.#stream.write(length);
    this.#stream.write(token);
    this.#stream.write(payload, (error) => sent?.(error ?? null));
    this.#stream.uncork();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#isOpen && this.#bytes >= HEADER_BYTES) {
      const header = this.#peek(HEADER_BYTES);
      const length = header.readUInt32BE(0);
      const token = header.subarray(LENGTH_BYTES, HEADER_BYTES);
      this.#token ??= Buffer.from(token);
      if (length > MAX_MESSAGE_BYTES || !token.equals(this.#token)) return this.#rejectInput();
      if (this.#bytes < HEADER_BYTES + length) return;
      const payload = this.#peek(HEADER_BYTES + length).subarray(HEADER_BYTES, HEADER_BYTES + length);
      this.#drop(HEADER_BYTES + length);
      let message: unknown;
      try {
        message = v8.deserialize(payload);
      } catch {
        return this.#rejectInput();
      }
      this.#events.onMessage(message);
    }
  }

  /** The first bytes, in one piece. */
  #peek(length: number): Buffer {
    const [first] = this.#chunks;
    if (first!.length >= length) return first!;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #drop(length: number): void {
    const rest = this.#peek(length).subarray(length);
    this.#chunks.shift();
    if (rest.length > 0) this.#chunks.unshift(rest);
    this.#bytes -= length;
  }

  #rejectInput(): void {
    this.#isOpen = false;
    this.#chunks = [];
    this.#bytes = 0;
    this.#stream.removeAllListeners('data');
    this.#stream.resume();
    this.#events.onMalformed();
  }
}

/** The host's end. */
export function openChannel(stream: Duplex, events: ChannelEvents): FramedChannel {
  const channel = new FramedChannel(stream, randomBytes(TOKEN_BYTES), events);
  // Carries the token.
  channel.send(null);
  return channel;
}

/** The process's end. The process ends when the host has gone. */
export function connectToHost(onMessage: (message: unknown) => void): FramedChannel {
  const stream = new net.Socket({ fd: CHANNEL_FD, readable: true, writable: true });
  const exit = (): void => process.exit(0);
  return new FramedChannel(stream, null, {
    onMessage: (message) => {
      // The first message only carries the token.
      if (message !== null) onMessage(message);
    },
    onClose: exit,
    onMalformed: exit,
  });
}

/** How an RPC library sends to and receives from the host. */
export function hostTransport(): {
  readonly post: (message: unknown) => void;
  readonly on: (listener: (message: unknown) => void) => void;
} {
  let receive: (message: unknown) => void = () => undefined;
  const channel = connectToHost((message) => receive(message));
  return {
    post: (message) => channel.send(message),
    on: (listener) => {
      receive = listener;
    },
  };
}

import { PassThrough, Duplex } from 'node:stream';
import { randomBytes } from 'node:crypto';
import v8 from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramedChannel } from '../../src/process/message-channel';

const TOKEN = randomBytes(16);

/** Collects what a channel with this token receives. */
function receiver() {
  const input = new PassThrough();
  const stream = Duplex.from({ readable: input, writable: new PassThrough() });
  const messages: unknown[] = [];
  let malformed = 0;
  const channel = new FramedChannel(stream, TOKEN, {
    onMessage: (message) => messages.push(message),
    onClose: () => undefined,
    onMalformed: () => malformed++,
  });
  return {
    channel,
    messages,
    malformed: () => malformed,
    async write(...chunks: Uint8Array[]) {
      for (const chunk of chunks) {
        input.write(chunk);
        await new Promise((resolve) => void setImmediate(resolve));
      }
      await new Promise((resolve) => void setImmediate(resolve));
    },
  };
}

/** The bytes that a channel sends. */
async function frame(message: unknown, token = TOKEN): Promise<Buffer> {
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  output.on('data', (chunk: Buffer) => chunks.push(chunk));
  const channel = new FramedChannel(Duplex.from({ readable: new PassThrough(), writable: output }), token, {
    onMessage: () => undefined,
    onClose: () => undefined,
    onMalformed: () => undefined,
  });
  await new Promise((resolve) => channel.send(message, resolve));
  await new Promise((resolve) => void setImmediate(resolve));
  return Buffer.concat(chunks);
}

describe('a channel', () => {
  it('delivers messages in order, however the bytes are divided', async () => {
    const sent = [{ a: [1, 2] }, new Float64Array([1.5, NaN]), 'ü', undefined, { b: new Float32Array(1000).fill(3) }];
    const bytes = Buffer.concat(await Promise.all(sent.map((message) => frame(message))));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }), async (sizes) => {
        const { messages, malformed, write } = receiver();
        const chunks: Buffer[] = [];
        for (let from = 0, i = 0; from < bytes.length; i++) {
          const size = sizes[i % sizes.length]!;
          chunks.push(bytes.subarray(from, from + size));
          from += size;
          if (chunks.length > 50) {
            chunks.push(bytes.subarray(from));
            break;
          }
        }
        await write(...chunks);
        expect(messages).toEqual(sent);
        expect(malformed()).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['text', Buffer.alloc(64, 0x41)],
    ['a frame with another token', Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.alloc(24, 0x7a)])],
    ['a length beyond any message', Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), TOKEN])],
    ['a value that V8 cannot read', Buffer.concat([Buffer.from([0, 0, 0, 4]), TOKEN, Buffer.alloc(4, 0x7a)])],
    ["a frame in the format of Node's own channel", frameOfNode({ type: 'supervisor', reason: 'forged', fault: null })],
  ])('ends at %s, and receives nothing after that', async (_what, bytes) => {
    const { channel, messages, malformed, write } = receiver();
    await write(await frame('before'), bytes, await frame('after'));
    expect(messages).toEqual(['before']);
    expect(malformed()).toBe(1);
    expect(channel.isOpen).toBe(false);
  });

  it('receives no message with another token, however well it is formed', async () => {
    const { messages, malformed, write } = receiver();
    await write(await frame('forged', randomBytes(16)));
    expect(messages).toEqual([]);
    expect(malformed()).toBe(1);
  });

  it('never throws for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const { messages, write } = receiver();
        await write(bytes);
        expect(messages).toEqual([]);
      }),
    );
  });

  it('takes the token from its first message at the end that has none', async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const chunks: Buffer[] = [];
    output.on('data', (chunk: Buffer) => chunks.push(chunk));
    const messages: unknown[] = [];
    const channel = new FramedChannel(Duplex.from({ readable: input, writable: output }), null, {
      onMessage: (message) => messages.push(message),
      onClose: () => undefined,
      onMalformed: () => undefined,
    });
    input.write(await frame(null));
    await new Promise((resolve) => void setImmediate(resolve));
    expect(messages).toEqual([null]);
    await new Promise((resolve) => channel.send('answer', resolve));
    await new Promise((resolve) => void setImmediate(resolve));
    expect(Buffer.concat(chunks)).toEqual(await frame('answer'));
  });
});

function frameOfNode(message: unknown): Buffer {
  const payload = v8.serialize(message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

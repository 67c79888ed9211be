// A stream of messages that was damaged: what arrives is a part of what was sent, in order, and then the channel ends
// or waits; nothing throws.
import { Duplex, PassThrough } from 'node:stream';
import v8 from 'node:v8';
import { Random } from '../../src/engine/random';
import { FramedChannel } from '../../src/process/message-channel';

const TOKEN_BYTES = 16;

function frameOf(message: unknown, token: Buffer): Buffer {
  const payload = v8.serialize(message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, token, payload]);
}

/** @returns what is wrong with stream `index`; null if nothing */
export async function checkFrames(seed: number, index: number): Promise<string | null> {
  const random = new Random(seed, `frames ${index}`);
  const token = Buffer.from(Array.from({ length: TOKEN_BYTES }, () => random.integerBelow(256)));
  const sent = Array.from({ length: 1 + random.integerBelow(5) }, (_, i) => ({
    i,
    values: Float64Array.from({ length: random.integerBelow(50) }, () => random.normal()),
  }));
  const frames = sent.map((message) => frameOf(message, token));
  const starts = frames.map((_, i) => frames.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  let bytes = Buffer.concat(frames);
  const at = random.integerBelow(bytes.length);
  const count = 1 + random.integerBelow(40);
  const garbage = Buffer.from(Array.from({ length: count }, () => random.integerBelow(256)));
  switch (random.integerBelow(3)) {
    case 0:
      bytes = Buffer.concat([bytes.subarray(0, at), garbage, bytes.subarray(at)]);
      break;
    case 1:
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);
      break;
    default:
      garbage.copy(bytes, at);
  }
  const input = new PassThrough();
  const received: { readonly i: number }[] = [];
  let malformed = 0;
  const channel = new FramedChannel(Duplex.from({ readable: input, writable: new PassThrough() }), token, {
    onMessage: (message) => received.push(message as { readonly i: number }),
    onClose: () => undefined,
    onMalformed: () => malformed++,
  });
  for (let from = 0; from < bytes.length;) {
    const size = 1 + random.integerBelow(400);
    input.write(bytes.subarray(from, from + size));
    from += size;
    if (random.integerBelow(3) === 0) await new Promise((resolve) => void setImmediate(resolve));
  }
  await new Promise((resolve) => void setImmediate(resolve));
  await new Promise((resolve) => void setImmediate(resolve));
  // Frames that end before the damage are whole.
  const whole = starts.filter((start, i) => start + frames[i]!.length <= at).length;
  if (received.length < whole) return `only ${received.length} of ${whole} whole messages arrived`;
  for (let i = 0; i < whole; i++) if (received[i]!.i !== i) return `message ${i} arrived as another`;
  if (malformed > 1) return `the channel ended ${malformed} times`;
  if (malformed === 1 && channel.isOpen) return 'the channel is open after it ended';
  return null;
}

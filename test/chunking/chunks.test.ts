// Chunks of messages: each is small, and together they restore any message.
import { serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitMessage, createAssembler, type Chunk } from '../../src/chunking/chunks';
import { messageSize } from '../../src/chunking/message-size';
import { packNumbers, unpackNumbers } from '../../src/protocol/json-numbers';

const number = fc.oneof(fc.integer(), fc.double({ noNaN: false }));
const leaf = fc.oneof(
  number,
  fc.string({ maxLength: 2000, unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.double(), { maxLength: 400 }).map((values) => Float64Array.from(values)),
  fc.array(fc.nat(255), { maxLength: 3000 }).map((values) => Uint8Array.from(values)),
);
const { message } = fc.letrec((tie) => ({
  message: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    leaf,
    fc.array(tie('message'), { maxLength: 12 }),
    fc.dictionary(
      fc.string({ maxLength: 12 }).filter((key) => key !== '__proto__'),
      tie('message'),
      { maxKeys: 12, noNullPrototype: true },
    ),
  ),
}));

function joined(parts: readonly unknown[]): unknown[] {
  const whole: unknown[] = [];
  const take = createAssembler((each: unknown) => void whole.push(each));
  // As the panel receives them.
  for (const part of parts) void take(unpackNumbers(structuredClone(packNumbers(part))));
  return whole;
}

describe('messageSize', () => {
  it('is at least the bytes of a structured clone', () => {
    fc.assert(
      fc.property(message, (sent) => {
        // The header of the serialization is not part of the value.
        expect(messageSize(sent)).toBeGreaterThanOrEqual(serialize(sent).length - serialize(null).length);
      }),
    );
    const wide = `${'x'.repeat(90_000)}∇`;
    expect(messageSize(wide)).toBeGreaterThanOrEqual(serialize(wide).length);
  });

  it('is at least the bytes of JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.string({ unit: 'binary' }), (value, text) => {
        for (const each of [value, text, '\ud83d'.repeat(100)])
          expect(messageSize(each)).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(each)));
      }),
    );
  });
});

describe('splitMessage and createAssembler', () => {
  it('reassembles the message, with every chunk below the limit', () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1500, max: 6000 }), (sent, most) => {
        const parts = splitMessage(sent, most);
        for (const part of parts) expect(messageSize(part)).toBeLessThanOrEqual(most);
        expect(joined(parts)).toEqual([sent]);
      }),
      { numRuns: 300 },
    );
  });

  it('omits undefined values, also through JSON', () => {
    const large = { text: 'x'.repeat(3000), none: undefined, numbers: [1, 2] };
    const whole: unknown[] = [];
    const take = createAssembler((each: unknown) => void whole.push(each));
    for (const part of splitMessage(large, 2000)) void take(JSON.parse(JSON.stringify(part)) as Chunk);
    expect(whole).toEqual([JSON.parse(JSON.stringify(large))]);
  });

  it('sends a small message as it is', () => {
    const small = { layers: [1, 2] };
    expect(splitMessage(small)).toEqual([small]);
  });

  it('skips the rest of a message that began earlier, and drops one that was cut short', () => {
    const large = (of: number): object => ({ values: new Float64Array(1000).fill(of), text: 'x'.repeat(3000) });
    const [one, two] = [splitMessage(large(1), 2000), splitMessage(large(2), 2000)];
    expect(one.length).toBeGreaterThan(4);
    expect(joined([...one.slice(1), ...two])).toEqual([large(2)]);
    expect(joined([...one.slice(0, 3), ...two])).toEqual([large(2)]);
    expect(joined([...one.slice(0, 3), { type: 'notice' }, ...(one.slice(3) as Chunk[])])).toEqual([
      { type: 'notice' },
      large(1),
    ]);
  });
});

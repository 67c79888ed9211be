// Messages in parts: each is small, and together they are the message again, whatever it is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, joining, type Part } from '../../src/parts/parts';
import { sizeOf } from '../../src/parts/size';
import { pack, unpack } from '../../src/protocol/channel';

const number = fc.oneof(fc.integer(), fc.double({ noNaN: false }));
const leaf = fc.oneof(
  number, fc.string({ maxLength: 2000, unit: 'binary' }), fc.boolean(), fc.constant(null),
  fc.array(fc.double(), { maxLength: 400 }).map((values) => Float64Array.from(values)),
  fc.array(fc.nat(255), { maxLength: 3000 }).map((values) => Uint8Array.from(values)),
);
const { message } = fc.letrec((tie) => ({
  message: fc.oneof({ depthSize: 'medium', withCrossShrink: true }, leaf, fc.array(tie('message'), { maxLength: 12 }), fc.dictionary(fc.string({ maxLength: 12 }).filter((key) => key !== '__proto__'), tie('message'), { maxKeys: 12, noNullPrototype: true })),
}));

function joined(parts: readonly unknown[]): unknown[] {
  const whole: unknown[] = [];
  const take = joining((each: unknown) => void whole.push(each));
  // As the panel gets them.
  for (const part of parts) void take(unpack(structuredClone(pack(part))));
  return whole;
}

describe('a message in parts', () => {
  it('arrives as it was, each part below the limit', () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1500, max: 6000 }), (sent, most) => {
        const parts = cut(sent, most);
        for (const part of parts) expect(sizeOf(part)).toBeLessThanOrEqual(most);
        expect(joined(parts)).toEqual([sent]);
      }),
      { numRuns: 300 },
    );
  });

  it('has nothing where there was nothing, also by way of JSON', () => {
    const large = { text: 'x'.repeat(3000), none: undefined, numbers: [1, 2] };
    const whole: unknown[] = [];
    const take = joining((each: unknown) => void whole.push(each));
    for (const part of cut(large, 2000)) void take(JSON.parse(JSON.stringify(part)) as Part);
    expect(whole).toEqual([JSON.parse(JSON.stringify(large))]);
  });

  it('is one where it is small', () => {
    const small = { layers: [1, 2] };
    expect(cut(small)).toEqual([small]);
  });

  it('is left aside by who came in the middle of it, and whoever it was cut short for hears the next', () => {
    const large = (of: number): object => ({ values: new Float64Array(1000).fill(of), text: 'x'.repeat(3000) });
    const [one, two] = [cut(large(1), 2000), cut(large(2), 2000)];
    expect(one.length).toBeGreaterThan(4);
    expect(joined([...one.slice(1), ...two])).toEqual([large(2)]);
    expect(joined([...one.slice(0, 3), ...two])).toEqual([large(2)]);
    expect(joined([...one.slice(0, 3), { type: 'notice' }, ...(one.slice(3) as Part[])])).toEqual([{ type: 'notice' }, large(1)]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packNumbers, unpackNumbers } from '../../src/protocol/json-numbers';

/** What VS Code does to a message: JSON with separate typed arrays. */
function travel(message: unknown): unknown {
  const buffers: unknown[] = [];
  const text = JSON.stringify(message, (_, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    buffers.push(value);
    return { $buffer: buffers.length - 1 };
  });
  return JSON.parse(text, (_, value: unknown) => {
    const reference = value as { $buffer?: number } | null;
    return typeof reference === 'object' && reference?.$buffer !== undefined ? buffers[reference.$buffer] : value;
  }) as unknown;
}

const arrive = (message: unknown): unknown => unpackNumbers(travel(packNumbers(message)));

describe('the channel between host and panel', () => {
  it('preserves every number', () => {
    const message = {
      loss: NaN,
      list: [Infinity, -Infinity, -0, 0, 1.5, 5e-324],
      deep: { nothing: null, low: -Infinity },
    };
    expect(arrive(message)).toEqual(message);
    expect(Object.is((arrive({ zero: -0 }) as { zero: number }).zero, -0)).toBe(true);
  });

  it('leaves typed arrays unchanged', () => {
    const cells = Float64Array.of(NaN, -0, 1);
    expect((arrive({ cells }) as { cells: unknown }).cells).toBe(cells);
  });

  it('copies nothing without special numbers', () => {
    const message = { a: [1, { b: 'text' }], c: null };
    expect(packNumbers(message)).toBe(message);
    expect(unpackNumbers(message)).toBe(message);
  });

  it('preserves any message', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.double(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('any')),
        fc.dictionary(
          fc.string().filter((key) => !key.startsWith('$') && key !== '__proto__'),
          tie('any'),
          { noNullPrototype: true },
        ),
      ),
    })).any;
    fc.assert(
      fc.property(value, (message) => {
        expect(arrive(message)).toEqual(message);
      }),
    );
  });
});

// Counts hits as a sorted list of all their positions does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HitPositions } from '../../src/session/hit-positions';

const operations = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ add: fc.nat(60) }) },
    // A run that goes on with a hit in each step.
    { weight: 2, arbitrary: fc.record({ from: fc.nat(40), stride: fc.integer({ min: 1, max: 5 }), count: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.record({ truncate: fc.nat(60) }) },
  ),
  { maxLength: 40 },
);

describe('the positions of hits', () => {
  it('are counted once, in order, as in a list', () => {
    fc.assert(
      fc.property(operations, (all) => {
        const positions = new HitPositions();
        let list: number[] = [];
        const add = (position: number): void => {
          list = [...new Set([...list, position])].sort((a, b) => a - b);
          expect(positions.add(position)).toBe(list.indexOf(position) + 1);
        };
        for (const operation of all) {
          if ('add' in operation) add(operation.add);
          else if ('from' in operation)
            for (let i = 0; i < operation.count; i++) add(operation.from + i * operation.stride);
          else {
            positions.truncate(operation.truncate);
            list = list.filter((position) => position <= operation.truncate);
          }
          for (let position = 0; position <= 80; position++)
            expect(positions.indexOf(position)).toBe(list.includes(position) ? list.indexOf(position) + 1 : null);
        }
      }),
    );
  });

  it('are counted beyond a million, with one hit in each step', () => {
    const positions = new HitPositions();
    for (let step = 0; step < 3e6; step++) positions.add(9 * step + 4);
    expect(positions.add(9 * 3e6 + 4)).toBe(3e6 + 1);
    expect(positions.indexOf(9 * 7 + 4)).toBe(8);
  });

  it('are counted where the earliest are forgotten', () => {
    const positions = new HitPositions(10);
    const squares = Array.from({ length: 1000 }, (_, i) => i * i);
    expect(squares.map((position) => positions.add(position))).toEqual(squares.map((_, i) => i + 1));
    // Neither counted again, nor known.
    expect(positions.add(4)).toBeNull();
    expect(positions.add(998_001)).toBe(1000);
    expect(positions.add(1_000_000)).toBe(1001);
  });
});

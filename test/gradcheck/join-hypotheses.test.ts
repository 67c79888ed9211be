// Mistakes of joins are tried on layers with several inputs only.
import { describe, expect, it } from 'vitest';
import { joinHypotheses } from '../../src/gradcheck/diagnosis/hypotheses/joins';

describe('the output gradient at the place of another input', () => {
  const upstream = Float64Array.of(1, 2, 3, 4, 5, 6);
  const tried = (parameters: ReadonlyMap<string, Float64Array>) =>
    [
      ...joinHypotheses({
        subject: 'input',
        numeric: new Float64Array(4),
        layer: { upstream, samples: 2, parameters },
      } as never),
    ].map((each) => [...each!.values]);

  it('is tried where a layer has several inputs', () => {
    expect(tried(new Map([['inputs[1]', new Float64Array(2)]]))).toEqual([
      [1, 2, 4, 5],
      [2, 3, 5, 6],
    ]);
    expect(tried(new Map([['weight', new Float64Array(2)]]))).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { erfc } from '../../../src/engine/kernels/erfc';
import '../../support/allclose';

describe('erfc', () => {
  // erfc of the C library, as printed by Python.
  const KNOWN: readonly [number, number][] = [
    [-6, 2.0],
    [-3, 1.9999779095030015],
    [-1.75, 1.9866716712191825],
    [-1, 1.842700792949715],
    [-0.1, 1.1124629160182848],
    [1e-8, 0.9999999887162083],
    [0.25, 0.7236736098317631],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [1.5, 0.033894853524689274],
    [1.7, 0.016209541409225436],
    [1.74, 0.013865405003367061],
    [1.76, 0.012809724768869872],
    [1.8, 0.010909498364269285],
    [2, 0.004677734981047265],
    [2.5, 0.0004069520174449589],
    [3, 2.2090496998585438e-5],
    [4, 1.541725790028002e-8],
    [6, 2.1519736712498916e-17],
    [10, 2.088487583762545e-45],
    [20, 5.3958656116079005e-176],
    [26, 5.663192408856143e-296],
  ];

  it.each(KNOWN)('of %d is %d', (x, expected) => {
    expect(erfc(x)).toBeAllclose(expected, { rtol: 2e-14 });
  });

  it('is 1 at 0, and reaches 0 and 2 at the ends', () => {
    expect([erfc(0), erfc(Infinity), erfc(-Infinity), erfc(40), erfc(NaN)]).toEqual([1, 0, 2, 0, NaN]);
  });

  it('is continuous where the series gives way to the continued fraction', () => {
    expect(erfc(1.5 - 1e-12)).toBeAllclose(erfc(1.5 + 1e-12), { rtol: 2e-11 });
  });
});

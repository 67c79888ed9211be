// Piecewise functions: their derivatives jump, and the tape records the side of each element.
import { binary, unary } from '../operation';

/** NaN stays NaN. */
export const relu = unary(
  'relu',
  (x) => (x < 0 ? 0 : x),
  (x) => (x > 0 ? 1 : 0),
  Math.sign,
);

export const abs = unary('abs', (x) => Math.abs(x), Math.sign, Math.sign);

const winnerFraction = (own: number, other: number): number => (own > other ? 1 : own === other ? 0.5 : 0);

export const maximum = binary(
  'maximum',
  (a, b) => Math.max(a, b),
  [(a, b) => winnerFraction(a, b), (a, b) => winnerFraction(b, a)],
  (a, b) => Math.sign(a - b),
);

export const minimum = binary(
  'minimum',
  (a, b) => Math.min(a, b),
  [(a, b) => winnerFraction(b, a), (a, b) => winnerFraction(a, b)],
  (a, b) => Math.sign(a - b),
);

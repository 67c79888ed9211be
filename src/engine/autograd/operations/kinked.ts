// Functions in pieces: their slopes jump, and the tape notes on which side each element lies.
import { binary, unary } from '../operation';

/** NaN stays NaN. */
export const relu = unary('relu', (x) => (x < 0 ? 0 : x), (x) => (x > 0 ? 1 : 0), Math.sign);

export const abs = unary('abs', Math.abs, Math.sign, Math.sign);

const share = (own: number, other: number): number => (own > other ? 1 : own === other ? 0.5 : 0);

export const maximum = binary('maximum', Math.max, [(a, b) => share(a, b), (a, b) => share(b, a)], (a, b) => Math.sign(a - b));

export const minimum = binary('minimum', Math.min, [(a, b) => share(b, a), (a, b) => share(a, b)], (a, b) => Math.sign(a - b));

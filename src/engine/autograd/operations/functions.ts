// Smooth functions of one number.
import { unary } from '../operation';

export const exp = unary('exp', Math.exp, (_x, y) => y);

export const log = unary('log', Math.log, (x) => 1 / x);

export const sqrt = unary('sqrt', Math.sqrt, (_x, y) => 0.5 / y);

export const tanh = unary('tanh', Math.tanh, (_x, y) => 1 - y * y);

export const sigmoid = unary('sigmoid', (x) => 1 / (1 + Math.exp(-x)), (_x, y) => y * (1 - y));

// Smooth functions of one number. They look `Math` up in each call, because the gradient check observes it.
import { unary } from '../operation';

export const exp = unary(
  'exp',
  (x) => Math.exp(x),
  (_x, y) => y,
);

export const log = unary(
  'log',
  (x) => Math.log(x),
  (x) => 1 / x,
);

export const sqrt = unary(
  'sqrt',
  (x) => Math.sqrt(x),
  (_x, y) => 0.5 / y,
);

export const tanh = unary(
  'tanh',
  (x) => Math.tanh(x),
  (_x, y) => 1 - y * y,
);

export const sigmoid = unary(
  'sigmoid',
  (x) => 1 / (1 + Math.exp(-x)),
  (_x, y) => y * (1 - y),
);

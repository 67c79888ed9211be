// Sums, products, powers.
import { binary, unary } from '../operation';

export const add = binary('add', (a, b) => a + b, [() => 1, () => 1]);

export const subtract = binary('subtract', (a, b) => a - b, [() => 1, () => -1]);

export const multiply = binary('multiply', (a, b) => a * b, [(_a, b) => b, (a) => a]);

export const divide = binary('divide', (a, b) => a / b, [(_a, b) => 1 / b, (_a, b, y) => -y / b]);

/** d/da = b a^(b-1), 0 where b is 0; d/db = y log a, 0 where a is 0 and b is not negative, as in PyTorch. */
export const pow = binary('pow', (a, b) => a ** b, [
  (a, b) => (b === 0 ? 0 : b * a ** (b - 1)),
  (a, b, y) => (a === 0 && b >= 0 ? 0 : y * Math.log(a)),
]);

export const negate = unary(
  'negate',
  (x) => -x,
  () => -1,
);

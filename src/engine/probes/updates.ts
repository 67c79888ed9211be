// How far an update moved a parameter, relative to its size. Healthy training shows about 1e-3
// (source: CS231n, "Neural networks part 3", ratio of weights to updates).
import type { Kernels } from '../kernels/kernels';
import type { Parameter } from '../network';

/** Keeps the value before an update. */
export function beforeUpdate(kernels: Kernels, { value, previous }: Parameter): void {
  kernels.copy(previous, value);
}

/** ‖update‖ / ‖value before‖ after it; null for 0/0. Overwrites what `beforeUpdate` kept. */
export function measureUpdate(kernels: Kernels, { value, previous }: Parameter): number | null {
  const before = Math.sqrt(kernels.moments(previous).sumOfSquares);
  kernels.subtract(previous, value, previous);
  const moved = Math.sqrt(kernels.moments(previous).sumOfSquares);
  if (before === 0 && moved === 0) return null;
  return moved / before;
}

// The size of an update relative to its parameter. Healthy training has about 1e-3
// (source: CS231n, "Neural networks part 3", ratio of weights to updates).
import type { Kernels } from '../kernels/kernels';
import type { Parameter } from '../network-model';

/** Saves the value before an update. */
export function savePreviousValue(kernels: Kernels, { value, previous }: Parameter): void {
  kernels.copy(previous, value);
}

/** ‖update‖ / ‖previous value‖; null for 0/0. Overwrites the saved value. */
export function measureUpdateRatio(kernels: Kernels, { value, previous }: Parameter): number | null {
  const previousNorm = Math.sqrt(kernels.moments(previous).sumOfSquares);
  kernels.subtract(previous, value, previous);
  const updateNorm = Math.sqrt(kernels.moments(previous).sumOfSquares);
  if (previousNorm === 0 && updateNorm === 0) return null;
  return updateNorm / previousNorm;
}

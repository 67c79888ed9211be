// The size of an update relative to its parameter. Healthy training has about 1e-3
// (source: CS231n, "Neural networks part 3", ratio of weights to updates).
import type { Kernels } from '../kernels/kernels';
import type { Parameter } from '../network-model';

/** Saves the value before an update. */
export function savePreviousValue(kernels: Kernels, { value, previous }: Parameter): void {
  kernels.copy(previous, value);
}

/** Replaces the saved value by the update. */
export function savedToUpdate(kernels: Kernels, { value, previous }: Parameter): void {
  kernels.subtract(previous, value, previous);
}

/** ‖update‖ / ‖previous value‖; null for 0/0. Overwrites the saved value. */
export function measureUpdateRatio(kernels: Kernels, parameter: Parameter): number | null {
  const { previous } = parameter;
  const previousNorm = Math.sqrt(kernels.moments(previous).sumOfSquares);
  savedToUpdate(kernels, parameter);
  const updateNorm = Math.sqrt(kernels.moments(previous).sumOfSquares);
  if (previousNorm === 0 && updateNorm === 0) return null;
  return updateNorm / previousNorm;
}

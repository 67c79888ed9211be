// The penalty's own gradient, and what a layer may have done with it.
import type { NetworkModel, Parameter } from '../../engine/network';
import { isPenalized } from '../../engine/penalty';
import { type Guess, zip } from './guess';
import type { Trial } from './trial';

/** l1 sign(w) + l2 w; null for a parameter without a penalty. */
export function penaltyOf({ penalty }: NetworkModel, parameter: Parameter): Float64Array | null {
  if (!penalty || !isPenalized(penalty, parameter)) return null;
  return Float64Array.from(parameter.value.data, (w) => penalty.l1 * Math.sign(w) + penalty.l2 * w);
}

export function* penalties({ numeric, penalty }: Trial): Iterable<Guess> {
  if (!penalty) return;
  yield { cause: 'penalty_missing', words: 'lacks the gradient of the penalty, which is part of the loss', values: zip(numeric, penalty, (n, p) => n - p) };
  yield { cause: 'penalty_twice', words: 'has the gradient of the penalty in it twice', values: zip(numeric, penalty, (n, p) => n + p) };
}

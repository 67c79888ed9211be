// Backward called again with the same arguments must give the same: whether it does, and what it gives if not.
import { EXPLAINED, fit } from './fit';
import type { Cause } from './guess';
import { zip } from './guess';
import { largest, type Trial } from './trial';

/** Share of the largest number by which two calls may differ. */
const SAME = 1e-9;

export function repeats({ analytic, numeric, layer }: Trial): { readonly cause: Cause; readonly words: string } | null {
  if (!layer) return null;
  const [once, twice] = layer.repeated();
  const same = (a: Float64Array, b: Float64Array): boolean => a.every((value, i) => Math.abs(value - b[i]) <= SAME * largest(numeric));
  if (same(once, analytic) && same(twice, once)) return null;
  const grown = zip(twice, once, (b, a) => b - a);
  const isRight = (values: Float64Array): boolean => {
    const { residual } = fit(values, grown.map(() => 0), numeric, null, 1);
    return residual < EXPLAINED;
  };
  if (isRight(grown)) return { cause: 'accumulated', words: 'grows with every call: gradients of earlier steps are still in it, as where they are not set to zero' };
  if (isRight(twice)) return { cause: 'from_earlier_call', words: 'depends on the call before: numbers of an earlier step are kept' };
  return { cause: 'not_repeatable', words: 'is another one each time, though nothing has changed: its backward draws something anew that forward had drawn, or keeps something' };
}

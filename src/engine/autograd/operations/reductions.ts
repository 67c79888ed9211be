// Sums and means over axes.
import type { Tensor } from '../../kernels/tensor';
import { axisOf } from '../axes';
import { gatherBack, placesIn } from '../broadcast';
import { tensor, type Operation } from '../operation';

type Axes = number | readonly number[];
type Reduction = Operation<[x: Tensor, axes?: Axes, keep?: boolean]>;

/** @param weight what each entry counts, from how many are put together. */
const reduction = (name: string, weight: (entries: number) => number): Reduction => (tape, value, axes, keep = false) => {
  const x = tensor(name, value);
  const all = axes === undefined ? x.shape.map((_, axis) => axis) : typeof axes === 'number' ? [axes] : axes;
  const reduced = new Set(all.map((axis) => axisOf(name, x.shape, axis)));
  const kept = x.shape.map((size, axis) => (reduced.has(axis) ? 1 : size));
  const places = placesIn(kept, x.shape);
  const shape = keep ? kept : x.shape.filter((_, axis) => !reduced.has(axis));
  const y = gatherBack(x.data, places, tape.room(kept.reduce((product, n) => product * n, 1)));
  const scale = weight(x.data.length / y.length);
  for (let i = 0; i < y.length; i++) y[i] *= scale;
  return tape.note([x], shape, y, (dy) => {
    const dx = tape.room(x.data.length);
    for (let i = 0; i < dx.length; i++) dx[i] = scale * dy[places ? places[i] : i];
    return [dx];
  });
};

export const sum = reduction('sum', () => 1);

export const mean = reduction('mean', (entries) => 1 / entries);

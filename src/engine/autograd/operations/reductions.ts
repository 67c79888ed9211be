// Sums and means over axes.
import type { Tensor } from '../../kernels/tensor';
import { normalizeAxis } from '../axes';
import { scatterAdd, broadcastIndices } from '../broadcast';
import { requireTensor, type Operation } from '../operation';

type Axes = number | readonly number[];
type Reduction = Operation<[x: Tensor, axes?: Axes, keep?: boolean]>;

/** @param weight the factor of each entry, from the number of reduced entries */
const reduction =
  (name: string, weight: (entries: number) => number): Reduction =>
  (tape, value, axes, keep = false) => {
    const x = requireTensor(name, value);
    const all = axes === undefined ? x.shape.map((_, axis) => axis) : typeof axes === 'number' ? [axes] : axes;
    const reduced = new Set(all.map((axis) => normalizeAxis(name, x.shape, axis)));
    const kept = x.shape.map((size, axis) => (reduced.has(axis) ? 1 : size));
    const places = broadcastIndices(kept, x.shape);
    const shape = keep ? kept : x.shape.filter((_, axis) => !reduced.has(axis));
    const y = scatterAdd(x.data, places, tape.allocate(kept.reduce((product, n) => product * n, 1)));
    const scale = weight(x.data.length / y.length);
    for (let i = 0; i < y.length; i++) y[i]! *= scale;
    return tape.record([x], shape, y, (dy) => {
      const dx = tape.allocate(x.data.length);
      for (let i = 0; i < dx.length; i++) dx[i] = scale * dy[places ? places[i]! : i]!;
      return [dx];
    });
  };

export const sum = reduction('sum', () => 1);

export const mean = reduction('mean', (entries) => 1 / entries);

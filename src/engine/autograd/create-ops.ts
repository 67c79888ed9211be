// The operations that a custom layer gets, bound to the current tape.
import { pluralize } from '../format-count';
import type { Ops } from '../custom/contract';
import { formatShape, numel } from '../kernels/tensor';
import { normalizeAxis } from './axes';
import { operations, type OperationName } from './operations';
import { OperationError, type Tape } from './tape';

/** @param tapeHolder its tape may be replaced */
export function createOps(tapeHolder: { readonly tape: Tape }): Ops {
  const bound = Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      (...operands: unknown[]) => {
        tapeHolder.tape.operation = name;
        return (operation as (...all: unknown[]) => unknown)(tapeHolder.tape, ...operands);
      },
    ]),
  ) as unknown as Pick<Ops, OperationName>;
  return {
    ...bound,
    tensor(shape, values = 0) {
      const data = tapeHolder.tape.allocate(numel(shape));
      if (typeof values === 'number') data.fill(values);
      else if (values.length === data.length) data.set(values);
      else
        throw new OperationError(
          `tensor: ${pluralize(values.length, 'number')} ${values.length === 1 ? 'does' : 'do'} not fill the shape ${formatShape(shape)}.`,
        );
      return { shape, data };
    },
    split(x, parts, axis = -1) {
      const at = normalizeAxis('split', x.shape, axis);
      const size = x.shape[at]!;
      const sizes = typeof parts === 'number' ? Array.from({ length: parts }, () => size / parts) : parts;
      if (!sizes.every((n) => Number.isInteger(n) && n >= 0) || sizes.reduce((sum, n) => sum + n, 0) !== size)
        throw new OperationError(
          `split: axis ${at} of size ${size} cannot be split into ${typeof parts === 'number' ? `${parts} equal parts` : parts.join(' + ')}.`,
        );
      let from = 0;
      return sizes.map((n) => bound.slice(x, at, from, (from += n)));
    },
    detach: ({ shape, data }) => ({ shape, data }),
  };
}

// The operations as a layer's code is given them: on whatever tape is current.
import { counted } from '../counted';
import type { Ops } from '../custom/contract';
import { formatShape, sizeOf } from '../kernels/tensor';
import { operations, type OperationName } from './operations';
import { OperationError, type Tape } from './tape';

/** @param current whose tape may be replaced. */
export function opsOn(current: { readonly tape: Tape }): Ops {
  const bound = Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name, (...all: unknown[]) => (operation as (...all: unknown[]) => unknown)(current.tape, ...all),
    ]),
  ) as unknown as Pick<Ops, OperationName>;
  return {
    ...bound,
    tensor(shape, values = 0) {
      const data = current.tape.room(sizeOf(shape));
      if (typeof values === 'number') data.fill(values);
      else if (values.length === data.length) data.set(values);
      else throw new OperationError(`tensor: ${counted(values.length, 'number')} ${values.length === 1 ? 'does' : 'do'} not fill the shape ${formatShape(shape)}.`);
      return { shape, data };
    },
    detach: ({ shape, data }) => ({ shape, data }),
  };
}

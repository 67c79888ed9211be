// Faults that are possible in any gradient.
import type { Tensor } from '../../../src/engine/kernels/tensor';
import type { Random } from '../../../src/engine/random';
import { afterBackward, afterLossGradient, type Cause, type Fault, rowsOf, type Site, type Values } from './fault';

type Modification = (gradient: Tensor, batch: number) => void;

/** The same for a layer and for a loss. */
const genericFault = (
  kind: string,
  causes: readonly Cause[],
  make: (site: Site, random: Random) => Modification,
  fits: Fault['fits'] = () => true,
): Fault => ({
  kind,
  causes,
  fits,
  layer: (inner, site, random) => {
    const change = make(site, random);
    return afterBackward(inner, site.tensor, (gradient, { input }) => change(gradient, input.shape[0]));
  },
  loss: (inner, site, random) => {
    const change = make(site, random);
    return afterLossGradient(inner, (gradient) => change(gradient, gradient.shape[0]));
  },
});

/** Computes each number from the previous one. */
const mapElements =
  (by: (value: number, i: number, batch: number) => number): Modification =>
  ({ data }, batch) => {
    for (let i = 0; i < data.length; i++) data[i] = by(data[i], i, batch);
  };

/** Takes each number from another position; positions outside are 0. */
const rearrange =
  (place: (row: number, column: number, rows: number, columns: number) => readonly [number, number]): Modification =>
  (gradient) => {
    const { rows, columns } = rowsOf(gradient);
    const before = gradient.data.slice();
    for (let i = 0; i < before.length; i++) {
      const [row, column] = place(Math.floor(i / columns), i % columns, rows, columns);
      gradient.data[i] = row < 0 || row >= rows || column < 0 || column >= columns ? 0 : before[row * columns + column];
    }
  };

const isMatrix = ({ tensor, inputs, outputs, batch }: Site): boolean =>
  tensor === 'weight'
    ? inputs > 1 && outputs > 1
    : tensor === 'bias'
      ? false
      : batch > 1 && (tensor === 'input' ? inputs : outputs) > 1;

const sizeOf = ({ tensor, inputs, outputs, batch }: Site): number =>
  tensor === 'weight'
    ? inputs * outputs
    : tensor === 'bias'
      ? outputs
      : batch * (tensor === 'input' ? inputs : outputs);

/** A random position, as a share of the range, that does not depend on its length. */
const randomPosition = (random: Random): ((n: number) => number) => {
  const share = random.uniform();
  return (n) => Math.floor(share * n);
};

/** A random order of rows or columns. */
function randomOrder(random: Random): (n: number) => Uint32Array {
  const seed = random.integerBelow(1 << 30);
  const orders = new Map<number, Uint32Array>();
  return (n) => {
    const order = orders.get(n) ?? random.stream(`order ${seed} ${n}`).permutation(n);
    orders.set(n, order);
    return order;
  };
}

const maxAbs = (data: Values): number => Math.max(0, ...Array.from(data, Math.abs));

const PERMUTATION_CAUSES = ['permuted', 'reversed', 'shifted', 'transposed'] as const satisfies readonly Cause[];

export const GENERIC_FAULTS: readonly Fault[] = [
  genericFault('sign flipped', ['sign'], () => mapElements((value) => -value)),
  genericFault('twice', ['factor'], () => mapElements((value) => 2 * value)),
  genericFault('half', ['factor'], () => mapElements((value) => value / 2)),
  genericFault('any factor', ['factor'], (_, random) => {
    const factor = random.integerBelow(2) === 0 ? random.uniform(0.1, 0.9) : random.uniform(1.1, 9);
    return mapElements((value) => factor * value);
  }),
  genericFault(
    'times the batch',
    ['factor'],
    () => mapElements((value, _, batch) => value * batch),
    ({ batch }) => batch > 1,
  ),
  genericFault(
    'divided by the batch',
    ['factor'],
    () => mapElements((value, _, batch) => value / batch),
    ({ batch }) => batch > 1,
  ),
  genericFault(
    'times its outputs',
    ['factor'],
    ({ outputs }) => mapElements((value) => value * outputs),
    ({ outputs }) => outputs > 1,
  ),
  genericFault(
    'divided by its outputs',
    ['factor'],
    ({ outputs }) => mapElements((value) => value / outputs),
    ({ outputs }) => outputs > 1,
  ),
  genericFault(
    'divided by its inputs',
    ['factor'],
    ({ inputs }) => mapElements((value) => value / inputs),
    ({ inputs }) => inputs > 1,
  ),
  genericFault('never written', ['missing'], () => mapElements(() => 0)),
  genericFault('not a number', ['not_finite'], (_, random) => {
    const where = randomPosition(random);
    return ({ data }) => (data[where(data.length)] = NaN);
  }),
  genericFault(
    'rows in another order',
    PERMUTATION_CAUSES,
    (_, random) => {
      const order = randomOrder(random);
      return rearrange((row, column, rows) => [order(rows)[row], column]);
    },
    isMatrix,
  ),
  genericFault(
    'columns in another order',
    PERMUTATION_CAUSES,
    (_, random) => {
      const order = randomOrder(random);
      return rearrange((row, column, _rows, columns) => [row, order(columns)[column]]);
    },
    (site) => sizeOf(site) > 1,
  ),
  genericFault(
    'one row off',
    PERMUTATION_CAUSES,
    (_, random) => {
      const by = random.integerBelow(2) === 0 ? 1 : -1;
      const turns = random.integerBelow(2) === 0;
      return rearrange((row, column, rows) => [turns ? (row + by + rows) % rows : row + by, column]);
    },
    isMatrix,
  ),
  genericFault(
    'one column off',
    PERMUTATION_CAUSES,
    (_, random) => {
      const by = random.integerBelow(2) === 0 ? 1 : -1;
      const turns = random.integerBelow(2) === 0;
      return rearrange((row, column, _rows, columns) => [row, turns ? (column + by + columns) % columns : column + by]);
    },
    (site) => sizeOf(site) > 1,
  ),
  genericFault(
    'backwards',
    PERMUTATION_CAUSES,
    () =>
      ({ data }) =>
        void data.reverse(),
    (site) => sizeOf(site) > 1,
  ),
  genericFault(
    'one entry wrong',
    ['single_entries'],
    (_, random) => {
      const where = randomPosition(random);
      const [times, plus] = [random.uniform(-2, 0.5), random.integerBelow(2) * random.uniform(0.01, 0.1)];
      return ({ data }) => {
        const i = where(data.length);
        data[i] = times * data[i] + plus;
      };
    },
    (site) => sizeOf(site) > 3,
  ),
  genericFault(
    'the loop ends one row early',
    ['single_entries', 'sample_missing'],
    () => (gradient) => {
      const { rows, columns } = rowsOf(gradient);
      gradient.data.fill(0, (rows - 1) * columns);
    },
    (site) => isMatrix(site) && (site.tensor === 'weight' ? site.outputs : site.batch) > 2,
  ),
  genericFault(
    'one column never written',
    ['single_entries'],
    (_, random) => {
      const where = randomPosition(random);
      return (gradient) => {
        const { columns } = rowsOf(gradient);
        const column = where(columns);
        for (let i = column; i < gradient.data.length; i += columns) gradient.data[i] = 0;
      };
    },
    (site) => isMatrix(site) && (site.tensor === 'prediction' ? site.outputs : site.inputs) > 2,
  ),
  genericFault(
    'signs lost',
    ['absolute_value'],
    () => mapElements(Math.abs),
    (site) => sizeOf(site) > 2,
  ),
  genericFault(
    'clipped',
    ['clipped'],
    (_, random) => {
      const share = random.uniform(0.2, 0.6);
      return (gradient) => {
        const most = share * maxAbs(gradient.data);
        mapElements((value) => Math.max(-most, Math.min(most, value)))(gradient, 1);
      };
    },
    (site) => sizeOf(site) > 2,
  ),
  genericFault(
    'a constant added',
    ['constant_added'],
    (_, random) => {
      const constant = random.uniform(0.01, 0.3);
      return mapElements((value) => value + constant);
    },
    (site) => sizeOf(site) > 2,
  ),
  genericFault(
    'kept in too few digits',
    ['rounded'],
    (_, random) => {
      const digits = 2 + random.integerBelow(2);
      return mapElements((value) => Number(value.toPrecision(digits)));
    },
    (site) => sizeOf(site) > 2,
  ),
];

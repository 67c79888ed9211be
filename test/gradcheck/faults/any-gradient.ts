// Faults that any gradient can have, whoever makes it.
import type { Tensor } from '../../../src/engine/kernels/tensor';
import type { Random } from '../../../src/engine/random';
import { after, afterLoss, type Cause, type Fault, rowsOf, type Site, type Values } from './fault';

type Change = (gradient: Tensor, batch: number) => void;

/** The same in a layer and in a loss. */
const anywhere = (kind: string, causes: readonly Cause[], make: (site: Site, random: Random) => Change, fits: Fault['fits'] = () => true): Fault => ({
  kind, causes, fits,
  layer: (inner, site, random) => {
    const change = make(site, random);
    return after(inner, site.tensor, (gradient, { input }) => change(gradient, input.shape[0]));
  },
  loss: (inner, site, random) => {
    const change = make(site, random);
    return afterLoss(inner, (gradient) => change(gradient, gradient.shape[0]));
  },
});

/** Each number from the one that was there. */
const each = (by: (value: number, i: number, batch: number) => number): Change => ({ data }, batch) => {
  for (let i = 0; i < data.length; i++) data[i] = by(data[i], i, batch);
};

/** Each number from another place; a place outside is 0. */
const from = (place: (row: number, column: number, rows: number, columns: number) => readonly [number, number]): Change => (gradient) => {
  const { rows, columns } = rowsOf(gradient);
  const before = gradient.data.slice();
  for (let i = 0; i < before.length; i++) {
    const [row, column] = place(Math.floor(i / columns), i % columns, rows, columns);
    gradient.data[i] = row < 0 || row >= rows || column < 0 || column >= columns ? 0 : before[row * columns + column];
  }
};

const isMatrix = ({ tensor, inputs, outputs, batch }: Site): boolean =>
  tensor === 'weight' ? inputs > 1 && outputs > 1 : tensor === 'bias' ? false : batch > 1 && (tensor === 'input' ? inputs : outputs) > 1;

const sizeOf = ({ tensor, inputs, outputs, batch }: Site): number =>
  tensor === 'weight' ? inputs * outputs : tensor === 'bias' ? outputs : batch * (tensor === 'input' ? inputs : outputs);

/** A share of the range that stays the same when its length does not. */
const at = (random: Random): ((n: number) => number) => {
  const share = random.uniform();
  return (n) => Math.floor(share * n);
};

/** Rows, or columns, in an order of their own. */
function shuffled(random: Random): (n: number) => Uint32Array {
  const seed = random.below(1 << 30);
  const orders = new Map<number, Uint32Array>();
  return (n) => {
    const order = orders.get(n) ?? random.stream(`order ${seed} ${n}`).permutation(n);
    orders.set(n, order);
    return order;
  };
}

const largest = (data: Values): number => Math.max(0, ...Array.from(data, Math.abs));

const MOVED = ['permuted', 'reversed', 'shifted', 'transposed'] as const satisfies readonly Cause[];

export const ANY_GRADIENT: readonly Fault[] = [
  anywhere('sign flipped', ['sign'], () => each((value) => -value)),
  anywhere('twice', ['factor'], () => each((value) => 2 * value)),
  anywhere('half', ['factor'], () => each((value) => value / 2)),
  anywhere('any factor', ['factor'], (_, random) => {
    const factor = random.below(2) === 0 ? random.uniform(0.1, 0.9) : random.uniform(1.1, 9);
    return each((value) => factor * value);
  }),
  anywhere('times the batch', ['factor'], () => each((value, _, batch) => value * batch), ({ batch }) => batch > 1),
  anywhere('divided by the batch', ['factor'], () => each((value, _, batch) => value / batch), ({ batch }) => batch > 1),
  anywhere('times its outputs', ['factor'], ({ outputs }) => each((value) => value * outputs), ({ outputs }) => outputs > 1),
  anywhere('divided by its outputs', ['factor'], ({ outputs }) => each((value) => value / outputs), ({ outputs }) => outputs > 1),
  anywhere('divided by its inputs', ['factor'], ({ inputs }) => each((value) => value / inputs), ({ inputs }) => inputs > 1),
  anywhere('never written', ['missing'], () => each(() => 0)),
  anywhere('not a number', ['not_finite'], (_, random) => {
    const where = at(random);
    return ({ data }) => (data[where(data.length)] = NaN);
  }),
  anywhere('rows in another order', MOVED, (_, random) => {
    const order = shuffled(random);
    return from((row, column, rows) => [order(rows)[row], column]);
  }, isMatrix),
  anywhere('columns in another order', MOVED, (_, random) => {
    const order = shuffled(random);
    return from((row, column, _rows, columns) => [row, order(columns)[column]]);
  }, (site) => sizeOf(site) > 1),
  anywhere('one row off', MOVED, (_, random) => {
    const by = random.below(2) === 0 ? 1 : -1;
    const turns = random.below(2) === 0;
    return from((row, column, rows) => [turns ? (row + by + rows) % rows : row + by, column]);
  }, isMatrix),
  anywhere('one column off', MOVED, (_, random) => {
    const by = random.below(2) === 0 ? 1 : -1;
    const turns = random.below(2) === 0;
    return from((row, column, _rows, columns) => [row, turns ? (column + by + columns) % columns : column + by]);
  }, (site) => sizeOf(site) > 1),
  anywhere('backwards', MOVED, () => ({ data }) => void data.reverse(), (site) => sizeOf(site) > 1),
  anywhere('one entry wrong', ['single_entries'], (_, random) => {
    const where = at(random);
    const [times, plus] = [random.uniform(-2, 0.5), random.below(2) * random.uniform(0.01, 0.1)];
    return ({ data }) => {
      const i = where(data.length);
      data[i] = times * data[i] + plus;
    };
  }, (site) => sizeOf(site) > 3),
  anywhere('the loop ends one row early', ['single_entries', 'sample_missing'], () => (gradient) => {
    const { rows, columns } = rowsOf(gradient);
    gradient.data.fill(0, (rows - 1) * columns);
  }, (site) => isMatrix(site) && (site.tensor === 'weight' ? site.outputs : site.batch) > 2),
  anywhere('one column never written', ['single_entries'], (_, random) => {
    const where = at(random);
    return (gradient) => {
      const { columns } = rowsOf(gradient);
      const column = where(columns);
      for (let i = column; i < gradient.data.length; i += columns) gradient.data[i] = 0;
    };
  }, (site) => isMatrix(site) && (site.tensor === 'prediction' ? site.outputs : site.inputs) > 2),
  anywhere('signs lost', ['absolute_value'], () => each(Math.abs), (site) => sizeOf(site) > 2),
  anywhere('clipped', ['clipped'], (_, random) => {
    const share = random.uniform(0.2, 0.6);
    return (gradient) => {
      const most = share * largest(gradient.data);
      each((value) => Math.max(-most, Math.min(most, value)))(gradient, 1);
    };
  }, (site) => sizeOf(site) > 2),
  anywhere('a constant added', ['constant_added'], (_, random) => {
    const constant = random.uniform(0.01, 0.3);
    return each((value) => value + constant);
  }, (site) => sizeOf(site) > 2),
  anywhere('kept in too few digits', ['rounded'], (_, random) => {
    const digits = 2 + random.below(2);
    return each((value) => Number(value.toPrecision(digits)));
  }, (site) => sizeOf(site) > 2),
];

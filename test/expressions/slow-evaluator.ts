// Random expressions with their values, computed entry by entry from the definitions of NumPy: each entry of a result
// is looked up by its indices.
import fc from 'fast-check';
import { numbers, tensors } from './scope';

export interface Value {
  readonly type: 'number' | 'boolean';
  readonly shape: readonly number[];
  readonly entries: readonly number[];
}

/** `value` is null if the expression has none. */
interface Sample {
  readonly text: string;
  readonly value: Value | null;
}

const indicesOf = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>(
    (all, n) => all.flatMap((index) => Array.from({ length: n }, (_, i) => [...index, i])),
    [[]],
  );

const entryAt = ({ shape, entries }: Value, index: readonly number[]): number =>
  entries[index.reduce((flat, i, axis) => flat * shape[axis] + i, 0)];

function combine(
  left: Value,
  right: Value,
  type: Value['type'],
  apply: (a: number, b: number) => number,
): Value | null {
  const rank = Math.max(left.shape.length, right.shape.length);
  const pad = (value: Value): number[] => [...Array<number>(rank - value.shape.length).fill(1), ...value.shape];
  const [a, b] = [pad(left), pad(right)];
  if (a.some((n, axis) => n !== b[axis] && n !== 1 && b[axis] !== 1)) return null;
  const shape = a.map((n, axis) => (n === 1 ? b[axis] : n));
  const pick = (value: Value, index: readonly number[]): number =>
    entryAt(
      value,
      index.slice(rank - value.shape.length).map((i, axis) => (value.shape[axis] === 1 ? 0 : i)),
    );
  return { type, shape, entries: indicesOf(shape).map((index) => apply(pick(left, index), pick(right, index))) };
}

const leaves: Sample[] = [
  ...['a', 'b', 'hidden.weight', 'bad'].map((name) => ({
    text: name,
    value: { type: 'number' as const, shape: tensors[name].shape, entries: [...tensors[name].data] },
  })),
  ...Object.entries(numbers).map(([text, number]) => ({
    text,
    value: { type: 'number' as const, shape: [], entries: [number] },
  })),
  ...[0, 1, 2.5].map((number) => ({
    text: String(number),
    value: { type: 'number' as const, shape: [], entries: [number] },
  })),
  ...[true, false].map((flag) => ({
    text: String(flag),
    value: { type: 'boolean' as const, shape: [], entries: [Number(flag)] },
  })),
];

const OPERATORS: Readonly<Record<string, [takes: string, gives: Value['type'], (a: number, b: number) => number]>> = {
  '+': ['number', 'number', (a, b) => a + b],
  '-': ['number', 'number', (a, b) => a - b],
  '*': ['number', 'number', (a, b) => a * b],
  '/': ['number', 'number', (a, b) => a / b],
  '<': ['number', 'boolean', (a, b) => Number(a < b)],
  '>=': ['number', 'boolean', (a, b) => Number(a >= b)],
  '==': ['both', 'boolean', (a, b) => Number(a === b)],
  and: ['boolean', 'boolean', (a, b) => Number(a === 1 && b === 1)],
  or: ['boolean', 'boolean', (a, b) => Number(a === 1 || b === 1)],
};

const REDUCTIONS: Readonly<Record<string, [takes: string, gives: Value['type'], (x: readonly number[]) => number]>> = {
  sum: ['number', 'number', (x) => x.reduce((sum, value) => sum + value, 0)],
  mean: ['number', 'number', (x) => x.reduce((sum, value) => sum + value, 0) / x.length],
  norm: ['number', 'number', (x) => Math.sqrt(x.reduce((sum, value) => sum + value ** 2, 0))],
  max: ['number', 'number', (x) => Math.max(...x)],
  min: ['number', 'number', (x) => Math.min(...x)],
  any: ['boolean', 'boolean', (x) => Number(x.includes(1))],
  all: ['boolean', 'boolean', (x) => Number(!x.includes(0))],
  frac: ['boolean', 'number', (x) => x.filter((value) => value === 1).length / x.length],
};

const ELEMENTWISE: Readonly<Record<string, [gives: Value['type'], (x: number) => number]>> = {
  abs: ['number', Math.abs],
  isnan: ['boolean', (x) => Number(Number.isNaN(x))],
  sign: ['number', Math.sign],
};

function binary(operator: string, left: Sample, right: Sample): Sample {
  const [takes, gives, apply] = OPERATORS[operator];
  const fits =
    left.value &&
    right.value &&
    (takes === 'both'
      ? left.value.type === right.value.type
      : [left, right].every(({ value }) => value?.type === takes));
  return {
    text: `(${left.text} ${operator} ${right.text})`,
    value: fits ? combine(left.value, right.value, gives, apply) : null,
  };
}

function call(name: string, { text, value }: Sample): Sample {
  const [takes, gives] = name in REDUCTIONS ? REDUCTIONS[name] : ['number', ELEMENTWISE[name][0]];
  if (value?.type !== takes) return { text: `${name}(${text})`, value: null };
  return {
    text: `${name}(${text})`,
    value:
      name in REDUCTIONS
        ? { type: gives, shape: [], entries: [REDUCTIONS[name][2](value.entries)] }
        : { type: gives, shape: value.shape, entries: value.entries.map(ELEMENTWISE[name][1]) },
  };
}

/** `x[index, from:to]` with the second part left out for fewer axes. */
function slice({ text, value }: Sample, index: number, from: number, step: number): Sample {
  if (!value || value.shape.length === 0) return { text: `${text}[${index}]`, value: null };
  const [n, m] = value.shape;
  const hasSecond = m !== undefined;
  const slicing = `${text}[${index}${hasSecond ? `, ${from}::${step}` : ''}]`;
  const row = index < 0 ? index + n : index;
  const first = from < 0 ? Math.max(0, from + m) : from;
  const kept = hasSecond
    ? Array.from({ length: m }, (_, i) => i).filter((i) => i >= first && (i - first) % step === 0)
    : [];
  if (row < 0 || row >= n || (hasSecond && kept.length === 0)) return { text: slicing, value: null };
  const shape = hasSecond ? [kept.length, ...value.shape.slice(2)] : [];
  const entries = indicesOf(shape).map((at) => entryAt(value, hasSecond ? [row, kept[at[0]], ...at.slice(1)] : [row]));
  return { text: slicing, value: { type: value.type, shape, entries } };
}

export const expressionsWithValues: fc.Arbitrary<Sample> = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(...leaves),
    fc.tuple(fc.constantFrom(...Object.keys(OPERATORS)), tie('sample'), tie('sample')).map((args) => binary(...args)),
    fc
      .tuple(fc.constantFrom(...Object.keys(REDUCTIONS), ...Object.keys(ELEMENTWISE)), tie('sample'))
      .map((args) => call(...args)),
    fc
      .tuple(
        tie('sample'),
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: 1, max: 2 }),
      )
      .map((args) => slice(...args)),
  ),
})).sample;

// The functions of the language. To add one, add an entry here and a row to docs/expressions.md.
import { type Bound, mapEntries, type EntryType, type Reduced, scalar } from './bound';
import * as reductions from './reductions';

export interface FunctionDefinition {
  readonly name: string;
  /** The type that entries of the first argument must have; both if absent. */
  readonly takes?: EntryType;
  /** Number of arguments. */
  readonly arity: number;
  /** @param args as many as `arity`, of the right type, and the further ones single numbers */
  bind(args: readonly [Bound, ...Bound[]]): Bound;
}

/** Operations per entry of a sort, for the limit on work. */
const SORT_WORK = 25;

const reduction = (
  name: string,
  takes: EntryType | undefined,
  reduce: (x: Bound) => number,
  type: EntryType = 'number',
): FunctionDefinition => ({
  name,
  ...(takes && { takes }),
  arity: 1,
  bind: ([x]) =>
    scalar(type, x.work + x.size * x.workPerEntry, () => {
      x.prepare();
      return x.reduced?.[name]?.() ?? reduce(x);
    }),
});

/** @param reduce reductions of the result that need not look at each entry */
const elementwise = (
  name: string,
  apply: (value: number) => number,
  type: EntryType = 'number',
  reduce: (x: Bound) => Reduced | undefined = () => undefined,
) =>
  ({
    name,
    takes: 'number',
    arity: 1,
    bind: ([x]) => {
      const reduced = reduce(x);
      return { ...mapEntries(x, type, apply), ...(reduced && { reduced }) };
    },
  }) satisfies FunctionDefinition;

const largestMagnitude = ({ data, reductions: kernels, reduced }: Bound): Reduced | undefined =>
  data && kernels && reduced
    ? {
        max: () => {
          const { min, max } = kernels.extremes(data);
          return Math.max(-min, max);
        },
      }
    : undefined;

const isNaNEntry = (value: number): number => Number(Number.isNaN(value));

/** Where all entries are finite, none is NaN. */
const anyNaN = (x: Bound): Reduced | undefined => {
  const { data, reductions: kernels, reduced } = x;
  return data && kernels && reduced
    ? {
        any: () => (kernels.hasNonFinite(data) ? reductions.any(mapEntries(x, 'boolean', isNaNEntry)) : 0),
      }
    : undefined;
};

const definitions: readonly FunctionDefinition[] = [
  reduction('norm', 'number', reductions.norm),
  reduction('mean', 'number', reductions.mean),
  reduction('std', 'number', reductions.std),
  reduction('sum', 'number', reductions.sum),
  reduction('min', 'number', reductions.min),
  reduction('max', 'number', reductions.max),
  reduction('argmax', 'number', reductions.argmax),
  reduction('any', 'boolean', reductions.any, 'boolean'),
  reduction('all', 'boolean', reductions.all, 'boolean'),
  reduction('frac', 'boolean', reductions.mean),
  reduction('size', undefined, ({ size }) => size),
  {
    name: 'quantile',
    takes: 'number',
    arity: 2,
    bind: ([x, q]) =>
      scalar('number', x.work + q!.work + x.size * (x.workPerEntry + SORT_WORK), () => {
        x.prepare();
        q!.prepare();
        const share = q!.at(0);
        return share >= 0 && share <= 1 ? reductions.quantile(x, share) : NaN;
      }),
  },
  elementwise('abs', Math.abs, 'number', largestMagnitude),
  elementwise('sqrt', Math.sqrt),
  elementwise('exp', Math.exp),
  elementwise('log', Math.log),
  elementwise('sign', Math.sign),
  elementwise('isnan', isNaNEntry, 'boolean', anyNaN),
  elementwise('isfinite', (value) => Number(Number.isFinite(value)), 'boolean'),
];

export interface ChangeFunction {
  /** How many numbers it takes in addition to the value. */
  readonly limits: 0 | 1;
  didChange(value: number, previous: number, limit: number): boolean;
}

/**
 * Functions of the condition of a data breakpoint: whether its value, now and one step before, did something. Without a
 * number in either step, only `becomes_nan` can be true.
 */
export const changeFunctions: ReadonlyMap<string, ChangeFunction> = new Map<string, ChangeFunction>([
  ['changes', { limits: 0, didChange: (value, previous) => !Object.is(value, previous) }],
  [
    'changes_sign',
    {
      limits: 0,
      didChange: (value, previous) => Math.sign(value) !== Math.sign(previous) && !Number.isNaN(value + previous),
    },
  ],
  ['becomes_nan', { limits: 0, didChange: (value, previous) => Number.isNaN(value) && !Number.isNaN(previous) }],
  [
    'crosses',
    {
      limits: 1,
      didChange: (value, previous, limit) =>
        value < limit !== previous < limit && !Number.isNaN(value + previous + limit),
    },
  ],
]);

export const functions: ReadonlyMap<string, FunctionDefinition> = new Map(
  definitions.map((definition) => [definition.name, definition]),
);

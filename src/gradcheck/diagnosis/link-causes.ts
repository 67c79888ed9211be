// Says what the wrong numbers on a link are: missing, moved to other places, entries of another tensor, or the right
// ones with a factor or term too many or too few. A tensor is recognized by its values, so no axis has to be known.
import { numel, type Shape } from '../../engine/kernels/tensor';
import type { Cause } from '../../protocol/check-report';
import type { ForwardGraph } from './forward-graph';
import type { GraphRoles } from './forward-graph-roles';
import { STORED } from './forward-trace';
import { maxAbs } from './gradient-comparison';
import type { LinkFit, LinkNumber } from './links';

/** Two numbers are equal if they differ by less than this share. */
const TOLERANCE = 1e-5;
/** The fewest different numbers by which a tensor is recognized, and by which two of its entries are. */
const MIN_VALUES = 3;
const MIN_PAIRS = 4;
/** The share of numbers that may be beyond the border of a tensor, and the fewest numbers that show that. */
const MAX_BORDER = 0.3;
const MIN_WITH_BORDER = 10;
/** The most edges of a graph in which the steps of a recursion are looked for. */
const MAX_EDGES_OF_STEPS = 20_000;
/** The longest tensor whose pairs of entries are tried. */
const MAX_PAIRED = 64;

export interface LinkCause {
  readonly cause: Cause;
  /** Continues the name of the link. */
  readonly description: string;
  /** Simpler explanations have lower ranks. */
  readonly rank: number;
}

/** Values that a backward pass may use, by sample. */
interface Quantity {
  readonly name: string;
  readonly shape: Shape;
  valuesOf(sample: number): ArrayLike<number>;
  readonly isInput?: boolean;
}

type Find = (sample: number, value: number) => number;

interface Valued extends LinkNumber {
  readonly value: number;
}

/** The differences or ratios of all pairs of entries, sorted. */
interface Pairs {
  readonly sorted: Float64Array;
  readonly pairs: readonly (readonly [number, number])[];
}

export class LinkCauses {
  readonly #graph: ForwardGraph;
  readonly #roles: GraphRoles;
  readonly #quantities: readonly Quantity[];
  /** Of a recursion; 1 for none. */
  readonly #steps: number;
  readonly #finders = new Map<Quantity, Find>();
  readonly #pairs = new Map<Quantity, Map<string, Pairs>>();

  constructor(graph: ForwardGraph, roles: GraphRoles) {
    this.#graph = graph;
    this.#roles = roles;
    this.#quantities = [...this.#collect()];
    const steps =
      graph.targets.length > MAX_EDGES_OF_STEPS
        ? []
        : roles.roles.flatMap((role) => (role.isWhole ? [...(roles.stepsOf(role)?.values() ?? [])] : []));
    this.#steps = steps.reduce((most, step) => Math.max(most, step + 1), 1);
  }

  /** A cooperative task. Null if the numbers have no name. */
  *explain({ numbers: all, link }: LinkFit): Generator<undefined, LinkCause | null> {
    const scale = maxAbs(all.map(({ right, found }) => Math.max(Math.abs(right), Math.abs(found))));
    const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * scale;
    const numbers = all.map((each) => (isSame(each.found, 0) ? { ...each, found: 0 } : each));
    const groups = new Set(numbers.flatMap(({ right, found, group }) => (isSame(right, found) ? [] : [group])));
    groups.delete(-1);
    if (groups.size > 0) return yield* this.#upToConstants(numbers.filter(({ group }) => groups.has(group)));
    const wrong = numbers.filter(({ right, found }) => !isSame(right, found));
    if (wrong.length === 0) return null;
    const simple = this.#simple(wrong, numbers, isSame);
    if (simple) return simple;
    const moved = this.#moved(numbers, isSame);
    if (moved) return moved;
    yield;
    const tapped = yield* this.#tapped(numbers, isSame);
    if (tapped) return tapped;
    return yield* this.#named(wrong, numbers, link.of !== null);
  }

  #simple(
    wrong: readonly LinkNumber[],
    numbers: readonly LinkNumber[],
    isSame: (a: number, b: number) => boolean,
  ): LinkCause | null {
    const where = wrong.length === numbers.length ? '' : ` for ${this.#placesOf(wrong, numbers)}`;
    const rank = where === '' ? 0 : 1;
    if (wrong.every(({ found }) => isSame(found, 0)))
      return { cause: 'contribution_missing', description: `is missing${where}`, rank };
    const ratio = wrong[0]!.found / wrong[0]!.right;
    if (Number.isFinite(ratio) && wrong.length > 1 && wrong.every(({ right, found }) => isSame(found, ratio * right))) {
      if (Math.abs(ratio + 1) < TOLERANCE)
        return { cause: 'contribution_sign', description: `has the wrong sign${where}`, rank };
      if (Math.abs(ratio - 2) < TOLERANCE)
        return { cause: 'contribution_twice', description: `is counted twice, or lacks a factor 1/2${where}`, rank };
      if (isSimpleRatio(ratio))
        return { cause: 'factor', description: `is ${formatShort(ratio)} times what it should be${where}`, rank };
    }
    const [first] = wrong as [LinkNumber];
    if (wrong.length > 1 && wrong.every(({ found }) => isSame(found, first.found)) && isSame(Math.abs(first.found), 1))
      return {
        cause: 'scale_missing',
        description: `lacks its factor, as if that were ${Math.round(first.found)}${where}`,
        rank,
      };
    if (
      wrong.length === numbers.length &&
      wrong.every(({ right, found }) => (right === 0) !== isSame(found, 0)) &&
      new Set(wrong.map(({ right, found }) => (right + found).toPrecision(5))).size === 1 &&
      wrong.some(({ right }) => right === 0)
    )
      return {
        cause: 'mask_inverted',
        description: 'goes where the forward pass leaves it out, and is missing elsewhere: the mask is inverted',
        rank: 0,
      };
    const added = wrong.filter(({ right }) => right === 0);
    const value = added[0]?.found ?? 0;
    const kept = numbers.filter(({ right }) => right !== 0);
    if (
      added.length === wrong.length &&
      kept.length > 0 &&
      added.every(({ found }) => isSame(found, value)) &&
      kept.every(({ right }) => isSame(right, value))
    )
      return {
        cause: 'mask_missing',
        description: `also goes to ${this.#placesOf(added, numbers)}, which the forward pass leaves out: a mask or a bound of the loop is missing`,
        rank: 1,
      };
    return null;
  }

  /** The same numbers at other ends: each target gets those of another source, or a source goes to another target. */
  #moved(numbers: readonly LinkNumber[], isSame: (a: number, b: number) => boolean): LinkCause | null {
    const source = this.#tensorOf(numbers[0]!.source);
    const ends = [
      {
        fixed: ({ target }: LinkNumber) => target,
        placeOf: (each: LinkNumber) => this.#sourcePlace(each.source),
        ...source,
      },
      {
        fixed: (each: LinkNumber) => 1000 * each.source + each.sample,
        placeOf: (each: LinkNumber) => this.#targetPlace(each.target),
        name: 'place',
        shape: [],
      },
    ];
    for (const { fixed, placeOf, name, shape } of ends) {
      const groups = groupBy(numbers, fixed);
      const pairs: { readonly from: number; readonly to: number }[] = [];
      let fits = true;
      const values = new Set<string>();
      for (const own of groups.values()) {
        const right = own.filter((each) => !isSame(each.right, 0)).sort((a, b) => a.right - b.right);
        const found = own.filter((each) => !isSame(each.found, 0)).sort((a, b) => a.found - b.found);
        if (right.length !== found.length || !right.every((each, k) => isSame(each.right, found[k]!.found))) {
          fits = false;
          break;
        }
        right.forEach((each, k) => {
          values.add(each.right.toPrecision(5));
          pairs.push({ from: placeOf(each), to: placeOf(found[k]!) });
        });
      }
      const changed = pairs.filter(({ from, to }) => from !== to);
      if (!fits || changed.length === 0) continue;
      const map = describeMap(
        pairs.map(({ from, to }) => [from, to] as const),
        shape,
      );
      const { from, to } = changed[0]!;
      return {
        cause: map?.cause ?? 'permuted',
        description: `goes to the wrong places: what belongs to ${describePlace(name, from, shape)} goes to ${describePlace(name, to, shape)}${map ? `. ${map.text}` : ''}`,
        rank: values.size >= MIN_VALUES ? 1 : 3,
      };
    }
    return null;
  }

  /** Entries of one tensor between places: each entry connects places at a fixed distance. */
  *#tapped(
    numbers: readonly LinkNumber[],
    isSame: (a: number, b: number) => boolean,
  ): Generator<undefined, LinkCause | null> {
    for (const quantity of this.#quantities) {
      yield;
      const find = this.#finderOf(quantity);
      const [right, found]: [Tap[], Tap[]] = [[], []];
      let fits = true;
      for (const each of numbers) {
        for (const [value, taps] of [
          [each.right, right],
          [each.found, found],
        ] as const) {
          if (isSame(value, 0)) continue;
          const entry = find(each.sample, value);
          if (entry < 0) fits = false;
          else taps.push({ entry, source: this.#sourcePlace(each.source), target: this.#targetPlace(each.target) });
        }
        if (!fits) break;
      }
      if (!fits || right.length < MIN_VALUES || found.length < MIN_VALUES) continue;
      const source = this.#tensorOf(numbers[0]!.source);
      const ways = [
        { of: quantity, key: (tap: Tap) => tap.entry, moving: source, a: (tap: Tap) => tap.source },
        { of: source, key: (tap: Tap) => tap.source, moving: quantity, a: (tap: Tap) => tap.entry },
      ];
      for (const { of, key, moving, a } of ways) {
        const taps = compareTaps(right, found, key, a, ({ target }) => target);
        if (!taps) continue;
        const shown = (place: number): string => describePlace(moving.name, place, moving.shape);
        return {
          cause: taps.cause,
          description: `connects the wrong places: for place ${taps.target} of the result, ${describePlace(of.name, taps.key, of.shape)} belongs to ${shown(taps.right)}, and the backward pass uses ${shown(taps.found)}. ${taps.text}`,
          rank: 1,
        };
      }
    }
    return null;
  }

  /** Entries of another tensor, where one number may be added to all of a group. */
  *#upToConstants(wrong: readonly LinkNumber[]): Generator<undefined, LinkCause | null> {
    const rightOf = wrong.map((each): Valued => ({ ...each, value: each.right }));
    let own: { readonly quantity: Quantity; readonly places: readonly number[] } | null = null;
    const factors = new Set([1, -1]);
    for (const quantity of this.#quantities) {
      yield;
      const match = this.#match(quantity, rightOf, null);
      if (!match) continue;
      own ??= { quantity, places: match.places };
      factors.add(match.factor);
      break;
    }
    const groups = [...groupBy(wrong, ({ group }) => group).values()];
    for (const quantity of this.#quantities)
      for (const factor of factors) {
        yield;
        const find = this.#finderOf(quantity);
        const pairs: (readonly [LinkNumber, number])[] = [];
        for (const group of groups) {
          const [first] = group as [LinkNumber];
          let places: number[] | null = null;
          for (const value of Array.from(quantity.valuesOf(first.sample))) {
            const shift = factor * value - first.found;
            const found = group.map((each) => find(each.sample, (each.found + shift) / factor));
            if (!found.includes(-1) && new Set(found).size === group.length) places = found;
            if (places) break;
          }
          if (!places) break;
          group.forEach((each, k) => pairs.push([each, places[k]!]));
        }
        if (pairs.length !== wrong.length || groups[0]!.length < 2) continue;
        const right = own;
        const isOwn = right?.quantity === quantity;
        if (isOwn && pairs.every(([each, place]) => right.places[wrong.indexOf(each)] === place)) continue;
        const map = isOwn
          ? describeMap(
              pairs.map(([each, place]) => [right.places[wrong.indexOf(each)]!, place] as const),
              quantity.shape,
            )
          : null;
        return {
          cause: map?.cause ?? 'wrong_operand',
          description: isOwn
            ? `uses ${quantity.name} at other places${map ? `. ${map.text}` : ''}`
            : `uses ${factor < 0 ? 'minus ' : ''}${quantity.name}${right ? ` instead of ${right.quantity.name}` : ''}`,
          rank: groups[0]!.length > 2 ? 1 : 2,
        };
      }
    return null;
  }

  /** Another tensor, or the right one with another factor or term. */
  *#named(
    wrong: readonly LinkNumber[],
    numbers: readonly LinkNumber[],
    isDerivative: boolean,
  ): Generator<undefined, LinkCause | null> {
    const kept = numbers.filter(({ right }) => right !== 0).length;
    const onlyIn = wrong.length >= kept ? '' : ` for ${this.#placesOf(wrong, numbers)}`;
    const list = (valueOf: (each: LinkNumber) => number): Valued[] =>
      wrong.map((each) => ({ ...each, value: valueOf(each) }));
    const isTurned = wrong.some(({ right, found }) => right === 0 || found === 0);
    const values = list(({ found }) => found);
    const rightOf = list(({ right }) => right);
    const ratios = list(({ right, found }) => found / right);
    const inverses = list(({ right, found }) => right / found);
    const differences = list(({ right, found }) => found - right);
    const hint = isDerivative ? ' instead of the derivative' : '';
    // Entries of a tensor, where the right ones are entries of the same tensor.
    for (const fixed of [true, false])
      for (const quantity of this.#quantities) {
        yield;
        const used = this.#match(quantity, values, fixed ? [1, -1] : null);
        if (!used) continue;
        const right = this.#match(quantity, rightOf, [used.factor]);
        if (right) {
          const pairs = right.places.flatMap((place, k) => {
            const other = used.places[k]!;
            return place < 0 || other < 0 ? [] : [[place, other] as const];
          });
          const map = this.#stepBetween(pairs, quantity) ?? describeMap(pairs, quantity.shape);
          const [place, other] = pairs.find(([from, to]) => from !== to) ?? [-1, -1];
          if (place < 0) continue;
          return {
            cause: map?.cause ?? 'wrong_operand',
            description: `uses ${quantity.name} at another place${onlyIn}: ${describePlace('', other, quantity.shape)} instead of ${describePlace('', place, quantity.shape)}${map ? `. ${map.text}` : ''}`,
            rank: fixed ? 1 : 2,
          };
        }
        const own = this.#quantities.find((each) => this.#match(each, rightOf, [used.factor, 1, -1]));
        return {
          cause: quantity.isInput ? 'not_normalized' : 'wrong_operand',
          description: `uses ${used.factor < 0 && fixed ? 'minus ' : ''}${quantity.name}${own ? ` instead of ${own.name}` : hint}${onlyIn}${fixed ? '' : `, times ${formatShort(used.factor)}`}`,
          rank: own ? 1 : 2,
        };
      }
    if (!isTurned)
      for (const quantity of this.#quantities) {
        yield;
        if (this.#match(quantity, inverses, [1, -1, 2, 0.5]))
          return { cause: 'scale_missing', description: `lacks ${quantity.name} as a factor${onlyIn}`, rank: 1 };
        if (this.#match(quantity, ratios, [1, -1, 2, 0.5]))
          return {
            cause: 'scale_missing',
            description: `contains ${quantity.name} as a factor that does not belong there${onlyIn}`,
            rank: 1,
          };
      }
    if (countDistinct(rightOf) >= MIN_VALUES)
      for (const [what, apply] of OF_THE_RIGHT)
        if (wrong.every(({ right, found }) => Math.abs(found - apply(right)) <= TOLERANCE * Math.abs(found)))
          return { cause: 'wrong_derivative', description: `is ${what} what it should be${onlyIn}`, rank: 1 };
    for (const quantity of this.#quantities) {
      yield;
      const term = this.#match(quantity, differences, null);
      if (!term) continue;
      // Where nothing else is added, the right number is this term alone.
      const alone = wrong.flatMap(({ sample, right }, k) => {
        const place = term.places[k]!;
        return place < 0 ? [] : [right / quantity.valuesOf(sample)[place]!];
      });
      const present = alone.filter((value) => Math.abs(value - alone[0]!) <= TOLERANCE * Math.abs(value));
      const share = (present[0]! + term.factor) / present[0]!;
      if (2 * present.length >= alone.length && isSimpleRatio(share))
        return {
          cause: Math.abs(share + 1) < TOLERANCE ? 'term_sign' : 'wrong_count',
          description: `has a part that is ${formatShort(share)} times what it should be, that made from ${quantity.name}`,
          rank: 1,
        };
      return {
        cause: 'contribution_missing',
        description: `is wrong by ${quantity.name} times ${formatShort(term.factor)}${onlyIn}: a term is missing, or one too many`,
        rank: 2,
      };
    }
    // Another entry of one factor or term.
    for (const quantity of this.#quantities) {
      yield;
      if (quantity.valuesOf(0).length > MAX_PAIRED) continue;
      const pairs =
        (isTurned ? null : this.#matchPairs(quantity, ratios, 'ratio')) ??
        this.#matchPairs(quantity, differences, 'difference');
      if (!pairs) continue;
      const map = describeMap(
        pairs.map(([used, right]) => [right, used] as const),
        quantity.shape,
      );
      return {
        cause: map?.cause ?? 'wrong_operand',
        description: `uses ${quantity.name} at another place${onlyIn}: ${describePlace('', pairs[0]![0], quantity.shape)} instead of ${describePlace('', pairs[0]![1], quantity.shape)}${map ? `. ${map.text}` : ''}`,
        rank: 2,
      };
    }
    // Another tensor in place of one factor or term, at the same place.
    for (const [i, a] of this.#quantities.entries()) {
      yield;
      for (const [k, b] of this.#quantities.entries()) {
        if (i === k || a.valuesOf(0).length !== b.valuesOf(0).length) continue;
        if (
          (!isTurned && this.#matchAligned(a, b, ratios, 'ratio')) ||
          this.#matchAligned(a, b, differences, 'difference')
        )
          return {
            cause: a.isInput ? 'not_normalized' : 'wrong_operand',
            description: `uses ${a.name} instead of ${b.name}${onlyIn}`,
            rank: 2,
          };
      }
    }
    // Up to one factor for each sample or each target, such as a sum over all entries.
    for (const [groups, keyOf] of [
      ['sample', ({ sample }: Valued) => sample],
      ['result', ({ target }: Valued) => target],
    ] as const)
      for (const quantity of this.#quantities) {
        yield;
        const parts = [...groupBy(values, keyOf).values()];
        if (parts.length < 2 || parts.some((part) => !this.#match(quantity, part, null))) continue;
        return {
          cause: quantity.isInput ? 'not_normalized' : 'wrong_operand',
          description: `is made from ${quantity.name}${hint}${onlyIn}, times one number for each ${groups}`,
          rank: 3,
        };
      }
    for (const quantity of this.#quantities) {
      yield;
      if (quantity.isInput || quantity.valuesOf(0).length > MAX_PAIRED || quantity.valuesOf(0) !== quantity.valuesOf(1))
        continue;
      const parts = [...groupBy(differences, ({ target }) => target).values()];
      const matched = parts.map((part) => this.#matchScaledPairs(quantity, part));
      const [first] = matched;
      if (!first || matched.some((part) => part === null)) continue;
      return {
        cause: 'wrong_operand',
        description: `uses ${quantity.name} at another place${onlyIn}: ${describePlace('', first[0], quantity.shape)} instead of ${describePlace('', first[1], quantity.shape)}`,
        rank: 3,
      };
    }
    return null;
  }

  /** Whether the places of a recursion are those of the step before or after. */
  #stepBetween(
    pairs: readonly (readonly [right: number, used: number])[],
    quantity: Quantity,
  ): { readonly cause: Cause; readonly text: string } | null {
    const [first] = pairs;
    const size = quantity.valuesOf(0).length / this.#steps;
    if (!first || this.#steps < 2 || !Number.isInteger(size)) return null;
    const offset = first[1] - first[0];
    if (Math.abs(offset) !== size || pairs.some(([right, used]) => used - right !== offset)) return null;
    return { cause: 'wrong_turn', text: `Those are of the step ${offset < 0 ? 'before' : 'after'}` };
  }

  /**
   * The places of a quantity at which it has these values, times one of the factors; -1 for values that are 0.
   * @param factors null for any
   */
  #match(
    quantity: Quantity,
    list: readonly Valued[],
    factors: readonly number[] | null,
  ): { readonly factor: number; readonly places: readonly number[] } | null {
    if (countDistinct(list) < (factors ? MIN_VALUES : MIN_PAIRS)) return null;
    const find = this.#finderOf(quantity);
    const first = list.find(({ value }) => value !== 0)!;
    const all =
      factors ??
      Array.from(quantity.valuesOf(first.sample), (value) => first.value / value).filter(
        (factor) => Number.isFinite(factor) && factor !== 0,
      );
    for (const factor of all) {
      const places: number[] = [];
      // At a border, some entries may be beyond the tensor.
      let missed = factors && list.length >= MIN_WITH_BORDER ? Math.floor(MAX_BORDER * list.length) : 0;
      for (const { sample, value } of list) {
        const place = value === 0 ? -1 : find(sample, value / factor);
        if (value !== 0 && place < 0 && --missed < 0) break;
        places.push(place);
      }
      if (places.length !== list.length) continue;
      // Of a single repeated value, any factor gives one entry.
      if (factors || new Set(places).size >= MIN_VALUES) return { factor, places };
    }
    return null;
  }

  #matchPairs(
    quantity: Quantity,
    list: readonly Valued[],
    operation: 'ratio' | 'difference',
  ): (readonly [number, number])[] | null {
    if (countDistinct(list) < MIN_PAIRS) return null;
    const found: (readonly [number, number])[] = [];
    for (const { sample, value } of list) {
      const { sorted, pairs } = this.#pairsOf(quantity, sample, operation);
      const at = nearest(sorted, value);
      if (at < 0) return null;
      found.push(pairs[at]!);
    }
    return found;
  }

  /** A difference of entries, times any factor. */
  #matchScaledPairs(quantity: Quantity, list: readonly Valued[]): readonly [number, number] | null {
    if (countDistinct(list) < MIN_PAIRS) return null;
    const { sorted, pairs } = this.#pairsOf(quantity, 0, 'difference');
    for (const [k, each] of sorted.entries()) {
      const factor = list[0]!.value / each;
      if (!Number.isFinite(factor) || factor === 0) continue;
      if (list.every(({ value }) => nearest(sorted, value / factor) >= 0)) return pairs[k]!;
    }
    return null;
  }

  #pairsOf(quantity: Quantity, sample: number, operation: 'ratio' | 'difference'): Pairs {
    const key = `${operation} ${sample}`;
    const tables = this.#pairs.get(quantity) ?? new Map<string, Pairs>();
    this.#pairs.set(quantity, tables);
    const known = tables.get(key);
    if (known) return known;
    const values = quantity.valuesOf(sample);
    const all: { readonly value: number; readonly pair: readonly [number, number] }[] = [];
    for (let i = 0; i < values.length; i++)
      for (let k = 0; k < values.length; k++)
        if (i !== k)
          all.push({ value: operation === 'ratio' ? values[i]! / values[k]! : values[i]! - values[k]!, pair: [i, k] });
    all.sort((a, b) => a.value - b.value);
    const table = { sorted: Float64Array.from(all, ({ value }) => value), pairs: all.map(({ pair }) => pair) };
    tables.set(key, table);
    return table;
  }

  #matchAligned(a: Quantity, b: Quantity, list: readonly Valued[], operation: 'ratio' | 'difference'): boolean {
    if (countDistinct(list) < MIN_VALUES) return false;
    return list.every(({ sample, value }) => {
      const [left, right] = [a.valuesOf(sample), b.valuesOf(sample)];
      for (let i = 0; i < left.length; i++) {
        const each = operation === 'ratio' ? left[i]! / right[i]! : left[i]! - right[i]!;
        if (Math.abs(each - value) <= TOLERANCE * Math.abs(value)) return true;
      }
      return false;
    });
  }

  #finderOf(quantity: Quantity): Find {
    const known = this.#finders.get(quantity);
    if (known) return known;
    const tables = new Map<number, { readonly sorted: Float64Array; readonly order: readonly number[] }>();
    const find: Find = (sample, value) => {
      let table = tables.get(sample);
      if (!table) {
        const values = quantity.valuesOf(sample);
        const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
        table = { order, sorted: Float64Array.from(order, (i) => values[i]!) };
        tables.set(sample, table);
      }
      const at = nearest(table.sorted, value);
      return at < 0 ? -1 : table.order[at]!;
    };
    this.#finders.set(quantity, find);
    return find;
  }

  *#collect(): Iterable<Quantity> {
    const { leaves, samples, nodes, output, derivatives, slotOf } = this.#graph;
    const bySample = (name: string, shape: Shape, data: ArrayLike<number>, isInput = false): Quantity => {
      const width = data.length / samples;
      const parts = Array.from({ length: samples }, (_, s) =>
        Float64Array.from({ length: width }, (_unused, i) => data[s * width + i]!),
      );
      return { name, shape, isInput, valuesOf: (sample) => parts[Math.max(0, sample)]! };
    };
    const base: Quantity[] = [];
    for (const { name, tensor, isInput } of leaves)
      base.push(
        isInput
          ? bySample(name === 'input' ? 'the input' : name, tensor.shape.slice(1), tensor.data, true)
          : { name, shape: tensor.shape, valuesOf: () => tensor.data },
      );
    base.push(bySample('the output of the layer', [output.length / samples], output));
    const own = new Set<number>();
    const derived: Quantity[] = [];
    for (const role of this.#roles.roles) {
      if (!role.isWhole) continue;
      const groups = new Map(
        this.#roles.bySample(role.nodes).map((group) => [this.#roles.sampleOf[group[0]!]!, group] as const),
      );
      const count = Math.max(...[...groups.values()].map(({ length }) => length));
      const of = (name: string, valueOf: (node: number) => number): Quantity => {
        const values = new Map(
          [...groups].map(([sample, group]) => [sample, Float64Array.from(group, valueOf)] as const),
        );
        const none = new Float64Array(0);
        return {
          name,
          shape: [count],
          valuesOf: (sample) => values.get(sample) ?? values.get(-1) ?? values.get(-2) ?? none,
        };
      };
      for (const node of role.nodes) own.add(node);
      base.push(of(`the result of ${role.name}`, (node) => nodes[node]!.result));
      const first = nodes[role.nodes[0]!]!;
      if (first.name === STORED) continue;
      first.values.forEach((_, k) => {
        derived.push(
          of(
            `${first.values.length > 1 ? `argument ${k + 1}` : 'the argument'} of ${role.name}`,
            (node) => nodes[node]!.values[k]!,
          ),
        );
        derived.push(of(`the derivative of ${role.name}`, (node) => derivatives.locals[slotOf[node]! + k]!));
      });
    }
    // Numbers that depend on no input, such as angles of positions.
    const constants = groupBy(
      [...nodes.keys()].filter((node) => !own.has(node)),
      (node) => nodes[node]!.at.stack ?? '',
    );
    for (const group of constants.values()) {
      const { name } = nodes[group[0]!]!;
      const data = Float64Array.from(group, (node) => nodes[node]!.result);
      if (name !== STORED) derived.push({ name: `the result of ${name}`, shape: [data.length], valuesOf: () => data });
    }
    const united = [...constants.values()].filter((group) => nodes[group[0]!]!.name !== STORED);
    if (united.length > 1) {
      const data = Float64Array.from(
        new Set(
          united.flatMap((group) => group.map((node) => nodes[node]!.result)).flatMap((value) => [value, -value]),
        ),
      );
      derived.push({
        name: `the results of ${united.map((group) => nodes[group[0]!]!.name).join(' and ')}`,
        shape: [data.length],
        valuesOf: () => data,
      });
    }
    const all = [...base, ...derived];
    yield* all;
    for (const quantity of base)
      for (const [text, apply] of FORMULAS) {
        const values = new Map<number, Float64Array>();
        yield {
          name: `${text}, where v is ${quantity.name},`,
          shape: quantity.shape,
          valuesOf: (sample) => {
            let found = values.get(sample);
            if (!found) values.set(sample, (found = Float64Array.from(quantity.valuesOf(sample), apply)));
            return found;
          },
        };
      }
  }

  /** The place of a source in its tensor or role, within its sample. */
  #sourcePlace(source: number): number {
    const { leaves, samples, firstNode } = this.#graph;
    if (source >= firstNode) return this.#roles.placeOf[source - firstNode]!;
    const { first, tensor, isInput } = leaves.findLast((leaf) => leaf.first <= source)!;
    return isInput ? (source - first) % (tensor.data.length / samples) : source - first;
  }

  #targetPlace(target: number): number {
    const { slots, nodeOf, output, samples } = this.#graph;
    return target < slots ? this.#roles.placeOf[nodeOf[target]!]! : (target - slots) % (output.length / samples);
  }

  /** Its name and shape, for an input or parameter. */
  #tensorOf(source: number): { readonly name: string; readonly shape: Shape } {
    const { leaves, firstNode } = this.#graph;
    if (source >= firstNode) return { name: 'place', shape: [] };
    const { name, tensor, isInput } = leaves.findLast(({ first }) => first <= source)!;
    return isInput ? { name: 'input', shape: tensor.shape.slice(1) } : { name, shape: tensor.shape };
  }

  /** "k[·, 2]" if these are all numbers of it, or their number. */
  #placesOf(chosen: readonly LinkNumber[], all: readonly LinkNumber[]): string {
    const { name, shape } = this.#tensorOf(chosen[0]!.source);
    const isChosen = new Set(chosen);
    for (const [axis, size] of shape.entries()) {
      const inner = numel(shape.slice(axis + 1));
      const placeOf = ({ source }: LinkNumber): number => Math.floor(this.#sourcePlace(source) / inner) % size;
      const places = new Set(chosen.map(placeOf));
      if (places.size > 3 || places.size === size) continue;
      const isWhole = all.every(
        (each) => !places.has(placeOf(each)) || isChosen.has(each) || each.right === each.found,
      );
      if (!isWhole) continue;
      const list = [...places]
        .sort((x, y) => x - y)
        .map((place) => shape.map((_, k) => (k === axis ? place : '·')).join(', '));
      return list.map((index) => `${name}[${index}]`).join(' and ');
    }
    return `${chosen.length} of ${all.length} numbers`;
  }
}

interface Tap {
  readonly entry: number;
  readonly source: number;
  readonly target: number;
}

interface TapFault {
  readonly cause: Cause;
  readonly text: string;
  readonly key: number;
  readonly target: number;
  readonly right: number;
  readonly found: number;
}

/** The most places by which a place moves from one output to the next. */
const MAX_STEP = 4;

/**
 * Each key, such as a tap of a kernel, connects places at one distance. How the distances of the backward pass differ
 * from those of the forward pass; null if there are none, or if they do not.
 */
function compareTaps(
  right: readonly Tap[],
  found: readonly Tap[],
  keyOf: (tap: Tap) => number,
  a: (tap: Tap) => number,
  b: (tap: Tap) => number,
): TapFault | null {
  const distances = (taps: readonly Tap[], up: number, down: number): Map<number, number> | null => {
    const of = new Map<number, number>();
    for (const tap of taps) {
      const distance = down * a(tap) - up * b(tap);
      if ((of.get(keyOf(tap)) ?? distance) !== distance) return null;
      of.set(keyOf(tap), distance);
    }
    return of;
  };
  const fitting = (
    taps: readonly Tap[],
  ): { readonly up: number; readonly down: number; readonly of: Map<number, number> } | null => {
    for (let step = 1; step <= MAX_STEP; step++)
      for (const [up, down] of step === 1
        ? [[1, 1]]
        : [
            [step, 1],
            [1, step],
          ]) {
        const of = distances(taps, up!, down!);
        if (of) return { up: up!, down: down!, of };
      }
    return null;
  };
  // With one place for each key, any distance fits.
  const count = new Set(right.map(keyOf)).size;
  if (count < 2 || right.length < 2 * count || found.length < 2 * count) return null;
  const [forward, backward] = [fitting(right), fitting(found)];
  if (!forward || !backward) return null;
  const keys = [...forward.of.keys()].filter((key) => backward.of.has(key)).sort((x, y) => x - y);
  const example = (): Pick<TapFault, 'key' | 'target' | 'right' | 'found'> | null => {
    const places = new Map(found.map((tap) => [`${keyOf(tap)} ${b(tap)}`, a(tap)] as const));
    for (const tap of right) {
      const other = places.get(`${keyOf(tap)} ${b(tap)}`);
      if (other !== undefined && other !== a(tap))
        return { key: keyOf(tap), target: b(tap), right: a(tap), found: other };
    }
    return null;
  };
  const shown = example();
  if (!shown || keys.length === 0) return null;
  if (forward.up !== backward.up || forward.down !== backward.down) {
    const steps = ({ up, down }: { readonly up: number; readonly down: number }): string =>
      down === 1 ? `${up} place${up === 1 ? '' : 's'}` : `1/${down} of a place`;
    return {
      ...shown,
      cause: 'stride_wrong',
      text: `From one place to the next, the forward pass moves by ${steps(forward)} and the backward pass by ${steps(backward)}: the stride is missing or wrong`,
    };
  }
  const offsets = keys.map((key) => [forward.of.get(key)!, backward.of.get(key)!] as const);
  const [r0, f0] = offsets[0]!;
  if (offsets.every(([r, f]) => f - r === f0 - r0))
    return {
      ...shown,
      cause: 'shifted',
      text: `All places are off by ${Math.abs(f0 - r0)}: an offset, such as the padding, is missing or wrong`,
    };
  const slopes = offsets.slice(1).map(([r, f]) => (f - f0) / (r - r0));
  if (slopes.every((slope) => Math.abs(slope - slopes[0]!) < 1e-9) && slopes[0] !== undefined) {
    if (slopes[0] === -1) return { ...shown, cause: 'mirrored', text: 'The kernel is turned around' };
    return {
      ...shown,
      cause: 'stride_wrong',
      text: `The distances between entries are ${formatShort(slopes[0])} times those of the forward pass: a dilation is missing or wrong`,
    };
  }
  const sets = [forward, backward].map(({ of }) => keys.map((key) => of.get(key)!).sort((x, y) => x - y));
  if (sets[0]!.every((value, k) => value === sets[1]![k]))
    return { ...shown, cause: 'permuted', text: 'Entries are used in another order' };
  return { ...shown, cause: 'shifted', text: 'The distances between places differ' };
}

/** How places are exchanged: shifted, reversed, transposed; null if it has no simple name. */
function describeMap(
  pairs: readonly (readonly [right: number, used: number])[],
  shape: Shape,
): { readonly cause: Cause; readonly text: string } | null {
  const changed = pairs.filter(([right, used]) => right !== used);
  if (changed.length === 0) return null;
  const strides = shape.map((_, axis) => numel(shape.slice(axis + 1)));
  const indexOf = (flat: number): number[] => shape.map((size, axis) => Math.floor(flat / strides[axis]!) % size);
  if (shape.length > 1)
    for (let axis = 0; axis + 1 < shape.length; axis++) {
      if (shape[axis] !== shape[axis + 1]) continue;
      const isTurned = pairs.every(([right, used]) => {
        const [r, u] = [indexOf(right), indexOf(used)];
        return r.every((place, k) => place === u[k === axis ? axis + 1 : k === axis + 1 ? axis : k]);
      });
      if (isTurned) return { cause: 'not_transposed', text: 'The two are transposed: rows are taken for columns' };
    }
  const offset = changed[0]![1] - changed[0]![0];
  if (changed.length === pairs.length && changed.every(([right, used]) => used - right === offset))
    return {
      cause: 'shifted',
      text: `All places are off by ${Math.abs(offset)}`,
    };
  const sum = changed[0]![0] + changed[0]![1];
  if (new Set(pairs.map(([right]) => right)).size > 2 && pairs.every(([right, used]) => right + used === sum))
    return { cause: 'mirrored', text: 'The order is reversed' };
  if (changed.every(([right, used]) => used - right === offset))
    return {
      cause: 'shifted',
      text: `Some places are off by ${Math.abs(offset)}: an offset, such as that of a group or head, is missing`,
    };
  return null;
}

/** `k[0, 1]`, `input[3]`. */
function describePlace(name: string, flat: number, shape: Shape): string {
  const strides = shape.map((_, axis) => numel(shape.slice(axis + 1)));
  const index =
    shape.length > 1 ? shape.map((size, axis) => Math.floor(flat / strides[axis]!) % size).join(', ') : flat;
  return `${name}${name.includes(' ') ? ' at ' : name === 'place' ? ' ' : ''}${name === 'place' ? index : `[${index}]`}`;
}

/** The place of a value in sorted numbers; -1 if it is not among them. */
function nearest(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  for (const at of [low, low - 1])
    if (at >= 0 && at < sorted.length && Math.abs(sorted[at]! - value) <= TOLERANCE * Math.abs(value)) return at;
  return -1;
}

function groupBy<T, K>(list: Iterable<T>, keyOf: (each: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const each of list) {
    const own = groups.get(keyOf(each));
    if (own) own.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return groups;
}

function countDistinct(list: readonly { readonly value: number }[]): number {
  return new Set(list.map(({ value }) => Math.abs(value).toPrecision(5))).size;
}

const isSimpleRatio = (ratio: number): boolean =>
  [ratio, 1 / ratio, ratio * ratio, 1 / ratio / ratio].some(
    (value) =>
      Math.abs(value - Math.round(value)) < TOLERANCE * Math.abs(value) &&
      Math.abs(value) >= 0.5 &&
      Math.abs(value) < 200,
  );

const OF_THE_RIGHT: readonly (readonly [what: string, apply: (v: number) => number])[] = [
  ['the square of', (v) => v * v],
  ['minus the square of', (v) => -v * v],
  ['the root of', (v) => Math.sign(v) * Math.sqrt(Math.abs(v))],
  ['the absolute value of', Math.abs],
  ['1 divided by', (v) => 1 / v],
];

const FORMULAS: readonly (readonly [text: string, apply: (v: number) => number])[] = [
  ['v²', (v) => v * v],
  ['1 - v', (v) => 1 - v],
  ['1 - v²', (v) => 1 - v * v],
  ['v (1 - v)', (v) => v * (1 - v)],
  ['1 / v', (v) => 1 / v],
  ['√v', Math.sqrt],
  ['exp(v)', Math.exp],
  ['log(v)', Math.log],
  ['tanh(v)', Math.tanh],
];

const formatShort = (value: number): string => String(Number(value.toPrecision(3)));

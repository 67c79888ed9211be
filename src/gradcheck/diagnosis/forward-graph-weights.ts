// What the edges of a forward graph are multiplied with: an entry of a parameter, the result of another node, or the
// sum of two. A backward pass may use another entry, leave the factor out, or use only a part of it.
import { numel, type Shape } from '../../engine/kernels/tensor';
import type { Cause } from '../../protocol/check-report';
import type { ForwardGraph } from './forward-graph';
import { type Change, type Changes, divisors } from './forward-graph-change';
import { describeEdgeClass, type EdgeClass, type GraphRoles, type Role } from './forward-graph-roles';
import { STORED } from './forward-trace';
import { maxAbs } from './gradient-comparison';

const TOLERANCE = 1e-7;
/** The most numbers that are tried as a factor of one class of edges. */
const MAX_QUANTITIES = 150;
/** The most results that are tried as a factor, and the longest axis along which other parts are tried. */
const MAX_FACTORED = 64;
const MAX_DIGIT = 4;

type MakeChange = (cause: Cause, description: string, values: Float64Array) => Change;

/** A number for each edge of a class. */
interface Quantity {
  readonly name: string;
  readonly values: Float64Array;
  /** The same for one number at several steps. */
  readonly family?: string;
  readonly isInput: boolean;
}

export class EdgeWeights {
  readonly #graph: ForwardGraph;
  readonly #roles: GraphRoles;

  constructor(graph: ForwardGraph, roles: GraphRoles) {
    this.#graph = graph;
    this.#roles = roles;
  }

  /** Entries of a parameter in another order: transposed, turned around, shifted. */
  *parameterChanges(): Changes {
    const { leaves, derivatives } = this.#graph;
    for (const edgeClass of this.#roles.edgeClasses) {
      const { edges, from, fromRole } = edgeClass;
      for (const { name, tensor } of leaves) {
        yield;
        if (name === 'input' || (!fromRole && from === name) || tensor.data.length < 2) continue;
        const matched = matchEntries(
          Float64Array.from(edges, (edge) => derivatives.weights[edge]!),
          tensor.data,
        );
        if (!matched) continue;
        const { entries, factor } = matched;
        for (const [cause, what, source] of reorderings(tensor.shape))
          yield {
            cause,
            description: `${describeEdgeClass(edgeClass)} uses ${name} ${what}`,
            edges: edges.map((edge, k) => [edge, factor * (tensor.data[source(entries[k]!)] ?? 0)]),
          };
        for (const other of leaves)
          if (other.name !== name && other.name !== 'input' && sameShape(other.tensor.shape, tensor.shape))
            yield {
              cause: 'wrong_operand',
              description: `${describeEdgeClass(edgeClass)} uses ${other.name} instead of ${name}`,
              edges: edges.map((edge, k) => [edge, factor * other.tensor.data[entries[k]!]!]),
            };
        yield {
          cause: tensor.shape.length > 2 ? 'weights_ignored' : 'scale_missing',
          description: `${describeEdgeClass(edgeClass)} lacks ${name}, as if it were 1`,
          edges: edges.map((edge) => [edge, 1]),
        };
      }
    }
  }

  /** Results of another node in another order, such as a transposed matrix. */
  *resultChanges(): Changes {
    const { nodes, derivatives } = this.#graph;
    for (const edgeClass of this.#roles.edgeClasses) {
      const weights = Float64Array.from(edgeClass.edges, (edge) => derivatives.weights[edge]!);
      for (const role of this.#roles.roles) {
        if (!role.isWhole) continue;
        yield;
        const groups = this.#roles.bySample(role.nodes);
        const count = groups[0]!.length;
        const side = Math.sqrt(count);
        if (count < 2 || groups.some(({ length }) => length !== count)) continue;
        const results = new Map(
          groups.map(
            (group) =>
              [this.#roles.sampleOf[group[0]!]!, Float64Array.from(group, (node) => nodes[node]!.result)] as const,
          ),
        );
        const placesFor = (factor: number): number[] | null => {
          const places: number[] = [];
          for (const [k, edge] of edgeClass.edges.entries()) {
            const value = weights[k]! / factor;
            const own = results.get(this.#sampleOf(edge));
            const place = own?.findIndex((each) => Math.abs(each - value) <= TOLERANCE * Math.abs(each)) ?? -1;
            if (place < 0) return null;
            places.push(place);
          }
          return places;
        };
        const first = results.get(this.#sampleOf(edgeClass.edges[0]!)) ?? [];
        let [factor, places]: [number, number[] | null] = [1, placesFor(1)];
        if (
          !places &&
          count <= MAX_FACTORED &&
          weights.some((w) => Math.abs(w - weights[0]!) > TOLERANCE * Math.abs(w))
        )
          for (const value of first) {
            factor = weights[0]! / value;
            places = Number.isFinite(factor) ? placesFor(factor) : null;
            if (places) break;
          }
        if (!places) continue;
        const found = places;
        const shapes = Number.isInteger(side) ? [[side, side], [count]] : [[count]];
        const all = function* (): Iterable<Reordering> {
          for (const shape of shapes) yield* reorderings(shape);
          yield* digitMaps(count);
        };
        for (const [cause, what, source] of all())
          yield {
            cause,
            description: `${describeEdgeClass(edgeClass)} uses the result of ${role.name} ${what}`,
            edges: edgeClass.edges.map((edge, k) => [
              edge,
              factor * (results.get(this.#sampleOf(edge))![source(found[k]!)] ?? 0),
            ]),
          };
      }
    }
  }

  /** Factors left out, added, or replaced. */
  *factorChanges(edgeClass: EdgeClass): Changes {
    const { edges } = edgeClass;
    const weights = Float64Array.from(edges, (edge) => this.#graph.derivatives.weights[edge]!);
    const scale = maxAbs(weights);
    const what = describeEdgeClass(edgeClass);
    const change = (cause: Cause, description: string, values: Float64Array): Change => ({
      cause,
      description: `${what} ${description}`,
      edges: edges.map((edge, k) => [edge, values[k]!]),
    });
    const isConstant = weights.every((value) => Math.abs(value - weights[0]!) <= TOLERANCE * scale);
    if (!isConstant || Math.abs(weights[0]! - 1) > TOLERANCE) {
      yield change(
        isConstant ? 'factor' : 'scale_missing',
        'lacks its factor, as if it were 1',
        weights.map(() => 1),
      );
      yield change('scale_missing', 'has only the sign of its factor', weights.map(Math.sign));
    }
    yield change('absolute_value', 'has lost the sign of its factor', weights.map(Math.abs));
    const { to } = edgeClass;
    const { targets, derivatives } = this.#graph;
    if (to && this.#graph.nodes[to.nodes[0]!]!.name !== STORED) {
      const locals = Float64Array.from(edges, (edge) => derivatives.locals[targets[edge]!]!);
      yield change(
        'derivative_missing',
        'lacks the derivative of that function',
        weights.map((w, k) => w / locals[k]!),
      );
      yield change(
        'derivative_twice',
        'contains the derivative of that function twice',
        weights.map((w, k) => w * locals[k]!),
      );
    }
    const { fromRole } = edgeClass;
    if (fromRole) {
      const { firstNode } = this.#graph;
      const made = edges.map((edge) => this.#roles.functionOf(this.#roles.sourceOfEdge[edge]! - firstNode));
      const [first] = made;
      if (first && made.every((each) => each?.name === first.name))
        yield change(
          'derivative_missing',
          `lacks the derivative of ${first.name}`,
          weights.map((w, k) => w / made[k]!.derivative),
        );
    }
    yield* this.#otherPlaces(edgeClass, weights, change);
    const quantities = this.#quantities(edgeClass);
    const own = quantities.filter(({ values }) => isSame(values, weights, scale));
    if (own.length === 0 && !isConstant) yield* this.#partsOfSums(quantities, weights, change);
    for (const { name, values, isInput } of quantities) {
      if (isSame(values, weights, scale)) continue;
      const instead: Cause = isInput ? 'not_normalized' : 'wrong_operand';
      const ownName = own[0] ? `instead of ${own[0].name}` : 'as its factor';
      yield change(instead, `uses ${name} ${ownName}`, values);
      yield change(
        instead,
        `uses ${name}, negated, ${ownName}`,
        values.map((value) => -value),
      );
      yield change(
        'scale_missing',
        `lacks ${name} as a factor`,
        weights.map((w, k) => w / values[k]!),
      );
      yield change(
        'scale_missing',
        `contains ${name} as a factor that does not belong there`,
        weights.map((w, k) => w * values[k]!),
      );
    }
  }

  /** The weight as a sum of two numbers, such as that of a gate between them. */
  *#partsOfSums(quantities: readonly Quantity[], weights: Float64Array, change: MakeChange): Changes {
    const scale = maxAbs(weights);
    for (const [i, a] of quantities.entries()) {
      yield;
      for (const b of quantities.slice(i + 1))
        for (const [signA, signB] of [
          [1, 1],
          [1, -1],
          [-1, 1],
          [-1, -1],
        ] as const) {
          if (!weights.every((w, k) => Math.abs(signA * a.values[k]! + signB * b.values[k]! - w) <= TOLERANCE * scale))
            continue;
          const combine = (byA: number, byB: number): Float64Array =>
            weights.map((_, k) => byA * signA * a.values[k]! + byB * signB * b.values[k]!);
          yield change(
            'contribution_missing',
            `lacks ${b.name}: its factor is the ${signA === signB ? 'sum' : 'difference'} of ${a.name} and ${b.name}`,
            combine(1, 0),
          );
          yield change(
            'contribution_missing',
            `lacks ${a.name}: its factor is the ${signA === signB ? 'sum' : 'difference'} of ${a.name} and ${b.name}`,
            combine(0, 1),
          );
          yield change('contribution_sign', `has ${b.name} with the wrong sign`, combine(1, -1));
          yield change('contribution_sign', `has ${a.name} with the wrong sign`, combine(-1, 1));
          for (const [[kept, keptSign], [replaced, replacedSign]] of [
            [[a, signA] as const, [b, signB] as const],
            [[b, signB] as const, [a, signA] as const],
          ] as const)
            for (const other of quantities)
              if (replaced.family !== undefined && other.family === replaced.family && other !== replaced)
                yield change(
                  'wrong_turn',
                  `uses ${other.name} instead of ${replaced.name}`,
                  weights.map((_, k) => keptSign * kept.values[k]! + replacedSign * other.values[k]!),
                );
        }
    }
  }

  /** Weights that are results of one part of a role, such as a gate, or 1 minus these: those of another part. */
  *#otherPlaces(edgeClass: EdgeClass, weights: Float64Array, change: MakeChange): Changes {
    if (weights.every((weight) => Math.abs(weight - weights[0]!) <= TOLERANCE * Math.abs(weight))) return;
    const { nodes } = this.#graph;
    const key = (value: number): string => value.toPrecision(7);
    for (const role of this.#roles.roles) {
      if (!role.isWhole) continue;
      yield;
      const groups = new Map(
        this.#roles.bySample(role.nodes).map((group) => [this.#roles.sampleOf[group[0]!]!, group] as const),
      );
      for (const [text, valueOf] of [
        ['the result', (value: number) => value],
        ['1 minus the result', (value: number) => 1 - value],
      ] as const) {
        const placeOf = new Map(
          [...groups].map(
            ([sample, group]) =>
              [
                sample,
                new Map(group.map((node, place) => [key(valueOf(nodes[node]!.result)), place] as const)),
              ] as const,
          ),
        );
        const places = edgeClass.edges.map((edge, k) => placeOf.get(this.#sampleOf(edge))?.get(key(weights[k]!)) ?? -1);
        if (places.includes(-1)) continue;
        const count = groups.values().next().value!.length;
        const at = (by: number): Float64Array =>
          weights.map((_, k) => nodes[groups.get(this.#sampleOf(edgeClass.edges[k]!))![places[k]! + by]!]!.result);
        const [lowest, highest] = [Math.min(...places), Math.max(...places)];
        yield change(
          'wrong_operand',
          `uses ${text === 'the result' ? '1 minus the result' : 'the result'} of ${role.name} instead of ${text}`,
          weights.map((weight) => 1 - weight),
        );
        for (let by = -lowest; by < count - highest; by++)
          if (by !== 0)
            yield change(
              'wrong_operand',
              `uses ${text} of another part of ${role.name}, ${Math.abs(by)} places ${by < 0 ? 'before' : 'after'} the right one`,
              at(by).map(valueOf),
            );
      }
    }
  }

  /** Inputs and results of nodes that belong to the same place as the edge's target or source. */
  #quantities(edgeClass: EdgeClass): Quantity[] {
    const found: Quantity[] = [];
    const seen = new Set<string>();
    const add = (
      name: string,
      isInput: boolean,
      valueOf: (edge: number) => number | undefined,
      family?: string,
    ): void => {
      if (found.length >= MAX_QUANTITIES) return;
      const values = Float64Array.from(edgeClass.edges, (edge) => valueOf(edge) ?? NaN);
      if (values.some(Number.isNaN) || values.every((value) => value === values[0])) return;
      const key = values.reduce((sum, value, k) => sum + value * Math.cos(k), 0).toPrecision(9);
      if (seen.has(key)) return;
      seen.add(key);
      found.push({ name, values, isInput, ...(family !== undefined && { family }) });
    };
    const { leaves, samples, nodes } = this.#graph;
    const aligned = (
      count: number,
      valueAt: (sample: number, place: number) => number | undefined,
      name: string,
      isInput: boolean,
      family?: string,
    ): void => {
      for (const placeOf of this.#alignments(edgeClass, count)) {
        const valueOf = (edge: number): number | undefined => {
          const place = placeOf(edge);
          return place === undefined ? undefined : valueAt(this.#sampleOf(edge), place);
        };
        add(name, isInput, valueOf, family);
      }
    };
    const groupsOf = (role: Role): ReadonlyMap<number, readonly number[]> =>
      new Map(this.#roles.bySample(role.nodes).map((group) => [this.#roles.sampleOf[group[0]!]!, group] as const));
    for (const role of this.#roles.roles) {
      if (!role.isWhole) continue;
      const groups = groupsOf(role);
      const count = groups.get(0)?.length ?? 0;
      const at =
        (value: (node: number) => number) =>
        (sample: number, place: number): number | undefined => {
          const node = groups.get(sample)?.[place];
          return node === undefined ? undefined : value(node);
        };
      aligned(
        count,
        at((node) => nodes[node]!.result),
        `the result of ${role.name}`,
        false,
        role.name,
      );
      const grid = this.#roles.stepGrid(role);
      const perStep = grid ? count / (1 + Math.max(...[...grid.placeOf.values()].map(({ step }) => step))) : 0;
      if (perStep > 0)
        aligned(
          count,
          // A recursion starts from 0.
          (sample, place) => (place < perStep ? 0 : at((node) => nodes[node]!.result)(sample, place - perStep)),
          `the result of ${role.name} of the step before`,
          false,
          role.name,
        );
      const first = nodes[role.nodes[0]!]!;
      if (first.name !== STORED && first.values.length === 1)
        aligned(
          count,
          at((node) => nodes[node]!.values[0]!),
          `the argument of ${role.name}`,
          false,
        );
    }
    for (const { name, tensor } of leaves) {
      const isInput = name === 'input';
      const count = isInput ? tensor.data.length / samples : tensor.data.length;
      aligned(
        count,
        (sample, place) => tensor.data[isInput ? sample * count + place : place],
        isInput ? 'the input' : name,
        isInput,
      );
      // Such as the distance from a center.
      const input = leaves.find((leaf) => leaf.name === 'input')!;
      const width = input.tensor.data.length / samples;
      if (isInput) continue;
      const others = [...this.#alignments(edgeClass, count)];
      for (const inputPlace of this.#alignments(edgeClass, width))
        for (const place of others)
          add(`the difference of the input and ${name}`, false, (edge) => {
            const [i, k] = [inputPlace(edge), place(edge)];
            return i === undefined || k === undefined
              ? undefined
              : input.tensor.data[this.#sampleOf(edge) * width + i]! - tensor.data[k]!;
          });
    }
    return found;
  }

  /** Ways to number the places of edges with as many places as a tensor or role has. */
  *#alignments({ from, fromRole, to }: EdgeClass, count: number): Iterable<(edge: number) => number | undefined> {
    const { samples, output, leaves, targets, slots, nodeOf, firstNode } = this.#graph;
    const width = output.length / samples;
    const targetCount = to ? to.nodes.length / samples : width;
    const targetPlace = (edge: number): number => {
      const target = targets[edge]!;
      return target < slots ? this.#roles.placeOf[nodeOf[target]!]! : (target - slots) % width;
    };
    if (count === targetCount) yield targetPlace;
    const leaf = leaves.find(({ name }) => !fromRole && name === from);
    const sourceCount = leaf
      ? leaf.name === 'input'
        ? leaf.tensor.data.length / samples
        : leaf.tensor.data.length
      : (fromRole?.nodes.length ?? 0) / samples;
    const sourcePlace = (edge: number): number => {
      const source = this.#roles.sourceOfEdge[edge]!;
      return source >= firstNode ? this.#roles.placeOf[source - firstNode]! : (source - leaf!.first) % sourceCount;
    };
    if (count === sourceCount) yield sourcePlace;
    if (count < targetCount && targetCount % count === 0 && count > 1) {
      yield (edge) => targetPlace(edge) % count;
      yield (edge) => Math.floor((targetPlace(edge) * count) / targetCount);
    }
    // A matrix in each step of a loop: entry [i, j] goes from unit i to unit j.
    const shape = leaf && leaf.name !== 'input' ? leaf.tensor.shape : [];
    if (shape.length !== 2) return;
    const [rows, columns] = shape as [number, number];
    for (const [length, other, indexOf] of [
      [rows, columns, (place: number) => Math.floor(place / columns)],
      [columns, rows, (place: number) => place % columns],
    ] as const) {
      const steps = targetCount / other;
      if (Number.isInteger(steps) && count === steps * length)
        yield (edge) => Math.floor(targetPlace(edge) / other) * length + indexOf(sourcePlace(edge));
      if (count === length) yield (edge) => indexOf(sourcePlace(edge));
    }
  }

  #sampleOf(edge: number): number {
    const { targets, slots, nodeOf, output, samples } = this.#graph;
    const target = targets[edge]!;
    return target < slots
      ? this.#roles.sampleOf[nodeOf[target]!]!
      : Math.floor((target - slots) / (output.length / samples));
  }
}

const isSame = (a: Float64Array, b: Float64Array, scale: number): boolean =>
  a.every((value, i) => Math.abs(value - b[i]!) <= TOLERANCE * scale);

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, axis) => size === b[axis]);

/** The entries that the weights are, times the same factor; null if they are none. */
function matchEntries(
  weights: Float64Array,
  values: ArrayLike<number>,
): { readonly entries: readonly number[]; readonly factor: number } | null {
  const key = (value: number): string => value.toPrecision(7);
  const entryOf = new Map(Array.from(values, (value, i) => [key(value), i] as const));
  // A constant is that entry times something.
  if (weights.every((weight) => key(weight) === key(weights[0]!))) return null;
  for (const factor of [1, ...Array.from(values, (value) => weights[0]! / value)]) {
    if (!Number.isFinite(factor)) continue;
    const entries: number[] = [];
    for (const weight of weights) {
      const entry = entryOf.get(key(weight / factor));
      if (entry === undefined) break;
      entries.push(entry);
    }
    if (entries.length === weights.length) return { entries, factor };
  }
  return null;
}

type Reordering = readonly [cause: Cause, what: string, source: (entry: number) => number];

/** Ways to mix the parts of which places are made, such as heads and positions, with their sizes unknown. */
export function* digitMaps(count: number): Iterable<Reordering> {
  for (const inner of divisors(count))
    for (const size of divisors(count / inner)) {
      if (size < 2 || size === count) continue;
      const outer = count / inner / size;
      const at = (entry: number): readonly [number, number, number] => [
        Math.floor(entry / inner / size),
        Math.floor(entry / inner) % size,
        entry % inner,
      ];
      const layout = `where places are ${outer} × ${size} × ${inner}`;
      const to = (hi: number, mid: number, lo: number): number => (hi * size + mid) * inner + lo;
      if (size <= MAX_DIGIT)
        for (let by = 1; by < size; by++)
          yield [
            'wrong_operand',
            `of another part: ${2 * by > size ? `${size - by} before` : `${by} after`} the right one along the middle axis, ${layout}`,
            (entry) => {
              const [hi, mid, lo] = at(entry);
              return to(hi, (mid + by) % size, lo);
            },
          ];
      if (size === inner && inner > 1)
        yield [
          'not_transposed',
          `transposed the wrong way: the last two axes are swapped, ${layout}`,
          (entry) => {
            const [hi, mid, lo] = at(entry);
            return to(hi, lo, mid);
          },
        ];
      if (outer > 1)
        yield [
          outer === size ? 'not_transposed' : 'permuted',
          `${outer === size ? 'transposed the wrong way' : 'in another order'}: the first two axes are swapped, ${layout}`,
          (entry) => {
            const [hi, mid, lo] = at(entry);
            return (mid * outer + hi) * inner + lo;
          },
        ];
      if (inner > 1)
        yield [
          'permuted',
          `in another order: the last two axes are swapped, ${layout}`,
          (entry) => {
            const [hi, mid, lo] = at(entry);
            return (hi * inner + lo) * size + mid;
          },
        ];
    }
}

/** Ways to take the entries of a tensor in another order; -1 for none. */
export function* reorderings(shape: Shape): Iterable<Reordering> {
  const rank = shape.length;
  const strides = shape.map((_, axis) => numel(shape.slice(axis + 1)));
  const indexOf = (entry: number): number[] => shape.map((size, axis) => Math.floor(entry / strides[axis]!) % size);
  const moved =
    (move: (index: number[]) => (number | undefined)[]): ((entry: number) => number) =>
    (entry) =>
      move(indexOf(entry)).reduce<number>(
        (sum, place, axis) =>
          sum < 0 || place === undefined || place < 0 || place >= shape[axis]! ? -1 : sum + place * strides[axis]!,
        0,
      );
  for (let axis = 0; axis + 1 < rank; axis++)
    if (shape[axis] === shape[axis + 1] && shape[axis]! > 1)
      yield [
        'not_transposed',
        'transposed the wrong way',
        moved((index) => index.map((_, a) => index[a === axis ? axis + 1 : a === axis + 1 ? axis : a]!)),
      ];
  const reversed = (axes: readonly number[]): ((entry: number) => number) =>
    moved((index) => index.map((place, a) => (axes.includes(a) ? shape[a]! - 1 - place : place)));
  if (rank > 2) yield ['mirrored', 'with its windows turned around', reversed([rank - 2, rank - 1])];
  for (let axis = 0; axis < rank; axis++) {
    if (shape[axis]! < 2) continue;
    yield [
      axis >= rank - 2 && rank > 2 ? 'mirrored' : 'permuted',
      `in reverse order along axis ${axis}`,
      reversed([axis]),
    ];
    for (const by of [1, -1]) {
      yield [
        'shifted',
        `one entry off along axis ${axis}`,
        moved((index) => index.map((place, a) => (a === axis ? place + by : place))),
      ];
      yield [
        'permuted',
        `in another order along axis ${axis}: one entry off`,
        moved((index) => index.map((place, a) => (a === axis ? (place + by + shape[a]!) % shape[a]! : place))),
      ];
    }
  }
}

// Explains a wrong manual backward by one change to the backward pass of the forward pass's graph, as graph-faults.ts
// does for a graph of `ops`. This graph is found by perturbing numbers, so the forward pass may be written as loops.
import type { Cause } from '../../protocol/check-report';
import type { Derivatives, ForwardGraph } from './forward-graph';
import { type Change, type Changes, divisors } from './forward-graph-change';
import { digitMaps, EdgeWeights, reorderings } from './forward-graph-weights';
import { describeEdgeClass, type EdgeClass, GraphRoles, type Role } from './forward-graph-roles';
import type { GraphFault } from './graph-faults';
import { solveLeastSquares } from './least-squares';
import { STORED } from './forward-trace';
import { maxAbs } from './gradient-comparison';

/** Two gradients are equal if they differ by less than this share of the largest value. */
const TOLERANCE = 1e-6;
/** The most changes that are tried although they do not explain all wrong gradients. */
const MAX_PARTIAL = 1500;
/** The most derivatives that are found by least squares. */
const MAX_UNKNOWN = 56;
const MAX_FACTOR = 1e4;
/** With more edges, the task may pause after each change. */
const LARGE = 4000;
/** The most paths from one tensor whose factors are found by least squares, and the most of them that are wrong. */
const MAX_PATHS = 16;
/** The most pairs of numbers whose gradients may be swapped, and the most edges of a graph for which they are. */
const MAX_SWAPS = 60;
const MAX_SWAPPED_EDGES = 20_000;
const MAX_WRONG_PATHS = 3;

/** Tries changes from simple to complex; null if none explains a wrong gradient. A cooperative task. */
export function* findForwardGraphFault(
  graph: ForwardGraph,
  upstream: Float64Array,
  returned: ReadonlyMap<string, Float64Array>,
  measured: (roles: GraphRoles) => Iterable<Change | undefined>,
): Generator<undefined, (GraphFault & { readonly isWeak?: boolean }) | null> {
  const roles = new GraphRoles(graph);
  yield;
  const search = new Search(graph, roles, upstream, returned);
  if (search.wrong.size === 0) return null;
  let best = null as GraphFault | null;
  let tried = 0;
  const pace = graph.targets.length > LARGE ? 1 : 4;
  const consider = (change: Change): GraphFault | null => {
    const fault = search.evaluate(change);
    if (fault && (fault.explainsAll || fault.tensors.length > (best?.tensors.length ?? 0))) best = fault;
    return fault?.explainsAll ? fault : null;
  };
  const partial: Change[] = [];
  for (const [changes, isWeak] of [
    [search.changes(), false],
    [search.furtherChanges(), true],
  ] as const)
    for (const change of changes) {
      if (!change || tried++ % pace === 0) yield;
      if (!change) continue;
      if (!search.affectsAllWrong(change)) {
        if (partial.length < MAX_PARTIAL) partial.push(change);
        continue;
      }
      const found = consider(change);
      if (found) return { ...found, isWeak };
    }
  for (const change of measured(roles)) {
    yield;
    const found = change && consider(change);
    if (found) return found;
  }
  if (best) return { ...best, isWeak: true };
  yield;
  const derivative = yield* search.findWrongDerivative();
  if (derivative) return { ...derivative, isWeak: true };
  for (const change of partial) {
    if (tried++ % pace === 0) yield;
    consider(change);
  }
  return best === null ? null : { ...(best as GraphFault), isWeak: true };
}

function isSame(a: ArrayLike<number>, b: ArrayLike<number>, scale: number): boolean {
  for (let i = 0; i < a.length; i++) if (!(Math.abs(a[i]! - b[i]!) <= TOLERANCE * scale)) return false;
  return true;
}

class Search {
  /** Tensors with wrong gradients. */
  readonly wrong: ReadonlySet<string>;
  readonly #graph: ForwardGraph;
  readonly #upstream: Float64Array;
  readonly #returned: ReadonlyMap<string, Float64Array>;
  readonly #original: ReadonlyMap<string, Float64Array>;
  readonly #scales: ReadonlyMap<string, number>;
  readonly #roles: GraphRoles;
  readonly #scratch: Required<Derivatives>;

  constructor(
    graph: ForwardGraph,
    roles: GraphRoles,
    upstream: Float64Array,
    returned: ReadonlyMap<string, Float64Array>,
  ) {
    this.#graph = graph;
    this.#roles = roles;
    this.#upstream = upstream;
    this.#returned = returned;
    dropShifts(graph, upstream);
    this.#original = graph.gradients(upstream);
    this.#scales = new Map(
      [...returned].map(([name, values]) => [name, Math.max(maxAbs(values), maxAbs(this.#original.get(name) ?? []))]),
    );
    this.wrong = new Set(
      [...returned].flatMap(([name, values]) =>
        isSame(values, this.#original.get(name) ?? [], this.#scales.get(name)!) ? [] : [name],
      ),
    );
    const { weights, locals } = graph.derivatives;
    this.#scratch = { weights: weights.slice(), locals: locals.slice(), targets: graph.targets.slice() };
  }

  /** Whether a change changes the gradients of just the tensors that are wrong. */
  affectsAllWrong({ edges = [], locals = [], targets = [], upstream, graph, unknown }: Change): boolean {
    if (graph || unknown || upstream) return true;
    const affected = this.#roles.leavesBehind([...edges, ...targets].map(([edge]) => edge));
    for (const [slot] of locals)
      for (const name of this.#roles.leavesOf[this.#graph.nodeOf[slot]!]!) affected.add(name);
    for (const name of this.wrong) if (!affected.has(name)) return false;
    for (const name of affected) if (!this.wrong.has(name) && this.#scales.get(name)! > 0) return false;
    return true;
  }

  evaluate({
    cause,
    description,
    edges = [],
    locals = [],
    targets = [],
    upstream = this.#upstream,
    inputOrder,
    graph = this.#graph,
    unknown,
  }: Change): (GraphFault & { readonly factors?: Float64Array }) | null {
    const base = this.#graph.derivatives;
    for (const [edge, weight] of edges) this.#scratch.weights[edge] = weight;
    for (const [slot, derivative] of locals) this.#scratch.locals[slot] = derivative;
    for (const [edge, target] of targets) this.#scratch.targets[edge] = target;
    const derivatives = graph === this.#graph ? this.#scratch : graph.derivatives;
    let changed = graph.gradients(upstream, derivatives);
    if (inputOrder) changed.set('input', reorderRows(changed.get('input')!, graph.samples, inputOrder));
    const fitted = unknown && this.#fitUnknown(changed, unknown, derivatives);
    if (fitted) changed = fitted.gradients;
    for (const [edge] of edges) this.#scratch.weights[edge] = base.weights[edge]!;
    for (const [slot] of locals) this.#scratch.locals[slot] = base.locals[slot]!;
    for (const [edge] of targets) this.#scratch.targets[edge] = this.#graph.targets[edge]!;
    const explained: string[] = [];
    let explainsAll = true;
    for (const [name, values] of this.#returned) {
      const candidate = changed.get(name)!;
      const scale = this.#scales.get(name)!;
      const matches = isSame(candidate, values, scale);
      if (!matches) explainsAll = false;
      else if (this.wrong.has(name) && !isSame(candidate, this.#original.get(name)!, scale)) explained.push(name);
    }
    return explained.length > 0
      ? { cause, description, tensors: explained, explainsAll, ...(fitted && { factors: fitted.factors }) }
      : null;
  }

  /** The function whose derivatives, if they were any others, would explain all wrong gradients. */
  *findWrongDerivative(): Generator<undefined, GraphFault | null> {
    const { nodes, slotOf, derivatives, firstNode } = this.#graph;
    const { sources } = this.#graph.adjoints(this.#upstream);
    for (const role of this.#roles.roles) {
      const argument = this.#onlyArgument(role);
      if (!role.isWhole || this.#nameOf(role) === STORED || argument < 0) continue;
      const own = role.nodes.filter((node) => sources[firstNode + node] !== 0);
      const slots = own.map((node) => slotOf[node]! + argument);
      if (own.length === 0 || own.length > MAX_UNKNOWN) continue;
      const unknown = own.map((node, k) => {
        const vector = new Float64Array(this.#graph.slots);
        vector[slots[k]!] = sources[firstNode + node]!;
        return vector;
      });
      const locals = role.nodes.map((node) => [slotOf[node]! + argument, 0] as const);
      if (!this.affectsAllWrong({ cause: 'wrong_derivative', description: '', locals })) continue;
      yield;
      const description = `In the backward of ${role.name}, the derivatives are wrong`;
      const fault = this.evaluate({ cause: 'wrong_derivative', description, locals, unknown });
      if (!fault?.explainsAll || !fault.factors) continue;
      const worst = fault.factors.reduce(
        (most, factor, k) =>
          Math.abs(factor - derivatives.locals[slots[k]!]!) >
          Math.abs(fault.factors![most]! - derivatives.locals[slots[most]!]!)
            ? k
            : most,
        0,
      );
      const formula = this.#formulaFor(
        role,
        own.map((node, k) => [node, fault.factors![k]!] as const),
      );
      if (formula)
        return { ...fault, cause: 'wrong_operand', description: `In the backward of ${role.name}, ${formula}` };
      const isMask = (values: ArrayLike<number>): boolean =>
        Array.from(values).every((value) => Math.abs(value) < 1e-4 || Math.abs(value - 1) < 1e-4);
      const value = nodes[own[worst]!]!.values[argument]!;
      // Any change of what arrives at a function is also one of its derivatives, so other numbers explain nothing.
      if (isMask(fault.factors) && isMask(slots.map((slot) => derivatives.locals[slot]!)))
        return {
          ...fault,
          cause: 'wrong_operand',
          description: `In the backward of ${role.name}, the mask is made from something else: for the argument ${formatShort(value)} it is ${Math.round(fault.factors[worst]!)}`,
        };
    }
    return null;
  }

  /** A derivative of another number than the argument or the result, which these derivatives are. */
  #formulaFor(role: Role, found: readonly (readonly [node: number, derivative: number])[]): string | null {
    const { output, samples, nodes, leaves } = this.#graph;
    const { placeOf, sampleOf } = this.#roles;
    const perSample = role.nodes.length / samples;
    const values: (readonly [
      what: string,
      count: number,
      at: (sample: number, place: number) => number | undefined,
    ])[] = [];
    const width = output.length / samples;
    values.push(['the output of the layer', width, (sample, place) => output[sample * width + place]]);
    for (const { name, tensor, isInput } of leaves) {
      const count = isInput ? tensor.data.length / samples : tensor.data.length;
      values.push([
        name === 'input' ? 'the input' : name,
        count,
        (s, place) => tensor.data[(isInput ? s * count : 0) + place],
      ]);
    }
    for (const other of this.#roles.roles) {
      if (!other.isWhole) continue;
      const groups = new Map(this.#roles.bySample(other.nodes).map((group) => [sampleOf[group[0]!]!, group] as const));
      const result = (sample: number, place: number): number | undefined =>
        nodes[groups.get(sample)?.[place] ?? -1]?.result;
      values.push([
        other === role ? 'the result' : `the result of ${other.name}`,
        other.nodes.length / samples,
        result,
      ]);
      const argument = (sample: number, place: number): number | undefined =>
        nodes[groups.get(sample)?.[place] ?? -1]?.values[0];
      if (this.#nameOf(other) !== STORED)
        values.push([
          other === role ? 'the argument' : `the argument of ${other.name}`,
          other.nodes.length / samples,
          argument,
        ]);
    }
    for (const [what, count, at] of values) {
      if (count !== perSample) continue;
      for (const [text, derivative] of FORMULAS)
        if (
          found.every(([node, value]) => {
            const given = at(sampleOf[node]!, placeOf[node]!);
            return given !== undefined && Math.abs(derivative(given) - value) <= 1e-4 * Math.max(1e-3, Math.abs(value));
          })
        )
          return `the derivative is made from ${what}: it is ${text}, where v is ${what}`;
    }
    return null;
  }

  /** Adds the multiples of the unknown vectors that fit best; null if there are too many of them. */
  #fitUnknown(
    changed: ReadonlyMap<string, Float64Array>,
    unknown: readonly Float64Array[],
    derivatives: Derivatives,
  ): { readonly gradients: Map<string, Float64Array>; readonly factors: Float64Array } | null {
    const silent = new Float64Array(this.#upstream.length);
    const effects = unknown.map((vector) => this.#graph.gradients(silent, derivatives, vector));
    const names = [...this.#returned.keys()].filter((name) => this.wrong.has(name));
    const join = (values: (name: string) => Float64Array): number[] => names.flatMap((name) => [...values(name)]);
    const target = join((name) => this.#returned.get(name)!.map((value, i) => value - changed.get(name)![i]!));
    if (target.length < 2 * unknown.length) return null;
    const factors = solveLeastSquares(
      effects.map((effect) => join((name) => effect.get(name)!)),
      target,
    );
    const gradients = new Map(
      [...changed].map(([name, values]) => [
        name,
        values.map((value, i) => effects.reduce((sum, effect, k) => sum + factors[k]! * effect.get(name)![i]!, value)),
      ]),
    );
    return { gradients, factors };
  }

  /** From simple to complex. */
  *changes(): Changes {
    const whole = this.#roles.roles.filter(({ isWhole }) => isWhole);
    yield* this.#scalings([
      [0, 'contribution_missing', 'is missing'],
      [2, 'contribution_twice', 'is counted twice'],
      [-1, 'contribution_sign', 'has the wrong sign'],
    ]);
    yield* this.#localDerivatives(whole);
    yield* this.#softmax(whole);
    yield* this.#overwritten(true);
    yield* this.#steps();
    yield* this.#complements(whole);
    yield* this.#operands();
    yield* this.#means();
    const weights = new EdgeWeights(this.#graph, this.#roles);
    yield* weights.parameterChanges();
    yield* weights.resultChanges();
    yield* this.#overwritten(false);
    for (const edgeClass of this.#roles.edgeClasses)
      if (this.affectsAllWrong({ cause: 'factor', description: '', edges: edgeClass.edges.map((edge) => [edge, 0]) }))
        yield* weights.factorChanges(edgeClass);
    yield* this.#windows();
    yield* this.#fittedFactors();
    yield* this.#fittedPaths();
    yield* this.#transposedUses();
  }

  /** Places in another order, such as heads and positions: those of the outputs, or of what a function gets. */
  *#mixedPlaces(): Changes {
    const { output, samples, targets, slotOf, nodeOf, nodes, leaves, firstNode } = this.#graph;
    const width = output.length / samples;
    const input = leaves.find(({ name }) => name === 'input')!;
    const orders = [...reorderings([width]), ...digitMaps(width)].filter(([cause]) => cause !== 'shifted');
    for (const [cause, what, order] of orders) {
      const upstream = reorderRows(this.#upstream, samples, order);
      yield { cause, description: `The backward pass takes the output gradient ${what}`, upstream };
      if (input.tensor.data.length === output.length)
        yield {
          cause,
          description: `The backward pass takes the output gradient ${what}, and returns the input gradient in that order`,
          upstream,
          inputOrder: order,
        };
    }
    const classes = this.#roles.edgeClasses.filter(({ use }) => use === undefined);
    for (const role of this.#roles.roles) {
      const count = role.nodes.length / samples;
      if (!role.isWhole || nodes[role.nodes[0]!]!.values.length !== 1 || !Number.isInteger(count)) continue;
      const groups = new Map(
        this.#roles.bySample(role.nodes).map((group) => [this.#roles.sampleOf[group[0]!]!, group] as const),
      );
      if ([...groups.values()].some(({ length }) => length !== count)) continue;
      const into = classes.filter(({ to }) => to === role);
      for (const chosen of [...into.map((each) => [each]), ...(into.length > 1 ? [into] : [])]) {
        const edges = chosen.flatMap((each) => each.edges);
        const moved = (order: (place: number) => number): readonly (readonly [number, number])[] | null => {
          const all: [number, number][] = [];
          for (const edge of edges) {
            const node = nodeOf[targets[edge]!]!;
            const other = groups.get(this.#roles.sampleOf[node]!)?.[order(this.#roles.placeOf[node]!)];
            // The backward pass goes from the last node to the first.
            if (other === undefined || other <= this.#roles.sourceOfEdge[edge]! - firstNode) return null;
            all.push([edge, slotOf[other]!]);
          }
          return all;
        };
        if (!this.affectsAllWrong({ cause: 'permuted', description: '', targets: moved((place) => place) ?? [] }))
          continue;
        for (const [cause, what, order] of digitMaps(count)) {
          const changed = moved(order);
          yield changed
            ? {
                cause,
                description: `What arrives at ${role.name}${into.length > chosen.length ? ` goes back to ${chosen[0]!.from}` : ' goes back'} ${what}`,
                targets: changed,
              }
            : undefined;
        }
      }
    }
  }

  /** Changes of parts of roles, which have no other reason than that they fit. */
  *furtherChanges(): Changes {
    const parts = this.#roles.roles.filter(({ isWhole }) => !isWhole);
    yield* this.#localDerivatives(parts);
    yield* this.#partsOfPaths();
    yield* this.#mixedPlaces();
    yield* this.#swaps();
    yield* this.#scalings([[0.5, 'contribution_halved', 'is halved']]);
  }

  *#scalings(factors: readonly (readonly [number, Cause, string])[]): Iterable<Change> {
    const { weights } = this.#graph.derivatives;
    for (const [factor, cause, what] of factors) {
      const isStatistic = (role: Role): boolean => factor === 0 && STATISTICS.has(this.#nameOf(role));
      const roles = this.#roles.roles.filter(({ isWhole }) => isWhole);
      for (const role of roles.filter(isStatistic))
        yield {
          cause: 'statistics_constant',
          description: `What passes through ${role.name} is missing: it is treated as constant`,
          locals: this.#slotsOf(role).map((slot) => [slot, 0]),
        };
      for (const edgeClass of this.#roles.edgeClasses)
        yield {
          cause,
          description: `${describeEdgeClass(edgeClass)} ${what}`,
          edges: edgeClass.edges.map((edge) => [edge, factor * weights[edge]!]),
        };
      for (const role of roles.filter((each) => !isStatistic(each)))
        yield {
          cause,
          description: `What passes through ${role.name} ${what}`,
          locals: this.#slotsOf(role).map((slot) => [slot, factor * this.#graph.derivatives.locals[slot]!]),
        };
      if (factor === 0) yield* this.#cutStates();
    }
  }

  /** All that passes from the numbers of one step to later ones. */
  *#cutStates(): Iterable<Change> {
    const classes = this.#roles.edgeClasses.filter(({ use }) => use === undefined);
    for (const role of this.#roles.roles) {
      if (!role.isWhole || !this.#roles.stepsOf(role)) continue;
      const own = classes.filter(({ fromRole }) => fromRole === role);
      const later = own.filter(({ to }) => to !== null);
      if (later.length < 2 || later.length === own.length) continue;
      yield {
        cause: 'contribution_missing',
        description: `What passes from ${role.name} to later steps is missing: only the output gradient of its own step arrives there`,
        edges: later.flatMap(({ edges }) => edges.map((edge) => [edge, 0] as const)),
      };
    }
  }

  #nameOf({ nodes }: Role): string {
    return this.#graph.nodes[nodes[0]!]!.name;
  }

  #slotsOf({ nodes }: Role): number[] {
    return nodes.flatMap((node) => {
      const { values } = this.#graph.nodes[node]!;
      return values.map((_, k) => this.#graph.slotOf[node]! + k);
    });
  }

  /** The derivative of a function omitted, or replaced by another. */
  *#localDerivatives(roles: readonly Role[]): Iterable<Change> {
    const { nodes, slotOf, derivatives } = this.#graph;
    for (const role of roles) {
      const argument = this.#onlyArgument(role);
      if (argument < 0) continue;
      const replaced = (cause: Cause, what: string, derivative: Derivative): Change => ({
        cause,
        description: `In the backward of ${role.name}, ${what}`,
        locals: role.nodes.map((node) => {
          const { values, result } = nodes[node]!;
          const slot = slotOf[node]! + argument;
          return [slot, derivative(values[argument]!, result, derivatives.locals[slot]!)];
        }),
      });
      for (const [cause, what, derivative] of DERIVATIVES[this.#nameOf(role)] ?? [])
        yield replaced(cause, what, derivative);
      for (const [cause, what, derivative] of this.#nameOf(role) === STORED ? [] : COMMON_DERIVATIVES)
        yield replaced(cause, what, derivative);
      if (!role.isWhole) {
        yield replaced('contribution_missing', 'the derivative is 0: what passes through it is missing', () => 0);
        yield replaced('contribution_sign', 'the derivative has the wrong sign', (_x, _y, d) => -d);
        yield replaced('contribution_twice', 'the derivative is twice as large', (_x, _y, d) => 2 * d);
      }
    }
  }

  /** The argument that is not constant, such as the second one of max(0, z); -1 if there are several. */
  #onlyArgument({ nodes }: Role): number {
    const { slotOf } = this.#graph;
    const { values } = this.#graph.nodes[nodes[0]!]!;
    if (values.length === 1) return 0;
    const changing = [...values.keys()].filter((k) => nodes.some((node) => this.#roles.isReached(slotOf[node]! + k)));
    return changing.length === 1 ? changing[0]! : -1;
  }

  /** Exponentials that are divided by their sum: a factor common to all of them has no effect. */
  *#softmax(roles: readonly Role[]): Iterable<Change> {
    const { nodes, slotOf, derivatives, slots } = this.#graph;
    const { slots: adjoints } = this.#graph.adjoints(this.#upstream);
    for (const role of roles) {
      if (this.#nameOf(role) !== 'exp') continue;
      const rows = this.#softmaxRows(role, adjoints);
      if (!rows) continue;
      const shares = new Float64Array(slots);
      for (const row of rows) {
        const sum = row.reduce((total, node) => total + nodes[node]!.result, 0);
        for (const node of row) shares[slotOf[node]!] = nodes[node]!.result / sum;
      }
      const change = (
        cause: Cause,
        what: string,
        factor: (share: number) => number,
        offset: (share: number) => number,
      ): Change => ({
        cause,
        description: `In the backward of the softmax with ${role.name}, ${what}`,
        locals: role.nodes.map((node) => {
          const slot = slotOf[node]!;
          return [slot, factor(shares[slot]!) * derivatives.locals[slot]!];
        }),
        unknown: rows.map((row) => {
          const vector = new Float64Array(slots);
          for (const node of row) vector[slotOf[node]!] = offset(shares[slotOf[node]!]!);
          return vector;
        }),
      });
      yield change(
        'contribution_missing',
        'the term with the sum over all entries is missing',
        () => 1,
        (p) => p,
      );
      yield change(
        'diagonal_only',
        'only the diagonal p (1 - p) of the Jacobian is used: the term with the sum over all entries is missing',
        (p) => 1 - p,
        (p) => p * (1 - p),
      );
      yield change(
        'derivative_missing',
        'the derivative is missing: the gradient passes unchanged',
        (p) => 1 / p,
        () => 1,
      );
      yield* this.#softmaxAxes(role, rows, shares, adjoints);
    }
  }

  /** The sum in the derivative of a softmax over other entries than those that are normalized together. */
  *#softmaxAxes(
    role: Role,
    rows: readonly (readonly number[])[],
    shares: Float64Array,
    adjoints: Float64Array,
  ): Iterable<Change> {
    const { slotOf, slots, samples } = this.#graph;
    const perSample = rows.length / samples;
    if (!Number.isInteger(perSample)) return;
    for (const block of divisors(perSample)) {
      if (block < 2) continue;
      /** The entries at the same place of the rows of a block. */
      const columnOf = (r: number, k: number): number[] =>
        Array.from({ length: block }, (_, i) => slotOf[rows[r - (r % block) + i]![k]!]!);
      // p (g - c), where c is the sum over the column; of g, all but a number for each row is known.
      const known = new Float64Array(slots);
      const unknown = rows.map(() => new Float64Array(slots));
      rows.forEach((row, r) => {
        row.forEach((node, k) => {
          const slot = slotOf[node]!;
          const column = columnOf(r, k);
          const p = shares[slot]!;
          known[slot] = -p * column.reduce((sum, each) => sum + adjoints[each]!, 0);
          unknown[r]![slot]! += p;
          column.forEach((each, i) => (unknown[r - (r % block) + i]![slot]! -= p * shares[each]!));
        });
      });
      yield {
        cause: 'axes_wrong',
        description: `In the backward of the softmax with ${role.name}, the sum runs over the wrong axis: over ${block} rows instead of the ${rows[0]!.length} entries of each row`,
        unknown: [known, ...unknown],
      };
    }
  }

  /** The nodes that are normalized together; null if they are not. */
  #softmaxRows({ nodes }: Role, adjoints: Float64Array): number[][] | null {
    const { slotOf } = this.#graph;
    for (const count of divisors(nodes.length)) {
      if (count < 2) continue;
      const rows = Array.from({ length: nodes.length / count }, (_, r) => nodes.slice(r * count, (r + 1) * count));
      const isRow = rows.every((row) => {
        let [sum, size] = [0, 0];
        for (const node of row) {
          sum += adjoints[slotOf[node]!]!;
          size += Math.abs(adjoints[slotOf[node]!]!);
        }
        return Math.abs(sum) <= TOLERANCE * size;
      });
      if (isRow) return rows;
    }
    return null;
  }

  /** Steps of a loop, tokens or samples: only one counts, or one is omitted. */
  *#steps(): Iterable<Change> {
    for (const edgeClass of this.#roles.edgeClasses) {
      if (edgeClass.fromRole || edgeClass.from === 'input') continue;
      for (const { cause, keeps, what } of this.#selections(edgeClass)) {
        const dropped = edgeClass.edges.filter((edge) => !keeps(edge));
        if (dropped.length === 0 || dropped.length === edgeClass.edges.length) continue;
        yield {
          cause,
          description: `${describeEdgeClass(edgeClass)} ${what}`,
          edges: dropped.map((edge) => [edge, 0]),
        };
      }
    }
  }

  *#selections({
    to,
  }: EdgeClass): Iterable<{ readonly cause: Cause; readonly keeps: (edge: number) => boolean; readonly what: string }> {
    const { targets, slots, nodeOf, samples, output } = this.#graph;
    const sampleOf = (edge: number): number =>
      targets[edge]! < slots
        ? this.#roles.sampleOf[nodeOf[targets[edge]!]!]!
        : Math.floor((targets[edge]! - slots) / (output.length / samples));
    for (const [which, sample] of [
      ['first', 0],
      ['last', samples - 1],
    ] as const)
      yield {
        cause: 'one_sample',
        keeps: (edge) => sampleOf(edge) === sample,
        what: `comes from the ${which} sample alone: it is not summed over the batch`,
      };
    const indexings: (readonly [count: number, indexOf: (edge: number) => number])[] = [];
    const width = output.length / samples;
    if (to) {
      const steps = this.#roles.stepsOf(to);
      if (steps) indexings.push([Math.max(...steps.values()) + 1, (edge) => steps.get(nodeOf[targets[edge]!]!)!]);
      const places = new Map<number, number>();
      const groups = this.#roles.bySample(to.nodes);
      for (const group of groups) group.forEach((node, i) => places.set(node, i));
      const count = groups[0]?.length ?? 0;
      for (const parts of divisors(count))
        if (parts > 1 && parts <= 16 && groups.every(({ length }) => length === count))
          indexings.push(
            [parts, (edge) => Math.floor((places.get(nodeOf[targets[edge]!]!)! * parts) / count)],
            [parts, (edge) => places.get(nodeOf[targets[edge]!]!)! % parts],
          );
    } else
      for (const parts of divisors(width))
        if (parts > 1 && parts <= 16)
          indexings.push(
            [parts, (edge) => Math.floor((((targets[edge]! - slots) % width) * parts) / width)],
            [parts, (edge) => (targets[edge]! - slots) % parts],
          );
    for (const [count, indexOf] of indexings)
      for (const [which, index] of [
        ['last', count - 1],
        ['first', 0],
      ] as const) {
        yield {
          cause: 'turns_missing',
          keeps: (edge) => indexOf(edge) === index,
          what: `comes from the ${which} of ${count} steps alone: the others are missing`,
        };
        if (count > 2)
          yield {
            cause: 'turns_missing',
            keeps: (edge) => indexOf(edge) !== index,
            what: `lacks the ${which} of ${count} steps`,
          };
      }
  }

  /** Selections, such as the largest number of a window: the gradient goes to all numbers of the window. */
  *#windows(): Iterable<Change> {
    const { targets, slots, nodeOf, samples, output, firstNode } = this.#graph;
    for (const edgeClass of this.#roles.edgeClasses) {
      const { fromRole, to, edges } = edgeClass;
      if (!fromRole) continue;
      const count = (to ? to.nodes.length : output.length) / samples;
      const size = fromRole.nodes.length / samples / count;
      const areTargetsDistinct = new Set(edges.map((edge) => targets[edge]!)).size === edges.length;
      if (!Number.isInteger(count) || !Number.isInteger(size) || size < 2 || !areTargetsDistinct) continue;
      const groups = new Map(
        this.#roles.bySample(fromRole.nodes).map((group) => [this.#roles.sampleOf[group[0]!]!, group] as const),
      );
      // Where samples differ in their numbers, there are no windows of one size.
      if (groups.size !== samples || [...groups.values()].some((group) => group.length !== size * count)) continue;
      const rows = Math.sqrt(size);
      const layouts = Number.isInteger(rows)
        ? [...divisors(count).map((columns) => ({ rows, columns })), { rows: 1, columns: count }]
        : [{ rows: 1, columns: count }];
      for (const layout of layouts) {
        /** The places of a window, where places are in rows of `columns` windows. */
        const windowOf = (place: number): number[] => {
          const width = size / layout.rows;
          const [row, column] = [Math.floor(place / layout.columns), place % layout.columns];
          return Array.from(
            { length: size },
            (_, k) =>
              (row * layout.rows + Math.floor(k / width)) * layout.columns * width + column * width + (k % width),
          );
        };
        const places = edges.map((edge) => {
          const target = targets[edge]!;
          const isNode = target < slots;
          return {
            edge,
            target,
            place: isNode ? this.#roles.placeOf[nodeOf[target]!]! : (target - slots) % (output.length / samples),
            sample: this.#roles.sampleOf[this.#roles.sourceOfEdge[edge]! - firstNode]!,
            source: this.#roles.placeOf[this.#roles.sourceOfEdge[edge]! - firstNode]!,
          };
        });
        if (!places.every(({ place, source }) => place >= 0 && place < count && windowOf(place).includes(source)))
          continue;
        const { weights } = this.#graph.derivatives;
        for (const [share, what] of [
          [1, 'goes to every number of a window, and should go to the selected one only'],
          [1 / size, 'is shared out evenly over a window, and should go to the selected number only'],
        ] as const)
          yield {
            cause: 'winners_ignored',
            description: `${describeEdgeClass(edgeClass)} ${what}`,
            graph: this.#graph.withEdges(
              edges,
              places.flatMap(({ edge, target, place, sample }) =>
                windowOf(place).map(
                  (at) => [firstNode + groups.get(sample)![at]!, target, share * weights[edge]!] as const,
                ),
              ),
            ),
          };
      }
    }
  }

  /** What passes to one part of a role only, such as to one gate of several. */
  *#partsOfPaths(): Changes {
    const { weights } = this.#graph.derivatives;
    const { targets, slots, nodeOf } = this.#graph;
    const parts = this.#roles.roles.filter(({ isWhole }) => !isWhole);
    for (const edgeClass of this.#roles.edgeClasses) {
      const { to, edges } = edgeClass;
      if (!to || edgeClass.use !== undefined) continue;
      for (const part of parts) {
        if (this.#roles.wholeRoleOf(part.nodes[0]!) !== to) continue;
        yield;
        const own = new Set(part.nodes);
        const chosen = edges.filter((edge) => targets[edge]! < slots && own.has(nodeOf[targets[edge]!]!));
        if (chosen.length === 0 || chosen.length === edges.length) continue;
        for (const [factor, cause, what] of [
          [0, 'contribution_missing', 'is missing'],
          [-1, 'contribution_sign', 'has the wrong sign'],
        ] as const)
          yield {
            cause,
            description: `${describeEdgeClass({ ...edgeClass, to: part })} ${what}`,
            edges: chosen.map((edge) => [edge, factor * weights[edge]!]),
          };
      }
    }
  }

  /** The contribution of one use of a matrix is added transposed. */
  *#transposedUses(): Changes {
    const { targets, derivatives } = this.#graph;
    for (const edgeClass of this.#roles.edgeClasses) {
      const leaf = this.#graph.leaves.find(({ name }) => !edgeClass.fromRole && name === edgeClass.from);
      const [rows = 0, columns = 0] = leaf?.tensor.shape.slice(-2) ?? [];
      if (!leaf || leaf.isInput || leaf.tensor.shape.length < 2 || rows !== columns || rows < 2) continue;
      yield;
      yield {
        cause: 'transposed',
        description: `${describeEdgeClass(edgeClass)} is added transposed`,
        graph: this.#graph.withEdges(
          edgeClass.edges,
          edgeClass.edges.map((edge) => {
            const entry = this.#roles.sourceOfEdge[edge]! - leaf.first;
            const at = entry % (rows * rows);
            const turned = entry - at + (at % rows) * rows + Math.floor(at / rows);
            return [leaf.first + turned, targets[edge]!, derivatives.weights[edge]!] as const;
          }),
        ),
      };
    }
  }

  /** What passes through edges or nodes, times the factor that fits best. */
  *#fittedFactors(): Changes {
    const { weights, locals } = this.#graph.derivatives;
    const candidates: Change[] = [
      ...this.#roles.edgeClasses.map((edgeClass) => ({
        cause: 'factor' as const,
        description: describeEdgeClass(edgeClass),
        edges: edgeClass.edges.map((edge) => [edge, weights[edge]!] as const),
      })),
      ...this.#roles.roles
        .filter(({ isWhole }) => isWhole)
        .map((role) => ({
          cause: 'factor' as const,
          description: `What passes through ${role.name}`,
          locals: this.#slotsOf(role).map((slot) => [slot, locals[slot]!] as const),
        })),
    ];
    for (const { cause, description, edges = [], locals: own = [] } of candidates) {
      if (!this.affectsAllWrong({ cause, description, edges, locals: own })) continue;
      yield;
      const scaled = (factor: number): Pick<Change, 'edges' | 'locals'> => ({
        edges: edges.map(([edge, weight]) => [edge, factor * weight]),
        locals: own.map(([slot, derivative]) => [slot, factor * derivative]),
      });
      const without = this.#gradientsWith(scaled(0));
      const factor = this.#fitFactor(without);
      if (factor === null) continue;
      yield { cause, description: `${description} ${describeMultiple(factor)}`, ...scaled(factor) };
    }
  }

  #gradientsWith({ edges = [], locals = [] }: Pick<Change, 'edges' | 'locals'>): Map<string, Float64Array> {
    const base = this.#graph.derivatives;
    for (const [edge, weight] of edges) this.#scratch.weights[edge] = weight;
    for (const [slot, derivative] of locals) this.#scratch.locals[slot] = derivative;
    const gradients = this.#graph.gradients(this.#upstream, this.#scratch);
    for (const [edge] of edges) this.#scratch.weights[edge] = base.weights[edge]!;
    for (const [slot] of locals) this.#scratch.locals[slot] = base.locals[slot]!;
    return gradients;
  }

  /** Between the gradients without a path and the right ones; null if no factor explains the returned ones. */
  #fitFactor(without: ReadonlyMap<string, Float64Array>): number | null {
    let [products, squares, count] = [0, 0, 0];
    for (const name of this.wrong) {
      const [none, right, returned] = [without.get(name)!, this.#original.get(name)!, this.#returned.get(name)!];
      const scale = this.#scales.get(name)! ** 2;
      none.forEach((value, i) => {
        products += ((returned[i]! - value) * (right[i]! - value)) / scale;
        squares += (right[i]! - value) ** 2 / scale;
        count++;
      });
    }
    const factor = products / squares;
    return count > 2 && Number.isFinite(factor) && Math.abs(factor) < MAX_FACTOR ? factor : null;
  }

  /** The paths from an input or parameter, each times a factor: those that are not 1 are wrong. */
  *#fittedPaths(): Changes {
    const { weights } = this.#graph.derivatives;
    const { targets, slots } = this.#graph;
    const adjoints = this.#graph.adjoints(this.#upstream).slots;
    if (this.wrong.size !== 1) return;
    for (const { name, first, tensor } of this.#graph.leaves) {
      if (!this.wrong.has(name)) continue;
      const own = this.#roles.edgeClasses.filter(({ fromRole, from }) => !fromRole && from === name);
      const uses = own.filter(({ use }) => use !== undefined);
      const wholes = own.filter(({ use }) => use === undefined);
      for (const classes of uses.length > 0
        ? [wholes, [...uses, ...wholes.filter((each) => !uses.some(({ to }) => to === each.to))]]
        : [wholes]) {
        if (classes.length < 2 || classes.length > MAX_PATHS) continue;
        yield;
        const columns = classes.map(({ edges }) => {
          const sums = new Float64Array(tensor.data.length);
          for (const edge of edges) {
            const target = targets[edge]!;
            const adjoint = target < slots ? adjoints[target]! : this.#upstream[target - slots]!;
            sums[this.#roles.sourceOfEdge[edge]! - first]! += weights[edge]! * adjoint;
          }
          return [...sums];
        });
        const target = [...this.#returned.get(name)!];
        if (target.length < 2 * columns.length) continue;
        const factors = solveLeastSquares(columns, target);
        const wrong = classes.flatMap((edgeClass, k) =>
          Math.abs(factors[k]! - 1) > 1e-5 ? [{ edgeClass, factor: factors[k]! }] : [],
        );
        if (wrong.length === 0 || wrong.length > MAX_WRONG_PATHS) continue;
        const [{ factor }] = wrong as [(typeof wrong)[0]];
        const isCommon = wrong.every((each) => Math.abs(each.factor - factor) < 1e-5);
        yield {
          cause: isCommon ? causeOfMultiple(factor) : 'term_wrong',
          description: wrong
            .map((each) => `${describeEdgeClass(each.edgeClass)} ${describeMultiple(each.factor)}`)
            .join('. '),
          edges: wrong.flatMap((each) =>
            each.edgeClass.edges.map((edge) => [edge, each.factor * weights[edge]!] as const),
          ),
        };
      }
    }
  }

  /**
   * Of all contributions to an entry, only the last or the first counts, in the batch or in each sample.
   * @param isRepeated for entries some of which have several contributions in a sample and some do not, as those of a
   *   table: the others are right either way
   */
  *#overwritten(isRepeated: boolean): Changes {
    const { leaves, edgesOf, targets, slots, nodeOf, output, samples, derivatives } = this.#graph;
    const width = output.length / samples;
    const sampleOf = (target: number): number =>
      target < slots ? this.#roles.sampleOf[nodeOf[target]!]! : Math.floor((target - slots) / width);
    const placeOf = (target: number): number =>
      target < slots ? this.#roles.placeOf[nodeOf[target]!]! : (target - slots) % width;
    for (const { name, first, tensor, isInput } of leaves) {
      const classes = this.#roles.edgeClasses.filter(({ fromRole, from }) => !fromRole && from === name);
      const all = new Set(classes.flatMap(({ edges }) => edges));
      for (const edges of [all, ...(classes.length > 1 ? classes.map((each) => new Set(each.edges)) : [])]) {
        const edgesFrom = (source: number): number[] => {
          const own: number[] = [];
          for (let edge = edgesOf[source]!; edge < edgesOf[source + 1]!; edge++) if (edges.has(edge)) own.push(edge);
          return own;
        };
        const sources = Array.from({ length: tensor.data.length }, (_, i) => edgesFrom(first + i));
        const usesFrom = (own: readonly number[], i: number): number =>
          own.reduce((total, edge) => total + this.#graph.usesOf(first + i, targets[edge]!), 0);
        const counts = new Set(
          sources.flatMap((own, i) => (own.length > 0 ? [Math.ceil(usesFrom(own, i) / (isInput ? 1 : samples))] : [])),
        );
        if (isRepeated && !(counts.size > 1 && counts.has(1))) continue;
        const to = classes.find((each) => edges.has(each.edges[0]!))?.to;
        const count = to ? to.nodes.length / samples : width;
        for (const inner of isRepeated ? [1] : divisors(count).filter((k) => k <= 16)) {
          for (const [which, sign] of [
            ['last', 1],
            ['first', -1],
          ] as const)
            for (const [keepsGroup, inEachSample] of [
              [false, false],
              ...(inner > 1 ? [[true, false] as const] : []),
              ...(isInput ? [] : [[false, true] as const]),
            ] as const) {
              yield;
              // Outer loops first: the sample, then places with or without the outermost axis.
              const orderOf = (target: number): number => {
                const place = placeOf(target);
                const rest = count / inner;
                const order = (place % rest) * inner + (keepsGroup ? 0 : Math.floor(place / rest));
                return (inEachSample ? 0 : sampleOf(target) * count) + sign * order;
              };
              const changed: [number, number][] = [];
              for (const [i, own] of sources.entries()) {
                const best = new Map<number, number>();
                const groupOf = (edge: number): number => (inEachSample ? sampleOf(targets[edge]!) : 0);
                for (const edge of own)
                  best.set(groupOf(edge), Math.max(best.get(groupOf(edge)) ?? -Infinity, orderOf(targets[edge]!)));
                for (const edge of own) {
                  const uses = this.#graph.usesOf(first + i, targets[edge]!);
                  if (orderOf(targets[edge]!) < best.get(groupOf(edge))!) changed.push([edge, 0]);
                  else if (uses > 1) changed.push([edge, derivatives.weights[edge]! / uses]);
                }
              }
              if (changed.length === 0) continue;
              yield {
                cause: 'overwritten',
                description: `Of several contributions to an entry of ${name}${inEachSample ? ' in a sample' : ''}, only the ${which} counts: they must be added (+=), not overwritten (=)`,
                edges: changed,
              };
            }
        }
      }
    }
  }

  /** Parameters whose entries are multiplied with results of nodes: results of another step, or of another function. */
  *#operands(): Changes {
    const { nodes, targets, slots, nodeOf, derivatives } = this.#graph;
    const whole = this.#roles.roles.filter(({ isWhole }) => isWhole);
    const key = (sample: number, value: number): string => `${sample} ${value.toPrecision(7)}`;
    const byValue = whole.map(
      (role) =>
        [
          role,
          new Map(role.nodes.map((node) => [key(this.#roles.sampleOf[node]!, nodes[node]!.result), node] as const)),
        ] as const,
    );
    for (const edgeClass of this.#roles.edgeClasses) {
      if (edgeClass.fromRole || edgeClass.from === 'input') continue;
      for (const [role, nodeOfValue] of byValue) {
        yield;
        /** By edge: the node whose result is its weight. */
        const operands = new Map<number, number>();
        for (const edge of edgeClass.edges) {
          const target = targets[edge]!;
          if (target >= slots) continue;
          const sample = this.#roles.sampleOf[nodeOf[target]!]!;
          const node = nodeOfValue.get(key(sample, derivatives.weights[edge]!));
          if (node !== undefined) operands.set(edge, node);
        }
        if (operands.size * 3 < edgeClass.edges.length) continue;
        yield* this.#shiftedOperands(edgeClass, role, operands);
        yield* this.#otherOperands(edgeClass, role, operands);
      }
    }
  }

  *#shiftedOperands(
    { from, to, edges }: EdgeClass,
    role: Role,
    operands: ReadonlyMap<number, number>,
  ): Iterable<Change> {
    const { nodes, targets, nodeOf, slotOf } = this.#graph;
    const [own, theirs] = [to && this.#roles.stepGrid(to), this.#roles.stepGrid(role)];
    if (!to || !own || !theirs) return;
    /** By unit of the target: the entries of the parameter, and the unit that each is multiplied with. */
    const pairs = new Map<number, Map<number, number>>();
    const offsets = new Set<number>();
    for (const [edge, node] of operands) {
      const target = own.placeOf.get(nodeOf[targets[edge]!]!)!;
      const operand = theirs.placeOf.get(node)!;
      offsets.add(operand.step - target.step);
      const found = pairs.get(target.unit) ?? new Map<number, number>();
      found.set(this.#roles.sourceOfEdge[edge]!, operand.unit);
      pairs.set(target.unit, found);
    }
    if (offsets.size !== 1) return;
    const [offset] = offsets as unknown as [number];
    for (const [by, which] of [
      [1, 'next'],
      [-1, 'previous'],
    ] as const) {
      const added: [source: number, target: number, weight: number][] = [];
      for (const node of to.nodes) {
        const { group, step, unit } = own.placeOf.get(node)!;
        for (const [source, operandUnit] of pairs.get(unit) ?? []) {
          const operand = theirs.nodeAt(group, step + offset + by, operandUnit);
          if (operand !== undefined) added.push([source, slotOf[node]!, nodes[operand]!.result]);
        }
      }
      yield {
        cause: 'wrong_turn',
        description: `The gradient of ${from} uses the results of ${role.name} of the ${which} step`,
        graph: this.#graph.withEdges(edges, added),
      };
    }
  }

  *#otherOperands({ from }: EdgeClass, role: Role, operands: ReadonlyMap<number, number>): Iterable<Change> {
    const { nodes } = this.#graph;
    for (const other of this.#roles.roles) {
      if (!other.isWhole || other === role || other.nodes.length !== role.nodes.length) continue;
      const standIn = new Map(role.nodes.map((node, i) => [node, other.nodes[i]!] as const));
      yield {
        cause: 'wrong_operand',
        description: `The gradient of ${from} uses the results of ${other.name} instead of those of ${role.name}`,
        edges: [...operands].map(([edge, node]) => [edge, nodes[standIn.get(node)!]!.result]),
      };
    }
    for (const [what, value] of [
      ['the arguments', (node: number) => nodes[node]!.values[0]!],
      ['the squares', (node: number) => nodes[node]!.result ** 2],
    ] as const)
      yield {
        cause: 'wrong_operand',
        description: `The gradient of ${from} uses ${what} of ${role.name} instead of its results`,
        edges: [...operands].map(([edge, node]) => [edge, value(node)]),
      };
  }

  /** A number that all entries contribute equally, as to a mean. */
  *#means(): Iterable<Change> {
    const { weights } = this.#graph.derivatives;
    const { targets } = this.#graph;
    for (const edgeClass of this.#roles.edgeClasses) {
      const byTarget = new Map<number, number[]>();
      for (const edge of edgeClass.edges) byTarget.set(targets[edge]!, [...(byTarget.get(targets[edge]!) ?? []), edge]);
      const common = new Map<number, number>();
      for (const edges of byTarget.values()) {
        const value = commonValue(edges.map((edge) => weights[edge]!));
        if (value !== null) for (const edge of edges) common.set(edge, value);
      }
      if (common.size < edgeClass.edges.length) continue;
      for (const [factor, cause, what] of [
        [0, 'statistics_constant', 'is missing: it is treated as constant'],
        [2, 'term_twice', 'is counted twice'],
        [-1, 'term_sign', 'has the wrong sign'],
      ] as const)
        yield {
          cause,
          description: `What all entries of ${edgeClass.from} contribute equally, as to a mean, ${what}`,
          edges: edgeClass.edges.map((edge) => [edge, weights[edge]! + (factor - 1) * common.get(edge)!]),
        };
    }
  }

  /** The gradients of two roles are exchanged, after their derivatives or before: of their arguments, or results. */
  *#swaps(): Changes {
    const { targets, slots, nodeOf, slotOf, firstNode, derivatives } = this.#graph;
    if (targets.length > MAX_SWAPPED_EDGES) return;
    let tried = 0;
    for (const [a, b] of this.#pairs()) {
      if (tried++ >= MAX_SWAPS) return;
      yield;
      const partner = new Map([
        ...a.nodes.map((node, k) => [node, b.nodes[k]!] as const),
        ...b.nodes.map((node, k) => [node, a.nodes[k]!] as const),
      ]);
      for (const [what, moved] of [
        [
          'arguments',
          (source: number, target: number): readonly [number, number] => {
            const node = target < slots ? partner.get(nodeOf[target]!) : undefined;
            return [source, node === undefined ? target : slotOf[node]! + target - slotOf[nodeOf[target]!]!];
          },
        ],
        [
          'results',
          (source: number, target: number): readonly [number, number] => {
            const node = partner.get(source - firstNode);
            return [node === undefined ? source : firstNode + node, target];
          },
        ],
      ] as const) {
        const removed: number[] = [];
        const added: [number, number, number][] = [];
        for (let edge = 0; edge < targets.length; edge++) {
          const [from, to] = [this.#roles.sourceOfEdge[edge]!, targets[edge]!];
          const [source, target] = moved(from, to);
          if (source === from && target === to) continue;
          removed.push(edge);
          added.push([source, target, derivatives.weights[edge]!]);
        }
        // The backward pass goes from the last node to the first.
        const isOrdered = added.every(([source, target]) => target >= slots || source < firstNode + nodeOf[target]!);
        if (!isOrdered || added.length === 0) continue;
        yield {
          cause: 'swapped',
          description: `The gradients of the ${what} of ${a.name} and ${b.name} are swapped`,
          graph: this.#graph.withEdges(removed, added),
        };
      }
    }
  }

  /** Roles that do the same, and the parts of one role, such as gates. */
  *#pairs(): Iterable<readonly [Role, Role]> {
    const { roles } = this.#roles;
    const lengthOf = ({ nodes }: Role): number => nodes.length;
    for (const isWhole of [true, false])
      for (const [i, a] of roles.entries())
        for (const b of roles.slice(i + 1)) {
          if (a.isWhole !== isWhole || b.isWhole !== isWhole || lengthOf(a) !== lengthOf(b)) continue;
          const [wholeA, wholeB] = [this.#roles.wholeRoleOf(a.nodes[0]!), this.#roles.wholeRoleOf(b.nodes[0]!)];
          if (isWhole ? this.#nameOf(a) !== this.#nameOf(b) : wholeA !== wholeB || a.step !== b.step) continue;
          yield [a, b];
        }
  }

  /** Wherever a gate z or 1 - z is a factor, the other of the two is used. */
  *#complements(roles: readonly Role[]): Iterable<Change> {
    const { nodes, targets, slots, nodeOf, derivatives, samples, output } = this.#graph;
    const key = (sample: number, value: number): string => `${sample} ${value.toPrecision(7)}`;
    for (const role of roles) {
      if (this.#nameOf(role) !== 'sigmoid') continue;
      const values = new Set(
        role.nodes.flatMap((node) => {
          const { result } = nodes[node]!;
          const sample = this.#roles.sampleOf[node]!;
          return [key(sample, result), key(sample, 1 - result)];
        }),
      );
      const byTarget = new Map<Role | undefined, [number, number][]>();
      for (let edge = 0; edge < targets.length; edge++) {
        const target = targets[edge]!;
        const sample =
          target < slots
            ? this.#roles.sampleOf[nodeOf[target]!]!
            : Math.floor((target - slots) / (output.length / samples));
        const weight = derivatives.weights[edge]!;
        if (!values.has(key(sample, weight))) continue;
        const to = target < slots ? this.#roles.wholeRoleOf(nodeOf[target]!) : undefined;
        byTarget.set(to, [...(byTarget.get(to) ?? []), [edge, 1 - weight]]);
      }
      const all = [...byTarget.values()].flat();
      for (const edges of byTarget.size > 1 ? [all, ...byTarget.values()] : [all])
        if (edges.length > 0)
          yield {
            cause: 'wrong_operand',
            description: `Where ${role.name} is a factor, it is swapped with 1 minus its result`,
            edges,
          };
    }
  }
}

/** By sample, the value of place `order(i)` in place `i`. */
function reorderRows(
  values: Float64Array,
  samples: number,
  order: (place: number) => number,
): Float64Array<ArrayBuffer> {
  const width = values.length / samples;
  return Float64Array.from(values, (_, at) => values[at - (at % width) + order(at % width)] ?? 0);
}

const causeOfMultiple = (factor: number): Cause =>
  Math.abs(factor) < 1e-5
    ? 'contribution_missing'
    : Math.abs(factor - 2) < 1e-5
      ? 'contribution_twice'
      : Math.abs(factor + 1) < 1e-5
        ? 'contribution_sign'
        : 'factor';

/** "is missing", "is 3 times too large". */
function describeMultiple(factor: number): string {
  const isNear = (value: number, to: number): boolean => Math.abs(value - to) <= 1e-4 * Math.abs(to);
  if (Math.abs(factor) < 1e-5) return 'is missing';
  if (isNear(factor, -1)) return 'has the wrong sign';
  if (isNear(factor, 2)) return 'is counted twice, or lacks a factor 1/2';
  const sign = factor < 0 ? ', with the wrong sign' : '';
  const size = Math.abs(factor);
  if (isNear(size, Math.round(size))) return `is ${Math.round(size)} times too large${sign}`;
  if (isNear(1 / size, Math.round(1 / size)))
    return `is divided by ${Math.round(1 / size)} once too many, or lacks that factor${sign}`;
  const squared = Math.round(size * size);
  if (isNear(size * size, squared)) return `is √${squared} times too large${sign}`;
  const inverse = Math.round(1 / (size * size));
  if (isNear(1 / (size * size), inverse)) return `is divided by √${inverse} once too many, or lacks that factor${sign}`;
  return `is ${formatShort(factor)} times what it should be`;
}

/** The value of all but at most one of the numbers; null if there are fewer than three, or if no value is. */
function commonValue(values: readonly number[]): number | null {
  if (values.length < 3) return null;
  const scale = maxAbs(values);
  const sorted = [...values].sort((a, b) => a - b);
  const isEqual = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * scale;
  for (const candidate of [sorted[1]!, sorted[0]!, sorted.at(-1)!])
    if (values.filter((value) => isEqual(value, candidate)).length >= values.length - 1) return candidate;
  return null;
}

/**
 * A softmax subtracts the largest entry, which changes nothing. Backward passes leave it out, so what passes through it
 * must stay 0 after other changes.
 */
function dropShifts(graph: ForwardGraph, upstream: Float64Array): void {
  const { sources, slots } = graph.adjoints(upstream);
  const { firstNode, edgesOf, targets, nodes, slotOf, derivatives } = graph;
  nodes.forEach(({ name, values }, node) => {
    if (name !== 'max' && name !== 'min') return;
    let size = 0;
    for (let edge = edgesOf[firstNode + node]!; edge < edgesOf[firstNode + node + 1]!; edge++) {
      const target = targets[edge]!;
      const adjoint = target < graph.slots ? slots[target]! : upstream[target - graph.slots]!;
      size += Math.abs(derivatives.weights[edge]! * adjoint);
    }
    if (Math.abs(sources[firstNode + node]!) > TOLERANCE * size) return;
    values.forEach((_, k) => (derivatives.locals[slotOf[node]! + k] = 0));
  });
}

/** Functions that make a statistic, such as a standard deviation. */
const STATISTICS: ReadonlySet<string> = new Set(['sqrt', 'hypot', 'pow', 'cbrt']);

type Derivative = (x: number, y: number, d: number) => number;
type NamedDerivative = readonly [cause: Cause, what: string, derivative: Derivative];

/** Derivatives as they are written, of a number v. */
const FORMULAS: readonly (readonly [text: string, derivative: (v: number) => number])[] = [
  ['v (1 - v)', (v) => v * (1 - v)],
  ['1 - v²', (v) => 1 - v * v],
  ['v', (v) => v],
  ['1 - v', (v) => 1 - v],
  ['1 / v', (v) => 1 / v],
  ['1 / (2 v)', (v) => 0.5 / v],
  ['2 v', (v) => 2 * v],
  ['v²', (v) => v * v],
  ['-v', (v) => -v],
  ['exp(v)', Math.exp],
  ['cos(v)', Math.cos],
  ['the sign of v', Math.sign],
  ['1 where v > 0', (v) => (v > 0 ? 1 : 0)],
  ['σ(v) (1 - σ(v))', (v) => logistic(v) * (1 - logistic(v))],
  ['1 - tanh(v)²', (v) => 1 - Math.tanh(v) ** 2],
];

const COMMON_DERIVATIVES: readonly NamedDerivative[] = [
  ['derivative_missing', 'the derivative is missing: the gradient passes unchanged', () => 1],
  ['value_for_derivative', 'the value is used instead of the derivative', (_x, y) => y],
  ['derivative_twice', 'the derivative is applied twice', (_x, _y, d) => d * d],
  ['derivative_inverted', 'the gradient is divided by the derivative', (_x, _y, d) => 1 / d],
];

const formatShort = (value: number): string => String(Number(value.toPrecision(3)));

const logistic = (z: number): number => 1 / (1 + Math.exp(-z));

const DERIVATIVES: Readonly<Record<string, readonly NamedDerivative[]>> = {
  tanh: [
    [
      'derivative_of_output_at_input',
      '1 - x² is used instead of 1 - y²: the derivative takes the input where it needs the output',
      (x) => 1 - x * x,
    ],
    [
      'wrong_place',
      '1 - tanh(y)² is used instead of 1 - y²: tanh is applied to the output again',
      (_x, y) => 1 - Math.tanh(y) ** 2,
    ],
    ['wrong_place', '1 - y is used instead of 1 - y²', (_x, y) => 1 - y],
    [
      'derivative_of_another',
      'y (1 - y), the derivative of sigmoid, is used instead of 1 - y²',
      (_x, y) => y * (1 - y),
    ],
    ['wrong_derivative', '1 + y² is used instead of 1 - y²', (_x, y) => 1 + y * y],
  ],
  sigmoid: [
    ['wrong_place', '1 - y is used instead of y (1 - y)', (_x, y) => 1 - y],
    [
      'derivative_of_output_at_input',
      'x (1 - x) is used instead of y (1 - y): the derivative takes the input where it needs the output',
      (x) => x * (1 - x),
    ],
    [
      'wrong_place',
      'the sigmoid is applied to its output again: its derivative is y (1 - y)',
      (_x, y) => logistic(y) * (1 - logistic(y)),
    ],
    ['derivative_of_another', '1 - y², the derivative of tanh, is used instead of y (1 - y)', (_x, y) => 1 - y * y],
    ['wrong_derivative', 'y (1 + y) is used instead of y (1 - y)', (_x, y) => y * (1 + y)],
  ],
  sqrt: [
    ['wrong_place', '1 / (2 x) is used instead of 1 / (2 √x)', (x) => 0.5 / x],
    ['wrong_place', '1 / √x is used instead of 1 / (2 √x)', (_x, y) => 1 / y],
    ['wrong_place', '2 √x is used instead of 1 / (2 √x)', (_x, y) => 2 * y],
  ],
  log: [
    ['wrong_place', 'log(x) is used instead of 1 / x', (_x, y) => y],
    ['wrong_place', '1 / y is used instead of 1 / x', (_x, y) => 1 / y],
  ],
  abs: [['wrong_derivative', 'the sign of x is missing', () => 1]],
};

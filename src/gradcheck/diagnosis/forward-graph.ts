// The graph of a forward pass that is written as loops, found by perturbing numbers. Its nodes are the entries of the
// input and the parameters, the calls of functions of `Math` and stored numbers, and the outputs. An edge has the
// derivative of an argument or output with respect to one of these numbers, while the results of all others stay.
import type { SourceLocation } from '../../protocol/problem';
import type { ForwardContext, ForwardObserver, LayerDefinition } from '../../engine/layers/layer';
import type { Tensor } from '../../engine/kernels/tensor';
import { ForwardTrace, type RepeatedUse, STORED, type TraceNode } from './forward-trace';

/** Of one forward pass: the most nodes, and the most reads, writes and calls. */
const MAX_NODES = 2000;
const MAX_EVENTS = 40_000;
/** The most events of all forward passes. */
const MAX_TOTAL_EVENTS = 1.2e7;
const MAX_EDGES = 1e6;
/** How often samples are looked for. */
const MAX_ROUNDS = 4;
/** The uses of a number are distinguished by up to this many places in the code. */
const MAX_PLACES = 12;
/** Stacks that become text between two turns. */
const STACKS_AT_ONCE = 16;
/** The most exponentials of one place in the code that are tried. */
const MAX_SIGMOIDS_TRIED = 8;
const STEP = 6e-6;
/** The share of the absolute gradients by which the graph may differ from differences along a line. */
const COMPLETE = 1e-5;
/** Numbers below this size are perturbed as if they had it. */
const MIN_MAGNITUDE = 0.05;
/** Derivatives below this share of the largest of a source are round-off. */
const NEGLIGIBLE = 1e-9;

export interface Leaf {
  /** `input`, or the short name of a parameter. */
  readonly name: string;
  readonly tensor: Tensor;
  /** Whether its first axis is the batch. */
  readonly isInput: boolean;
  /** Its first source; sources are the entries of all leaves, then the nodes. */
  readonly first: number;
}

/** What the backward pass of the graph uses: hypotheses change some of it. */
export interface Derivatives {
  /** By edge. */
  readonly weights: Float64Array;
  /** Of each node with respect to each of its arguments, by slot. */
  readonly locals: Float64Array;
  /** By edge; those of the graph by default. */
  readonly targets?: Int32Array;
}

export class ForwardGraph {
  readonly derivatives: Derivatives;
  /** The first edge of each source; the last number is that of all edges. */
  readonly edgesOf: Int32Array;
  /** By edge: a slot, or an output after all slots. */
  readonly targets: Int32Array;
  /** The node of each slot, which is an argument of a node. */
  readonly nodeOf: Int32Array;
  /** The first slot of each node. */
  readonly slotOf: Int32Array;
  /** By edge: the number of the place in the code that reads its source; -1 where there is one place, or none. */
  readonly placeOfEdge: Int32Array;
  /** By source and node, if it is more than once. */
  readonly #uses = new Map<string, number>();

  constructor(
    readonly leaves: readonly Leaf[],
    readonly nodes: readonly TraceNode[],
    /** Null if the graph was not found by observing calls. */
    readonly trace: ForwardTrace | null,
    readonly output: Float64Array,
    edges: readonly Edges[],
    readonly samples: number,
    readonly locate: (node: Pick<TraceNode, 'at'>) => SourceLocation | null,
    readonly places: readonly Error[],
    repeatedUses: readonly RepeatedUse[] = trace?.repeatedUses ?? [],
  ) {
    this.edgesOf = new Int32Array(edges.length + 1);
    edges.forEach(({ targets }, source) => (this.edgesOf[source + 1] = this.edgesOf[source]! + targets.length));
    const count = this.edgesOf[edges.length]!;
    this.targets = new Int32Array(count);
    const weights = new Float64Array(count);
    this.placeOfEdge = new Int32Array(count);
    edges.forEach(({ targets, weights: own, places: placesOfOwn }, source) => {
      this.targets.set(targets, this.edgesOf[source]);
      weights.set(own, this.edgesOf[source]);
      this.placeOfEdge.set(placesOfOwn, this.edgesOf[source]);
    });
    this.slotOf = Int32Array.from(nodes, () => 0);
    const nodeOf: number[] = [];
    nodes.forEach(({ values }, node) => {
      this.slotOf[node] = nodeOf.length;
      for (let k = 0; k < values.length; k++) nodeOf.push(node);
    });
    this.nodeOf = Int32Array.from(nodeOf);
    const locals = Float64Array.from(nodeOf, (node, slot) => localDerivative(nodes[node]!, slot - this.slotOf[node]!));
    this.derivatives = { weights, locals };
    const order = [...leaves.filter(({ isInput }) => isInput), ...leaves.filter(({ isInput }) => !isInput)];
    for (const { leaf, entry, node, count: uses } of repeatedUses)
      this.#uses.set(`${order[leaf]!.first + entry} ${node}`, uses);
  }

  /** How often a source is used for a target of one of its edges; 1 by default. */
  usesOf(source: number, target: number): number {
    const node = target < this.slots ? this.nodeOf[target]! : -2 - (target - this.slots);
    return this.#uses.get(`${source} ${node}`) ?? 1;
  }

  get slots(): number {
    return this.nodeOf.length;
  }

  /** The first source that is a node. */
  get firstNode(): number {
    return this.edgesOf.length - 1 - this.nodes.length;
  }

  /** The same graph without some edges, and with others. */
  withEdges(
    removed: Iterable<number>,
    added: Iterable<readonly [source: number, target: number, weight: number]>,
  ): ForwardGraph {
    const without = new Set(removed);
    const edges = Array.from({ length: this.edgesOf.length - 1 }, (_, source) => {
      const own: { targets: number[]; weights: number[]; places: number[] } = { targets: [], weights: [], places: [] };
      for (let edge = this.edgesOf[source]!; edge < this.edgesOf[source + 1]!; edge++) {
        if (without.has(edge)) continue;
        own.targets.push(this.targets[edge]!);
        own.weights.push(this.derivatives.weights[edge]!);
        own.places.push(this.placeOfEdge[edge]!);
      }
      return own;
    });
    for (const [source, target, weight] of added) {
      edges[source]!.targets.push(target);
      edges[source]!.weights.push(weight);
      edges[source]!.places.push(-1);
    }
    return this.#withAllEdges(edges);
  }

  /** With the edges of some leaves from another graph with the same nodes. */
  withEdgesOf(other: ForwardGraph, isOther: (source: number) => boolean): ForwardGraph {
    return this.#withAllEdges(
      Array.from({ length: this.edgesOf.length - 1 }, (_, source) => {
        return (isOther(source) ? other : this).#edgesFrom(source);
      }),
    );
  }

  /** With other names and values of its nodes. */
  withNodes(nodes: readonly TraceNode[]): ForwardGraph {
    const { leaves, trace, output, samples, locate, places } = this;
    const edges = Array.from({ length: this.edgesOf.length - 1 }, (_, source) => this.#edgesFrom(source));
    const graph = new ForwardGraph(leaves, nodes, trace, output, edges, samples, locate, places);
    graph.derivatives.locals.set(this.derivatives.locals);
    return graph;
  }

  /**
   * With other nodes and edges.
   * @param oldNodeOf the same node of this graph; null for a new one
   */
  withAllNodes(
    nodes: readonly TraceNode[],
    edges: readonly Edges[],
    repeatedUses: readonly RepeatedUse[],
    oldNodeOf: (node: number) => number | null,
  ): ForwardGraph {
    const { leaves, trace, output, samples, locate, places } = this;
    const graph = new ForwardGraph(leaves, nodes, trace, output, edges, samples, locate, places, repeatedUses);
    nodes.forEach(({ values }, node) => {
      const old = oldNodeOf(node);
      for (let k = 0; old !== null && k < values.length; k++)
        graph.derivatives.locals[graph.slotOf[node]! + k] = this.derivatives.locals[this.slotOf[old]! + k]!;
    });
    return graph;
  }

  #edgesFrom(source: number): Edges {
    const [from, to] = [this.edgesOf[source]!, this.edgesOf[source + 1]!];
    return {
      targets: [...this.targets.subarray(from, to)],
      weights: [...this.derivatives.weights.subarray(from, to)],
      places: [...this.placeOfEdge.subarray(from, to)],
    };
  }

  #withAllEdges(edges: readonly Edges[]): ForwardGraph {
    const { leaves, nodes, trace, output, samples, locate, places } = this;
    const graph = new ForwardGraph(leaves, nodes, trace, output, edges, samples, locate, places);
    graph.derivatives.locals.set(this.derivatives.locals);
    return graph;
  }

  /**
   * The derivative of the sum of output times output gradient, with respect to each source and each slot.
   * @param injected added to the derivatives with respect to slots
   */
  adjoints(
    upstream: Float64Array,
    { weights, locals, targets = this.targets }: Derivatives = this.derivatives,
    injected?: Float64Array,
  ): { readonly sources: Float64Array; readonly slots: Float64Array } {
    const { edgesOf, slots, slotOf, nodeOf, firstNode } = this;
    const sources = new Float64Array(edgesOf.length - 1);
    const targetAdjoints = new Float64Array(slots + upstream.length);
    targetAdjoints.set(upstream, slots);
    if (injected) targetAdjoints.set(injected);
    for (let source = sources.length - 1; source >= 0; source--) {
      let sum = 0;
      for (let edge = edgesOf[source]!; edge < edgesOf[source + 1]!; edge++)
        sum += weights[edge]! * targetAdjoints[targets[edge]!]!;
      sources[source] = sum;
      const node = source - firstNode;
      if (node < 0) continue;
      for (let slot = slotOf[node]!; slot < slots && nodeOf[slot] === node; slot++)
        targetAdjoints[slot]! += sum * locals[slot]!;
    }
    return { sources, slots: targetAdjoints.subarray(0, slots) };
  }

  /** dS/d leaf by name. */
  gradients(upstream: Float64Array, derivatives?: Derivatives, injected?: Float64Array): Map<string, Float64Array> {
    const { sources } = this.adjoints(upstream, derivatives, injected);
    return new Map(
      this.leaves.map(({ name, first, tensor }) => [name, sources.slice(first, first + tensor.data.length)]),
    );
  }
}

/** A number between 1 and 2 that differs for all integers. */
const spread = (i: number): number => 1 + ((i * 0.6180339887498949) % 1);

export interface Edges {
  readonly targets: readonly number[];
  readonly weights: readonly number[];
  /** As ForwardGraph.placeOfEdge. */
  readonly places: readonly number[];
}

/** What is perturbed: a source as a whole, or where one place in the code reads it. */
interface Part {
  readonly source: number;
  /** -1 for the whole. */
  readonly place: number;
  readonly reads: readonly number[];
}

/** By central differences of the function itself. */
function localDerivative({ name, original, values }: TraceNode, argument: number): number {
  if (name === STORED) return 1;
  if (!Number.isFinite(values[argument])) return 0;
  const h = STEP * Math.max(1e-3, Math.abs(values[argument]!));
  const at = (by: number): number => original(...values.map((value, k) => (k === argument ? value + by : value)));
  // Two steps, so that the error is of the fourth order.
  const [wide, narrow] = [(at(2 * h) - at(-2 * h)) / (4 * h), (at(h) - at(-h)) / (2 * h)];
  return (4 * narrow - wide) / 3;
}

export interface GraphSetup {
  readonly context: ForwardContext<unknown>;
  readonly definition: LayerDefinition;
  /** `input` and the parameters, by short name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Null if the forward pass is too large, or if it does other things after a perturbation. Restores all tensors. */
export function* buildForwardGraph(setup: GraphSetup): Generator<undefined, ForwardGraph | null> {
  const { context, definition, tensors } = setup;
  if (!definition.observedForward) return null;
  const leaves: Leaf[] = [];
  let first = 0;
  // In the order of the layer's inputs.
  const inputs = [context.input, ...context.otherInputs];
  for (const [name, tensor] of tensors) {
    leaves.push({ name, tensor, first, isInput: inputs.includes(tensor) });
    first += tensor.data.length;
  }
  const locate = ({ at }: Pick<TraceNode, 'at'>): SourceLocation | null =>
    definition.sourceLocations?.locate(at) ?? null;
  for (const observesArrays of [true, false]) {
    const trace = ForwardTrace.record(
      (observer) => definition.observedForward?.(context, observer),
      { nodes: MAX_NODES, events: MAX_EVENTS },
      observesArrays,
    );
    yield;
    if (!trace) continue;
    // A stack becomes text when it is first read, which takes a while.
    for (const [i, { at }] of trace.nodes.entries()) if (at.stack !== undefined && i % STACKS_AT_ONCE === 0) yield;
    const output = Float64Array.from(context.output.data);
    const { placeOf, places } = yield* trace.placesOfReads();
    const measurement = new EdgeMeasurement(setup, leaves, trace, placeOf);
    const edges = yield* measurement.run();
    if (!edges) continue;
    const graph = new ForwardGraph(leaves, trace.nodes, trace, output, edges, context.input.shape[0]!, locate, places);
    if (!isComplete(graph, setup)) continue;
    return yield* withSigmoids(graph, measurement);
  }
  return null;
}

/** Whether the graph gives the derivative along a line through all entries that differences of the output give. */
function isComplete(graph: ForwardGraph, { context, definition }: GraphSetup): boolean {
  const upstream = graph.output.map((_, i) => spread(i) - 1.4);
  const gradients = graph.gradients(upstream);
  const starts = graph.leaves.map(({ tensor }) => tensor.data.slice());
  const sumAt = (step: number): number => {
    graph.leaves.forEach(({ tensor }, k) =>
      tensor.data.forEach((_, i) => (tensor.data[i] = starts[k]![i]! + step * (spread(i + k) - 1.5))),
    );
    definition.forward(context);
    return upstream.reduce((sum, g, i) => sum + g * context.output.data[i]!, 0);
  };
  const numeric = (sumAt(STEP) - sumAt(-STEP)) / (2 * STEP);
  sumAt(0);
  let [analytic, size] = [0, 0];
  graph.leaves.forEach(({ name }, k) =>
    gradients.get(name)!.forEach((value, i) => {
      analytic += value * (spread(i + k) - 1.5);
      size += Math.abs(value);
    }),
  );
  return Math.abs(analytic - numeric) <= COMPLETE * Math.max(size, 1e-3);
}

/** The arguments of all nodes for the values of the tensors as they are, by slot; null if the forward pass differs. */
export function argumentsNow({ context, definition }: GraphSetup, graph: ForwardGraph): Float64Array | null {
  const values = new Float64Array(graph.slots);
  const run = (observer: ForwardObserver): void => definition.observedForward?.(context, observer);
  return graph.trace?.replay(run, null, values) ? values : null;
}

/** The same graph after a change of the parameters' values, while all nodes keep their results. */
export function remeasureEdges(setup: GraphSetup, graph: ForwardGraph): Generator<undefined, ForwardGraph | null> {
  return measureAgain(setup, graph, graph.trace?.nodes ?? graph.nodes);
}

/**
 * The same graph if some nodes had other results.
 * @param isFollowed whether nodes that depend on these are computed again
 */
export function* remeasureWithResults(
  setup: GraphSetup,
  graph: ForwardGraph,
  given: ReadonlyMap<number, number>,
  isFollowed: boolean,
): Generator<undefined, ForwardGraph | null> {
  const { trace, slotOf } = graph;
  if (!trace) return null;
  const results = Float64Array.from(trace.nodes, ({ result }) => (isFollowed ? NaN : result));
  for (const [node, result] of given) {
    // A sigmoid is an exponential in the trace.
    const isSigmoid = graph.nodes[node]!.name === 'sigmoid' && trace.nodes[node]!.name === 'exp';
    results[node] = isSigmoid ? 1 / result - 1 : result;
  }
  const run = (observer: ForwardObserver): void => setup.definition.observedForward?.(setup.context, observer);
  const values = new Float64Array(graph.slots);
  if (!trace.replay(run, results, values)) return null;
  const nodes = trace.nodes.map((node, i): TraceNode => {
    const own = [...values.subarray(slotOf[i], slotOf[i]! + node.values.length)];
    const result = Number.isNaN(results[i]) ? node.original(...own) : results[i]!;
    // The derivative of a root is made from its result.
    return { ...node, values: given.has(i) && node.name === 'sqrt' ? [result * result] : own, result };
  });
  return nodes.every(({ result }) => Number.isFinite(result)) ? yield* measureAgain(setup, graph, nodes) : null;
}

function* measureAgain(
  setup: GraphSetup,
  graph: ForwardGraph,
  nodes: readonly TraceNode[],
): Generator<undefined, ForwardGraph | null> {
  const { leaves, trace, output, samples, locate, places } = graph;
  if (!trace) return null;
  const { placeOf } = yield* trace.placesOfReads();
  const measurement = new EdgeMeasurement(setup, leaves, trace, placeOf, nodes);
  const edges = yield* measurement.run();
  if (!edges) return null;
  const measured = new ForwardGraph(leaves, nodes, trace, output, edges, samples, locate, places);
  const isSigmoid = new Map(graph.nodes.map(({ name, at }) => [at.stack ?? '', name === 'sigmoid'] as const));
  return yield* withSigmoids(measured, measurement, isSigmoid);
}

/** Replaces exponentials that are only used in 1 / (1 + exp(-z)) by the sigmoid of z. */
function* withSigmoids(
  graph: ForwardGraph,
  measurement: EdgeMeasurement,
  isSigmoid = new Map<string, boolean>(),
): Generator<undefined, ForwardGraph> {
  const { nodes, firstNode, edgesOf, slotOf, derivatives } = graph;
  const replaced = [...nodes];
  const slots = new Set<number>();
  for (const [node, { name, at, values, result }] of nodes.entries()) {
    if (name !== 'exp') continue;
    const place = at.stack ?? '';
    const [from, to] = [edgesOf[firstNode + node]!, edgesOf[firstNode + node + 1]!];
    if (!isSigmoid.has(place)) {
      // Those of a gate without effect, as in the first step, do not show what they are part of.
      const isUsed = (k: number): boolean => edgesOf[firstNode + k]! < edgesOf[firstNode + k + 1]!;
      const alike = nodes.flatMap((other, k) =>
        other.name === 'exp' && (other.at.stack ?? '') === place && isUsed(k) ? [k] : [],
      );
      const tried = alike.filter((_, k) => k % Math.ceil(alike.length / MAX_SIGMOIDS_TRIED) === 0);
      let fits = tried.length > 0;
      // In a softmax of two numbers, one exponential is 1, and so the other one looks like that of a sigmoid.
      for (const k of tried) {
        fits &&= isPartOfSigmoid(graph, k, measurement);
        yield;
      }
      isSigmoid.set(place, fits);
    }
    if (isSigmoid.get(place) !== true) continue;
    const s = 1 / (1 + result);
    const original = (z?: number): number => 1 / (1 + Math.exp(-(z ?? NaN)));
    replaced[node] = { name: 'sigmoid', original, values: [-values[0]!], result: s, at };
    for (let edge = from; edge < to; edge++) derivatives.weights[edge]! *= -((1 + result) ** 2);
    derivatives.locals[slotOf[node]!] = s * (1 - s);
    slots.add(slotOf[node]!);
  }
  graph.targets.forEach((target, edge) => {
    if (slots.has(target)) derivatives.weights[edge]! *= -1;
  });
  return graph.withNodes(replaced);
}

/** Whether an exponential is only used in 1 / (1 + exp(-z)). */
function isPartOfSigmoid(
  { nodes, firstNode, edgesOf, targets, derivatives }: ForwardGraph,
  node: number,
  measurement: EdgeMeasurement,
): boolean {
  const { result } = nodes[node]!;
  const [from, to] = [edgesOf[firstNode + node]!, edgesOf[firstNode + node + 1]!];
  const other = 1.7 * result + 0.3;
  const changes = measurement.changesOf(node, other);
  const expected = 1 / (1 + other) - 1 / (1 + result);
  return targets.subarray(from, to).every((target, k) => {
    const predicted = -derivatives.weights[from + k]! * (1 + result) ** 2 * expected;
    return changes !== null && Math.abs(changes[target]! - predicted) <= 1e-6 * Math.abs(predicted);
  });
}

/** Measures the edges of all sources by perturbing them. */
class EdgeMeasurement {
  readonly #context: ForwardContext<unknown>;
  readonly #definition: LayerDefinition;
  readonly #leaves: readonly Leaf[];
  readonly #trace: ForwardTrace;
  readonly #results: Float64Array;
  readonly #slots: number;
  readonly #entries: number;
  /** The node of each slot. */
  readonly #nodeOf: readonly number[];
  readonly #numbers: number;
  /** By source, if several places read it. */
  readonly #parts: ReadonlyMap<number, readonly Part[]>;
  readonly #added: Float64Array;

  constructor(
    { context, definition }: GraphSetup,
    leaves: readonly Leaf[],
    trace: ForwardTrace,
    placeOfRead: Int32Array,
    nodes: readonly TraceNode[] = trace.nodes,
  ) {
    this.#context = context;
    this.#definition = definition;
    this.#leaves = leaves;
    this.#trace = trace;
    this.#results = Float64Array.from(nodes, ({ result }) => result);
    this.#nodeOf = trace.nodes.flatMap(({ values }, node) => values.map(() => node));
    this.#slots = this.#nodeOf.length;
    this.#entries = leaves.reduce((sum, { tensor }) => sum + tensor.data.length, 0);
    this.#numbers = this.#slots + context.output.data.length;
    this.#parts = this.#partsOfSources(placeOfRead);
    this.#added = new Float64Array(trace.reads.length);
  }

  #partsOfSources(placeOfRead: Int32Array): Map<number, readonly Part[]> {
    const order = [...this.#leaves.filter(({ isInput }) => isInput), ...this.#leaves.filter(({ isInput }) => !isInput)];
    const found = new Map<number, Map<number, number[]>>();
    for (const [i, read] of this.#trace.reads.entries()) {
      const place = placeOfRead[i]!;
      if (!read || place < 0) continue;
      const source = read.leaf < 0 ? this.#entries + read.at : order[read.leaf]!.first + read.at;
      const own = found.get(source) ?? new Map<number, number[]>();
      found.set(source, own);
      own.set(place, [...(own.get(place) ?? []), i]);
    }
    return new Map(
      [...found]
        .filter(([, own]) => own.size > 1 && own.size <= MAX_PLACES)
        .map(([source, own]) => [source, [...own].map(([place, reads]) => ({ source, place, reads }))]),
    );
  }

  *run(): Generator<undefined, Edges[] | null> {
    const sampleOf = yield* this.#samplesOfTargets();
    if (!sampleOf) return null;
    const groups = this.#groupSources(sampleOf);
    if (groups.length * 2 * this.#trace.events > MAX_TOTAL_EVENTS) return null;
    const edges = Array.from({ length: this.#entries + this.#results.length }, (): Edges => ({
      targets: [],
      weights: [],
      places: [],
    }));
    const isReached = new Uint8Array(this.#results.length);
    const [low, high] = [new Float64Array(this.#numbers), new Float64Array(this.#numbers)];
    let count = 0;
    for (const group of groups) {
      const node = group.length === 1 ? group[0]!.source - this.#entries : -1;
      const isConstant = node >= 0 && isReached[node] === 0;
      // A node that nothing reaches computes a size or an index.
      if (isConstant && this.#trace.nodes[node]!.name !== STORED) continue;
      const steps = group.map(({ source }) => STEP * Math.max(MIN_MAGNITUDE, Math.abs(this.#valueOf(source))));
      const isSame = this.#runWith(group, steps, -1, low) && this.#runWith(group, steps, 1, high);
      yield;
      if (!isSame && isConstant) continue;
      if (!isSame) return null;
      for (const [k, { source, place }] of group.entries()) {
        const own = edgesFrom(low, high, 2 * steps[k]!, (target) => group.length === 1 || sampleOf[target] === k);
        for (const target of own.targets) if (target < this.#slots) isReached[this.#nodeOf[target]!] = 1;
        const before = edges[source]!;
        edges[source] = {
          targets: [...before.targets, ...own.targets],
          weights: [...before.weights, ...own.weights],
          places: [...before.places, ...own.targets.map(() => place)],
        };
        count += own.targets.length;
      }
      if (count > MAX_EDGES) return null;
    }
    return edges;
  }

  /** How the arguments and outputs change if a node has another result; null if the forward pass does other things. */
  changesOf(node: number, result: number): Float64Array | null {
    const [before, after] = [new Float64Array(this.#numbers), new Float64Array(this.#numbers)];
    const start = this.#results[node]!;
    if (!this.#replay(this.#results, before)) return null;
    this.#results[node] = result;
    const isSame = this.#replay(this.#results, after);
    this.#results[node] = start;
    return isSame ? after.map((value, i) => value - before[i]!) : null;
  }

  /** The sample of each argument and output; -1 for several, -2 for none. Null if samples cannot be told apart. */
  *#samplesOfTargets(): Generator<undefined, Int32Array | null> {
    const { samples, inputs } = this.#inputLeaves();
    const sampleOf = new Int32Array(this.#numbers).fill(-2);
    const [before, after] = [new Float64Array(this.#numbers), new Float64Array(this.#numbers)];
    if (!this.#replay(null, before)) return null;
    for (let sample = 0; sample < samples; sample++) {
      const starts = inputs.map(({ tensor }) => tensor.data.slice());
      for (const { tensor } of inputs) {
        const width = tensor.data.length / samples;
        for (let i = sample * width; i < (sample + 1) * width; i++) tensor.data[i]! += STEP * spread(i);
      }
      const isSame = this.#replay(null, after);
      inputs.forEach(({ tensor }, k) => tensor.data.set(starts[k]!));
      yield;
      if (!isSame) return null;
      for (let target = 0; target < this.#numbers; target++)
        if (!Object.is(before[target], after[target])) sampleOf[target] = sampleOf[target] === -2 ? sample : -1;
    }
    if (sampleOf.includes(-1)) return sampleOf;
    // Changes may cancel, as where the largest of some numbers is subtracted from itself, or have no effect.
    for (let round = 0; round < MAX_ROUNDS * samples && sampleOf.includes(-2); round++) {
      const sample = round % samples;
      const starts = this.#results.slice();
      for (const [slot, node] of this.#nodeOf.entries())
        if (sampleOf[slot] === sample) this.#results[node] = starts[node]! + STEP * spread(node);
      const isSame = this.#replay(this.#results, after);
      this.#results.set(starts);
      yield;
      if (!isSame) return null;
      for (let target = 0; target < this.#numbers; target++)
        if (sampleOf[target] === -2 && !Object.is(before[target], after[target])) sampleOf[target] = sample;
    }
    return sampleOf;
  }

  /** Sources that are perturbed together: one of each sample, if no target depends on several samples. */
  #groupSources(sampleOf: Int32Array): Part[][] {
    const { samples, inputs } = this.#inputLeaves();
    const isMixed = sampleOf.includes(-1);
    const bySample = Array.from({ length: samples }, (): Part[] => []);
    const alone: Part[][] = [];
    const bySource = (a: readonly Part[], b: readonly Part[]): number => a[0]!.source - b[0]!.source;
    const add = (source: number, sample: number): void => {
      for (const part of this.#parts.get(source) ?? [{ source, place: -1, reads: [] }])
        if (sample >= 0 && !isMixed) bySample[sample]!.push(part);
        else alone.push([part]);
    };
    for (const leaf of this.#leaves) {
      const width = leaf.tensor.data.length / samples;
      for (let i = 0; i < leaf.tensor.data.length; i++)
        add(leaf.first + i, inputs.includes(leaf) ? Math.floor(i / width) : -1);
    }
    for (const [slot, node] of this.#nodeOf.entries())
      if (this.#nodeOf[slot - 1] !== node) {
        const own = this.#trace.nodes[node]!.values.map((_, k) => sampleOf[slot + k]!);
        add(this.#entries + node, own.find((sample) => sample >= 0) ?? own[0]!);
      }
    const lengths = bySample.map(({ length }) => length);
    // Groups need a source of each sample, so that targets belong to the source of their own sample.
    if (lengths.some((length) => length !== lengths[0])) {
      const single = bySample.flat().map((source) => [source]);
      return [...alone, ...single].sort(bySource);
    }
    return [...alone, ...(bySample[0] ?? []).map((_, k) => bySample.map((own) => own[k]!))].sort(bySource);
  }

  #inputLeaves(): { readonly samples: number; readonly inputs: readonly Leaf[] } {
    return { samples: this.#context.input.shape[0]!, inputs: this.#leaves.filter(({ isInput }) => isInput) };
  }

  #valueOf(source: number): number {
    return this.#placeOf(source).data[this.#placeOf(source).at]!;
  }

  #placeOf(source: number): { readonly data: Tensor['data']; readonly at: number } {
    if (source >= this.#entries) return { data: this.#results, at: source - this.#entries };
    const { tensor, first } = this.#leaves.findLast((leaf) => leaf.first <= source)!;
    return { data: tensor.data, at: source - first };
  }

  #runWith(group: readonly Part[], steps: readonly number[], sign: 1 | -1, into: Float64Array): boolean {
    const wholes = group.map(({ source, place }) => (place < 0 ? this.#placeOf(source) : null));
    const starts = wholes.map((whole) => whole?.data[whole.at] ?? 0);
    wholes.forEach((whole, k) => {
      if (whole) whole.data[whole.at] = starts[k]! + sign * steps[k]!;
      else for (const read of group[k]!.reads) this.#added[read] = sign * steps[k]!;
    });
    const isSame = this.#replay(this.#results, into, this.#added);
    wholes.forEach((whole, k) => {
      if (whole) whole.data[whole.at] = starts[k]!;
      else for (const read of group[k]!.reads) this.#added[read] = 0;
    });
    return isSame;
  }

  #replay(results: Float64Array | null, into: Float64Array, added: Float64Array | null = null): boolean {
    const run = (observer: ForwardObserver): void => this.#definition.observedForward?.(this.#context, observer);
    if (!this.#trace.replay(run, results, into, added)) return false;
    into.set(this.#context.output.data, this.#slots);
    return true;
  }
}

function edgesFrom(
  low: Float64Array,
  high: Float64Array,
  width: number,
  isOwn: (target: number) => boolean,
): Omit<Edges, 'places'> {
  let largest = 0;
  for (let i = 0; i < low.length; i++) if (isOwn(i)) largest = Math.max(largest, Math.abs(high[i]! - low[i]!) || 0);
  const targets: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < low.length; i++) {
    const difference = high[i]! - low[i]!;
    if (!(Math.abs(difference) > NEGLIGIBLE * largest) || !isOwn(i)) continue;
    targets.push(i);
    weights.push(difference / width);
  }
  return { targets, weights };
}

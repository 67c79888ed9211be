// Recursions in a local variable leave no trace: only the outputs, or a list of them, show that each state is made from
// the one before. If what goes into such a number also goes into a later one, times one factor, the later one is made
// from it. The graph then gets an edge between the two, so that what passes from one state to the next can be changed.
import type { ForwardGraph } from './forward-graph';
import { STORED, type TraceNode } from './forward-trace';

/** The most numbers that may be states, and the most edges, for which states are looked for. */
const MAX_STATES = 600;
const MAX_EDGES = 40_000;
/** Two derivatives are equal up to this share. */
const TOLERANCE = 1e-6;
/** What is left of a derivative below this share of it is round-off. */
const NEGLIGIBLE = 1e-7;

/** What goes into a number: derivatives by source. */
type Incoming = Map<number, number>;

interface State {
  /** Its output, or the argument of a stored number: numbered as a target. */
  readonly target: number;
  /** The source, if it is a stored number; null for an output. */
  readonly node: number | null;
  readonly incoming: Incoming;
  /** What it is made from, without parameters. */
  readonly sources: readonly number[];
  /** The numbers that are made from it, with their factors. */
  readonly uses: { readonly target: number; readonly factor: number }[];
}

/** The graph with a node for each number that others are made from unnoticed; null if there is none. */
export function withStates(graph: ForwardGraph): ForwardGraph | null {
  const { slots, output, targets, edgesOf, derivatives, nodes, nodeOf, slotOf, leaves, firstNode } = graph;
  if (targets.length > MAX_EDGES) return null;
  const incoming = Array.from({ length: slots + output.length }, (): Incoming => new Map());
  for (let source = 0; source + 1 < edgesOf.length; source++)
    for (let edge = edgesOf[source]!; edge < edgesOf[source + 1]!; edge++) {
      const into = incoming[targets[edge]!]!;
      into.set(source, (into.get(source) ?? 0) + derivatives.weights[edge]!);
    }
  const inputs = leaves.filter(({ isInput }) => isInput);
  const isParameter = (source: number): boolean =>
    source < firstNode && !inputs.some(({ first, tensor }) => source >= first && source < first + tensor.data.length);
  const placeOf = (target: number): string => (target < slots ? (nodes[nodeOf[target]!]!.at.stack ?? '') : 'output');
  const candidates: State[] = [];
  const add = (target: number, node: number | null): void => {
    const sources = [...incoming[target]!.keys()].filter((source) => !isParameter(source));
    // A copy of another number is no state of its own.
    if (sources.length > 0 && incoming[target]!.size > 1)
      candidates.push({ target, node, incoming: new Map(incoming[target]), sources, uses: [] });
  };
  nodes.forEach(({ name }, node) => {
    if (name === STORED) add(slotOf[node]!, node);
  });
  for (let o = 0; o < output.length; o++) add(slots + o, null);
  if (candidates.length < 2 || candidates.length > MAX_STATES) return null;
  // The largest first: what is left of a number after that is made from none of the smaller ones.
  candidates.sort((a, b) => b.incoming.size - a.incoming.size);
  const bySource = new Map<number, State[]>();
  for (const state of candidates) bySource.set(state.sources[0]!, [...(bySource.get(state.sources[0]!) ?? []), state]);
  const rank = new Map(candidates.map((state, k) => [state, k] as const));
  const findUses = (accept: (kind: string, sources: number) => boolean): void => {
    for (const [target, original] of incoming.entries()) {
      if (original.size < 2) continue;
      const into = new Map(original);
      const before = [...original.keys()].flatMap((source) => bySource.get(source) ?? []);
      before.sort((a, b) => rank.get(a)! - rank.get(b)!);
      for (const state of before) {
        if (state.target === target || (state.node !== null && target < slots && state.node >= nodeOf[target]!))
          continue;
        const evidence = factorBetween(state, into, isParameter);
        if (!evidence || !accept(`${placeOf(state.target)} > ${placeOf(target)}`, state.sources.length)) continue;
        state.uses.push({ target, factor: evidence.factor });
        for (const [source, weight] of state.incoming) {
          const rest = into.get(source)! - evidence.factor * weight;
          if (Math.abs(rest) <= NEGLIGIBLE * Math.abs(into.get(source)!)) into.delete(source);
          else into.set(source, rest);
        }
      }
      incoming[target] = into;
    }
  };
  // From one source alone, everything has some factor: other steps must show the same recursion.
  const verified = new Set<string>();
  const originals = [...incoming];
  findUses((kind, sources) => {
    if (sources > 1) verified.add(kind);
    return true;
  });
  if (verified.size === 0) return null;
  incoming.splice(0, incoming.length, ...originals);
  for (const state of candidates) state.uses.length = 0;
  findUses((kind) => verified.has(kind));
  // With the last one, from which nothing is made.
  const made = new Set(candidates.flatMap(({ uses }) => uses.map(({ target }) => target)));
  const used = candidates.filter(({ target, uses }) => uses.length > 0 || made.has(target));
  return used.length > 0 ? insertStates(graph, used, incoming) : null;
}

/** The factor by which all that goes into a state goes into another number, and more besides; null if there is none. */
function factorBetween(
  { incoming, sources }: State,
  into: Incoming,
  isParameter: (source: number) => boolean,
): { readonly factor: number } | null {
  if (incoming.size >= into.size) return null;
  const factor = (into.get(sources[0]!) ?? NaN) / incoming.get(sources[0]!)!;
  if (!Number.isFinite(factor) || factor === 0) return null;
  for (const [source, weight] of incoming) {
    const there = into.get(source);
    if (there === undefined) return null;
    // A parameter is used again in each step.
    if (!isParameter(source) && Math.abs(there - factor * weight) > TOLERANCE * Math.abs(there)) return null;
  }
  return { factor };
}

function insertStates(
  graph: ForwardGraph,
  states: readonly State[],
  incoming: readonly Incoming[],
): ForwardGraph | null {
  const { nodes, firstNode, slots, output, nodeOf } = graph;
  const at = new Error(STORED);
  const made = states.filter(({ node }) => node === null);
  const stateOf = new Map(made.map((state) => [state.target, state] as const));
  /** Between the nodes that it is made from and those that are made from it. */
  const placeOf = new Map<State, number>();
  const madeFrom = new Map<State, State[]>();
  for (const state of made)
    for (const { target } of state.uses) {
      const other = stateOf.get(target);
      if (other) madeFrom.set(other, [...(madeFrom.get(other) ?? []), state]);
    }
  // What a state is made from has fewer sources.
  for (const [k, state] of made.toSorted((a, b) => a.incoming.size - b.incoming.size).entries()) {
    let place = -1;
    for (const source of state.incoming.keys()) place = Math.max(place, source - firstNode);
    for (const { node, uses } of states)
      if (node !== null && uses.some(({ target }) => target === state.target)) place = Math.max(place, node);
    for (const other of madeFrom.get(state) ?? []) place = Math.max(place, placeOf.get(other) ?? Infinity);
    if (!Number.isFinite(place)) return null;
    placeOf.set(state, place + 1e-6 * (k + 1));
  }
  const order = [
    ...nodes.map((_, node) => ({ node, state: null, place: node })),
    ...made.map((state) => ({ node: -1, state, place: placeOf.get(state)! })),
  ].sort((a, b) => a.place - b.place);
  const newNodeOf = new Int32Array(nodes.length);
  const newStateOf = new Map<State, number>();
  order.forEach(({ node, state }, i) => (state ? newStateOf.set(state, i) : (newNodeOf[node] = i)));
  const newNodes = order.map(({ node, state }): TraceNode => {
    if (!state) return nodes[node]!;
    const value = output[state.target - slots]!;
    return { name: STORED, original: (x) => x ?? NaN, values: [value], result: value, at, label: 'the state' };
  });
  const slotOf = new Int32Array(order.length);
  for (let i = 1; i < order.length; i++) slotOf[i] = slotOf[i - 1]! + newNodes[i - 1]!.values.length;
  const newSlots = slots + made.length;
  const newTarget = (target: number): number => {
    const state = stateOf.get(target);
    if (state) return slotOf[newStateOf.get(state)!]!;
    if (target >= slots) return target - slots + newSlots;
    const node = nodeOf[target]!;
    return slotOf[newNodeOf[node]!]! + target - graph.slotOf[node]!;
  };
  const edges = Array.from({ length: firstNode + order.length }, () => ({
    targets: [] as number[],
    weights: [] as number[],
    places: [] as number[],
  }));
  const add = (source: number, target: number, weight: number): void => {
    edges[source]!.targets.push(target);
    edges[source]!.weights.push(weight);
    edges[source]!.places.push(-1);
  };
  for (const [target, into] of incoming.entries())
    for (const [source, weight] of into)
      add(source < firstNode ? source : firstNode + newNodeOf[source - firstNode]!, newTarget(target), weight);
  for (const state of states) {
    const own = state.node === null ? newStateOf.get(state)! : newNodeOf[state.node]!;
    if (state.node === null) add(firstNode + own, state.target - slots + newSlots, 1);
    for (const { target, factor } of state.uses) {
      const to = newTarget(target);
      // A node comes after those that it is made from.
      if (to <= slotOf[own]!) return null;
      add(firstNode + own, to, factor);
    }
  }
  const repeatedUses = (graph.trace?.repeatedUses ?? []).map((use) => {
    const state = use.node < 0 ? stateOf.get(slots - 2 - use.node) : undefined;
    return { ...use, node: state ? newStateOf.get(state)! : (newNodeOf[use.node] ?? use.node) };
  });
  return graph.withAllNodes(newNodes, edges, repeatedUses, (node) => (order[node]!.state ? null : order[node]!.node));
}

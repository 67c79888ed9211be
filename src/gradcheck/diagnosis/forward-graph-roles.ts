// Groups the nodes and edges of a forward graph by the place in the code that they come from, by sample, by the
// parameters that they use, and by the step of a loop.
import { formatLocation } from '../../engine/custom/custom-layer-error';
import type { ForwardGraph } from './forward-graph';
import { divisors } from './forward-graph-change';
import { STORED } from './forward-trace';

/** Nodes that do the same for several samples, units or steps. */
export interface Role {
  /** `tanh of w and b (mine.ts:9:5)`. */
  readonly name: string;
  readonly nodes: readonly number[];
  /** Whether it is all that comes from one place in the code and uses the same parameters. */
  readonly isWhole: boolean;
  /** Of a part: parts of the same size that alternate have the same. */
  readonly step?: string;
}

export interface EdgeClass {
  /** The name of a leaf, or of a role. */
  readonly from: string;
  readonly fromRole: Role | null;
  /** Null for the output. */
  readonly to: Role | null;
  readonly edges: readonly number[];
  /** Where in the code the number is used, ` in mine.ts:9:5`, if it is used in several places. */
  readonly use?: string;
}

/** "What passes from … through …", for sentences. */
export function describeEdgeClass({ from, fromRole, to, use = '' }: EdgeClass): string {
  if (fromRole && fromRole === to) return `What passes from one step of ${from} to the next${use}`;
  const where = to ? `through ${to.name}` : 'to the output without passing through another function';
  return fromRole ? `What passes from ${from} ${where}${use}` : `The contribution of ${from} ${where}${use}`;
}

export interface StepGrid {
  readonly placeOf: ReadonlyMap<number, { readonly group: number; readonly step: number; readonly unit: number }>;
  nodeAt(group: number, step: number, unit: number): number | undefined;
}

/** The most equal parts into which the nodes of one sample are divided. */
const MAX_PARTS = 8;
/** The most nodes in a row that belong to one part, if it has several such rows. */
const MAX_BLOCK = 8;

export class GraphRoles {
  /** By place in the code and by parameters, then parts of these. */
  readonly roles: readonly Role[];
  readonly edgeClasses: readonly EdgeClass[];
  /** The sample of each node; -1 if it depends on several or on none. */
  readonly sampleOf: Int32Array;
  readonly sourceOfEdge: Int32Array;
  /** The place of each node among those of its whole role and sample. */
  readonly placeOf: Int32Array;
  /** By node: the leaves that it depends on. */
  readonly leavesOf: readonly ReadonlySet<string>[];
  readonly #graph: ForwardGraph;
  readonly #parameters: readonly (readonly string[])[];
  readonly #incoming: readonly (readonly number[])[];
  readonly #wholeRoleOf: ReadonlyMap<number, Role>;

  constructor(graph: ForwardGraph) {
    this.#graph = graph;
    const { edgesOf, targets, slots, nodeOf, nodes, firstNode } = graph;
    this.sourceOfEdge = new Int32Array(targets.length);
    const incoming = nodes.map((): number[] => []);
    for (let source = 0; source + 1 < edgesOf.length; source++)
      for (let edge = edgesOf[source]!; edge < edgesOf[source + 1]!; edge++) {
        this.sourceOfEdge[edge] = source;
        if (targets[edge]! < slots) incoming[nodeOf[targets[edge]!]!]!.push(edge);
      }
    this.#incoming = incoming;
    this.#parameters = incoming.map((edges) => {
      const names = new Set<string>();
      for (const edge of edges) {
        const source = this.sourceOfEdge[edge]!;
        const name = source < firstNode ? this.leafOf(source) : 'input';
        if (name !== 'input') names.add(name);
      }
      return [...names].sort();
    });
    this.sampleOf = this.#samplesOfCalls();
    const whole = this.#wholeRoles();
    this.#wholeRoleOf = new Map(whole.flatMap((role) => role.nodes.map((node) => [node, role] as const)));
    this.placeOf = new Int32Array(graph.nodes.length).fill(-1);
    this.leavesOf = this.#leavesOfNodes();
    for (const { nodes: own } of whole)
      for (const group of this.bySample(own)) group.forEach((node, place) => (this.placeOf[node] = place));
    this.roles = [...whole, ...whole.flatMap((role) => [...this.#parts(role)])];
    this.edgeClasses = this.#classifyEdges(whole);
  }

  /** The leaves whose gradients a change of these edges changes. */
  leavesBehind(edges: Iterable<number>): Set<string> {
    const found = new Set<string>();
    for (const edge of edges) {
      const source = this.sourceOfEdge[edge]!;
      if (source < this.#graph.firstNode) found.add(this.leafOf(source));
      else for (const name of this.leavesOf[source - this.#graph.firstNode]!) found.add(name);
    }
    return found;
  }

  #leavesOfNodes(): Set<string>[] {
    const found = this.#graph.nodes.map(() => new Set<string>());
    for (const [node, edges] of this.#incoming.entries())
      for (const edge of edges) {
        const source = this.sourceOfEdge[edge]!;
        if (source < this.#graph.firstNode) found[node]!.add(this.leafOf(source));
        else for (const name of found[source - this.#graph.firstNode]!) found[node]!.add(name);
      }
    return found;
  }

  leafOf(source: number): string {
    return this.#graph.leaves.findLast(({ first }) => first <= source)!.name;
  }

  /** Whether anything goes into an argument. */
  isReached(slot: number): boolean {
    return this.#incoming[this.#graph.nodeOf[slot]!]!.some((edge) => this.#graph.targets[edge] === slot);
  }

  wholeRoleOf(node: number): Role | undefined {
    return this.#wholeRoleOf.get(node);
  }

  /** The function whose result a node is, or stores; null for any other number. */
  functionOf(node: number): { readonly name: string; readonly derivative: number } | null {
    const { nodes, slotOf, firstNode, derivatives } = this.#graph;
    const { name, values } = nodes[node]!;
    const derivative = derivatives.locals[slotOf[node]!]!;
    if (name !== STORED) return values.length === 1 ? { name: this.wholeRoleOf(node)?.name ?? name, derivative } : null;
    const [edge, ...others] = this.#incoming[node]!;
    if (edge === undefined || others.length > 0 || Math.abs(derivatives.weights[edge]! - 1) > 1e-9) return null;
    const source = this.sourceOfEdge[edge]! - firstNode;
    return source < 0 ? null : this.functionOf(source);
  }

  /** The nodes of each sample in order; nodes without a sample come together. */
  bySample(nodes: readonly number[]): readonly (readonly number[])[] {
    const groups = new Map<number, number[]>();
    for (const node of nodes) {
      const sample = this.sampleOf[node]!;
      groups.set(sample, [...(groups.get(sample) ?? []), node]);
    }
    return [...groups.values()];
  }

  /**
   * The step of a loop for each node, if nodes of a role depend on earlier ones of it as in a recurrent layer; null if
   * none does.
   */
  stepsOf({ nodes }: Role): Map<number, number> | null {
    const { firstNode, edgesOf, targets, slots, nodeOf } = this.#graph;
    const own = new Set(nodes);
    const depth = new Map<number, number>();
    // Also through other nodes, such as from one cell state to the next.
    const reached = new Map<number, number>();
    let deepest = 0;
    for (const node of this.#graph.nodes.keys()) {
      const through = reached.get(node) ?? -1;
      const step = own.has(node) ? through + 1 : through;
      if (own.has(node)) depth.set(node, step);
      deepest = Math.max(deepest, step);
      if (step < 0) continue;
      for (let edge = edgesOf[firstNode + node]!; edge < edgesOf[firstNode + node + 1]!; edge++) {
        if (targets[edge]! >= slots) continue;
        const target = nodeOf[targets[edge]!]!;
        reached.set(target, Math.max(reached.get(target) ?? -1, step));
      }
    }
    return deepest > 0 ? depth : null;
  }

  /** The nodes of a role by sample, step and unit; null if they are not in steps of equal size. */
  stepGrid(role: Role): StepGrid | null {
    const steps = this.stepsOf(role);
    if (!steps) return null;
    const groups = this.bySample(role.nodes);
    const perStep = groups[0]!.length / (Math.max(...steps.values()) + 1);
    const placeOf = new Map<number, { readonly group: number; readonly step: number; readonly unit: number }>();
    for (const [group, nodes] of groups.entries())
      for (const [i, node] of nodes.entries()) {
        const step = steps.get(node)!;
        if (step !== Math.floor(i / perStep)) return null;
        placeOf.set(node, { group, step, unit: i % perStep });
      }
    const nodeAt = (group: number, step: number, unit: number): number | undefined =>
      step < 0 ? undefined : groups[group]?.[step * perStep + unit];
    return { placeOf, nodeAt };
  }

  /** From the input; for a node that depends on no input, from the outputs that depend on it. */
  #samplesOfCalls(): Int32Array {
    const { leaves, nodes, firstNode, samples, edgesOf, targets, slots, nodeOf, output } = this.#graph;
    const inputs = leaves.filter(({ isInput }) => isInput);
    const sampleOf = new Int32Array(nodes.length).fill(-2);
    const merge = (a: number, b: number): number => (a === -2 ? b : b === -2 || a === b ? a : -1);
    nodes.forEach((_, node) => {
      for (const edge of this.#incoming[node]!) {
        const source = this.sourceOfEdge[edge]!;
        const leaf = inputs.findLast(({ first, tensor }) => source >= first && source < first + tensor.data.length);
        const sample =
          source >= firstNode
            ? sampleOf[source - firstNode]!
            : leaf
              ? Math.floor((source - leaf.first) / (leaf.tensor.data.length / samples))
              : -2;
        sampleOf[node] = merge(sampleOf[node]!, sample);
      }
    });
    const fromOutput = new Int32Array(nodes.length).fill(-2);
    for (let node = nodes.length - 1; node >= 0; node--)
      for (let edge = edgesOf[firstNode + node]!; edge < edgesOf[firstNode + node + 1]!; edge++) {
        const target = targets[edge]!;
        fromOutput[node] = merge(
          fromOutput[node]!,
          target < slots ? fromOutput[nodeOf[target]!]! : Math.floor((target - slots) / (output.length / samples)),
        );
      }
    return sampleOf.map((sample, node) => (sample === -2 ? fromOutput[node]! : sample)).map((s) => Math.max(-1, s));
  }

  /** Nodes from one place in the code belong together if they use the same parameters and nodes, or some of them. */
  #wholeRoles(): Role[] {
    const { nodes, firstNode } = this.#graph;
    const placeOf = (node: number): string => nodes[node]!.at.stack ?? '';
    const uses = nodes.map((_, node) => {
      const found = new Set(this.#parameters[node]);
      for (const edge of this.#incoming[node]!) {
        const source = this.sourceOfEdge[edge]! - firstNode;
        // Not the first state of a loop, which is constant.
        if (source >= 0 && this.#incoming[source]!.length > 0) found.add(placeOf(source));
      }
      return found;
    });
    const places = new Map<string, { readonly uses: ReadonlySet<string>; readonly nodes: number[] }[]>();
    const mostFirst = [...nodes.keys()]
      .filter((node) => this.#isUsed(node))
      .sort((a, b) => uses[b]!.size - uses[a]!.size || a - b);
    for (const node of mostFirst) {
      const kinds = places.get(placeOf(node)) ?? [];
      places.set(placeOf(node), kinds);
      // In the first step of a loop, a parameter may be multiplied with 0.
      const kind = kinds.find((each) => [...uses[node]!].every((name) => each.uses.has(name)));
      if (kind) kind.nodes.push(node);
      else kinds.push({ uses: uses[node]!, nodes: [node] });
    }
    const kinds = [...places.values()].flat().filter((kind) => kind.uses.size > 0 || this.#usesInput(kind.nodes));
    return kinds.map(({ nodes: own }) => {
      const name = this.#nameOf(own.find((node) => this.#incoming[node]!.length > 0) ?? own[0]!);
      return { name, nodes: own.sort((a, b) => a - b), isWhole: true };
    });
  }

  #isUsed(node: number): boolean {
    const { edgesOf, firstNode } = this.#graph;
    return this.#incoming[node]!.length > 0 || edgesOf[firstNode + node + 1]! > edgesOf[firstNode + node]!;
  }

  #usesInput(nodes: readonly number[]): boolean {
    return nodes.some((node) => this.#incoming[node]!.length > 0);
  }

  #nameOf(node: number): string {
    const { nodes, locate } = this.#graph;
    const { label } = nodes[node]!;
    if (label !== undefined) return label;
    const name = nodes[node]!.name === STORED ? 'a stored number' : nodes[node]!.name;
    const place = locate(nodes[node]!);
    const parameters = this.#parameters[node]!;
    const shown = parameters.length > 3 ? [] : parameters;
    return `${name}${shown.length > 0 ? ` of ${shown.join(' and ')}` : ''}${place?.line ? ` (${formatLocation(place)})` : ''}`;
  }

  /** Regular parts of a role: steps, tokens, units, gates of one matrix. */
  *#parts(role: Role): Iterable<Role> {
    const groups = this.bySample(role.nodes);
    const count = groups[0]?.length ?? 0;
    if (groups.some(({ length }) => length !== count)) return;
    for (let parts = 2; parts <= Math.min(MAX_PARTS, count); parts++) {
      if (count % parts !== 0) continue;
      const choose = (isOwn: (i: number) => boolean): readonly number[] =>
        groups.flatMap((nodes) => nodes.filter((_, i) => isOwn(i)));
      // Blocks of nodes that follow each other, such as the gates of each step.
      for (const size of divisors(count / parts).filter((each) => each <= MAX_BLOCK || each === count / parts))
        for (let part = 0; part < parts; part++)
          yield {
            name: `${role.name}, part ${part + 1} of ${parts},`,
            nodes: choose((i) => Math.floor(i / size) % parts === part),
            isWhole: false,
            step: `${parts} ${size}`,
          };
    }
  }

  #classifyEdges(whole: readonly Role[]): EdgeClass[] {
    const { edgesOf, targets, slots, nodeOf, firstNode } = this.#graph;
    const classes = new Map<string, { from: string; fromRole: Role | null; to: Role | null; edges: number[] }>();
    for (let source = 0; source + 1 < edgesOf.length; source++) {
      const fromRole = source < firstNode ? null : (this.wholeRoleOf(source - firstNode) ?? null);
      if (source >= firstNode && !fromRole) continue;
      const from = fromRole?.name ?? this.leafOf(source);
      const fromKey = fromRole ? whole.indexOf(fromRole) : from;
      for (let edge = edgesOf[source]!; edge < edgesOf[source + 1]!; edge++) {
        const target = targets[edge]!;
        const to = target < slots ? (this.wholeRoleOf(nodeOf[target]!) ?? null) : null;
        const key = `${fromKey} ${to ? whole.indexOf(to) : ''}`;
        const found = classes.get(key) ?? { from, fromRole, to, edges: [] };
        found.edges.push(edge);
        classes.set(key, found);
      }
    }
    const all = [...classes.values()];
    return [...all, ...all.flatMap((edgeClass) => this.#uses(edgeClass))];
  }

  /** The edges of each place in the code that uses the numbers. */
  #uses(edgeClass: EdgeClass): EdgeClass[] {
    const { placeOfEdge, places, locate } = this.#graph;
    const byPlace = new Map<number, number[]>();
    for (const edge of edgeClass.edges) {
      const own = byPlace.get(placeOfEdge[edge]!) ?? [];
      own.push(edge);
      byPlace.set(placeOfEdge[edge]!, own);
    }
    if (byPlace.size < 2) return [];
    return [...byPlace].map(([place, edges]) => {
      const at = place < 0 ? null : locate({ at: places[place]! });
      return { ...edgeClass, edges, use: at?.line ? `, where it is used at ${formatLocation(at)},` : '' };
    });
  }
}

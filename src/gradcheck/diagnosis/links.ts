// Finds the part of a forward graph whose derivatives are wrong in the backward pass, whatever they are there. The
// backward pass is linear in the output gradient, so one call for each output gives all derivatives of outputs that it
// uses. If all but the numbers on one link are right, least squares gives these numbers.
import type { ForwardGraph } from './forward-graph';
import { describeEdgeClass, type EdgeClass, type GraphRoles, type Role } from './forward-graph-roles';
import { STORED } from './forward-trace';
import { maxAbs } from './gradient-comparison';
import { solveSymmetric } from './least-squares';

/** The most outputs of all samples, each of which takes a call of backward. */
const MAX_OUTPUTS = 256;
/** The most edges of a graph. */
const MAX_EDGES = 150_000;
/** The most numbers of a link that are found at once. */
const MAX_UNKNOWN = 160;
/** The most numbers of a link between two roles that are tried although the forward pass has no such links. */
const MAX_ADDED = 100;
/** Two derivatives are equal if they differ by less than this share of the largest of the tensor. */
const TOLERANCE = 3e-6;
const REFINEMENTS = 2;

/** One number of a link: what it is in the forward pass, and in the backward pass. */
export interface LinkNumber {
  readonly sample: number;
  /** A source of the graph; for a function, that of its node. */
  readonly source: number;
  /** A slot, or an output after all slots. */
  readonly target: number;
  readonly right: number;
  readonly found: number;
  /** Numbers of one group are known up to a number that is added to all of them; -1 for none. */
  readonly group: number;
}

export interface Link {
  /** Continues a sentence: "What passes from … through …". */
  readonly name: string;
  /** The function whose derivatives these are; null for a link between numbers. */
  readonly of: Role | null;
  /** Null for the output, and for a function. */
  readonly to: Role | null;
  readonly fromRole: Role | null;
}

export interface LinkFit {
  readonly link: Link;
  /** All numbers, also those that are right. */
  readonly numbers: readonly LinkNumber[];
  /** The tensors whose errors these numbers explain. */
  readonly tensors: readonly string[];
  /** Whether there are fewer numbers than derivatives that they explain. */
  readonly isDetermined: boolean;
}

/** A number whose change changes derivatives: of `entries` of inputs and parameters, by outputs. */
interface Unknown {
  readonly source: number;
  readonly target: number;
  readonly sample: number;
  readonly right: number;
  /** The derivative of the source with respect to each entry. */
  readonly by: Float64Array;
  /** The derivative of each output with respect to the target. */
  readonly of: Float64Array;
}

interface Solution {
  readonly changes: Float64Array;
  /** As LinkNumber.group. */
  readonly groups: readonly number[];
  readonly isDetermined: boolean;
}

/** Sets of unknowns to which one number can be added, as to all arguments of a softmax; -1 for none. */
function groupsOf(nullSpace: readonly Float64Array[], n: number): readonly number[] {
  const groups = new Array<number>(n).fill(-1);
  for (const [k, vector] of nullSpace.entries()) {
    const largest = maxAbs(vector);
    const own = [...vector.keys()].filter((i) => Math.abs(vector[i]!) > 1e-5 * largest);
    if (own.every((i) => Math.abs(vector[i]! - vector[own[0]!]!) < 1e-4 * largest)) for (const i of own) groups[i] = k;
  }
  return groups;
}

export type GradientsFor = (upstream: Float64Array) => ReadonlyMap<string, Float64Array>;

export class LinkSearch {
  readonly #graph: ForwardGraph;
  readonly #roles: GraphRoles;
  readonly #outputs: number;
  readonly #width: number;
  readonly #entries: number;
  /** By output: the error of the derivative with respect to each entry, divided by the scale of its tensor. */
  readonly #errors: Float64Array[] = [];
  readonly #right: Float64Array[] = [];
  readonly #slots: Float64Array[] = [];
  readonly #sources: Float64Array[] = [];
  readonly #scales: Float64Array;
  readonly #tangents = new Map<number, Float64Array>();
  readonly #wrong = new Set<string>();

  constructor(graph: ForwardGraph, roles: GraphRoles) {
    this.#graph = graph;
    this.#roles = roles;
    this.#outputs = graph.output.length;
    this.#width = this.#outputs / graph.samples;
    this.#entries = graph.firstNode;
    this.#scales = new Float64Array(this.#entries).fill(1);
  }

  get wrong(): ReadonlySet<string> {
    return this.#wrong;
  }

  /** Calls backward for each output. False if that takes too long, or if backward is not linear. */
  *measure(
    gradientsFor: GradientsFor,
    upstream: Float64Array,
    returned: ReadonlyMap<string, Float64Array>,
  ): Generator<undefined, boolean> {
    const { leaves } = this.#graph;
    if (this.#outputs > MAX_OUTPUTS || this.#graph.targets.length > MAX_EDGES) return false;
    const sums = new Float64Array(this.#entries);
    const sizes = new Float64Array(this.#entries);
    for (let o = 0; o < this.#outputs; o++) {
      const unit = new Float64Array(this.#outputs);
      unit[o] = 1;
      const found = gradientsFor(unit);
      const { sources, slots } = this.#graph.adjoints(unit);
      const error = new Float64Array(this.#entries);
      for (const { name, first, tensor } of leaves) {
        const values = found.get(name);
        for (let i = 0; i < tensor.data.length; i++) {
          const value = values?.[i] ?? 0;
          error[first + i] = value - sources[first + i]!;
          sums[first + i]! += upstream[o]! * value;
          sizes[first + i] = Math.max(sizes[first + i]!, Math.abs(value), Math.abs(sources[first + i]!));
        }
      }
      this.#errors.push(error);
      this.#right.push(sources.slice(0, this.#entries));
      this.#sources.push(sources);
      this.#slots.push(slots);
      yield;
    }
    for (const { name, first, tensor } of leaves) {
      const scale = maxAbs(sizes.subarray(first, first + tensor.data.length));
      const values = returned.get(name) ?? new Float64Array(tensor.data.length);
      for (let i = 0; i < tensor.data.length; i++) {
        if (!(Math.abs(sums[first + i]! - values[i]!) <= 1e-6 * Math.max(scale, maxAbs(values)))) return false;
        this.#scales[first + i] = scale > 0 ? scale : 1;
      }
    }
    for (const error of this.#errors)
      for (const { name, first, tensor } of leaves)
        for (let i = first; i < first + tensor.data.length; i++) {
          error[i]! /= this.#scales[i]!;
          if (!(Math.abs(error[i]!) <= TOLERANCE)) this.#wrong.add(name);
        }
    return this.#wrong.size > 0;
  }

  /** The derivative of each output by each entry: [right, used by the backward pass]. */
  derivatives(output: number, entry: number): readonly [right: number, used: number] {
    const right = this.#right[output]![entry]!;
    return [right, right + this.#errors[output]![entry]! * this.#scales[entry]!];
  }

  /** Whether the backward pass moves gradients from one sample to another, which the forward pass does not. */
  mixesSamples(): boolean {
    const { leaves, samples } = this.#graph;
    let mixes = false;
    for (const { first, tensor, isInput } of leaves) {
      if (!isInput) continue;
      const width = tensor.data.length / samples;
      for (let o = 0; o < this.#outputs; o++)
        for (let i = 0; i < tensor.data.length; i++) {
          if (Math.floor(i / width) === Math.floor(o / this.#width)) continue;
          if (Math.abs(this.#right[o]![first + i]!) > TOLERANCE * this.#scales[first + i]!) return false;
          mixes ||= Math.abs(this.#errors[o]![first + i]!) > TOLERANCE;
        }
    }
    return mixes;
  }

  /** Fits of all links that explain the error of a tensor. A cooperative task. */
  *fits(): Generator<LinkFit | undefined> {
    for (const candidate of this.#candidates()) {
      yield;
      if (!candidate) continue;
      const { link, unknowns } = candidate;
      for (const onlyParameters of [false, true]) {
        if (onlyParameters && ![...this.#wrong].some((name) => this.#isParameter(name))) continue;
        const fit = yield* this.#fit(unknowns, onlyParameters);
        if (!fit) continue;
        yield { link, ...fit };
        break;
      }
    }
  }

  #isParameter(name: string): boolean {
    return this.#graph.leaves.some((leaf) => leaf.name === name && !leaf.isInput);
  }

  *#candidates(): Generator<{ readonly link: Link; readonly unknowns: readonly Unknown[] } | undefined> {
    const { targets, slotOf, firstNode, derivatives } = this.#graph;
    const behind = (edges: readonly number[]): boolean => {
      const found = this.#roles.leavesBehind(edges);
      return [...this.#wrong].some((name) => found.has(name));
    };
    const bySource = new Map<string, { readonly link: Link; readonly unknowns: Unknown[]; parts: number }>();
    const added: { readonly link: Link; readonly unknowns: () => readonly Unknown[] }[] = [];
    for (const edgeClass of this.#roles.edgeClasses) {
      const { edges, from, fromRole, to, use } = edgeClass;
      if (!behind(edges)) continue;
      const link: Link = { name: describeEdgeClass(edgeClass), of: null, to, fromRole };
      for (const edge of edges)
        if (!this.#tangents.has(this.#roles.sourceOfEdge[edge]!)) {
          this.#tangentOfSource(this.#roles.sourceOfEdge[edge]!);
          yield;
        }
      // Several places in the code may read the same number.
      const sums = new Map<string, { source: number; target: number; right: number }>();
      for (const edge of edges) {
        const [source, target] = [this.#roles.sourceOfEdge[edge]!, targets[edge]!];
        const sum = sums.get(`${source} ${target}`) ?? { source, target, right: 0 };
        sum.right += derivatives.weights[edge]!;
        sums.set(`${source} ${target}`, sum);
      }
      const existing = [...sums.values()].map(({ source, target, right }) => this.#unknown(source, target, right));
      if (to === null && fromRole === null) {
        if (use === undefined) added.push({ link, unknowns: () => this.#withDirect(edgeClass.from, existing) });
        continue;
      }
      const repeated = use === undefined ? this.#repeatedInSteps(edgeClass, existing) : existing;
      yield { link, unknowns: repeated };
      if (use !== undefined) continue;
      const key = fromRole ? fromRole.name : from;
      const all = bySource.get(key) ?? {
        link: {
          name: fromRole ? `What passes on from ${from}` : `The contribution of ${from}`,
          of: null,
          to: null,
          fromRole,
        },
        unknowns: [],
        parts: 0,
      };
      all.unknowns.push(...repeated);
      all.parts++;
      bySource.set(key, all);
      for (const isAligned of [true, false])
        added.push({ link, unknowns: () => this.#withAdded(edgeClass, existing, isAligned) });
    }
    for (const { link, unknowns, parts } of bySource.values()) if (parts > 1) yield { link, unknowns };
    for (const role of this.#roles.roles) {
      if (!role.isWhole || this.#graph.nodes[role.nodes[0]!]!.name === STORED) continue;
      const unknowns: Unknown[] = [];
      for (const node of role.nodes)
        for (let k = 0; k < this.#graph.nodes[node]!.values.length; k++) {
          yield;
          const slot = slotOf[node]! + k;
          unknowns.push({
            source: firstNode + node,
            target: slot,
            sample: this.#sampleOf(slot),
            right: derivatives.locals[slot]!,
            by: this.#tangentOfSlot(slot),
            of: Float64Array.from(this.#sources, (sources) => sources[firstNode + node]!),
          });
        }
      yield {
        link: { name: `In the backward of ${role.name}, the derivative`, of: role, to: null, fromRole: null },
        unknowns,
      };
    }
    for (const { link, unknowns } of added) {
      yield;
      const all = unknowns();
      if (all.length > 0) yield { link, unknowns: all };
    }
  }

  /**
   * With the links of other steps of a loop in every step. In the first one, a state is 0, and what is multiplied with
   * that has no link.
   */
  #repeatedInSteps({ fromRole, from, to }: EdgeClass, existing: readonly Unknown[]): readonly Unknown[] {
    const { firstNode, slotOf, leaves, nodeOf, samples, nodes } = this.#graph;
    const steps = to && nodes[to.nodes[0]!]!.values.length === 1 ? this.#roles.stepsOf(to) : null;
    if (!to || !steps) return existing;
    const count = 1 + Math.max(...steps.values());
    const leaf = fromRole ? null : leaves.find(({ name }) => name === from)!;
    const [sourceGroups, targetGroups] = [fromRole, to].map((role) =>
      role
        ? new Map(this.#roles.bySample(role.nodes).map((group) => [this.#roles.sampleOf[group[0]!]!, group] as const))
        : null,
    );
    const perStep = to.nodes.length / samples / count;
    const sourcesPerStep = fromRole
      ? fromRole.nodes.length / samples / count
      : leaf!.isInput
        ? leaf!.tensor.data.length / samples / count
        : 0;
    if (!Number.isInteger(perStep) || !Number.isInteger(sourcesPerStep)) return existing;
    const known = new Set(existing.map(({ source, target }) => `${source} ${target}`));
    const all = [...existing];
    for (const { source, target, sample } of existing)
      for (const by of [-1, 1]) {
        const place = this.#roles.placeOf[nodeOf[target]!]! + by * perStep;
        const node = targetGroups!.get(sample)?.[place];
        if (node === undefined) continue;
        let other: number | undefined = source;
        if (fromRole) {
          const at = sourceGroups!.get(sample)?.[this.#roles.placeOf[source - firstNode]! + by * sourcesPerStep];
          other = at === undefined ? undefined : firstNode + at;
        } else if (leaf!.isInput) {
          const width = leaf!.tensor.data.length / samples;
          const at = ((source - leaf!.first) % width) + by * sourcesPerStep;
          other = at < 0 || at >= width ? undefined : source + by * sourcesPerStep;
        }
        const key = `${other} ${slotOf[node]!}`;
        if (other === undefined || known.has(key) || node <= other - firstNode) continue;
        known.add(key);
        all.push(this.#unknown(other, slotOf[node]!, 0));
      }
    return all;
  }

  /** What goes from an input or parameter to the output directly, from each entry to each output of its sample. */
  #withDirect(from: string, existing: readonly Unknown[]): readonly Unknown[] {
    const leaf = this.#graph.leaves.find(({ name }) => name === from)!;
    const known = new Map(existing.map((unknown) => [`${unknown.source} ${unknown.target}`, unknown] as const));
    const unknowns: Unknown[] = [];
    const width = leaf.tensor.data.length / this.#graph.samples;
    for (let i = 0; i < leaf.tensor.data.length; i++)
      for (let o = 0; o < this.#outputs; o++) {
        if (leaf.isInput && Math.floor(i / width) !== Math.floor(o / this.#width)) continue;
        const found = known.get(`${leaf.first + i} ${this.#graph.slots + o}`);
        unknowns.push(found ?? this.#unknown(leaf.first + i, this.#graph.slots + o, 0));
      }
    return unknowns;
  }

  /**
   * With links between numbers of the same sample that the forward pass does not link.
   * @param isAligned only between the same places
   */
  #withAdded({ from, fromRole, to }: EdgeClass, existing: readonly Unknown[], isAligned: boolean): readonly Unknown[] {
    const { samples, leaves, firstNode, slotOf, slots, nodes } = this.#graph;
    const leaf = fromRole ? null : leaves.find(({ name }) => name === from)!;
    const sources = fromRole
      ? fromRole.nodes.map((node) => ({ source: firstNode + node, sample: this.#roles.sampleOf[node]! }))
      : Array.from({ length: leaf!.tensor.data.length }, (_, i) => ({
          source: leaf!.first + i,
          sample: leaf!.isInput ? Math.floor((i * samples) / leaf!.tensor.data.length) : -1,
        }));
    const targets = to
      ? to.nodes.flatMap((node) => nodes[node]!.values.map((_, k) => slotOf[node]! + k))
      : Array.from({ length: this.#outputs }, (_, o) => slots + o);
    const perSample = targets.length / samples;
    // Each entry of a tensor is found on its own.
    const ofSources = sources.length / samples;
    const count = leaf || isAligned ? perSample : perSample * ofSources;
    if (isAligned && ofSources !== perSample) return [];
    if (count > MAX_ADDED || (leaf && perSample > this.#width)) return [];
    const known = new Map(existing.map((unknown) => [`${unknown.source} ${unknown.target}`, unknown] as const));
    const all: Unknown[] = [];
    for (const [i, { source, sample }] of sources.entries())
      for (const [k, target] of targets.entries()) {
        if (isAligned && i !== k) continue;
        const other = this.#sampleOf(target);
        if (sample >= 0 && other >= 0 && sample !== other) continue;
        // The backward pass goes from the last node to the first.
        if (source >= firstNode && target < slots && this.#graph.nodeOf[target]! <= source - firstNode) continue;
        all.push(known.get(`${source} ${target}`) ?? this.#unknown(source, target, 0));
      }
    return all.length === existing.length ? [] : all;
  }

  #unknown(source: number, target: number, right: number): Unknown {
    const { slots } = this.#graph;
    return {
      source,
      target,
      sample: this.#sampleOf(target),
      right,
      by: this.#tangentOfSource(source),
      of: Float64Array.from(this.#slots, (adjoints, o) =>
        target < slots ? adjoints[target]! : Number(target - slots === o),
      ),
    };
  }

  #sampleOf(target: number): number {
    const { slots, nodeOf } = this.#graph;
    return target < slots ? this.#roles.sampleOf[nodeOf[target]!]! : Math.floor((target - slots) / this.#width);
  }

  #tangentOfSource(source: number): Float64Array {
    const { firstNode, slotOf, nodes, derivatives } = this.#graph;
    const known = this.#tangents.get(source);
    if (known) return known;
    let tangent = new Float64Array(this.#entries);
    if (source < firstNode) tangent[source] = 1;
    else {
      const node = source - firstNode;
      const injected = new Float64Array(this.#graph.slots);
      nodes[node]!.values.forEach((_, k) => (injected[slotOf[node]! + k] = derivatives.locals[slotOf[node]! + k]!));
      tangent = this.#entriesBehind(injected);
    }
    for (let i = 0; i < tangent.length; i++) tangent[i]! /= this.#scales[i]!;
    this.#tangents.set(source, tangent);
    return tangent;
  }

  #tangentOfSlot(slot: number): Float64Array {
    const injected = new Float64Array(this.#graph.slots);
    injected[slot] = 1;
    const tangent = this.#entriesBehind(injected);
    for (let i = 0; i < tangent.length; i++) tangent[i]! /= this.#scales[i]!;
    return tangent;
  }

  #entriesBehind(injected: Float64Array): Float64Array<ArrayBuffer> {
    const silent = new Float64Array(this.#outputs);
    return Float64Array.from(
      this.#graph.adjoints(silent, this.#graph.derivatives, injected).sources.subarray(0, this.#entries),
    );
  }

  /** Null if no numbers explain a tensor. */
  *#fit(unknowns: readonly Unknown[], onlyParameters: boolean): Generator<undefined, Omit<LinkFit, 'link'> | null> {
    const { leaves, firstNode } = this.#graph;
    const isUsed = new Uint8Array(this.#entries);
    for (const { first, tensor, isInput } of leaves)
      if (!onlyParameters || !isInput) isUsed.fill(1, first, first + tensor.data.length);
    // Numbers of different samples, and of different entries, do not depend on each other.
    const blocks = new Map<string, Unknown[]>();
    for (const unknown of unknowns) {
      const isFunction =
        unknown.target < this.#graph.slots && this.#graph.nodeOf[unknown.target] === unknown.source - firstNode;
      const key = `${unknown.sample} ${unknown.source < firstNode && !isFunction ? unknown.source : ''}`;
      const own = blocks.get(key);
      if (own) own.push(unknown);
      else blocks.set(key, [unknown]);
    }
    const rest = this.#errors.map((error) => error.slice());
    const numbers: LinkNumber[] = [];
    let isDetermined = true;
    let groups = 0;
    for (const block of blocks.values()) {
      yield;
      const isDirect = block.every(({ target, source }) => target >= this.#graph.slots && source < firstNode);
      const found = isDirect ? this.#readDirect(block) : yield* this.#solve(block, isUsed);
      if (!found) return null;
      isDetermined &&= found.isDetermined;
      block.forEach(({ source, target, sample, right, by, of }, k) => {
        const change = found.changes[k]!;
        if (change !== 0)
          for (let o = 0; o < this.#outputs; o++) {
            if (of[o] === 0) continue;
            for (let i = 0; i < this.#entries; i++) rest[o]![i]! -= change * by[i]! * of[o]!;
          }
        numbers.push({ sample, source, target, right, found: right + change, group: groups + found.groups[k]! });
        if (found.groups[k]! < 0) numbers.push({ ...numbers.pop()!, group: -1 });
      });
      groups += block.length;
    }
    const tensors: string[] = [];
    for (const { name, first, tensor, isInput } of leaves) {
      const isClean = rest.every((error) => {
        for (let i = first; i < first + tensor.data.length; i++) if (!(Math.abs(error[i]!) <= TOLERANCE)) return false;
        return true;
      });
      if (isClean && this.#wrong.has(name)) tensors.push(name);
      // A change that makes a right gradient wrong explains nothing.
      if (!isClean && !this.#wrong.has(name) && !(onlyParameters && isInput)) return null;
    }
    return tensors.length > 0 ? { numbers, tensors, isDetermined } : null;
  }

  #readDirect(block: readonly Unknown[]): Solution {
    const changes = Float64Array.from(block, ({ source, target }) => {
      return this.#errors[target - this.#graph.slots]![source]! * this.#scales[source]!;
    });
    return { changes, groups: block.map(() => -1), isDetermined: false };
  }

  /** Least squares. A derivative is the product of that of the source and that by the target. */
  *#solve(block: readonly Unknown[], isUsed: Uint8Array): Generator<undefined, Solution | null> {
    const n = block.length;
    if (n > MAX_UNKNOWN) return null;
    const entries = [...isUsed.keys()].filter((i) => isUsed[i] === 1 && block.some(({ by }) => by[i] !== 0));
    const outputs = this.#errors.flatMap((_, o) => (block.some(({ of }) => of[o] !== 0) ? [o] : []));
    const gram = Array.from({ length: n }, () => new Float64Array(n));
    for (let j = 0; j < n; j++) {
      if (j % 16 === 15) yield;
      for (let k = 0; k <= j; k++) {
        let [p, q] = [0, 0];
        for (const i of entries) p += block[j]!.by[i]! * block[k]!.by[i]!;
        if (p !== 0) for (const o of outputs) q += block[j]!.of[o]! * block[k]!.of[o]!;
        gram[j]![k] = gram[k]![j] = p * q;
      }
    }
    const solve = solveSymmetric(gram);
    yield;
    const rest = outputs.map((o) => Float64Array.from(entries, (i) => this.#errors[o]![i]!));
    const changes = new Float64Array(n);
    for (let round = 0; round <= REFINEMENTS; round++) {
      const step = solve.solve(
        Float64Array.from(block, ({ by, of }) => {
          let sum = 0;
          outputs.forEach((o, r) => {
            if (of[o] !== 0) entries.forEach((i, c) => (sum += by[i]! * of[o]! * rest[r]![c]!));
          });
          return sum;
        }),
      );
      block.forEach(({ by, of }, k) => {
        changes[k]! += step[k]!;
        outputs.forEach((o, r) => {
          if (of[o] !== 0) entries.forEach((i, c) => (rest[r]![c]! -= step[k]! * by[i]! * of[o]!));
        });
      });
      yield;
    }
    // Round-off of a number that is right.
    const scale = Math.max(maxAbs(changes), maxAbs(block.map(({ right }) => right)));
    for (let k = 0; k < n; k++) if (Math.abs(changes[k]!) <= TOLERANCE * scale) changes[k] = 0;
    const isDetermined = solve.rank === n && entries.length * outputs.length >= 1.5 * n;
    return { changes, groups: solve.rank < n ? groupsOf(solve.nullSpace(), n) : block.map(() => -1), isDetermined };
  }
}

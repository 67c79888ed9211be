// Backward passes that compute a root or a gate once more, and otherwise than the forward pass: with eps outside of
// the root, without it, with n - 1, or with 1 - z for z. All that depends on it in the backward pass then has other
// values, so the edges of the graph are measured again around them.
import type { Cause } from '../../protocol/check-report';
import type { ForwardGraph } from './forward-graph';
import type { Change } from './forward-graph-change';
import type { GraphRoles } from './forward-graph-roles';

/** How a graph is measured again. */
export interface Remeasurement {
  /** The arguments of all nodes for inputs that are 0, by slot; null if the forward pass fails. */
  argumentsAtZero(): Float64Array | null;
  /**
   * The graph if these nodes had these results; null if it cannot be measured.
   * @param isFollowed whether all that follows from them changes as well
   */
  withResults(results: ReadonlyMap<number, number>, isFollowed: boolean): Generator<undefined, ForwardGraph | null>;
  /** Numbers that a statistic may be taken over. */
  readonly counts: readonly number[];
}

interface Candidate {
  readonly cause: Cause;
  /** Continues "The backward pass computes sqrt (mine.ts:4:5)". */
  readonly description: string;
  readonly resultOf: (argument: number, result: number) => number;
}

/** Graphs for other results of roots and gates. */
export function* otherResults(
  graph: ForwardGraph,
  roles: GraphRoles,
  remeasurement: Remeasurement,
): Generator<Change | undefined, void, undefined> {
  const atZero = remeasurement.argumentsAtZero();
  yield;
  for (const role of roles.roles) {
    const [first] = role.nodes;
    if (!role.isWhole || first === undefined) continue;
    const { name } = graph.nodes[first]!;
    if (name !== 'sqrt' && name !== 'sigmoid') continue;
    const resultsFor = (resultOf: Candidate['resultOf']): Map<number, number> =>
      new Map(
        role.nodes.map((node) => {
          const { values, result } = graph.nodes[node]!;
          return [node, resultOf(values[0]!, result)] as const;
        }),
      );
    const candidates: Candidate[] =
      name === 'sigmoid'
        ? [
            {
              cause: 'wrong_operand',
              description: 'as 1 - z, where z is its value: the two are swapped',
              resultOf: (_, z) => 1 - z,
            },
          ]
        : [
            ...insideCandidates(atZero?.[graph.slotOf[first]!] ?? 0, remeasurement.counts),
            ...outsideCandidates(yield* epsAfter(graph, role.nodes, remeasurement)),
          ];
    for (const { cause, description, resultOf } of candidates) {
      const results = resultsFor(resultOf);
      if ([...results.values()].some((value) => !Number.isFinite(value))) continue;
      const other = yield* remeasurement.withResults(results, name === 'sqrt');
      if (!other) continue;
      yield { cause, description: `The backward pass computes ${role.name} ${description}`, graph: other };
      if (name !== 'sqrt') continue;
      yield {
        cause,
        description: `Where it does not pass through ${role.name}, the backward pass computes it ${description}`,
        graph: graph.withEdgesOf(other, (source) => source < graph.firstNode),
      };
    }
  }
}

/** √(v + eps). */
const insideCandidates = (eps: number, counts: readonly number[]): readonly Candidate[] => {
  const rooted = (v: number): number => Math.sqrt(Math.max(0, v));
  const own: Candidate[] =
    eps > 0
      ? [
          {
            cause: 'wrong_place',
            description: `with eps (${eps.toPrecision(3)}) outside of the root: it is √v + eps instead of √(v + eps)`,
            resultOf: (a) => rooted(a - eps) + eps,
          },
          {
            cause: 'wrong_place',
            description: `without eps (${eps.toPrecision(3)}): it is √v instead of √(v + eps)`,
            resultOf: (a) => rooted(a - eps),
          },
        ]
      : [];
  return [
    ...own,
    ...counts.map((n): Candidate => ({
      cause: 'unbiased',
      description: `with ${n - 1} instead of ${n} numbers as its divisor`,
      resultOf: (a) => Math.sqrt((Math.max(0, a - eps) * n) / (n - 1) + eps),
    })),
  ];
};

/** √v + eps. */
const outsideCandidates = (eps: number): readonly Candidate[] =>
  eps > 0
    ? [
        {
          cause: 'wrong_place',
          description: `with eps (${eps.toPrecision(3)}) inside of the root: it is √(v + eps) instead of √v + eps`,
          resultOf: (a) => Math.sqrt(a + eps) - eps,
        },
        {
          cause: 'wrong_place',
          description: `without eps (${eps.toPrecision(3)}): it is √v instead of √v + eps`,
          resultOf: (_, r) => r - eps,
        },
      ]
    : [];

/** What is added to a root before numbers are divided by it; 0 if nothing is. */
function* epsAfter(
  graph: ForwardGraph,
  nodes: readonly number[],
  remeasurement: Remeasurement,
): Generator<undefined, number> {
  const roots = new Map(nodes.map((node) => [node, graph.nodes[node]!.result] as const));
  const doubled = yield* remeasurement.withResults(
    new Map([...roots].map(([node, root]) => [node, 2 * root] as const)),
    true,
  );
  if (doubled?.targets.length !== graph.targets.length) return 0;
  // A weight c / (r + eps) becomes c / (2 r + eps).
  const found: number[] = [];
  for (let edge = 0; edge < graph.edgesOf[graph.firstNode]!; edge++) {
    const ratio = doubled.derivatives.weights[edge]! / graph.derivatives.weights[edge]!;
    for (const root of roots.values()) {
      const eps = (root * (2 * ratio - 1)) / (1 - ratio);
      if (Number.isFinite(eps) && eps > 1e-9 * root) found.push(eps);
    }
  }
  // The same for all of them.
  found.sort((a, b) => a - b);
  let [best, most] = [0, 0];
  for (let i = 0, from = 0; i < found.length; i++) {
    while (found[i]! - found[from]! > 1e-5 * found[i]!) from++;
    if (i - from + 1 > most) [best, most] = [found[i]!, i - from + 1];
  }
  return most >= 2 * nodes.length ? best : 0;
}

// Explains wrong gradients by one link of the forward graph whose numbers are others in the backward pass.
import type { ForwardGraph } from './forward-graph';
import type { GraphFault } from './graph-faults';
import { GraphRoles } from './forward-graph-roles';
import { type LinkCause, LinkCauses } from './link-causes';
import { type GradientsFor, type LinkFit, LinkSearch } from './links';

/** The most fits that get a name. */
const MAX_FITS = 60;

/** Names of a higher rank say little: other explanations come first. */
const MAX_NAMED_RANK = 2;

export interface LinkFault extends GraphFault {
  /** Whether the numbers were found by what they explain, but have no name, or a vague one. */
  readonly isUnnamed: boolean;
}

/** Null if no link explains the errors. A cooperative task. */
export function* findLinkFault(
  graph: ForwardGraph,
  gradientsFor: GradientsFor,
  upstream: Float64Array,
  returned: ReadonlyMap<string, Float64Array>,
): Generator<undefined, LinkFault | null> {
  const roles = new GraphRoles(graph);
  yield;
  const search = new LinkSearch(graph, roles);
  if (!(yield* search.measure(gradientsFor, upstream, returned))) return null;
  if (search.mixesSamples())
    return {
      cause: 'axes_wrong',
      description:
        'The backward pass mixes samples: the gradient of a sample depends on the output gradients of others. A sum or mean may run along the batch (axis 0), or an index may leave out the sample',
      tensors: [...search.wrong],
      explainsAll: true,
      isUnnamed: false,
    };
  const causes = new LinkCauses(graph, roles);
  const found: { readonly fit: LinkFit; readonly cause: LinkCause }[] = [];
  let unnamed: LinkFit | null = null;
  let count = 0;
  for (const fit of search.fits()) {
    yield;
    if (!fit || count++ >= MAX_FITS) continue;
    const cause = yield* causes.explain(fit);
    if (cause) found.push({ fit, cause });
    else if (fit.isDetermined && fit.tensors.length > (unnamed?.tensors.length ?? 0)) unnamed = fit;
    if (cause && cause.rank <= 1 && fit.tensors.length === search.wrong.size) break;
  }
  const score = ({ fit, cause }: (typeof found)[0]): number =>
    cause.rank - 2 * (fit.tensors.length / search.wrong.size);
  found.sort((a, b) => score(a) - score(b));
  const [best] = found;
  // Names that end with a comma may end the sentence.
  const describe = (fit: LinkFit, text: string): string => `${fit.link.name} ${text}`.replace(/,(?=\.|$)/g, '');
  if (best) {
    const { fit, cause } = best;
    // Each parameter may have a link of its own, such as a key and a query.
    const parts = [best];
    const explained = new Set(fit.tensors);
    for (const each of found)
      if (each.fit.tensors.some((name) => !explained.has(name) && name !== 'input')) {
        parts.push(each);
        for (const name of each.fit.tensors) explained.add(name);
      }
    return {
      cause: cause.cause,
      description: parts
        .slice(0, 3)
        .map((each) => describe(each.fit, each.cause.description))
        .join('. '),
      tensors: fit.tensors,
      explainsAll: [...search.wrong].every((name) => explained.has(name)),
      isUnnamed: cause.rank > MAX_NAMED_RANK,
    };
  }
  if (!unnamed) return null;
  const worst = unnamed.numbers.reduce((most, each) =>
    Math.abs(each.found - each.right) > Math.abs(most.found - most.right) ? each : most,
  );
  return {
    cause: 'error_pattern',
    description: describe(
      unnamed,
      `is wrong: the backward pass takes ${formatShort(worst.found)} where it is ${formatShort(worst.right)}`,
    ),
    tensors: unnamed.tensors,
    explainsAll: unnamed.tensors.length === search.wrong.size,
    isUnnamed: true,
  };
}

const formatShort = (value: number): string => String(Number(value.toPrecision(4)));

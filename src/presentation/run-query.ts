// How a query over a run ended, in the same words on every surface.
import type { RunQueryEnd, RunQueryResult } from '../protocol/run-query';
import { formatInteger } from './plain-numbers';

/** A sentence; null if it ended as it should. `end` is null for a query that was canceled. */
export function describeQueryEnd(
  end: RunQueryEnd | null,
  { step, to }: Pick<RunQueryResult, 'step' | 'to'>,
): string | null {
  switch (end) {
    case 'complete':
      return null;
    case null:
      return `Stopped at step ${formatInteger(step)}.`;
    case 'diverged':
      return `The run diverged in step ${formatInteger(step)}: later steps do not exist.`;
    case 'too many rows':
      return `Stopped at step ${formatInteger(step)} with too many rows. Add a condition, or choose fewer steps.`;
    case 'false at the end':
      return `bisect needs a condition that is true at step ${formatInteger(to)}. It is not true there.`;
    case 'run changed':
      return 'The run was changed. Ask again.';
  }
}

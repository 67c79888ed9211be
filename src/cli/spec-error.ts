import { formatProblem, type LocatedProblem } from './problems';

/** The spec has errors, which are the result of the command. */
export class SpecError extends Error {
  override name = 'SpecError';

  constructor(readonly problems: readonly LocatedProblem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}

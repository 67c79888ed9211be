// Which of a run's findings matters at a step: the cause of what holds there, even if the cause itself is over.
import { holdsAt, type RunFinding } from '../protocol/finding';

/** A run is observed at steps whose distance is at most an eighth of the step. */
const OBSERVATION_GAP = 1 / 8;

/** Whether one finding held until another began, so that it can be its cause. */
const leadsTo = (cause: RunFinding, effect: RunFinding): boolean =>
  cause.since < effect.since && (cause.until === null || cause.until >= effect.since * (1 - OBSERVATION_GAP) - 1);

/**
 * The first cause of what holds at a step; null if nothing does.
 * @param findings of the whole run, causes before effects
 */
export function mainFinding(findings: readonly RunFinding[], step: number): RunFinding | null {
  const begun = findings.filter(({ since }) => since <= step);
  let main = begun.find((finding) => holdsAt(finding, step));
  while (main) {
    const effect = main;
    const cause = begun.find((finding) => leadsTo(finding, effect));
    if (!cause) return main;
    main = cause;
  }
  return null;
}

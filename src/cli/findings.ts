// Findings of a run as lines, and as JSON.
import type { RunFinding } from '../protocol/finding';
import { formatInteger } from '../presentation/plain-numbers';
import type { TrainingSession } from '../session/session';
import { type Line, paint } from './terminal';

/** "since step 1", "steps 1 to 40". */
const describeSteps = ({ since, until }: RunFinding): string =>
  until === null ? `since step ${formatInteger(since)}` : `steps ${formatInteger(since)} to ${formatInteger(until)}`;

/** Causes before effects. */
export function findingLines({ monitor: { findings } }: TrainingSession): Line[] {
  if (findings.length === 0) return [];
  return [
    paint('bold', 'Findings'),
    ...findings.map(
      (finding) => `${describeSteps(finding)}: ${finding.observation} ${finding.remedy} [${finding.code}]`,
    ),
    '',
  ];
}

export interface FindingJson extends Omit<RunFinding, 'layer'> {
  readonly layer: string | null;
}

/** With the layer's name. */
export const findingsJson = ({ monitor, model }: TrainingSession): FindingJson[] =>
  monitor.findings.map((finding) => ({
    ...finding,
    layer: finding.layer === null ? null : (model.layers[finding.layer]?.name ?? null),
  }));

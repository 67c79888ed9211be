// Trains a spec and observes it as every surface does.
import { nextObservedStep, specRules } from '../../src/diagnostics';
import { loadRun } from '../../src/model-spec';
import type { RunFinding } from '../../src/protocol/finding';
import { observeStep } from '../../src/session/observe-step';
import { TrainingSession } from '../../src/session/session';
import { noFiles } from './data-files';

export function openSession(spec: object): TrainingSession {
  const text = JSON.stringify(spec);
  const { run, problems } = loadRun(text, noFiles, { rules: specRules });
  if (!run) throw new Error(problems.map(({ message }) => message).join(' '));
  return new TrainingSession(run, text);
}

/** Trains on to a step; stops where the loss is not finite. */
export function observeTo(session: TrainingSession, target: number): readonly RunFinding[] {
  const { batchesPerEpoch } = session.model;
  while (session.position.step < target && Number.isFinite(session.loss ?? 0)) {
    const next = session.position.step + 1;
    session.step(next === nextObservedStep(next - 1) || next === target);
    if (next % batchesPerEpoch === 0) session.evaluate();
    if (next === nextObservedStep(next - 1) || next === target) observeStep(session);
  }
  return session.monitor.findings;
}

export const observe = (spec: object): readonly RunFinding[] => {
  const session = openSession(spec);
  return observeTo(session, session.totalSteps);
};

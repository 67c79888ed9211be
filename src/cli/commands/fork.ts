// `nablascope train --fork-at`: repeats the run from a step on, with another learning rate or seed.
import { SPLIT_NAMES } from '../../protocol/position';
import type { Evaluation } from '../../protocol/frame';
import { pluralize, formatNumber } from '../../presentation/plain-numbers';
import { openScratchSession } from '../../session/scratch-session';
import { CommandError } from '../../session/preconditions';
import type { TrainingSession } from '../../session/session';
import { formatPercent, formatTable } from '../format';
import { ProgressBar } from '../progress';
import { type Line, paint, type Terminal } from '../terminal';
import { describeDivergence, type TrainOutcome, trainTo } from '../train-to';
import { UsageError } from '../usage-error';

/** What the fork changes after `at` steps; null where it keeps the run's value. */
export interface ForkArgs {
  readonly at: number;
  readonly lr: number | null;
  readonly seed: number | null;
}

export interface Fork {
  readonly args: ForkArgs;
  /** Values of the run at that step. */
  readonly original: { readonly lr: number; readonly seed: number };
  readonly session: TrainingSession;
}

/** One side of the comparison: the run or its fork. */
interface Branch {
  readonly outcome: TrainOutcome;
  readonly evaluation: Evaluation;
}

/** Null where the call asks for no fork. */
export function readForkArgs(at: number | null, lr: number | null, seed: number | null): ForkArgs | null {
  if (at === null && (lr !== null || seed !== null)) {
    throw new UsageError(
      'missing-option',
      `${lr === null ? '--seed' : '--lr'} needs --fork-at.`,
      'Add --fork-at 100; for the whole run, change the spec.',
    );
  }
  if (at !== null && lr === null && seed === null) {
    throw new UsageError('missing-option', '--fork-at needs --lr or --seed.', 'Add --lr 0.01, --seed 2, or both.');
  }
  return at === null ? null : { at, lr, seed };
}

export function requireForkBeforeEnd({ at }: ForkArgs, target: number): void {
  if (at < target) return;
  throw new UsageError(
    'step-out-of-range',
    `The run ends after ${pluralize(target, 'step')}, so it cannot be forked at step ${at}.`,
    target > 0 ? `Choose a step from 0 to ${target - 1}.` : 'Train at least one step.',
  );
}

/** A session at the step of the fork, with its changes. Null if the run ended before it, or after Ctrl-C. */
export async function createFork(terminal: Terminal, session: TrainingSession, args: ForkArgs): Promise<Fork | null> {
  const { at, lr, seed } = args;
  if (session.furthestStep < at) return null;
  const progress = new ProgressBar(terminal);
  const forked = createScratchSession(session, at);
  const { kind } = await trainTo(
    terminal,
    forked,
    at,
    () => undefined,
    () => progress.show(forked.position.step / at, () => 'replaying up to the fork'),
  );
  progress.clear();
  if (kind !== 'completed') return null;
  const original = { lr: forked.baseLr, seed: forked.seed };
  if (lr !== null) forked.setLearningRate(lr);
  if (seed !== null) forked.setSeed(seed);
  return { args, original, session: forked };
}

function createScratchSession(session: TrainingSession, at: number): TrainingSession {
  try {
    return openScratchSession(session, at);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UsageError('fork-not-possible', error.message, 'Train the two variants one after the other.');
  }
}

/** What the fork changes, and both results next to each other. */
export function forkLines({ args: { at, lr, seed }, original, session }: Fork, run: Branch, fork: Branch): Line[] {
  const changes = [
    ...(lr === null ? [] : [`lr ${lr} instead of ${original.lr}`]),
    ...(seed === null ? [] : [`seed ${seed} instead of ${original.seed}`]),
  ];
  const lossIn = ({ evaluation }: Branch, split: (typeof SPLIT_NAMES)[number]): string =>
    evaluation[split] ? formatNumber(evaluation[split].loss) : '·';
  const accuracyIn = ({ evaluation }: Branch, split: (typeof SPLIT_NAMES)[number]): string => {
    const accuracy = evaluation[split]?.accuracy ?? null;
    return accuracy === null ? '·' : formatPercent(accuracy);
  };
  const { largestClass } = session.model;
  const rows = SPLIT_NAMES.filter((split) => run.evaluation[split] ?? fork.evaluation[split]).map((split) => [
    split,
    lossIn(run, split),
    lossIn(fork, split),
    accuracyIn(run, split),
    accuracyIn(fork, split),
    largestClass ? formatPercent(largestClass[split]) : '·',
  ]);
  const [head, ...body] = formatTable(
    ['Split', 'Loss', 'Fork loss', 'Accuracy', 'Fork accuracy', 'Largest class'],
    rows,
  );
  return [
    `Fork at step ${at}, with ${changes.join(' and ')}:`,
    '',
    paint('bold', head),
    ...body,
    ...(fork.outcome.kind === 'diverged'
      ? ['', paint('red', `The fork: ${describeDivergence(fork.outcome.nonFinite)}`)]
      : []),
    ...(fork.outcome.kind === 'interrupted' ? ['', 'Ctrl-C stopped the fork before its end.'] : []),
  ];
}

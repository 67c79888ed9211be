// `nablascope train --fork-at`: from a step of the run on, the same with another learning rate or seed, beside it.
import { counted, short } from '../../gradcheck/words';
import { beside } from '../../session/beside';
import { CommandError } from '../../session/command';
import { type Evaluation, PARTS } from '../../session/evaluation';
import type { TrainingSession } from '../../session/session';
import { type Call, CallError } from '../arguments';
import { type Outcome, trainTo } from '../drive';
import { percent, table } from '../format';
import { Progress } from '../progress';
import { divergence } from '../reach';
import { paint, type Terminal } from '../terminal';

export type ForkWords = NonNullable<Extract<Call, { command: 'train' }>['fork']>;

export interface Fork {
  readonly words: ForkWords;
  /** What the run itself goes on with there. */
  readonly own: { readonly lr: number; readonly seed: number };
  readonly session: TrainingSession;
}

/** What is compared: the run, and its fork. */
interface Way {
  readonly outcome: Outcome;
  readonly evaluation: Evaluation;
}

export function refuseLate({ at }: ForkWords, target: number): void {
  if (at < target) return;
  throw new CallError(`The run ends after ${counted(target, 'step')}, so nothing follows step ${at}.`, `Give a step from 0 to ${target - 1}.`);
}

/** A session that stands at the step, with what is to be other there. Null where the run did not get there, or somebody ends it on the way. */
export async function forkOf(terminal: Terminal, session: TrainingSession, words: ForkWords): Promise<Fork | null> {
  const { at, lr, seed } = words;
  if (session.frontier < at) return null;
  const progress = new Progress(terminal);
  const other = secondOf(session, at);
  const { kind } = await trainTo(terminal, other, at, () => undefined, () => progress.show(other.position.step / at, () => 'going back for the fork'));
  progress.clear();
  if (kind !== 'arrived') return null;
  const own = { lr: other.baseLr, seed: other.seed };
  if (lr !== null) other.setLearningRate(lr);
  if (seed !== null) other.setSeed(seed);
  return { words, own, session: other };
}

function secondOf(session: TrainingSession, at: number): TrainingSession {
  try {
    return beside(session, at);
  } catch (error) {
    if (error instanceof CommandError) throw new CallError(error.message, 'Train the two ways one after the other.');
    throw error;
  }
}

/** What the fork is, and both ways side by side. */
export function forkText(terminal: Terminal, { words: { at, lr, seed }, own }: Fork, run: Way, fork: Way): string[] {
  const other = [...(lr === null ? [] : [`lr ${lr} in place of ${own.lr}`]), ...(seed === null ? [] : [`seed ${seed} in place of ${own.seed}`])];
  const lossIn = ({ evaluation }: Way, part: (typeof PARTS)[number]): string => (evaluation[part] ? short(evaluation[part].loss) : '·');
  const accuracyIn = ({ evaluation }: Way, part: (typeof PARTS)[number]): string => {
    const accuracy = evaluation[part]?.accuracy ?? null;
    return accuracy === null ? '·' : percent(accuracy);
  };
  const rows = PARTS.filter((part) => run.evaluation[part] ?? fork.evaluation[part])
    .map((part) => [part, lossIn(run, part), lossIn(fork, part), accuracyIn(run, part), accuracyIn(fork, part)]);
  const [head, ...body] = table(['Part', 'Loss', 'of the fork', 'Accuracy', 'of the fork'], rows);
  return [
    `Fork from step ${at} on, with ${other.join(' and ')}:`, '',
    paint(terminal, 'bold', head), ...body, '',
    ...(fork.outcome.kind === 'diverged' ? [paint(terminal, 'red', `The fork: ${divergence(fork.outcome.nonFinite)}`)] : []),
    ...(fork.outcome.kind === 'interrupted' ? ['The fork was stopped before its end.'] : []),
  ];
}

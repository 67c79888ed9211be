// What a fork of the run is, and what came of it, in sentences. No DOM.
import { readAt } from './charts/envelope';
import { formatCount, formatNumber, formatRound } from './numbers';
import type { AnswerTo, SeriesData } from '../src/protocol/panel';

export interface ForkRequest {
  readonly from: number;
  readonly lr: number | null;
  readonly seed: number | null;
  readonly to: number;
}

/** What differs between the fork and the run, and what does not. */
export function differsIn({ from, lr, seed }: ForkRequest, { own, drawn }: AnswerTo<'fork'>): string {
  const differences = [
    ...(lr !== null && lr !== own.lr ? [`learning rate ${formatRound(lr)} instead of ${formatRound(own.lr)}`] : []),
    ...(seed !== null && seed !== own.seed ? [`seed ${seed} instead of ${own.seed}`] : []),
  ];
  if (differences.length === 0) return `From step ${formatCount(from)} on nothing differs: the fork is the run itself.`;
  const seeded = seed !== null && seed !== own.seed;
  const what = !seeded
    ? 'Everything before it, the order of the samples and all that is drawn are those of the run.'
    : !drawn
      ? 'The seed decides nothing from there on: the batch is the whole of the data, and no layer draws.'
      : from === 0
        ? 'The weights start from other draws, and the samples come in another order; the data are the same.'
        : 'The weights up to there are those of the run; from there on the samples come in another order, so that some come twice in this epoch, and layers draw anew.';
  return `From step ${formatCount(from)} on the fork has ${differences.join(' and ')}. ${what}`;
}

export interface Comparison {
  readonly of: 'train' | 'batch';
  readonly step: number;
  readonly run: number;
  readonly fork: number;
}

/** Both losses at the last step of which both are known exactly: of the whole training part, else of the batch. */
export function lastCommon(of: Comparison['of'], run: SeriesData | undefined, fork: SeriesData | undefined): Comparison | null {
  for (let i = (fork?.steps.length ?? 0) - 1; fork && i >= 0; i--) {
    const there = readAt(run, fork.steps[i]);
    if (fork.stride === 1 && there?.step === fork.steps[i] && there.last === there.step && fork.low[i] === fork.high[i] && there.low === there.high) {
      return { of, step: there.step, run: there.low, fork: fork.low[i] };
    }
  }
  return null;
}

/** How the fork compares, in one sentence. */
export function cameOut(common: Comparison | null, { diverged }: AnswerTo<'fork'>): string {
  if (diverged !== null) return `The fork diverges: at step ${formatCount(diverged)} its loss is no finite number any more.`;
  if (!common) return 'The run has not come so far: there is nothing to compare the fork with yet.';
  const { of, step, run, fork } = common;
  const place = `At step ${formatCount(step)} the ${of === 'train' ? 'loss over all training samples' : 'loss of the batch'}`;
  if (run === fork) return `${place} is ${formatNumber(run)} in both.`;
  return `${place} is ${formatNumber(fork)} in the fork and ${formatNumber(run)} in the run: ${formatNumber(Math.abs(fork - run))} ${fork < run ? 'lower' : 'higher'}.`;
}

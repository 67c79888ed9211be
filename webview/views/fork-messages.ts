// Sentences about a fork and its result.
import { bucketAt } from '../charts/envelope';
import { formatInteger, formatNumber, formatCompact } from '../../src/presentation/numbers';
import type { QueryValue, SeriesData } from '../../src/protocol/panel';

export interface ForkRequest {
  readonly from: number;
  readonly lr: number | null;
  readonly seed: number | null;
  readonly to: number;
}

/** The differences between the fork and the run, and what is the same. */
export function describeDifferences(
  { from, lr, seed }: ForkRequest,
  { parentSettings, seedMatters }: QueryValue<'fork'>,
): string {
  const differences = [
    ...(lr !== null && lr !== parentSettings.lr
      ? [`learning rate ${formatCompact(lr)} instead of ${formatCompact(parentSettings.lr)}`]
      : []),
    ...(seed !== null && seed !== parentSettings.seed ? [`seed ${seed} instead of ${parentSettings.seed}`] : []),
  ];
  if (differences.length === 0)
    return `The fork from step ${formatInteger(from)} has the settings of the run, so both are the same.`;
  const seeded = seed !== null && seed !== parentSettings.seed;
  const what = !seeded
    ? 'Everything else is as in the run: earlier steps, the order of the samples, and random numbers.'
    : !seedMatters
      ? 'The seed has no effect: the batch is the whole data set, and no layer uses random numbers.'
      : from === 0
        ? 'The initial weights and the order of the samples differ; the data are the same.'
        : 'The fork starts with the weights of the run. The order of the samples and random numbers differ, so that samples may repeat in this epoch.';
  return `From step ${formatInteger(from)} the fork uses ${differences.join(' and ')}. ${what}`;
}

export interface LossComparison {
  readonly of: 'train' | 'batch';
  readonly step: number;
  readonly run: number;
  readonly fork: number;
}

/**
 * Both losses at the last step for which both are known exactly: of the whole train split if possible, otherwise of the
 * batch.
 */
export function lastCommonLoss(
  of: LossComparison['of'],
  run: SeriesData | undefined,
  fork: SeriesData | undefined,
): LossComparison | null {
  for (let i = (fork?.steps.length ?? 0) - 1; fork && i >= 0; i--) {
    const there = bucketAt(run, fork.steps[i]!);
    if (
      there &&
      fork.stride === 1 &&
      there.step === fork.steps[i] &&
      there.last === there.step &&
      fork.low[i] === fork.high[i] &&
      there.low === there.high
    ) {
      return { of, step: there.step, run: there.low, fork: fork.low[i]! };
    }
  }
  return null;
}

/** How the fork compares, in one sentence. */
export function describeOutcome(comparison: LossComparison | null, { diverged }: QueryValue<'fork'>): string {
  if (diverged !== null) return `The fork diverges: its loss is not finite at step ${formatInteger(diverged)}.`;
  if (!comparison) return 'The run has not reached these steps yet, so there is nothing to compare with.';
  const { of, step, run, fork } = comparison;
  const place = `At step ${formatInteger(step)} the ${of === 'train' ? 'loss over all training samples' : 'loss of the batch'}`;
  if (run === fork) return `${place} is ${formatNumber(run)} in both.`;
  return `${place} is ${formatNumber(fork)} in the fork and ${formatNumber(run)} in the run: ${formatNumber(Math.abs(fork - run))} ${fork < run ? 'lower' : 'higher'}.`;
}

// What a diagnosis measured and found, in the same words in the terminal and in the panel.
import type {
  DataLook,
  DoctorFinding,
  DoctorReport,
  InitialLoss,
  OverfitResult,
  RangeTest,
  Trial,
} from '../protocol/doctor-report';
import type { SplitName } from '../protocol/position';
import { formatCompact, formatInteger, formatNumber, formatPercent, pluralize } from './numbers';

/** One check of the diagnosis. */
export interface DoctorCheck {
  readonly id: 'data' | 'initialLoss' | 'overfit' | 'gradients' | 'rangeTest' | 'trial' | 'zeroedInputs';
  readonly title: string;
  readonly result: string;
}

/** In order of creation; without those that a cancelled diagnosis did not complete. */
export function describeChecks(report: Partial<DoctorReport>): DoctorCheck[] {
  const { data, initialLoss, overfit, gradients, rangeTest, trial, zeroedInputs } = report;
  const results: readonly (readonly [DoctorCheck['id'], string, string | null | undefined])[] = [
    ['data', 'Data', data && describeData(data)],
    ['initialLoss', 'First loss', initialLoss && describeInitialLoss(initialLoss)],
    ['overfit', 'One small batch', overfit && describeOverfit(overfit)],
    ['gradients', 'Gradient check', gradients === null ? 'not done: the network is too large' : gradients?.conclusion],
    ['rangeTest', 'Learning rates', rangeTest && describeRangeTest(rangeTest)],
    ['trial', 'Training', trial && describeTrial(trial, data)],
    [
      'zeroedInputs',
      'Without inputs',
      zeroedInputs && `loss ${formatNumber(zeroedInputs.zeroedLoss)} instead of ${formatNumber(zeroedInputs.loss)}`,
    ],
  ];
  return results.flatMap(([id, title, result]) => (result ? [{ id, title, result }] : []));
}

const describeInitialLoss = ({ loss, expected }: InitialLoss): string =>
  formatNumber(loss) + (expected === null ? '' : `; a prediction that ignores the input has ${formatNumber(expected)}`);

const describeOverfit = ({ samples, firstLoss, lastLoss, steps, accuracy }: OverfitResult): string =>
  `${pluralize(samples, 'sample')}: loss ${formatNumber(firstLoss)} to ${formatNumber(lastLoss)} in ` +
  pluralize(steps, 'step') +
  (accuracy === null ? '' : `, accuracy ${formatPercent(accuracy)}`);

const describeRangeTest = ({ rates, suggested }: RangeTest): string =>
  `${formatCompact(rates[0] ?? NaN)} to ${formatCompact(rates.at(-1) ?? NaN)}; ` +
  (suggested === null ? 'none lowers the loss' : `suggested: ${formatCompact(suggested)}`);

function describeTrial({ diverged, steps, evaluation: { train, validation } }: Trial, data?: DataLook): string {
  if (diverged) return `diverged in step ${formatInteger(steps)}`;
  return (
    `after ${pluralize(steps, 'step')}: ${describeSplit(data, 'train', train)}` +
    (validation ? `; ${describeSplit(data, 'validation', validation)}` : '')
  );
}

function describeData({ samples, inputs, inputScale, target, classes }: DataLook): string {
  const what = classes
    ? `${pluralize(classes.length, 'class', 'classes')}, the largest ${formatPercent(Math.max(...classes.map(({ share }) => share)))}`
    : target
      ? `target ${formatNumber(target.mean)} ± ${formatNumber(target.std)}, from ${formatNumber(target.min)} to ${formatNumber(target.max)}`
      : '';
  return (
    `${samples.train} train, ${samples.validation} validation, ${samples.test} test; ${pluralize(inputs, 'input')} of scale ` +
    `${formatNumber(inputScale.smallest)} to ${formatNumber(inputScale.largest)}; ${what}`
  );
}

function describeSplit(data: DataLook | undefined, name: SplitName, split: Trial['evaluation']['train']): string {
  const loss = `${name} loss ${formatNumber(split?.loss ?? NaN)}`;
  if (typeof split?.accuracy !== 'number') return loss;
  return `${loss}, accuracy ${formatAccuracy(split.accuracy, data?.largestClass?.[name] ?? null)}`;
}

/** `98.2 % (largest class 51 %)`. */
export const formatAccuracy = (accuracy: number, largestClass: number | null): string =>
  formatPercent(accuracy) + (largestClass === null ? '' : ` (largest class ${formatPercent(largestClass)})`);

/** What to do about a finding; the effect of a fix that helped is a sentence of its own. */
export const doctorAdvice = ({ remedy }: DoctorFinding): string =>
  remedy ?? 'The usual fix was tried and does not help here.';

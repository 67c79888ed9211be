// What a diagnosis measured and found, in the same words in the terminal and in the panel.
import type { DataLook, DoctorFinding, DoctorReport } from '../protocol/doctor-report';
import type { SplitName } from '../protocol/position';
import { formatCompact, formatInteger, formatNumber, formatPercent, pluralize } from './numbers';

/** One check of the diagnosis. */
export interface DoctorCheck {
  readonly id: 'data' | 'initialLoss' | 'overfit' | 'gradients' | 'rangeTest' | 'trial' | 'zeroedInputs';
  readonly title: string;
  readonly result: string;
}

/** In order of creation. */
export function describeChecks(report: DoctorReport): DoctorCheck[] {
  const { data, initialLoss, overfit, gradients, rangeTest, trial, zeroedInputs } = report;
  const { train, validation } = trial.evaluation;
  return [
    { id: 'data', title: 'Data', result: describeData(data) },
    {
      id: 'initialLoss',
      title: 'First loss',
      result:
        formatNumber(initialLoss.loss) +
        (initialLoss.expected === null
          ? ''
          : `; a prediction that ignores the input has ${formatNumber(initialLoss.expected)}`),
    },
    {
      id: 'overfit',
      title: 'One small batch',
      result:
        `${pluralize(overfit.samples, 'sample')}: loss ${formatNumber(overfit.firstLoss)} to ` +
        `${formatNumber(overfit.lastLoss)} in ${pluralize(overfit.steps, 'step')}` +
        (overfit.accuracy === null ? '' : `, accuracy ${formatPercent(overfit.accuracy)}`),
    },
    {
      id: 'gradients',
      title: 'Gradient check',
      result: gradients?.conclusion ?? 'not done: the network is too large',
    },
    {
      id: 'rangeTest',
      title: 'Learning rates',
      result:
        `${formatCompact(rangeTest.rates[0] ?? NaN)} to ${formatCompact(rangeTest.rates.at(-1) ?? NaN)}; ` +
        (rangeTest.suggested === null ? 'none lowers the loss' : `suggested: ${formatCompact(rangeTest.suggested)}`),
    },
    {
      id: 'trial',
      title: 'Training',
      result: trial.diverged
        ? `diverged in step ${formatInteger(trial.steps)}`
        : `after ${pluralize(trial.steps, 'step')}: ${describeSplit(report, 'train', train)}` +
          (validation ? `; ${describeSplit(report, 'validation', validation)}` : ''),
    },
    ...(zeroedInputs
      ? [
          {
            id: 'zeroedInputs' as const,
            title: 'Without inputs',
            result: `loss ${formatNumber(zeroedInputs.zeroedLoss)} instead of ${formatNumber(zeroedInputs.loss)}`,
          },
        ]
      : []),
  ];
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

function describeSplit(
  { data }: DoctorReport,
  name: SplitName,
  split: DoctorReport['trial']['evaluation']['train'],
): string {
  const loss = `${name} loss ${formatNumber(split?.loss ?? NaN)}`;
  if (typeof split?.accuracy !== 'number') return loss;
  return `${loss}, accuracy ${formatAccuracy(split.accuracy, data.largestClass?.[name] ?? null)}`;
}

/** `98.2 % (largest class 51 %)`. */
export const formatAccuracy = (accuracy: number, largestClass: number | null): string =>
  formatPercent(accuracy) + (largestClass === null ? '' : ` (largest class ${formatPercent(largestClass)})`);

/** What to do about a finding; the effect of a fix that helped is a sentence of its own. */
export const doctorAdvice = ({ remedy }: DoctorFinding): string =>
  remedy ?? 'The usual fix was tried and does not help here.';

// The outcome of a gradient check: a code, and the sentence that every surface shows.
import { type CheckReport, PENALTY_NAME } from '../protocol/check-report';
import { pluralize, formatInteger, formatIndex, formatNumber } from './plain-numbers';

export type CheckOutcome =
  | 'passed'
  | 'wrong'
  | 'wrong_without_penalty'
  | 'wrong_in_isolation'
  | 'loss_not_finite'
  | 'nothing_checked'
  | 'inconclusive';

/** The outcome of the entries checked so far; `report.complete` says whether they are all. */
export function checkOutcome({ counts, loss, passed, checked, withoutPenalty, diagnosis }: CheckReport): CheckOutcome {
  if (counts.wrong > 0) return 'wrong';
  if (!Number.isFinite(loss)) return 'loss_not_finite';
  if (checked === 0) return 'nothing_checked';
  if (withoutPenalty && withoutPenalty.counts.wrong > 0) return 'wrong_without_penalty';
  if (passed) return 'passed';
  return diagnosis || (counts.pass > 0 && withoutPenalty?.passed !== false) ? 'wrong_in_isolation' : 'inconclusive';
}

/** Whether a gradient is wrong, in the whole network or in isolation; not whether there is no conclusion. */
export const hasWrongGradient = (report: CheckReport): boolean =>
  ['wrong', 'wrong_without_penalty', 'wrong_in_isolation'].includes(checkOutcome(report));

/** @param number formats derivatives; ASCII by default */
export function formatConclusion(report: CheckReport, number: (value: number) => string = formatNumber): string {
  const { checked, complete, counts, entries, loss, parameters } = report;
  const stopped = complete
    ? ''
    : checked === entries
      ? 'Stopped before every layer was checked in isolation. '
      : `Stopped after ${formatInteger(checked)} of ${pluralize(entries, 'entry', 'entries')}. `;
  switch (checkOutcome(report)) {
    case 'wrong': {
      const wrong = parameters.filter(({ verdict }) => verdict === 'wrong');
      const { name, worst } = wrong.reduce((a, b) =>
        (b.worst?.relativeError ?? 0) > (a.worst?.relativeError ?? 0) ? b : a,
      );
      const where = `worst at ${name} ${formatIndex(worst?.index ?? [])}: backprop says ${number(worst?.analytic ?? NaN)}, the numeric derivative is ${number(worst?.numeric ?? NaN)}`;
      return `${stopped}Backprop is wrong at ${formatInteger(counts.wrong)} of ${pluralize(checked, 'entry', 'entries')}, ${where}.`;
    }
    case 'loss_not_finite':
      return `${stopped}The loss is ${loss}, so there is no derivative to compare with.`;
    case 'wrong_without_penalty': {
      const wrong = report.withoutPenalty?.counts.wrong ?? 0;
      return `${stopped}Backprop is wrong at ${pluralize(wrong, 'entry', 'entries')} once the penalty is left out.`;
    }
    case 'wrong_in_isolation':
      return `${stopped}${nameOfCulprit(report)} is wrong in isolation, ${counts.pass > 0 ? 'although every entry compared agrees' : 'and no entry could be compared'}.`;
    case 'nothing_checked':
      return `${stopped}Nothing was checked.`;
    case 'inconclusive':
      return counts.pass > 0
        ? `${stopped}No entry could be compared once the penalty is left out. That is not a pass.`
        : `${stopped}No entry could be compared: ${formatInconclusive(counts)}. That is not a pass.`;
    case 'passed': {
      const inconclusive = formatInconclusive(counts);
      const all = pluralize(checked, 'entry', 'entries');
      return inconclusive === ''
        ? `${stopped}Backprop agrees with numeric derivatives at all ${all}.`
        : `${stopped}Backprop agrees with numeric derivatives at ${formatInteger(counts.pass)} of ${all}; ${inconclusive}.`;
    }
  }
}

function nameOfCulprit({ diagnosis }: CheckReport): string {
  if (!diagnosis) return 'A layer';
  return diagnosis.layer === PENALTY_NAME ? 'The penalty' : (diagnosis.layer ?? 'The loss');
}

/** Why entries that are neither right nor wrong could not be compared; empty if there are none. */
export function formatInconclusive({ kink, below_noise }: CheckReport['counts']): string {
  return [
    ...(below_noise > 0
      ? [`${formatInteger(below_noise)} ${below_noise === 1 ? 'is' : 'are'} smaller than round-off can resolve`]
      : []),
    ...(kink > 0 ? [`${formatInteger(kink)} ${kink === 1 ? 'lies' : 'lie'} on a kink`] : []),
  ].join(', ');
}

// What a check means for a test: passed, failed with what was expected and what came, or nothing to tell.
import type { CheckReport, EntryReport, ParameterCheck } from './report';

export type Outcome =
  | { readonly kind: 'passed' }
  /** Nothing that could be compared: below round-off, or on kinks. */
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'failed'; readonly message: string; readonly expected: string; readonly actual: string };

const at = ({ index }: EntryReport): string => `[${index.join(', ')}]`;

/** One parameter's part of a report. */
export function outcomeOf(parameter: ParameterCheck, report: CheckReport): Outcome {
  const { counts, checked, entries, worst, name } = parameter;
  if (checked === 0) return { kind: 'skipped', why: 'It was not checked.' };
  if (counts.wrong > 0 && worst) {
    const why = report.diagnosis ? ` ${report.diagnosis.sentence}` : '';
    return {
      kind: 'failed',
      message: `Backprop is wrong at ${counts.wrong} of ${checked} entries of ${name}, worst at ${at(worst)}.${why}`,
      expected: `d loss / d ${name}${at(worst)} = ${worst.numeric} (numeric derivative)`,
      actual: `d loss / d ${name}${at(worst)} = ${worst.analytic} (backprop), relative error ${worst.relativeError}`,
    };
  }
  if (counts.pass > 0) return { kind: 'passed' };
  if (!Number.isFinite(report.loss)) return { kind: 'skipped', why: `The loss is ${report.loss}: there is no derivative to compare with.` };
  const reasons = [
    ...(counts.below_noise > 0 ? [`${counts.below_noise} smaller than round-off can resolve`] : []),
    ...(counts.kink > 0 ? [`${counts.kink} on a kink`] : []),
  ];
  return { kind: 'skipped', why: `No entry could be told: of ${entries}, ${reasons.join(', ')}.` };
}

/** A whole report in one line, for the output of a run. */
export function summaryOf(file: string, { checked, entries, counts, diagnosis, complete }: CheckReport): string {
  const part = complete ? '' : `stopped after ${checked} of ${entries} entries; `;
  const wrong = counts.wrong > 0 ? `${counts.wrong} wrong, ` : '';
  return `${file}: ${part}${wrong}${counts.pass} pass, ${counts.kink} kink, ${counts.below_noise} below noise.${diagnosis ? ` ${diagnosis.sentence}` : ''}`;
}

// What stands out in a dataset, and how its rows are laid out, the same in a terminal and in the panel.
import type { ColumnRole, DataProfile, DataRow, TargetCorrelation } from '../protocol/data-profile';
import { isOrAre, pluralize } from '../engine/format-count';
import { numel } from '../engine/kernels/tensor';
import { formatIndex, unravelIndex } from './tensor-index';

export interface DataRemark {
  readonly severity: 'warning' | 'information';
  readonly text: string;
}

const warning = (text: string): DataRemark => ({ severity: 'warning', text });
const information = (text: string): DataRemark => ({ severity: 'information', text });

/** Duplicates, contradictions and leaks; and what the figures are computed from where that is not all. */
export function dataRemarks({ duplicates, samples, sampled, dropped }: DataProfile): DataRemark[] {
  const { compared, duplicates: repeated, contradictory, leaked, groups } = duplicates;
  const remarks: DataRemark[] = [];
  if (contradictory > 0) {
    const example = groups.find((group) => group.contradictory);
    remarks.push(
      warning(
        `${pluralize(contradictory, 'sample')} ${contradictory === 1 ? 'shares its' : 'share their'} input with a sample of another target` +
          `${example ? `, such as samples ${example.samples.slice(0, 3).join(', ')}` : ''}.`,
      ),
    );
  }
  if (leaked && leaked.validation + leaked.test > 0) {
    const count = leaked.validation + leaked.test;
    remarks.push(
      warning(
        `${pluralize(count, 'held-out sample')} (${leaked.validation} validation, ${leaked.test} test) ${count === 1 ? 'has' : 'have'} ` +
          'the same input as a training sample.',
      ),
    );
  }
  if (samples > 1)
    remarks.push(
      repeated > 0
        ? warning(
            `${pluralize(repeated, 'sample')} ${repeated === 1 ? 'repeats' : 'repeat'} input and target of an earlier one.`,
          )
        : information(
            contradictory > 0
              ? 'No sample repeats input and target of another.'
              : 'No two samples have the same input.',
          ),
    );
  if (dropped > 0)
    remarks.push(information(`${pluralize(dropped, 'row')} with missing values ${isOrAre(dropped)} left out.`));
  if (sampled < samples) {
    remarks.push(
      information(
        `Histograms and correlations are from ${pluralize(sampled, 'sample')} drawn from the seed; other figures from all ${pluralize(samples, 'sample')}.`,
      ),
    );
  }
  if (compared < samples)
    remarks.push(information(`Only the first ${pluralize(compared, 'sample')} were compared for equal inputs.`));
  return remarks;
}

/** `r -0.217` or `η 0.941`. */
export const formatCorrelation = (correlation: TargetCorrelation | null): string =>
  correlation ? `${correlation.measure === 'pearson' ? 'r' : 'η'} ${correlation.value.toFixed(3)}` : '·';

/** The cells of a row by the role of their column, which can hold several: a channel of an image is one column. */
export function cellsByRole(
  { columns }: DataProfile,
  source: DataRow['source'],
): Record<ColumnRole, DataRow['source']> {
  const count = (role: ColumnRole): number =>
    columns.reduce((sum, column) => sum + (column.role === role ? column.size : 0), 0);
  const inputs = count('input');
  const end = inputs + count('target');
  return { input: source.slice(0, inputs), target: source.slice(inputs, end), unused: source.slice(end) };
}

/** Names of the first numbers of an input: those of their columns, or their indexes in a tensor of more dimensions. */
export function inputCellNames({ columns, inputShape }: DataProfile, limit: number): string[] {
  return Array.from({ length: Math.min(limit, numel(inputShape)) }, (_, i) =>
    inputShape.length === 1 ? columns[i]!.name : formatIndex(unravelIndex(i, inputShape)),
  );
}

/**
 * The class at each position of a sequence, from its rows of 0 and 1; -1 where it is no target.
 * @param positions targets of a sample
 * @returns null for a sample with one target, or with values
 */
export function classesAtPositions(
  target: readonly number[],
  positions: number,
  classes: DataProfile['classes'],
): number[] | null {
  const count = classes?.length ?? 0;
  if (positions < 2 || target.length !== positions * count) return null;
  return Array.from({ length: positions }, (_, i) => target.slice(i * count, (i + 1) * count).indexOf(1));
}

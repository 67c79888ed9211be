// What a dataset holds, column by column, as it stands in its files: before missing values are filled and before the
// transforms. `nablascope data --json` prints these fields, so their names stay.
import type { SplitName } from './position';

export type ColumnRole = 'input' | 'target' | 'unused';

/** `mixed` holds numbers and text; `class` is a target that is read as classes; `empty` has missing values only. */
export type ColumnKind = 'number' | 'integer' | 'text' | 'mixed' | 'class' | 'empty';

/** Counts of equally wide bins. Every bin holds its lower edge, and the last one both. */
export interface ColumnHistogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

export interface ColumnMoments {
  readonly mean: number;
  /** Divides by the number of values. */
  readonly std: number;
}

/**
 * - `pearson`: Pearson's correlation coefficient, -1 to 1; of two classes the first counts 0 and the second 1.
 * - `eta`: the correlation ratio of more classes, 0 to 1: the standard deviation of the class means over that of all
 *   values. Fisher, "Statistical Methods for Research Workers", 1925, section 45.
 */
export interface TargetCorrelation {
  readonly measure: 'pearson' | 'eta';
  readonly value: number;
}

/** Figures of numbers are null where the column has none. */
export interface ColumnProfile {
  readonly name: string;
  readonly role: ColumnRole;
  readonly kind: ColumnKind;
  /** Numbers that each sample has in it: 1, or the pixels of an image channel. */
  readonly size: number;
  /** Values that are not missing. */
  readonly count: number;
  readonly missing: number;
  readonly missingShare: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Divides by the number of values. */
  readonly std: number | null;
  /** Number of distinct values; there are at least as many where `distinctIsExact` is false. */
  readonly distinct: number;
  readonly distinctIsExact: boolean;
  /** The most frequent values of text, classes, and columns of few distinct values. */
  readonly values: readonly { readonly text: string; readonly count: number }[];
  /** Histogram of the numbers in the sampled rows. */
  readonly histogram: ColumnHistogram | null;
  /** Over the sampled rows; null where the column or the target is constant, and for images. */
  readonly correlation: TargetCorrelation | null;
  /** Mean and spread of the numbers in each split; null where the spec cannot run. */
  readonly splits: Readonly<Record<SplitName, ColumnMoments | null>> | null;
}

export interface ClassCount {
  readonly name: string;
  readonly count: number;
  readonly splits: Readonly<Record<SplitName, number>>;
}

/** Samples with an equal input. */
export interface EqualSamples {
  /** The first few, by their index in the data. */
  readonly samples: readonly number[];
  readonly count: number;
  /** Whether their targets differ. */
  readonly contradictory: boolean;
}

export interface DuplicateReport {
  /** Samples that were compared: the first ones of a very large dataset. */
  readonly compared: number;
  /** Samples that repeat the input and the target of an earlier one. */
  readonly duplicates: number;
  /** Samples that share their input with a sample of another target. */
  readonly contradictory: number;
  /** Held-out samples whose input is also in the training split; null where the spec cannot run. */
  readonly leaked: { readonly validation: number; readonly test: number } | null;
  /** The first groups, contradictory ones before the others. */
  readonly groups: readonly EqualSamples[];
}

export interface DataProfile {
  readonly samples: number;
  /** Rows that `"missing": "drop"` leaves out. They count in `missing` and nowhere else. */
  readonly dropped: number;
  /** Samples, drawn from the seed, that histograms and correlations are computed from. */
  readonly sampled: number;
  /** Shape of one input. */
  readonly inputShape: readonly number[];
  /** What a row's `position` counts: lines of a text file from 1, or rows of an array from 0. */
  readonly positions: 'line' | 'index' | null;
  /** Inputs, then targets, then columns that are not read. */
  readonly columns: readonly ColumnProfile[];
  /** Null for values, and where the spec cannot run. */
  readonly classes: readonly ClassCount[] | null;
  /** Null where the spec cannot run. */
  readonly splits: Readonly<Record<SplitName, number>> | null;
  readonly duplicates: DuplicateReport;
}

/** One sample, as it stands in its file and as the network gets it. */
export interface DataRow {
  /** Index in the data. */
  readonly sample: number;
  /** Null where the spec cannot run. */
  readonly split: SplitName | null;
  /** Null for data that no file holds. */
  readonly position: number | null;
  /** The cells as they stand in the file, in the order of the columns. */
  readonly source: readonly (string | number)[];
  /** After the transforms; null where the spec cannot run. */
  readonly input: readonly number[] | null;
  /** The target as the loss takes it; null where the spec cannot run. */
  readonly target: readonly number[] | null;
}

// The samples of a dataset as they stand where they come from: the text of a cell, a number of an array. They are read
// again when somebody inspects the data, so a run need not keep them.
import { numel, type Shape } from '../kernels/tensor';
import type { CooperativeTask } from '../cooperative-task';

export interface SourceColumn {
  readonly name: string;
  readonly role: 'input' | 'target' | 'unused';
  /** Cells of a row that it spans: 1, or the pixels of an image channel. */
  readonly size: number;
}

/** Valid until the next row is visited. */
export interface SourceRow {
  /** Index of the sample in the dataset; null for a row that is left out because of a missing value. */
  readonly sample: number | null;
  /** The line of a text file, from 1; the index in an array, from 0; null for data that no file holds. */
  readonly position: number | null;
  /** In the order of the columns. */
  readonly cells: ArrayLike<string | number>;
}

export interface SampleSource {
  /** Inputs, then targets, then columns that are not read. */
  readonly columns: readonly SourceColumn[];
  /** The shape of one sample. */
  readonly inputShape: Shape;
  /** What `position` counts. */
  readonly positions: 'line' | 'index' | null;
  isMissing(cell: string): boolean;
  /** NaN where the cell is not a number. */
  parse(cell: string): number;
  /**
   * Visits rows in the order of the file.
   * @param wanted the only samples to visit, ascending; all of them by default. Rows that are left out are only visited
   * with all samples.
   */
  scan(visit: (row: SourceRow) => void, wanted?: Uint32Array): CooperativeTask<void>;
}

/**
 * A column for each number of a flat input, for each time step of a sequence, or for each channel of an image; and then
 * the targets.
 */
export function arrayColumns(shape: Shape, targetSize: number, featureNames?: readonly string[]): SourceColumn[] {
  const nameOf = [
    (i: number): string => featureNames?.[i] ?? `input ${i + 1}`,
    (i: number): string => `time step ${i + 1}`,
    (i: number): string => `channel ${i + 1}`,
  ][Math.min(shape.length, 3) - 1]!;
  const inputs = Array.from({ length: shape[0]! }, (_, i): SourceColumn => ({
    name: nameOf(i),
    role: 'input',
    size: numel(shape.slice(1)),
  }));
  const targets = Array.from({ length: targetSize }, (_, i): SourceColumn => ({
    name: targetSize === 1 ? 'target' : `target ${i + 1}`,
    role: 'target',
    size: 1,
  }));
  return [...inputs, ...targets];
}

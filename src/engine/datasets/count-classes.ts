/** The samples of a run, with their classes where they have any. */
export interface LabeledSamples {
  /** Class names by index; null if the targets are values. */
  readonly labels: readonly string[] | null;
  readonly dataset: {
    /** Class indexes where there are labels. */
    readonly targets: ArrayLike<number>;
    /** Targets of a sample: one, or one at each position of a sequence. */
    readonly targetSize: number;
  };
}

/**
 * The number of samples of each class; of sequences, the number of positions.
 * @param samples their numbers in the dataset
 * @returns null if the targets are values
 */
export function countClasses({ labels, dataset }: LabeledSamples, samples: Iterable<number>): number[] | null {
  if (!labels) return null;
  const counts = labels.map(() => 0);
  const { targets, targetSize } = dataset;
  for (const sample of samples)
    for (let at = sample * targetSize; at < (sample + 1) * targetSize; at++) counts[targets[at]!]!++;
  return counts;
}

/**
 * The share of the most frequent class in each split: the accuracy of a network that ignores its input.
 * @returns null if the targets are values; 0 for an empty split
 */
export function largestClassShares<Name extends string>(
  data: LabeledSamples & { readonly split: Readonly<Record<Name, ArrayLike<number> & Iterable<number>>> },
): Readonly<Record<Name, number>> | null {
  if (!data.labels) return null;
  const shares = Object.entries<ArrayLike<number> & Iterable<number>>(data.split).map(([name, samples]) => [
    name,
    Math.max(0, ...(countClasses(data, samples) ?? [])) / Math.max(1, samples.length * data.dataset.targetSize),
  ]);
  return Object.fromEntries(shares) as Record<Name, number>;
}

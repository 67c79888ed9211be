// Samples of a dataset that no file holds, such as generated ones.
import { numel } from '../kernels/tensor';
import type { Dataset } from './dataset';
import { arrayColumns, type SampleSource } from './sample-source';

/** Cells that are visited between two turns of the event loop. */
const CELLS_PER_SLICE = 200_000;

/** Classes are shown by their names. */
export function inMemorySource(dataset: Dataset): SampleSource {
  const { samples, inputShape, inputs, targets, targetSize, classes, featureNames } = dataset;
  const width = numel(inputShape);
  return {
    columns: arrayColumns(inputShape, targetSize, featureNames),
    inputShape,
    positions: null,
    isMissing: () => false,
    parse: () => NaN,
    *scan(visit, wanted) {
      const cells: (string | number)[] = [];
      const count = wanted?.length ?? samples;
      for (let i = 0, visited = 0; i < count; i++) {
        const sample = wanted?.[i] ?? i;
        for (let j = 0; j < width; j++) cells[j] = inputs[sample * width + j]!;
        for (let j = 0; j < targetSize; j++) {
          const target = targets[sample * targetSize + j]!;
          cells[width + j] = classes ? classes[target]! : target;
        }
        visit({ sample, position: null, cells });
        visited += cells.length;
        if (visited < CELLS_PER_SLICE) continue;
        visited = 0;
        yield 'Looking at the data';
      }
    },
  };
}

// Generates a dataset from options as in a spec, for tests.
import { type DatasetKind, datasets } from '../../src/engine/datasets';
import type { Dataset, DatasetDefinition, GenerateContext } from '../../src/engine/datasets/dataset';
import type { DataFiles } from '../../src/engine/datasets/data-file';
import { runToCompletion } from '../../src/engine/cooperative-task';
import type { Precision } from '../../src/engine/kernels/tensor';
import { Random } from '../../src/engine/random';
import { noFiles } from './data-files';

interface DatasetOverrides {
  readonly seed?: number;
  readonly files?: DataFiles;
  readonly precision?: Precision;
  readonly loss?: GenerateContext<unknown>['loss'];
}

export function makeDataset(
  kind: DatasetKind,
  options: object,
  { seed = 0, files = noFiles, precision = 'float64', loss }: DatasetOverrides = {},
): Dataset {
  const definition = datasets[kind] as DatasetDefinition;
  const made = definition.generate({
    options: definition.options.parse(options),
    random: new Random(seed, 'data'),
    files,
    precision,
    ...(loss && { loss }),
  });
  return 'samples' in made ? made : runToCompletion(made);
}

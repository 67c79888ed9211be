// A dataset from its options as a spec writes them, for tests.
import { type DatasetKind, datasets } from '../../src/engine/datasets';
import type { Dataset, DatasetDefinition } from '../../src/engine/datasets/dataset';
import type { DataFiles } from '../../src/engine/datasets/files';
import { finish } from '../../src/engine/pieces';
import type { Precision } from '../../src/engine/kernels/tensor';
import { Random } from '../../src/engine/random';
import { noFiles } from './files';

interface Given {
  readonly seed?: number;
  readonly files?: DataFiles;
  readonly precision?: Precision;
}

export function makeDataset(
  kind: DatasetKind,
  options: object,
  { seed = 0, files = noFiles, precision = 'float64' }: Given = {},
): Dataset {
  const definition = datasets[kind] as DatasetDefinition;
  const made = definition.generate({ options: definition.options.parse(options), random: new Random(seed, 'data'), files, precision });
  return 'samples' in made ? made : finish(made);
}

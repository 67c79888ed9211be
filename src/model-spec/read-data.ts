// The data of a spec: its samples as the network needs them, and as they stand in its files.
import { datasets } from '../engine/datasets';
import type { Dataset, DatasetDefinition, GenerateContext } from '../engine/datasets/dataset';
import type { DataFiles } from '../engine/datasets/data-file';
import { inMemorySource } from '../engine/datasets/in-memory-source';
import type { SampleSource } from '../engine/datasets/sample-source';
import type { CooperativeTask } from '../engine/cooperative-task';
import { customLossSpec } from '../engine/custom/custom-loss-spec';
import { losses } from '../engine/losses';
import { Random } from '../engine/random';
import type { Spec } from './spec';

const generateContext = (spec: Spec, files: DataFiles): GenerateContext<unknown> => ({
  options: spec.data.options,
  random: new Random(spec.seed, 'data'),
  files,
  precision: spec.precision,
  // Whether a custom loss is for values or classes is not known.
  ...(spec.loss.type !== customLossSpec.kind && { loss: losses[spec.loss.type] }),
});

export function* generateDataset(spec: Spec, files: DataFiles): CooperativeTask<Dataset> {
  const generated = (datasets[spec.data.type] as DatasetDefinition).generate(generateContext(spec, files));
  return 'samples' in generated ? generated : yield* generated;
}

/**
 * The samples of a spec as they stand in its files, also where the spec has errors.
 * @throws DataError where the files cannot be read
 */
export function* openSourceTask(spec: Spec, files: DataFiles): CooperativeTask<SampleSource> {
  const { source } = datasets[spec.data.type] as DatasetDefinition;
  return source ? yield* source(generateContext(spec, files)) : inMemorySource(yield* generateDataset(spec, files));
}

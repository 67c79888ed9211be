import type { DataRow } from '../protocol/data-profile';
import type { CooperativeTask } from '../engine/cooperative-task';
import type { SampleSource } from '../engine/datasets/sample-source';
import { numel } from '../engine/kernels/tensor';
import type { RunSamples } from './profile';
import { SplitLookup } from './split-lookup';

/** What a run made of its samples. */
export interface NetworkSamples extends RunSamples {
  readonly dataset: RunSamples['dataset'] & {
    /** After the transforms: [samples, ...inputShape]. */
    readonly inputs: ArrayLike<number>;
    readonly inputShape: readonly number[];
  };
  /** [samples, targetWidth]. */
  readonly targets: ArrayLike<number>;
  readonly targetWidth: number;
}

const slice = (from: ArrayLike<number>, row: number, width: number): number[] =>
  Array.from({ length: width }, (_, i) => from[row * width + i]!);

/**
 * @param samples ascending
 * @param run absent where the spec cannot run
 * @returns those of the samples that the source has
 */
export function* readRowsTask(
  source: SampleSource,
  samples: Uint32Array,
  run?: NetworkSamples,
): CooperativeTask<DataRow[]> {
  const rows: DataRow[] = [];
  if (samples.length === 0) return rows;
  const splits = run && new SplitLookup(run.split);
  yield* source.scan(({ sample, position, cells }) => {
    if (sample === null) return;
    rows.push({
      sample,
      split: splits?.find(sample) ?? null,
      position,
      source: Array.from(cells),
      input: run ? slice(run.dataset.inputs, sample, numel(run.dataset.inputShape)) : null,
      target: run ? slice(run.targets, sample, run.targetWidth) : null,
    });
  }, samples);
  return rows.sort((a, b) => a.sample - b.sample);
}

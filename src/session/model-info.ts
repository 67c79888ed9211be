// Everything about a run that does not change while it trains, as data for whoever shows it.
import { sizeOf } from '../engine/kernels/tensor';
import type { Network } from '../engine/network';
import type { CompiledRun } from '../spec/compiled';
import { summarize } from '../spec/summary';
import type { FittedTransform } from '../engine/transforms/apply';
import type { FittedInfo, LayerInfo, ModelInfo, SpecPlace } from './frame';
import { phasesOf } from './phases';

/** @param text the spec's */
export function describeModel(run: CompiledRun, network: Network, batchesPerEpoch: number, text: string): ModelInfo {
  const lines = text.split('\n');
  const place = (line: number | undefined): { readonly place?: SpecPlace } =>
    (line === undefined || lines[line - 1] === undefined ? {} : { place: { line, text: shortened(lines[line - 1].trim()) } });
  const figures = summarize(run.model, run.precision, network.size);
  const layers = run.model.layers.map(
    ({ name, definition, options, inputShape, outputShape, line }, index): LayerInfo => {
      const modes = definition.modes?.(options);
      return {
        index,
        name,
        kind: definition.kind,
        inputShape,
        outputShape,
        parameters: network.parameters
          .filter(({ layer }) => layer === index)
          .map(({ name: fullName, shortName, value, frozen }) => ({
            name: fullName, shortName, shape: value.shape, count: sizeOf(value.shape), frozen,
          })),
        buffers: network.buffers.filter(({ layer }) => layer === index).map(({ shortName, value }) => ({ shortName, shape: value.shape })),
        ...(modes && { modes }),
        figures: figures[index],
        ...(definition.math && { math: definition.math }),
        ...place(line),
        ...(definition.idleness && { idleness: { name: definition.idleness.name, rule: definition.idleness.rule } }),
      };
    },
  );
  return {
    name: run.name,
    inputShape: run.model.inputShape,
    layers,
    loss: { ...described(run.model.loss.definition), ...place(run.model.loss.line) },
    optimizer: described(run.optimizer.definition),
    penalty: run.model.penalty ?? null,
    transforms: run.transforms.map(fittedInfo),
    phases: phasesOf(layers.length),
    samples: { train: run.split.train.length, validation: run.split.validation.length, test: run.split.test.length },
    batchSize: run.batchSize,
    batchesPerEpoch,
    epochs: run.epochs,
    totalSteps: run.epochs * batchesPerEpoch,
    classes: run.labels,
    seed: run.seed,
    precision: run.precision,
    backend: network.kernels.backend,
    memory: network.memory,
    parameterCount: network.parameters.reduce((sum, { value }) => sum + sizeOf(value.shape), 0),
    checkEvery: run.gradientCheck.every,
  };
}

const described = <Math>({ kind, summary, math }: { readonly kind: string; readonly summary: string; readonly math?: Math }) =>
  ({ kind, summary, ...(math !== undefined && { math }) });

/** A spec may be one long line. */
const MOST_TEXT = 120;
const shortened = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text);

/** More are not told one by one. */
const MOST_FITTED = 32;

const fittedInfo = ({ definition: { kind, summary }, values }: FittedTransform): FittedInfo => ({
  kind,
  summary,
  values: values.map(({ name, shape, values: all }) => ({
    name, shape, first: [...all.subarray(0, MOST_FITTED)], count: all.length,
    min: all.reduce((least, value) => Math.min(least, value), Infinity),
    max: all.reduce((most, value) => Math.max(most, value), -Infinity),
  })),
});

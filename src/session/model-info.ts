// Everything about a run that does not change during training, as plain data for display.
import type { TransformInfo, LayerInfo, LossInfo, ModelInfo, SpecLocation } from '../protocol/model-info';
import { largestClassShares } from '../engine/datasets/count-classes';
import { numel } from '../engine/kernels/tensor';
import type { Network } from '../engine/network';
import { inputsOf } from '../engine/network-graph';
import { lossNames, type NetworkModel, parametersUsedBy, shownInternals } from '../engine/network-model';
import type { Penalty } from '../engine/penalty';
import { type CompiledRun, summarize } from '../model-spec';
import type { FittedTransform } from '../engine/transforms/apply-transforms';
import type { UpdateRule } from '../engine/update-parameters';
import { findSlidingLayers } from './output-map';
import { phasesOf } from './phases';

/** @param text the text of the spec */
export function describeModel(run: CompiledRun, network: Network, batchesPerEpoch: number, text: string): ModelInfo {
  const lines = text.split('\n');
  const specLocation = (line: number | undefined): { readonly specLocation?: SpecLocation } =>
    line === undefined || lines[line - 1] === undefined
      ? {}
      : { specLocation: { line, text: truncate(lines[line - 1]!.trim()) } };
  const figures = summarize(run.model, run.precision, network.size);
  const layers = run.model.layers.map(
    ({ name, definition, options, inputShape, outputShape, line, blocks = [] }, index): LayerInfo => {
      const modes = definition.modes?.(options);
      return {
        index,
        name,
        kind: definition.kind,
        inputShape,
        outputShape,
        inputs: inputsOf(run.model, index),
        blocks,
        sharedParameters: parametersUsedBy(network, index)
          .filter(({ layer }) => layer !== index)
          .map(({ name: fullName, shortName, layer }) => ({ name: fullName, shortName, layer })),
        parameters: network.parameters
          .filter(({ layer }) => layer === index)
          .map(({ name: fullName, shortName, value, frozen }) => ({
            name: fullName,
            shortName,
            shape: value.shape,
            count: numel(value.shape),
            frozen,
          })),
        buffers: network.buffers
          .filter(({ layer }) => layer === index)
          .map(({ shortName, value }) => ({ shortName, shape: value.shape })),
        internals: shownInternals(run.model.layers[index]!).map((internal) => ({
          shortName: internal.name,
          shape: internal.shape,
          carried: internal.carried ?? false,
          ...(internal.group !== undefined && { group: internal.group }),
          ...(internal.reverse && { reverse: true }),
          attention: internal.attention ?? false,
        })),
        ...(modes && { modes }),
        figures: figures[index]!,
        ...(definition.question && { question: definition.question }),
        ...specLocation(line),
        ...(definition.idleness && { idleness: { name: definition.idleness.name, rule: definition.idleness.rule } }),
      };
    },
  );
  return {
    name: run.name,
    inputShape: run.model.inputShape,
    tokens: run.dataset.tokens !== undefined,
    layers,
    loss: {
      ...describeComponent(run.model.loss.definition),
      ...(run.model.loss.definition.questions && { questions: run.model.loss.definition.questions }),
      ...specLocation(run.model.loss.line),
    },
    ...(run.model.auxiliaryLosses && { losses: describeLosses(run.model, specLocation) }),
    optimizer: describeOptimizer(run.optimizer),
    penalty: describePenalty(run.model.penalty),
    taskDecision: taskDecisionOf(run),
    transforms: run.transforms.map(describeTransform),
    phases: phasesOf(layers.length),
    samples: { train: run.split.train.length, validation: run.split.validation.length, test: run.split.test.length },
    batchSize: run.batchSize,
    batchesPerEpoch,
    epochs: run.epochs,
    totalSteps: run.epochs * batchesPerEpoch,
    classes: run.labels,
    largestClass: largestClassShares(run),
    seed: run.seed,
    precision: run.precision,
    backend: network.kernels.backend,
    memory: network.memoryBytes,
    parameterCount: network.parameters.reduce((sum, { value }) => sum + numel(value.shape), 0),
    outputMap: findSlidingLayers(run.model),
    checkEvery: run.gradientCheck.every,
  };
}

function describeLosses(
  model: NetworkModel,
  specLocation: (line: number | undefined) => { readonly specLocation?: SpecLocation },
): readonly LossInfo[] {
  const { loss, layers, auxiliaryLosses = [] } = model;
  const names = lossNames(model);
  const ofPrediction = { ...loss, weight: 1, layer: layers.length - 1, target: 'targets' as const };
  return [ofPrediction, ...auxiliaryLosses].map(
    ({ definition: { kind, summary }, weight, layer, target, line }, i) => ({
      name: names[i]!,
      kind,
      summary,
      weight,
      layer,
      target,
      ...specLocation(line),
    }),
  );
}

function describeOptimizer({ definition, options, clip }: UpdateRule): ModelInfo['optimizer'] {
  const gradient =
    clip.norm !== undefined
      ? String.raw`g = \min\Big(1, \frac{${clip.norm}}{\|\nabla L\| + 10^{-6}}\Big) \d{w}`
      : clip.value !== undefined
        ? String.raw`g = \max(-${clip.value}, \min(${clip.value}, \d{w}))`
        : String.raw`g = \d{w}`;
  const { kind, summary } = definition;
  return { kind, summary, rule: [gradient, ...definition.rule(options)].join(String.raw`, \quad `) };
}

function describePenalty(penalty: Penalty | undefined): ModelInfo['penalty'] {
  if (!penalty) return null;
  const { l1, l2, biases, custom } = penalty;
  return { l1, l2, biases, ...(custom && { file: custom.definition.kind }) };
}

function taskDecisionOf({ dataset: { notes = [] } }: CompiledRun): string | null {
  const note = notes.find(({ code }) => code === 'task-decided');
  return note ? `${note.message} ${note.remedy}` : null;
}

const describeComponent = <Math>({
  kind,
  summary,
  math,
}: {
  readonly kind: string;
  readonly summary: string;
  readonly math?: Math;
}) => ({ kind, summary, ...(math !== undefined && { math }) });

/** A spec may be a single long line. */
const MAX_TEXT = 120;
const truncate = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

/** With more values, only statistics are shown. */
const MAX_VALUES = 32;

const describeTransform = ({ definition: { kind, summary }, values }: FittedTransform): TransformInfo => ({
  kind,
  summary,
  values: values.map(({ name, shape, values: all }) => ({
    name,
    shape,
    first: [...all.subarray(0, MAX_VALUES)],
    count: all.length,
    min: all.reduce((least, value) => Math.min(least, value), Infinity),
    max: all.reduce((most, value) => Math.max(most, value), -Infinity),
  })),
});

// The names of a step's nodes, and the nodes of each phase. Pure text.
import { tensorExpression } from './tensor-expressions';
import type { LayerInfo, ModelInfo } from '../protocol/model-info';
import type { Phase } from '../protocol/position';
import type { NodeId, StepNode } from '../protocol/queries';

export type { StepNode };
export type StepNodeId = NodeId;
export type StepNodeEntry = { readonly node: StepNodeId; readonly index: number };

export const isSameNode = (a: StepNodeId, b: StepNodeId): boolean => JSON.stringify(a) === JSON.stringify(b);

export function nodeLabel({ layers }: ModelInfo, id: StepNodeId): string {
  switch (id.of) {
    case 'input':
      return 'input';
    case 'target':
      return 'target';
    case 'loss':
      return 'loss';
    case 'loss_gradient':
      return 'dL/dL';
    case 'target_gradient':
      return 'dL/d target';
    case 'input_gradient':
      return 'dL/d input';
    case 'output':
      return `output of ${layers[id.layer]?.name}`;
    case 'output_gradient':
      return `dL/d output of ${layers[id.layer]?.name}`;
    case 'parameter':
      return `${layers[id.layer]?.name}.${id.parameter}`;
    case 'parameter_gradient':
      return `dL/d ${layers[id.layer]?.name}.${id.parameter}`;
    case 'updated':
      return `${layers[id.layer]?.name}.${id.parameter} after the update`;
    case 'update':
      return `update of ${layers[id.layer]?.name}.${id.parameter}`;
  }
}

/** The shape of a node, without the batch dimension; null where the model does not know it. */
export function nodeShape({ layers, inputShape }: ModelInfo, id: StepNodeId): readonly number[] | null {
  switch (id.of) {
    case 'input':
    case 'input_gradient':
      return inputShape;
    case 'loss':
    case 'loss_gradient':
      return [];
    case 'target':
    case 'target_gradient':
      return layers.at(-1)?.outputShape ?? null;
    case 'output':
    case 'output_gradient':
      return layers[id.layer]?.outputShape ?? null;
    case 'parameter':
    case 'parameter_gradient':
    case 'update':
    case 'updated':
      return layers[id.layer]?.parameters.find(({ shortName }) => shortName === id.parameter)?.shape ?? null;
  }
}

/** Whose value a node holds: one sample's, a sum over the batch, or the weights' own. */
export function nodeScope({ of }: StepNodeId): 'sample' | 'batch' | 'weights' {
  if (of === 'parameter_gradient' || of === 'loss' || of === 'loss_gradient') return 'batch';
  return of === 'parameter' || of === 'update' || of === 'updated' ? 'weights' : 'sample';
}

const outputNode = (layer: number): StepNodeId => (layer < 0 ? { of: 'input' } : { of: 'output', layer });

/** The parameters that a layer computes with, its own and those of other layers. */
const usedParameters = (layer: LayerInfo): { readonly layer: number; readonly shortName: string }[] => [
  ...layer.parameters.map(({ shortName }) => ({ layer: layer.index, shortName })),
  ...layer.sharedParameters,
];

/** The layers whose outputs losses take, the prediction first. */
const layersOfLosses = ({ layers, losses = [] }: ModelInfo): number[] => [
  ...new Set([layers.length - 1, ...losses.map(({ layer }) => layer)]),
];

/** The gradients that are complete after the backward pass of the losses. */
const gradientsOfLosses = (model: ModelInfo): StepNodeId[] =>
  layersOfLosses(model)
    .filter((layer) => !model.layers.some(({ inputs }) => inputs.includes(layer)))
    .map((layer) => ({ of: 'output_gradient', layer }));

/** The inputs and outputs of a phase, in reading order. */
export function phaseNodes(model: ModelInfo, phase: Phase): StepNodeId[] {
  const { layers } = model;
  switch (phase.kind) {
    case 'zero_grad':
      return layers.flatMap(({ index, parameters }) =>
        parameters.map(({ shortName }): StepNodeId => ({
          of: 'parameter_gradient',
          layer: index,
          parameter: shortName,
        })),
      );
    case 'forward': {
      const { layer } = phase;
      return [
        ...layers[layer]!.inputs.map(outputNode),
        ...usedParameters(layers[layer]!).map((used): StepNodeId => ({
          of: 'parameter',
          layer: used.layer,
          parameter: used.shortName,
        })),
        { of: 'output', layer },
      ];
    }
    case 'loss':
      return [...layersOfLosses(model).map(outputNode), { of: 'target' }];
    case 'loss_backward':
      return [...layersOfLosses(model).map(outputNode), { of: 'target' }, ...gradientsOfLosses(model)];
    case 'backward': {
      const { layer } = phase;
      return [
        { of: 'output_gradient', layer },
        ...usedParameters(layers[layer]!).map((used): StepNodeId => ({
          of: 'parameter_gradient',
          layer: used.layer,
          parameter: used.shortName,
        })),
        ...layers[layer]!.inputs.filter((input) => input >= 0).map((input): StepNodeId => ({
          of: 'output_gradient',
          layer: input,
        })),
      ];
    }
    case 'update':
      return layers.flatMap(({ index, parameters }) =>
        parameters
          .filter(({ frozen }) => !frozen)
          .flatMap(({ shortName }): StepNodeId[] => [
            { of: 'parameter_gradient', layer: index, parameter: shortName },
            { of: 'update', layer: index, parameter: shortName },
            { of: 'updated', layer: index, parameter: shortName },
          ]),
      );
  }
}

/** The rule of the phases that compute no node of their own, in LaTeX. */
export function phaseRule({ optimizer }: ModelInfo, phase: Phase): string | undefined {
  if (phase.kind === 'zero_grad') return String.raw`\d{w} \leftarrow 0 \quad \text{for every parameter } w`;
  return phase.kind === 'update' ? optimizer.rule : undefined;
}

/** The nodes that a phase computes. */
export function computedNodes(model: ModelInfo, phase: Phase): StepNodeId[] {
  switch (phase.kind) {
    case 'forward':
      return [{ of: 'output', layer: phase.layer }];
    case 'loss':
      return [{ of: 'loss' }];
    case 'loss_backward':
      return gradientsOfLosses(model);
    case 'backward':
      return phaseNodes(model, phase).slice(1);
    case 'zero_grad':
    case 'update':
      return [];
  }
}

/** The rule that computes an update; undefined for other nodes. */
export const updateRule = ({ optimizer }: ModelInfo, { of }: StepNodeId): string | undefined =>
  of === 'update' || of === 'updated' ? optimizer.rule : undefined;

/** The expression that names a node, if all of its tensor is shown: an output is shown for one sample. */
export const nodeExpression = (model: ModelInfo, id: StepNodeId): string | null =>
  id.of === 'parameter' || id.of === 'parameter_gradient'
    ? tensorExpression(model, { layer: id.layer, kind: id.of, parameter: id.parameter })
    : null;

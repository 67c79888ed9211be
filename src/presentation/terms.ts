// The names of a step's tensors in files and messages: those of expressions, as in `grad(hidden.weight)`.
import type { ModelInfo } from '../protocol/model-info';
import type { NodeId } from '../protocol/queries';
import { layerExpression } from './tensor-expressions';

type Layers = Pick<ModelInfo, 'layers'>;

export function termOf({ layers }: Layers, id: NodeId): string {
  const layer = 'layer' in id ? layerExpression(layers[id.layer]?.name ?? '') : '';
  switch (id.of) {
    case 'input':
    case 'target':
    case 'loss':
      return id.of;
    case 'input_gradient':
    case 'target_gradient':
    case 'loss_gradient':
      return `grad(${id.of.replace('_gradient', '')})`;
    case 'output':
      return `${layer}.output`;
    case 'output_gradient':
      return `grad(${layer}.output)`;
    case 'parameter':
      return `${layer}.${id.parameter}`;
    case 'parameter_gradient':
      return `grad(${layer}.${id.parameter})`;
    case 'update':
    case 'updated':
      return `${id.of}(${layer}.${id.parameter})`;
  }
}

/** Every tensor of a step that can be named. */
export const namedNodes = ({ layers }: Layers): NodeId[] => [
  { of: 'input' },
  { of: 'target' },
  { of: 'loss' },
  { of: 'input_gradient' },
  { of: 'target_gradient' },
  { of: 'loss_gradient' },
  ...layers.flatMap(({ index: layer, parameters }): NodeId[] => [
    { of: 'output', layer },
    { of: 'output_gradient', layer },
    ...parameters.flatMap(({ shortName: parameter }): NodeId[] =>
      (['parameter', 'parameter_gradient', 'update', 'updated'] as const).map((of) => ({ of, layer, parameter })),
    ),
  ]),
];

/** Their names. */
export const termNames = (model: Layers): string[] => namedNodes(model).map((id) => termOf(model, id));

/** The tensor that a term names; null if there is none. */
export const nodeOfTerm = (model: Layers, term: string): NodeId | null =>
  namedNodes(model).find((id) => termOf(model, id) === term) ?? null;

// The place of a step's tensor in the text of the spec.
import type { Range, Spec } from '../../model-spec';
import type { NodeId } from '../../protocol/queries';

/** Null if the spec has no place for it. */
export function rangeOfNode(spec: Spec, id: NodeId): Range | null {
  switch (id.of) {
    case 'input':
    case 'input_gradient':
    case 'target':
    case 'target_gradient':
      return spec.data.range;
    case 'loss':
    case 'loss_gradient':
      return spec.loss.range;
    case 'output':
    case 'output_gradient':
      return spec.layers[id.layer]?.range ?? null;
    case 'parameter':
    case 'parameter_gradient': {
      const layer = spec.layers[id.layer];
      if (!layer) return null;
      // A weight or bias that the spec gives has a place of its own.
      const own = [...layer.path, id.parameter];
      return spec.source.has(own) ? spec.source.locate(own) : layer.range;
    }
    case 'update':
    case 'updated':
      return spec.source.has(['optimizer'])
        ? spec.source.locate(['optimizer'])
        : (spec.layers[id.layer]?.range ?? null);
  }
}

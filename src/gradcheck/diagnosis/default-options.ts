// The default options of a layer.
import type { LayerModel } from '../../engine/network-model';

/** Null if some are required, or if they would change the output shape. */
export function defaultOptionsOf({ definition, options, inputShape, outputShape }: LayerModel): unknown {
  const parsed = definition.options.safeParse({});
  if (!parsed.success || JSON.stringify(parsed.data) === JSON.stringify(options)) return null;
  return JSON.stringify(definition.outputShape(inputShape, parsed.data)) === JSON.stringify(outputShape)
    ? parsed.data
    : null;
}

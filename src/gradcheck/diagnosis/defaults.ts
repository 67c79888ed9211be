// The options that a layer has where a spec gives none.
import type { LayerModel } from '../../engine/network';

/** Null where a spec must give some, or where they would change what the layer gives. */
export function defaultsOf({ definition, options, inputShape, outputShape }: LayerModel): unknown {
  const parsed = definition.options.safeParse({});
  if (!parsed.success || JSON.stringify(parsed.data) === JSON.stringify(options)) return null;
  return JSON.stringify(definition.outputShape(inputShape, parsed.data)) === JSON.stringify(outputShape) ? parsed.data : null;
}

// What is known of each layer of a spec without training it: shapes and parameters. From the text alone where that is
// possible, else from the run of the spec, which knows the data in files and the code of custom layers.
import { ownParameters, type SpecLayer } from '../../model-spec';
import type { ModelInfo } from '../../protocol/model-info';
import type { SpecAnalysis } from '../run/run-options';

export interface LayerFacts {
  readonly layer: SpecLayer;
  /** In the order of the network. */
  readonly index: number;
  /** Shapes of one sample. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Its own ones. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** @param model of the run of this very spec; null if there is none. @returns none if shapes are unknown */
export function layerFacts({ spec, resolved }: SpecAnalysis, model: ModelInfo | null): readonly LayerFacts[] {
  if (!spec) return [];
  const known = resolved
    ? resolved.model.layers.map((layer) => ({ ...layer, parameters: ownParameters(layer) }))
    : (model?.layers ?? []).map((layer) => ({
        ...layer,
        parameters: layer.parameters.map(({ shortName, shape }) => ({ name: shortName, shape })),
      }));
  const isSame = known.length === spec.layers.length && known.every(({ name }, i) => name === spec.layers[i]?.name);
  if (!isSame) return [];
  return known.map(({ inputShape, outputShape, parameters }, index) => ({
    layer: spec.layers[index]!,
    index,
    inputShape,
    outputShape,
    parameters: parameters.map(({ name, shape }) => ({ name, shape })),
  }));
}

export const countParameters = ({ parameters }: LayerFacts): number =>
  parameters.reduce((sum, { shape }) => sum + shape.reduce((size, length) => size * length, 1), 0);

/** The facts of each layer that is written, with those of all its copies in blocks that repeat. */
export function groupByRange(facts: readonly LayerFacts[]): (readonly LayerFacts[])[] {
  const groups = new Map<string, LayerFacts[]>();
  for (const each of facts) {
    const { start, end } = each.layer.range;
    const key = `${start} ${end}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

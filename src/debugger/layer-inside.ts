// Places inside of a phase of a layer that is done: the time steps of a recurrent layer, or the intermediate values
// that a layer names, in the order of the forward pass; in the backward pass the last comes first.
import { layerExpression } from '../presentation/tensor-expressions';
import type { LayerInfo, ModelInfo } from '../protocol/model-info';
import type { Phase } from '../protocol/position';
import type { NamedValue } from '../protocol/queries';

export interface InsidePlace {
  /** `time step 3 of 10`, `weights (2 of 5)`. */
  readonly label: string;
  readonly values: readonly NamedValue[];
}

/** The places of a phase; none if its layer names nothing inside. */
export function insideOf({ layers }: ModelInfo, phase: Phase | null): readonly InsidePlace[] {
  if (!phase || !('layer' in phase)) return [];
  const layer = layers[phase.layer]!;
  const isForward = phase.kind === 'forward';
  const places = timeStepsOf(layer, isForward) ?? internalsOf(layer, isForward);
  return isForward ? places : places.reverse();
}

function toValue({ index, name }: LayerInfo, internal: string, slice: string, isForward: boolean): NamedValue {
  const expression = `${layerExpression(name)}.${internal}${slice}`;
  return isForward
    ? { group: 'outputs', layer: index, label: internal, expression }
    : { group: 'gradients', layer: index, label: `grad(${internal})`, expression: `grad(${expression})` };
}

/**
 * Null if the layer passes no state from one time step to the next. Of several stacked layers and directions, the time
 * steps of one come after those of the other, in the order in which they are computed.
 */
function timeStepsOf(layer: LayerInfo, isForward: boolean): InsidePlace[] | null {
  const times = layer.internals.find(({ carried }) => carried)?.shape[0];
  if (times === undefined) return null;
  const inTime = layer.internals.filter(({ shape }) => shape[0] === times);
  const groups = [...new Set(inTime.map(({ group }) => group))];
  return groups.flatMap((group) => {
    const internals = inTime.filter((internal) => internal.group === group);
    const places = Array.from({ length: times }, (_, t) => ({
      label: `${group === undefined ? '' : `${group}, `}time step ${t + 1} of ${times}`,
      // The batch is in front.
      values: internals.map(({ shortName }) => toValue(layer, shortName, `[:, ${t}]`, isForward)),
    }));
    return internals[0]?.reverse ? places.toReversed() : places;
  });
}

const internalsOf = (layer: LayerInfo, isForward: boolean): InsidePlace[] =>
  layer.internals.map(({ shortName }, i, { length }) => ({
    label: `${shortName} (${i + 1} of ${length})`,
    values: [toValue(layer, shortName, '', isForward)],
  }));

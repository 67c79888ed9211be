// A sample that is a sequence, position by position: what comes in, the target, what the network predicts, and the
// attention weights of one layer.
import type { AttentionWeights, SequencePosition, SequenceSample } from '../../protocol/queries';
import { ignoreIndexOf } from '../../engine/losses/loss';
import type { NetworkModel } from '../../engine/network-model';
import { shownInternals } from '../../engine/network-model';
import type { TrainingSession } from '../session';
import { classProbabilities, predictsTokens } from '../class-probabilities';
import { followSample, type FollowedSample } from './followed-sample';
import { defineQuery } from './query';

/** Predictions listed for a position. */
const TOP = 5;
/** More positions would not be read; the first are sent. */
const MAX_POSITIONS = 512;
/** Maximum number of attention weights that are sent: eight heads of 256 × 256. */
const MAX_ATTENTION_WEIGHTS = 2 ** 19;

export const sequence = defineQuery({
  type: 'sequence',
  resolve(session: TrainingSession, { sample, layer }): SequenceSample | null {
    const followed = followSample(session, sample);
    const { dataset } = session.run;
    const [time] = dataset.inputShape;
    if (!followed || time === undefined) return null;
    const { model } = session.run;
    return {
      sample: followed.sample,
      inBatch: followed.row !== null,
      length: time,
      inputs:
        dataset.tokens === undefined || dataset.inputShape.length !== 1
          ? null
          : Array.from(followed.input.subarray(0, MAX_POSITIONS), (index) => dataset.tokens?.[index] ?? '?'),
      positions: positionsOf(session, followed),
      attention: layer === null ? null : attentionOf(session, followed, model, layer),
    };
  },
});

function positionsOf({ run }: TrainingSession, followed: FollowedSample): SequencePosition[] | null {
  const { classes, targetSize } = run.dataset;
  if (!predictsTokens(run) || !classes) return null;
  const outputs = followed.output(run.model.layers.length - 1);
  if (!outputs) return null;
  const ignoreIndex = ignoreIndexOf(run.model.loss);
  const predicted = Array.from({ length: Math.min(targetSize, MAX_POSITIONS) }, (_, position) => {
    const from = position * classes.length;
    return classProbabilities(run.model, outputs.subarray(from, from + classes.length));
  });
  if (!predicted.every((probabilities) => probabilities !== null)) return null;
  return predicted.map((probabilities, position) => {
    const target = run.dataset.targets[followed.sample * targetSize + position]!;
    const order = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
    return {
      target: target === ignoreIndex ? null : classes[target]!,
      probability: target === ignoreIndex ? null : probabilities[target]!,
      top: order.slice(0, TOP).map((index) => ({ token: classes[index]!, probability: probabilities[index]! })),
    };
  });
}

/** The sample's attention weights; null if the layer has none, or the step has not computed them yet. */
function attentionOf(
  { progress }: TrainingSession,
  { row, pass }: FollowedSample,
  { layers }: NetworkModel,
  layer: number,
): AttentionWeights | null {
  const declared = layers[layer] && shownInternals(layers[layer]).find(({ attention }) => attention);
  if (!declared || (row !== null && !progress.hasOutput(layer))) return null;
  const [heads, queries, keys] = declared.shape as [number, number, number];
  const size = heads * queries * keys;
  const weights = pass.internal(layer, declared.name);
  if (!weights || size > MAX_ATTENTION_WEIGHTS) return null;
  const from = (row ?? 0) * size;
  const { definition, options } = layers[layer]!;
  const paddingIndex = definition.paddingIndex?.(options);
  const indices = pass.layerInputs(layer).at(-1)!.data;
  return {
    heads,
    queries,
    keys,
    weights: Float64Array.from(weights.data.subarray(from, from + size)),
    padding:
      paddingIndex === undefined
        ? []
        : Array.from({ length: keys }, (_, key) => key).filter(
            (key) => indices[(row ?? 0) * keys + key] === paddingIndex,
          ),
  };
}

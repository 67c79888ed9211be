// Cross-entropy and squared error of the followed sample, from the probabilities of its classes.
import type { LossComparison } from '../../protocol/queries';
import { classProbabilities } from '../class-probabilities';
import type { TrainingSession } from '../session';
import { followSample } from './followed-sample';
import { defineQuery } from './query';

export const lossComparison = defineQuery({
  type: 'loss_comparison',
  /** Null for a regression, for targets at positions, if outputs are no probabilities, and until they are computed. */
  resolve(session: TrainingSession, { sample }: { readonly sample: number | null }): LossComparison | null {
    const { run, network } = session;
    const followed = followSample(session, sample);
    const outputs = followed?.output(network.model.layers.length - 1);
    if (!followed || !outputs || !run.labels || run.dataset.targetSize !== 1) return null;
    const all = classProbabilities(run.model, outputs);
    if (!all) return null;
    // A single output is the probability of class 1.
    const target = Float64Array.from(followed.target);
    const label = target.length === 1 ? Number(target[0]! > 0.5) : target.indexOf(Math.max(...target));
    const isSingle = all.length === 1;
    const probability = isSingle && label === 0 ? 1 - all[0]! : all[label]!;
    let others = 0;
    if (!isSingle) for (let i = 0; i < all.length; i++) if (i !== label) others += all[i]! ** 2;
    const rest = 1 - probability;
    return {
      sample: followed.sample,
      label,
      probability,
      // Where nothing is left for the others, they would share it evenly.
      othersShare: isSingle ? 0 : rest > 0 ? others / rest ** 2 : 1 / (all.length - 1),
      crossEntropy: -Math.log(probability),
      squaredError: rest ** 2 + others,
    };
  },
});

// The loss and predicted class of each sample of a split with the current weights, the confusion matrix, and the worst
// samples.

import type { SplitName } from '../../protocol/position';
import type { SampleLoss, PredictionSummary } from '../../protocol/queries';
import { numel } from '../../engine/kernels/tensor';
import { ignoreIndexOf } from '../../engine/losses/loss';
import { isSumReduction } from '../../engine/losses/reduction';
import type { TrainingSession } from '../session';
import { takeEvenlySpaced } from './evenly-spaced';
import { defineQuery } from './query';

/** More samples would hold up training. */
const MAX_SAMPLES = 1024;
const WORST_COUNT = 12;
/** Maximum number of numbers of an input that are sent: an image of 64 × 64 in three colors. */
const MAX_INPUT_ELEMENTS = 3 * 64 * 64;

export const predictions = defineQuery({
  type: 'predictions',
  resolve(session: TrainingSession, { split }: { readonly split: SplitName }): PredictionSummary | null {
    const { network, run } = session;
    const samples = takeEvenlySpaced(run.split[split], MAX_SAMPLES);
    if (samples.length === 0) return null;
    const { labels, dataset, targetWidth: outputs } = run;
    const losses = new Float64Array(samples.length);
    const weights = new Float64Array(samples.length);
    const predicted = new Float64Array(samples.length * outputs);
    const singlePass = network.evaluationPass(1);
    for (let from = 0; from < samples.length; from += network.size.evaluationBatchSize) {
      const size = Math.min(network.size.evaluationBatchSize, samples.length - from);
      const pass = network.evaluationPass(size);
      pass.loadBatch(dataset.inputs, run.targets, samples, from);
      pass.forwardAll();
      predicted.set(pass.prediction.data, from * outputs);
    }
    // The passes share memory, so the losses come after the last forward pass.
    for (let i = 0; i < samples.length; i++) {
      const from = samples[i]! * outputs;
      singlePass.target.data.set(run.targets.subarray(from, from + outputs));
      singlePass.prediction.data.set(predicted.subarray(i * outputs, (i + 1) * outputs));
      // That of the prediction alone: the outputs of other layers are those of another sample.
      losses[i] = singlePass.lossValue();
      weights[i] = singlePass.meanWeight();
    }
    const threshold = run.model.loss.definition.threshold ?? 0;
    const { targetSize } = dataset;
    const ignoreIndex = ignoreIndexOf(run.model.loss);
    const classes = outputs / targetSize;
    const classAt = (i: number, position: number): number =>
      predictedClass(predicted, i * outputs + position * classes, classes, threshold);
    const confusion = labels ? new Uint32Array(labels.length ** 2) : null;
    if (confusion && labels)
      samples.forEach((sample, i) => {
        for (let position = 0; position < targetSize; position++) {
          const target = dataset.targets[sample * targetSize + position]!;
          if (target !== ignoreIndex) confusion[target * labels.length + classAt(i, position)]!++;
        }
      });
    // A sample without targets has no loss.
    const order = [...samples.keys()]
      .filter((i) => weights[i]! > 0)
      .sort((a, b) => compareLosses(losses[a]!, losses[b]!) || a - b)
      .slice(0, WORST_COUNT);
    const width = numel(dataset.inputShape);
    return {
      total: run.split[split].length,
      evaluated: samples.length,
      loss: weightedMean(losses, isSumReduction(run.model.loss) ? weights.map(() => 1) : weights),
      confusion,
      worst: order.map((i): SampleLoss => ({
        sample: samples[i]!,
        loss: losses[i]!,
        prediction: [...predicted.subarray(i * outputs, (i + 1) * outputs)],
        target: [...dataset.targets.subarray(samples[i]! * dataset.targetSize, (samples[i]! + 1) * dataset.targetSize)],
        predictedClasses: labels && Array.from({ length: targetSize }, (_, position) => classAt(i, position)),
        input:
          width <= MAX_INPUT_ELEMENTS
            ? Float32Array.from(dataset.inputs.subarray(samples[i]! * width, (samples[i]! + 1) * width))
            : null,
      })),
    };
  },
});

function weightedMean(values: Float64Array, weights: Float64Array): number {
  let [sum, total] = [0, 0];
  values.forEach((value, i) => {
    if (weights[i]! > 0) sum += value * weights[i]!;
    total += weights[i]!;
  });
  return sum / total;
}

/** A loss of NaN is the worst. */
function compareLosses(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return b - a;
}

/** The most likely class, or the first of equals; for a single output, its side of the threshold. */
export function predictedClass(values: ArrayLike<number>, from: number, outputs: number, threshold: number): number {
  if (outputs === 1) return values[from]! > threshold ? 1 : 0;
  let best = 0;
  for (let j = 1; j < outputs; j++) if (values[from + j]! > values[from + best]!) best = j;
  return best;
}

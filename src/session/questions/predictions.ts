// How each sample of a part fares at these weights: its loss and its class; what is confused with what, and the samples
// that are furthest from right.
import { sizeOf } from '../../engine/kernels/tensor';
import type { Part } from '../frame';
import type { TrainingSession } from '../session';
import { evenly } from './evenly';
import { defineQuestion } from './question';

export interface WorstSample {
  /** Its number in the data, counted from 0. */
  readonly sample: number;
  readonly loss: number;
  /** What the last layer gives. */
  readonly prediction: readonly number[];
  /** Class index, or values. */
  readonly target: readonly number[];
  readonly predictedClass: number | null;
  /** The input where it is an image or short; else null. */
  readonly input: Float32Array | null;
}

export interface PredictionsAnswer {
  /** Samples of the part, and how many of them were evaluated. */
  readonly of: number;
  readonly evaluated: number;
  /** Mean loss of those evaluated. */
  readonly loss: number;
  /** [classes, classes]: rows are the right class, columns the predicted one; null where targets are values. */
  readonly confusion: Uint32Array | null;
  /** The largest loss first. */
  readonly worst: readonly WorstSample[];
}

/** More samples than this would hold up training. */
const MOST = 1024;
const WORST = 12;
/** Numbers of an input that is sent: a picture of 64 × 64 in three colours. */
const LARGEST_INPUT = 3 * 64 * 64;

export const predictions = defineQuestion({
  about: 'predictions',
  answer(session: TrainingSession, { part }: { readonly part: Part }): PredictionsAnswer | null {
    const { network, run } = session;
    const samples = evenly(run.split[part], MOST);
    if (samples.length === 0) return null;
    const { labels, dataset, targetWidth: outputs } = run;
    const losses = new Float64Array(samples.length);
    const predicted = new Float64Array(samples.length * outputs);
    const one = network.evaluationPass(1);
    for (let from = 0; from < samples.length; from += network.size.evaluationBatch) {
      const size = Math.min(network.size.evaluationBatch, samples.length - from);
      const pass = network.evaluationPass(size);
      pass.load(dataset.inputs, run.targets, samples, from);
      for (let layer = 0; layer < pass.outputs.length; layer++) pass.forward(layer);
      predicted.set(pass.prediction.data, from * outputs);
    }
    // The passes share their memory: the losses come after the last forward pass.
    for (let i = 0; i < samples.length; i++) {
      const from = samples[i] * outputs;
      one.target.data.set(run.targets.subarray(from, from + outputs));
      one.prediction.data.set(predicted.subarray(i * outputs, (i + 1) * outputs));
      losses[i] = one.loss();
    }
    const threshold = run.model.loss.definition.threshold;
    const classOf = (i: number): number | null => (labels ? winner(predicted, i * outputs, outputs, threshold) : null);
    const confusion = labels ? new Uint32Array(labels.length ** 2) : null;
    if (confusion && labels) {
      samples.forEach((sample, i) => confusion[dataset.targets[sample] * labels.length + (classOf(i) ?? 0)]++);
    }
    const order = [...samples.keys()].sort((a, b) => worse(losses[a], losses[b]) || a - b).slice(0, WORST);
    const width = sizeOf(dataset.inputShape);
    return {
      of: run.split[part].length,
      evaluated: samples.length,
      loss: losses.reduce((a, b) => a + b, 0) / samples.length,
      confusion,
      worst: order.map((i): WorstSample => ({
        sample: samples[i],
        loss: losses[i],
        prediction: [...predicted.subarray(i * outputs, (i + 1) * outputs)],
        target: [...dataset.targets.subarray(samples[i] * dataset.targetSize, (samples[i] + 1) * dataset.targetSize)],
        predictedClass: classOf(i),
        input: width <= LARGEST_INPUT ? Float32Array.from(dataset.inputs.subarray(samples[i] * width, (samples[i] + 1) * width)) : null,
      })),
    };
  },
});

/** A loss that is no number is the worst of all. */
function worse(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return b - a;
}

/** The most likely class, the first of equals; with a single output the class of its side of the threshold. */
export function winner(values: ArrayLike<number>, from: number, outputs: number, threshold: number): number {
  if (outputs === 1) return values[from] > threshold ? 1 : 0;
  let best = 0;
  for (let j = 1; j < outputs; j++) if (values[from + j] > values[from + best]) best = j;
  return best;
}

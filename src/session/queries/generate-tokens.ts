// Continues a sample with tokens drawn from the network's predictions, with the current weights. Every token is
// predicted at the last position of a full window, so that no network sees padding or what comes after.
import type { GeneratedTokens } from '../../protocol/queries';
import { Random } from '../../engine/random';
import type { TrainingSession } from '../session';
import { classProbabilities, predictsTokens, withTemperature } from '../class-probabilities';
import { followedIndex } from './followed-sample';
import { predictedClass } from './predictions';
import { defineQuery } from './query';

/** Multiply-adds of a slice, which take a few milliseconds. */
const SLICE_MACS = 2e7;
const MAX_SLICE_TOKENS = 64;
const MAX_TOKENS = 4096;

export const generateTokens = defineQuery({
  type: 'generate_tokens',
  resolve(session: TrainingSession, { sample, generated, seed, temperature }): GeneratedTokens | null {
    const { network, run, model } = session;
    const { dataset } = run;
    const { tokens, classes } = dataset;
    if (!tokens || !classes || !predictsTokens(run) || dataset.inputShape.length !== 1) return null;
    if (!(temperature >= 0) || generated.length > MAX_TOKENS) return null;
    if (generated.some((index) => tokens[index] === undefined)) return null;
    const length = dataset.inputShape[0]!;
    const start = followedIndex(session, sample);
    const prompt = dataset.inputs.subarray(start * length, (start + 1) * length);
    const window = [...prompt, ...generated];
    const macs = model.layers.reduce((sum, { figures }) => sum + figures.macs, 1);
    const count = Math.max(1, Math.min(MAX_SLICE_TOKENS, Math.floor(SLICE_MACS / macs)));
    const pass = network.evaluationPass(1);
    const random = new Random(seed, 'generate tokens');
    // Draw i belongs to token i, whichever slice it is in.
    for (let i = 0; i < generated.length; i++) random.uniform();
    const drawn: GeneratedTokens['generated'][number][] = [];
    while (drawn.length < count) {
      pass.input.data.set(window.slice(-length));
      pass.forwardAll();
      const last = pass.prediction.data.subarray((length - 1) * classes.length, length * classes.length);
      const probabilities = classProbabilities(run.model, last);
      if (!probabilities) return null;
      const index =
        temperature === 0
          ? likeliest(probabilities)
          : draw(withTemperature(probabilities, temperature), random.uniform());
      window.push(index);
      drawn.push({ index, token: tokens[index]!, probability: probabilities[index]! });
    }
    return { sample: start, prompt: Array.from(prompt, (index) => tokens[index] ?? '?'), generated: drawn };
  },
});

const likeliest = (probabilities: Float64Array): number => predictedClass(probabilities, 0, probabilities.length, 0);

/** @param u uniform in [0, 1) */
function draw(probabilities: Float64Array, u: number): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    sum += probabilities[i]!;
    if (u < sum) return i;
  }
  // Rounding may leave the sum below u; NaN has no likeliest token.
  return likeliest(probabilities);
}

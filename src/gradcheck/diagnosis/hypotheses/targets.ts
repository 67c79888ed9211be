// Mistakes of a loss with its targets.
import { type Hypotheses, zipWith } from './hypothesis';
import type { GradientComparison } from '../gradient-comparison';

export function* targetHypotheses({ loss, numeric }: GradientComparison): Hypotheses {
  if (!loss) return;
  const { target, samples } = loss;
  const width = target.length / samples;
  yield {
    cause: 'target_ignored',
    description: 'ignores the targets, as if they were all 0',
    values: yield* loss.numericGradientWith(new Float64Array(target.length)),
  };
  if (samples < 2) return;
  for (const [by, other] of [
    [width, 'next'],
    [-width, 'previous'],
  ] as const) {
    const rolled = target.map((_, i) => target[(i + by + target.length) % target.length]!);
    yield {
      cause: 'samples_mixed',
      description: `compares each prediction with the target of the ${other} sample`,
      values: yield* loss.numericGradientWith(rolled),
    };
  }
  // Of a softmax or sigmoid with cross-entropy: a mean over the batch, over batch and outputs, or a sum.
  for (const count of new Set([samples, target.length, 1]))
    yield {
      cause: 'target_ignored',
      description: 'lacks the contribution of the targets',
      values: zipWith(numeric, target, (n, t) => n + t / count),
    };
}

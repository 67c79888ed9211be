// What a loss does wrong with its targets.
import { type Guess, zip } from './guess';
import type { Trial } from './trial';

export function* targets({ loss, numeric }: Trial): Iterable<Guess> {
  if (!loss) return;
  const { target, samples } = loss;
  const width = target.length / samples;
  yield { cause: 'target_ignored', words: 'leaves the targets out: it is that of targets that are all 0', values: loss.numericWith(new Float64Array(target.length)) };
  if (samples < 2) return;
  for (const [by, other] of [[width, 'next'], [-width, 'previous']] as const) {
    const rolled = target.map((_, i) => target[(i + by + target.length) % target.length]);
    yield { cause: 'samples_mixed', words: `compares each prediction with the target of the ${other} sample`, values: loss.numericWith(rolled) };
  }
  yield { cause: 'target_ignored', words: 'lacks the part of the targets', values: zip(numeric, target, (n, t) => n + t / samples) };
}

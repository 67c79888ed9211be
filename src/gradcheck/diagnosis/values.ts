// Right numbers changed one by one: signs lost, something added, cut off.
import type { Guess } from './guess';
import { largest, type Trial } from './trial';

export function* values({ of, numeric, analytic, value }: Trial): Iterable<Guess> {
  yield { cause: 'absolute_value', words: 'has lost its signs: all of it is positive', values: numeric.map(Math.abs) };
  const most = largest(analytic);
  if (numeric.length > 1 && most > 0 && most < 0.999 * largest(numeric)) {
    yield { cause: 'clipped', words: `is cut off at ±${Number(most.toPrecision(4))}`, values: numeric.map((n) => Math.max(-most, Math.min(most, n))) };
  }
  const ones = new Float64Array(numeric.length).fill(1);
  if (numeric.length > 2) {
    yield { cause: 'constant_added', words: 'has the same number added everywhere', values: ones, base: numeric };
    const name = of === 'parameter' ? 'the parameter itself' : of === 'input' ? 'the input' : 'the prediction';
    yield { cause: 'weights_added', words: `has a multiple of ${name} added${of === 'parameter' ? ', as weight decay does, that the loss does not have' : ''}`, values: value, base: numeric };
  }
  yield* strided(numeric);
}

/** Every second entry, row or column left out. */
function* strided(numeric: Float64Array): Iterable<Guess> {
  if (numeric.length < 4) return;
  for (const odd of [0, 1]) {
    yield { cause: 'single_entries', words: `is right at every second entry only, and zero at the others`, values: numeric.map((n, i) => (i % 2 === odd ? n : 0)) };
  }
}


// Tries every explanation on one wrong gradient and takes the simplest one that holds; where none does, the best.
import { activations, wrongSlope } from './activations';
import { arrangements } from './arrangements';
import { EXPLAINED, fit } from './fit';
import type { Cause, Guess, Guesses } from './guess';
import { factorWords, named } from './factors';
import { digitsKept } from './digits';
import { whereFlat } from './flat';
import { otherLosses } from './losses';
import { norms } from './norms';
import { penalties } from './penalty';
import { repeats } from './repeats';
import { samples } from './samples';
import { targets } from './targets';
import { singleEntries } from './single-entries';
import type { Dimension, Trial } from './trial';
import { terms } from './terms';
import { values } from './values';
import { windows } from './windows';

/** Families of explanations, in the order of preference. */
const FAMILIES: readonly Guesses<Trial>[] = [targets, otherLosses, norms, activations, samples, terms, windows, penalties, arrangements, values];

/** A closest explanation that leaves more than this share of the error is not worth telling. */
const WORTH_TELLING = 0.3;

export interface Explanation {
  readonly cause: Cause;
  /** After the name of the gradient: "has its sign flipped". */
  readonly words: string;
  /** What the explanation's numbers had to be multiplied by. */
  readonly factor: number | null;
  /** What the factor equals, if that is a size of the layer or the batch. */
  readonly dimension: Dimension | null;
  /** Share of the error that is left; 1 where nothing was found. */
  readonly residual: number;
}

/** A slice of the work at a time: each explanation may cost many a forward pass. */
export function* explain(trial: Trial): Generator<void, Explanation> {
  const { analytic, numeric } = trial;
  const found = (cause: Cause, words: string, residual = 0): Explanation => ({ cause, words, factor: null, dimension: null, residual });
  if (analytic.some((value) => !Number.isFinite(value))) return found('not_finite', 'is not finite: it has NaN or infinity in it');
  if (analytic.every((value) => value === 0)) return found('missing', 'is missing: all of it is zero');
  const whole = scaled(trial, { cause: 'factor', words: '', values: numeric });
  if (whole.residual < EXPLAINED && wellKnown(whole)) return whole;

  const guesses: Guess[] = [];
  const asTheyAre: Explanation[] = [];
  // One by one: the first that holds is the answer.
  for (const family of FAMILIES) for (const guess of family(trial)) {
    yield;
    const told = unscaled(trial, guess);
    if (told.residual < EXPLAINED) return told;
    guesses.push(guess);
    asTheyAre.push(told);
  }
  yield;
  if (trial.loss?.deaf()) return found('target_ignored', 'stays the same whatever the targets are: it does not depend on them');
  const flat = whereFlat(trial);
  if (flat) return flat;
  yield;
  const changing = repeats(trial);
  if (changing) return found(changing.cause, changing.words);
  if (trial.layer?.deaf()) return found('from_earlier_call', 'stays the same whatever the input: it is made with numbers of an earlier step');
  if (whole.residual < EXPLAINED) return whole;
  const withFactor = guesses.map((guess) => scaled(trial, guess)).filter(({ residual }) => residual < EXPLAINED);
  const simplest = withFactor.find(wellKnown) ?? withFactor[0];
  if (simplest) return simplest;
  const digits = digitsKept(trial);
  if (digits) return found('rounded', `is kept in ${digits} only: all after them is lost`);
  const single = singleEntries(trial);
  if (single?.inLine) return single.explanation;
  yield;
  const slope = wrongSlope(trial);
  if (slope) return found(slope.cause, slope.words);
  if (single) return single.explanation;
  const closest = [...asTheyAre, whole].reduce((a, b) => (b.residual < a.residual ? b : a));
  if (closest.residual > WORTH_TELLING) return found('unexplained', 'is wrong in a way that no simple explanation fits', 1);
  return { ...closest, words: `${closest.words}; that comes closest, but leaves ${(closest.residual * 100).toPrecision(2)} % of the error` };
}

/** A sign, a two, a half, or a size of the layer or the batch. */
const wellKnown = ({ factor, dimension }: Explanation): boolean => dimension !== null || (factor !== null && named(factor, []) !== null);

function unscaled(trial: Trial, { cause, words, values: predicted, base }: Guess): Explanation {
  if (base) return { cause, words, factor: null, dimension: null, residual: Infinity };
  const { residual } = fit(trial.analytic, trial.numeric, predicted, null, 1);
  return { cause, words, factor: 1, dimension: null, residual };
}

function scaled(trial: Trial, { cause, words, values: predicted, base }: Guess): Explanation {
  const { factor, residual } = fit(trial.analytic, trial.numeric, predicted, base);
  const known = base ? null : named(factor, trial.dimensions);
  const what = base ? `${words} (${Number(factor.toPrecision(4))})` : factorWords(factor, trial.dimensions);
  const fitted = { factor: known?.factor ?? factor, dimension: known?.dimension ?? null, residual };
  if (cause === 'factor') return { cause: Math.abs(factor + 1) < 1e-3 ? 'sign' : 'factor', words: what, ...fitted };
  return { cause, words: base ? what : `${words}, and ${what}`, ...fitted };
}

// Columns of numbers that stand for categories, such as the number of a city: their order and distances mean nothing.
import type { CompiledRun, SpecRule } from '../model-spec';
import { columnName } from './columns';
import { formatPercent } from './format';
import { fitLinear, MAX_LINEAR_COLUMNS, standardizeColumns } from './reference-fits';
import { columnOf, sampleTrainingSplit, type TrainingSample } from './training-sample';
import { dataWarning } from './warnings';

/** Fewer values are a quantity as well; more of them are no categories of a table. */
const [MIN_CODES, MAX_CODES] = [5, 40];
const SAMPLES_PER_CODE = 6;
/** Codes may leave numbers out, but not most of them. */
const MAX_SPREAD = 4;
/** Of the step between codes: rounding. */
const ROUNDING = 1e-3;
/** Terms of a smooth function of a quantity: 1, x, x² and x³. */
const POWERS = 3;
/** Of the mean square that codes explain beyond it to that of the rest. */
const MIN_F = 6;

/** The number of each sample's code, from 0; null where a column is no list of codes. */
function codesOf(
  sample: TrainingSample,
  column: number,
): { readonly codes: Int32Array; readonly count: number } | null {
  const values = columnOf(sample, column);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const count = distinct.length;
  if (count < MIN_CODES || count > MAX_CODES || sample.samples < SAMPLES_PER_CODE * count) return null;
  const step = Math.min(...distinct.slice(1).map((value, i) => value - distinct[i]!));
  const steps = distinct.map((value) => (value - distinct[0]!) / step);
  const isWhole = steps.every((each) => Math.abs(each - Math.round(each)) < ROUNDING);
  if (!isWhole || steps.at(-1)! > MAX_SPREAD * count) return null;
  const indexOf = new Map(distinct.map((value, i) => [value, i]));
  return { codes: Int32Array.from(values, (value) => indexOf.get(value)!), count };
}

/** Sum of the squared errors of a linear fit to standardized targets. */
function fitError({ targets, targetWidth }: TrainingSample, inputs: Float64Array, width: number): number {
  const predictions = fitLinear(inputs, width, targets, targetWidth, true);
  return targets.reduce((sum, target, i) => sum + (target - predictions[i]!) ** 2, 0);
}

/** What the other columns, and a column as a quantity or as codes, leave unexplained. */
function compareFits(
  sample: TrainingSample,
  column: number,
  { codes, count }: { readonly codes: Int32Array; readonly count: number },
): { readonly gain: number; readonly f: number } {
  const { inputs, width, samples, targetWidth } = sample;
  const scaled = standardizeColumns(inputs, width, samples);
  const targets = standardizeColumns(sample.targets, targetWidth, samples);
  const others = Array.from({ length: width }, (_, j) => j).filter((j) => j !== column);
  const fitWith = (terms: number, term: (sample: number, index: number) => number): number => {
    const columns = others.length + terms;
    const rows = new Float64Array(samples * columns);
    for (let i = 0; i < samples; i++) {
      others.forEach((j, at) => (rows[i * columns + at] = scaled[i * width + j]!));
      for (let t = 0; t < terms; t++) rows[i * columns + others.length + t] = term(i, t);
    }
    return fitError({ ...sample, targets }, rows, columns);
  };
  const asQuantity = fitWith(POWERS, (i, t) => scaled[i * width + column]! ** (t + 1));
  const asCodes = fitWith(count - 1, (i, t) => Number(codes[i] === t));
  const total = targets.reduce((sum, value) => sum + value ** 2, 0);
  const more = targetWidth * (count - 1 - POWERS);
  const rest = targetWidth * Math.max(1, samples - others.length - count);
  return { gain: (asQuantity - asCodes) / total, f: (asQuantity - asCodes) / more / (asCodes / rest) };
}

/** Each category has an effect of its own, which no smooth function of its number is. */
export const codesAsQuantities: SpecRule = {
  id: 'codes-as-quantities',
  summary: 'An input column of whole numbers says more as categories than as a quantity.',
  threshold: {
    value: 0.15,
    quantity: 'share of the variance of the targets that one effect for each number explains beyond a cubic function',
    source: 'Hastie, Tibshirani, Friedman, "The elements of statistical learning", 2009, section 3.2: dummy variables',
  },
  checkData(resolved, run: CompiledRun, threshold) {
    const { inputShape } = run.dataset;
    const width = inputShape[0]!;
    if (inputShape.length > 1 || width + MAX_CODES > MAX_LINEAR_COLUMNS) return [];
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const sample = sampleTrainingSplit(run);
    return Array.from({ length: width }, (_, column) => column).flatMap((column) => {
      const found = codesOf(sample, column);
      if (!found) return [];
      const { gain, f } = compareFits(sample, column, found);
      if (!(gain > threshold && f > MIN_F)) return [];
      const name = columnName(run, column);
      return dataWarning(
        resolved,
        'codes-as-quantities',
        `${name} seems to hold codes of ${found.count} categories, but the network takes them as a quantity: an effect of its own for each number explains ${formatPercent(Number(gain.toFixed(2)))} more of the targets' variance than a smooth function of the number.`,
        `Write a column of 0 and 1 for each category of ${name} in the data (one-hot), or the codes alone with an "embedding".`,
      );
    });
  },
};

// From the values of every entry to the report: counts, the worst entry, and the points of the plot.
import type { Shape } from '../engine/kernels/tensor';
import {
  MAX_POINTS,
  VERDICTS,
  type CheckReport,
  type EntryReport,
  type ParameterCheck,
  type Verdict,
} from './report';

/** In place of a verdict, where none was reached. */
export const NOT_CHECKED = 255;

export interface ParameterFindings {
  readonly name: string;
  readonly shape: Shape;
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  /** Error bars of the numeric values. */
  readonly bars: Float64Array;
  /** Index into VERDICTS, or NOT_CHECKED. */
  readonly verdicts: Uint8Array;
}

const PASS = VERDICTS.indexOf('pass');
const WRONG = VERDICTS.indexOf('wrong');
const KINK = VERDICTS.indexOf('kink');
const GRAVEST_FIRST: readonly Verdict[] = ['wrong', 'kink', 'pass', 'below_noise'];

/** |a - n| / max(|a|, |n|); 0 where both are 0, infinite where either is not finite. */
export function relativeError(analytic: number, numeric: number): number {
  if (!Number.isFinite(analytic) || !Number.isFinite(numeric)) return Infinity;
  const error = Math.abs(analytic - numeric);
  return error === 0 ? 0 : error / Math.max(Math.abs(analytic), Math.abs(numeric));
}

export function summarize(
  findings: readonly ParameterFindings[],
  about: Pick<CheckReport, 'step' | 'samples' | 'mode' | 'loss' | 'options' | 'compared' | 'diagnosis' | 'layers' | 'withoutPenalty'>,
): CheckReport {
  const parameters = findings.map(summarizeParameter);
  const counts = noCounts();
  for (const parameter of parameters) for (const verdict of VERDICTS) counts[verdict] += parameter.counts[verdict];
  const entries = sum(parameters.map((parameter) => parameter.entries));
  const checked = sum(parameters.map((parameter) => parameter.checked));
  return {
    ...about,
    parameters,
    entries,
    checked,
    counts,
    complete: checked === entries && about.withoutPenalty?.complete !== false,
    passed: counts.wrong === 0 && counts.pass > 0 && about.withoutPenalty?.passed !== false,
    points: pointsOf(findings),
  };
}

export function summarizeParameter({ name, shape, analytic, numeric, verdicts }: Omit<ParameterFindings, 'bars'>): ParameterCheck {
  const counts = noCounts();
  for (const verdict of verdicts) if (verdict !== NOT_CHECKED) counts[VERDICTS[verdict]]++;
  const judged = counts.wrong > 0 ? WRONG : PASS;
  let worst = -1;
  let largest = -1;
  for (let i = 0; i < verdicts.length; i++) {
    if (verdicts[i] !== judged) continue;
    const error = relativeError(analytic[i], numeric[i]);
    if (error > largest) {
      largest = error;
      worst = i;
    }
  }
  const entry: EntryReport | null =
    worst < 0
      ? null
      : {
          index: unravel(worst, shape),
          analytic: analytic[worst],
          numeric: numeric[worst],
          relativeError: largest,
          verdict: VERDICTS[judged],
        };
  return {
    name,
    shape: [...shape],
    entries: analytic.length,
    checked: sum(Object.values(counts)),
    counts,
    worst: entry,
    verdict: GRAVEST_FIRST.find((verdict) => counts[verdict] > 0) ?? 'below_noise',
  };
}

/** A flat index as one number a dimension. */
export function unravel(flat: number, shape: Shape): number[] {
  const index: number[] = [];
  let rest = flat;
  for (let d = shape.length - 1; d >= 0; d--) {
    index.unshift(rest % shape[d]);
    rest = Math.floor(rest / shape[d]);
  }
  return index;
}

/** Every wrong and every kinked entry, then an even sample of the others; too many are thinned evenly. */
function pointsOf(findings: readonly ParameterFindings[]): CheckReport['points'] {
  const chosen: { parameter: number; index: number }[] = [];
  for (const wanted of [(v: number) => v === WRONG || v === KINK, (v: number) => v !== WRONG && v !== KINK && v !== NOT_CHECKED]) {
    const room = MAX_POINTS - chosen.length;
    const total = sum(findings.map(({ verdicts }) => verdicts.reduce((n, verdict) => n + (wanted(verdict) ? 1 : 0), 0)));
    let seen = 0;
    findings.forEach(({ verdicts }, parameter) => {
      for (let index = 0; index < verdicts.length; index++) {
        if (!wanted(verdicts[index])) continue;
        // Every one where they fit, else `room` of them at even distances.
        const taken = total <= room || Math.floor(((seen + 1) * room) / total) > Math.floor((seen * room) / total);
        seen++;
        if (taken) chosen.push({ parameter, index });
      }
    });
  }
  return {
    analytic: Float64Array.from(chosen, ({ parameter, index }) => findings[parameter].analytic[index]),
    numeric: Float64Array.from(chosen, ({ parameter, index }) => findings[parameter].numeric[index]),
    bar: Float64Array.from(chosen, ({ parameter, index }) => findings[parameter].bars[index]),
    index: Uint32Array.from(chosen, ({ index }) => index),
    parameter: Uint16Array.from(chosen, ({ parameter }) => parameter),
    verdict: Uint8Array.from(chosen, ({ parameter, index }) => findings[parameter].verdicts[index]),
  };
}

export const noCounts = (): Record<Verdict, number> => ({ pass: 0, wrong: 0, kink: 0, below_noise: 0 });

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

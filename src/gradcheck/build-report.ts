// Builds the report from the values of every entry: counts, the worst entry, and the points of the scatter plot.
import {
  VERDICTS,
  type CheckReport,
  type EntryReport,
  type LayerCheck,
  type ParameterCheck,
  type Verdict,
} from '../protocol/check-report';
import type { Shape } from '../engine/kernels/tensor';
import { unravelIndex } from '../presentation/tensor-index';

/** In place of a verdict for an entry that was not checked. */
export const NOT_CHECKED = 255;

/** Maximum number of points in a report. */
export const MAX_POINTS = 4000;

export interface ParameterFindings {
  readonly name: string;
  readonly shape: Shape;
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  /** Error bars of the numeric values. */
  readonly errorBars: Float64Array;
  /** Index into VERDICTS, or NOT_CHECKED. */
  readonly verdicts: Uint8Array;
}

const PASS = VERDICTS.indexOf('pass');
const WRONG = VERDICTS.indexOf('wrong');
const KINK = VERDICTS.indexOf('kink');
/** The verdict of several entries is the first of these that any of them has. */
export const BY_SEVERITY: readonly Verdict[] = ['wrong', 'kink', 'pass', 'below_noise'];

/** |a - n| / max(|a|, |n|); 0 if both are 0, infinite if either is not finite. */
export function relativeError(analytic: number, numeric: number): number {
  if (!Number.isFinite(analytic) || !Number.isFinite(numeric)) return Infinity;
  const error = Math.abs(analytic - numeric);
  return error === 0 ? 0 : error / Math.max(Math.abs(analytic), Math.abs(numeric));
}

export function buildReport(
  findings: readonly ParameterFindings[],
  {
    isolationDone,
    ...metadata
  }: Pick<
    CheckReport,
    'step' | 'samples' | 'mode' | 'loss' | 'options' | 'compared' | 'diagnosis' | 'layers' | 'withoutPenalty'
  > & {
    /** Whether each layer was checked in isolation. */
    readonly isolationDone: boolean;
  },
): CheckReport {
  const parameters = findings.map(summarizeParameter);
  const counts = zeroCounts();
  for (const parameter of parameters) for (const verdict of VERDICTS) counts[verdict] += parameter.counts[verdict];
  const entries = sum(parameters.map((parameter) => parameter.entries));
  const checked = sum(parameters.map((parameter) => parameter.checked));
  return {
    ...metadata,
    parameters,
    entries,
    checked,
    counts,
    complete: checked === entries && isolationDone && metadata.withoutPenalty?.complete !== false,
    passed:
      counts.wrong === 0 &&
      counts.pass > 0 &&
      metadata.withoutPenalty?.passed !== false &&
      !metadata.layers.some(isWrongInIsolation),
    points: selectPoints(findings),
  };
}

/** Whether the layer or loss is wrong in isolation, whatever the whole network shows. */
export const isWrongInIsolation = ({ fault, overwrites, tensors }: LayerCheck): boolean =>
  fault !== undefined || overwrites.length > 0 || tensors.some(({ verdict }) => verdict === 'wrong');

export function summarizeParameter({
  name,
  shape,
  analytic,
  numeric,
  verdicts,
}: Omit<ParameterFindings, 'errorBars'>): ParameterCheck {
  const counts = zeroCounts();
  for (const verdict of verdicts) if (verdict !== NOT_CHECKED) counts[VERDICTS[verdict]!]++;
  const reportedVerdict = counts.wrong > 0 ? WRONG : PASS;
  let worst = -1;
  let largest = -1;
  for (let i = 0; i < verdicts.length; i++) {
    if (verdicts[i] !== reportedVerdict) continue;
    const error = relativeError(analytic[i]!, numeric[i]!);
    if (error > largest) {
      largest = error;
      worst = i;
    }
  }
  const entry: EntryReport | null =
    worst < 0
      ? null
      : {
          index: unravelIndex(worst, shape),
          analytic: analytic[worst]!,
          numeric: numeric[worst]!,
          relativeError: largest,
          verdict: VERDICTS[reportedVerdict]!,
        };
  return {
    name,
    shape: [...shape],
    entries: analytic.length,
    checked: sum(Object.values(counts)),
    counts,
    worst: entry,
    verdict: BY_SEVERITY.find((verdict) => counts[verdict] > 0) ?? 'below_noise',
  };
}

/**
 * Every wrong entry and every kink, then an even sample of the others. If there are too many, they are thinned evenly.
 */
function selectPoints(findings: readonly ParameterFindings[]): CheckReport['points'] {
  const chosen: { parameter: number; index: number }[] = [];
  for (const isWanted of [
    (v: number) => v === WRONG || v === KINK,
    (v: number) => v !== WRONG && v !== KINK && v !== NOT_CHECKED,
  ]) {
    const capacity = MAX_POINTS - chosen.length;
    const total = sum(
      findings.map(({ verdicts }) => verdicts.reduce((n, verdict) => n + (isWanted(verdict) ? 1 : 0), 0)),
    );
    let seen = 0;
    findings.forEach(({ verdicts }, parameter) => {
      for (let index = 0; index < verdicts.length; index++) {
        if (!isWanted(verdicts[index]!)) continue;
        // Selects all if they fit, otherwise `room` of them, evenly spaced.
        const isTaken =
          total <= capacity || Math.floor(((seen + 1) * capacity) / total) > Math.floor((seen * capacity) / total);
        seen++;
        if (isTaken) chosen.push({ parameter, index });
      }
    });
  }
  return {
    analytic: Float64Array.from(chosen, ({ parameter, index }) => findings[parameter]!.analytic[index]!),
    numeric: Float64Array.from(chosen, ({ parameter, index }) => findings[parameter]!.numeric[index]!),
    errorBar: Float64Array.from(chosen, ({ parameter, index }) => findings[parameter]!.errorBars[index]!),
    index: Uint32Array.from(chosen, ({ index }) => index),
    parameter: Uint16Array.from(chosen, ({ parameter }) => parameter),
    verdict: Uint8Array.from(chosen, ({ parameter, index }) => findings[parameter]!.verdicts[index]!),
  };
}

export const zeroCounts = (): Record<Verdict, number> => ({ pass: 0, wrong: 0, kink: 0, below_noise: 0 });

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

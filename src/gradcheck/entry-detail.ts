// One entry looked at closely: the loss along it, the slopes to its two sides, and where the kinks are.
import { sizeOf } from '../engine/kernels/tensor';
import { isPenalized } from '../engine/penalty';
import { scaleOf } from './judge';
import type { EntryReport } from './report';
import type { Shadow } from './shadow';
import { relativeError, unravel, type ParameterFindings } from './summary';
import { VERDICTS } from './report';

export interface EntryDetail extends EntryReport {
  /** `linear1.weight`. */
  readonly name: string;
  /** Flat, in row-major order. */
  readonly flat: number;
  /** Error bar of the numeric value. */
  readonly bar: number;
  /** The entry's own value, and the loss there. */
  readonly value: number;
  readonly loss: number;
  /** Slopes to its two sides, by a difference of `step`. */
  readonly left: number;
  readonly right: number;
  readonly step: number;
  /** The loss with the entry at each of these, all else held; rising. */
  readonly at: Float64Array;
  readonly losses: Float64Array;
  /** Values of the entry at which some kink is crossed, each known to half the distance of two points. */
  readonly kinks: Float64Array;
}

/** Points of the curve: most, fewest, and multiply-adds that all of them together may take. */
const [MOST, FEWEST, WORK] = [129, 17, 5e9];

/** @param reach how far the curve goes to each side, as a share of max(1, |w|) */
export function entryDetail(shadow: Shadow, findings: ParameterFindings, which: number, flat: number, step: number, reach: number): EntryDetail {
  const { network, line: { plain }, loss } = shadow;
  const parameter = network.parameters[which];
  shadow.rest();
  shadow.along(which, flat);
  const { start, pass } = plain;
  const scale = scaleOf(start);
  const h = step * scale;
  const left = (loss - plain.at(start - h)) / h;
  const right = (plain.at(start + h) - loss) / h;
  const kinked = plain.kinked.filter(({ layer }) => layer > parameter.layer);
  const count = pointsFor(network.parameters.reduce((sum, { value }) => sum + sizeOf(value.shape), 0) * pass.batch);
  const at = Float64Array.from({ length: count }, (_, i) => start + reach * scale * ((2 * i) / (count - 1) - 1));
  const losses = new Float64Array(count);
  const kinks: number[] = [];
  let before: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    losses[i] = plain.at(at[i]);
    const now = kinked.map(({ layer }) => Float64Array.from(pass.inputOf(layer).data));
    const crossed = i > 0 && kinked.some(({ kinks: own, start: { shape } }, k) => own.crossed({ shape, data: before[k] }, { shape, data: now[k] }));
    if (crossed) kinks.push((at[i - 1] + at[i]) / 2);
    before = now;
  }
  const { penalty } = network.model;
  if (penalty && penalty.l1 > 0 && isPenalized(penalty, parameter) && at[0] < 0 && at[count - 1] > 0) kinks.push(0);
  plain.release();
  shadow.rest();
  const [analytic, numeric] = [findings.analytic[flat], findings.numeric[flat]];
  return {
    name: findings.name, flat, index: unravel(flat, findings.shape), analytic, numeric, bar: findings.bars[flat],
    relativeError: relativeError(analytic, numeric), verdict: VERDICTS[findings.verdicts[flat]], value: start, loss, left, right, step: h,
    at, losses, kinks: Float64Array.from(kinks.sort((a, b) => a - b)),
  };
}

/** An odd number: the middle one is the entry's own value. */
function pointsFor(work: number): number {
  const points = Math.min(MOST, Math.max(FEWEST, Math.floor(WORK / Math.max(1, work))));
  return points % 2 === 1 ? points : points - 1;
}

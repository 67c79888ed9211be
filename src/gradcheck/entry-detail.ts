// Details of one entry: the loss along it, the derivatives on both sides, and the position of kinks.
import { VERDICTS, type EntryDetail } from '../protocol/check-report';
import { macsOf } from '../engine/network-model';
import { InnerKinks } from './inner-kinks';
import { isPenalized } from '../engine/penalty';
import { stepScale } from './verdict-policy';
import type { Float64Replica } from './float64-replica';
import { unravelIndex } from '../presentation/tensor-index';
import { relativeError, type ParameterFindings } from './build-report';

/** Points of the curve, and the multiply-adds that all of them together should take at most. */
const [MAX_POINTS, MIN_POINTS, MAX_MACS] = [129, 17, 5e9];

/**
 * @param relativeStep of the derivatives on both sides, as a share of max(1, |w|)
 * @param reach how far the curve extends to each side, as the same share
 */
export function inspectEntry(
  replica: Float64Replica,
  findings: ParameterFindings,
  parameterIndex: number,
  flat: number,
  relativeStep: number,
  reach: number,
): EntryDetail {
  const {
    network,
    slice: { full: fullForward },
    loss,
  } = replica;
  const parameter = network.parameters[parameterIndex]!;
  replica.reset();
  replica.selectEntry(parameterIndex, flat);
  const { start, pass } = fullForward;
  const scale = stepScale(start);
  const h = relativeStep * scale;
  const leftDerivative = (loss - fullForward.lossAt(start - h)) / h;
  const rightDerivative = (fullForward.lossAt(start + h) - loss) / h;
  const kinked = fullForward.kinkedLayers.filter(({ layer }) => layer > parameter.layer);
  const macs = network.model.layers.reduce((sum, layer) => sum + macsOf(layer), 0);
  const count = curvePointCount(macs * pass.batchSize);
  const curveValues = Float64Array.from(
    { length: count },
    (_, i) => start + reach * scale * ((2 * i) / (count - 1) - 1),
  );
  const curveLosses = new Float64Array(count);
  const kinks: number[] = [];
  let before: Float64Array[] = [];
  let innerKinks: InnerKinks | null = null;
  for (let i = 0; i < count; i++) {
    curveLosses[i] = fullForward.lossAt(curveValues[i]!);
    const now = kinked.map(({ layer }) => Float64Array.from(pass.layerInput(layer).data));
    const crossed =
      innerKinks?.moveOn(parameter.layer) ||
      (i > 0 &&
        kinked.some(({ kinks: own, startInput: { shape } }, k) =>
          own.isCrossed({ shape, data: before[k]! }, { shape, data: now[k]! }),
        ));
    if (crossed) kinks.push((curveValues[i - 1]! + curveValues[i]!) / 2);
    before = now;
    innerKinks ??= new InnerKinks(pass);
  }
  const { penalty } = network.model;
  if (
    penalty &&
    penalty.l1 > 0 &&
    isPenalized(penalty, parameter) &&
    curveValues[0]! < 0 &&
    curveValues[count - 1]! > 0
  )
    kinks.push(0);
  fullForward.release();
  replica.reset();
  const [analytic, numeric] = [findings.analytic[flat]!, findings.numeric[flat]!];
  return {
    name: findings.name,
    flat,
    index: unravelIndex(flat, findings.shape),
    analytic,
    numeric,
    errorBar: findings.errorBars[flat]!,
    relativeError: relativeError(analytic, numeric),
    verdict: VERDICTS[findings.verdicts[flat]!]!,
    value: start,
    loss,
    leftDerivative,
    rightDerivative,
    step: h,
    curveValues,
    curveLosses,
    kinks: Float64Array.from(kinks.sort((a, b) => a - b)),
  };
}

/** An odd number, so that the middle one is the entry's own value. */
function curvePointCount(macsPerPoint: number): number {
  const points = Math.min(MAX_POINTS, Math.max(MIN_POINTS, Math.floor(MAX_MACS / Math.max(1, macsPerPoint))));
  return points % 2 === 1 ? points : points - 1;
}

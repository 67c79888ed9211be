// Tries every hypothesis on a wrong gradient and returns the simplest one that holds, or else the best fit.
import { numel } from '../../engine/kernels/tensor';
import { activationHypotheses, describeWorstDerivative, detectWrongDerivative } from './hypotheses/activations';
import { elementOrderHypotheses } from './hypotheses/element-order';
import { EXPLAINED_RESIDUAL, fit } from './fit';
import { type Explanation, makeExplanation, rankOf } from './explanation';
import type { Hypothesis, HypothesisFamily } from './hypotheses/hypothesis';
import { explainByJacobian } from './jacobian-patterns';
import { describeFactor, nameFactor } from './factors';
import { detectRounding } from './detect-rounding';
import { detectFlatRegion } from './detect-flat-region';
import { otherLossHypotheses } from './hypotheses/other-losses';
import { normalizationHypotheses } from './hypotheses/normalization';
import { penaltyHypotheses } from './hypotheses/penalty';
import { detectNondeterminism } from './detect-nondeterminism';
import { attentionHypotheses } from './hypotheses/attention';
import { batchHypotheses } from './hypotheses/batch';
import { targetHypotheses } from './hypotheses/targets';
import { detectSingleEntries } from './detect-single-entries';
import { type GradientComparison, toleranceOf } from './gradient-comparison';
import { operandHypotheses } from './hypotheses/operands';
import { joinHypotheses } from './hypotheses/joins';
import { valueHypotheses } from './hypotheses/values';
import { sequenceHypotheses } from './hypotheses/sequences';
import { outputGradientHypotheses } from './hypotheses/output-gradients';
import { detectNonlinearBackward } from './detect-nonlinear-backward';
import { windowHypotheses } from './hypotheses/windows';

/** Families of hypotheses, in order of preference. */
const FAMILIES: readonly HypothesisFamily<GradientComparison>[] = [
  targetHypotheses,
  otherLossHypotheses,
  normalizationHypotheses,
  activationHypotheses,
  attentionHypotheses,
  batchHypotheses,
  operandHypotheses,
  sequenceHypotheses,
  outputGradientHypotheses,
  windowHypotheses,
  penaltyHypotheses,
  elementOrderHypotheses,
  valueHypotheses,
  joinHypotheses,
];

/** A cooperative task, since a hypothesis may need many forward passes. */
export function* explain(comparison: GradientComparison): Generator<undefined, Explanation> {
  const { analytic, layer } = comparison;
  if (analytic.some((value) => !Number.isFinite(value)))
    return makeExplanation('not_finite', 'is not finite: it contains NaN or infinity');
  if (analytic.every((value) => value === 0)) return makeExplanation('missing', 'is missing: it is all zero');
  const simple = explainByFactor(comparison);
  if (simple && isKnownFactor(simple)) return simple;
  yield;
  const nondeterminism = detectNondeterminism(comparison);
  if (nondeterminism) return makeExplanation(nondeterminism.cause, nondeterminism.description);
  if (layer?.ignoresUpstream())
    return makeExplanation('upstream_ignored', 'ignores the output gradient: it is the same for any output gradient');

  const hypotheses: Hypothesis[] = [];
  for (const family of FAMILIES)
    for (const hypothesis of family(comparison)) {
      yield;
      if (!hypothesis) continue;
      const explained = fitUnscaled(comparison, hypothesis);
      if (explained.residual < EXPLAINED_RESIDUAL) return yield* describeEarlierPlaces(comparison, explained);
      hypotheses.push(hypothesis);
    }
  yield;
  if (comparison.loss && (yield* comparison.loss.ignoresTarget()))
    return (
      hypotheses
        .filter(({ cause }) => cause === 'target_ignored')
        .map((hypothesis) => fitScaled(comparison, hypothesis))
        .find((explained) => explained.residual < EXPLAINED_RESIDUAL && isKnownFactor(explained)) ??
      makeExplanation('target_ignored', 'does not depend on the targets')
    );
  const flatRegion = detectFlatRegion(comparison);
  if (flatRegion) {
    const byTies = layer?.isCustom ? yield* explainByJacobian(comparison) : null;
    return byTies?.cause === 'near_ties' ? byTies : flatRegion;
  }
  yield;
  if (layer && (yield* layer.ignoresInput()))
    return comparison.subject !== 'parameter'
      ? makeExplanation(
          'input_ignored',
          'depends only on the output gradient, not on the input: the derivative at the input is missing',
        )
      : makeExplanation(
          'from_earlier_call',
          'does not depend on the input: it uses the values of an earlier call, or none',
        );
  // Any factor fits a single number.
  const ofSingle = analytic.length === 1 ? detectNonlinearBackward(comparison) : null;
  if (ofSingle) return ofSingle;
  if (simple && (analytic.length > 1 || (yield* isProportional(comparison)))) return simple;
  const scaledFits = hypotheses
    .map((hypothesis) => fitScaled(comparison, hypothesis))
    .filter(({ residual }) => residual < EXPLAINED_RESIDUAL);
  const simplest = scaledFits.find(isKnownFactor) ?? (analytic.length > 1 ? scaledFits[0] : undefined);
  if (simplest) return simplest;
  const nonlinear = detectNonlinearBackward(comparison);
  if (nonlinear) return nonlinear;
  const digits = detectRounding(comparison);
  if (digits) return makeExplanation('rounded', `is rounded to ${digits}`);
  const singleEntries = detectSingleEntries(comparison);
  // In a custom layer, an error along one line can be that of the border of windows.
  if (singleEntries?.isSingleLine && !layer?.isCustom) return singleEntries.explanation;
  const byJacobian = yield* explainByJacobian(comparison);
  if (byJacobian && rankOf(byJacobian) === 0) return byJacobian;
  if (singleEntries?.isSingleLine) return singleEntries.explanation;
  yield;
  const wrongDerivative = yield* detectWrongDerivative(comparison);
  if (wrongDerivative) return makeExplanation(wrongDerivative.cause, wrongDerivative.description);
  if (byJacobian) return byJacobian;
  if (singleEntries) return singleEntries.explanation;
  return makeExplanation(
    'unexplained',
    `is wrong in a way that no simple explanation fits${errorFacts(comparison)}${yield* describeWorstDerivative(comparison)}`,
    1,
  );
}

/** Whether the contributions of all outputs to a single number are off by the same factor, as far as that is known. */
function* isProportional({ subject, layer }: GradientComparison): Generator<undefined, boolean> {
  const jacobians = subject === 'parameter' && layer ? yield* layer.parameterJacobians() : null;
  if (!jacobians) return true;
  const { analytic, numeric } = jacobians;
  const { residual } = fit(analytic, numeric, numeric, null);
  return residual < EXPLAINED_RESIDUAL;
}

/** What is missing beside the diagonal of a Jacobian, if that is what the places before contribute. */
function* describeEarlierPlaces(
  { layer }: GradientComparison,
  explanation: Explanation,
): Generator<undefined, Explanation> {
  if (explanation.cause !== 'diagonal_only' || !layer) return explanation;
  const jacobian = yield* layer.forwardJacobian();
  if (!jacobian) return explanation;
  const { inputs, outputs, numeric } = jacobian;
  const [isBefore, isAfter] = [-1, 1].map((sign) =>
    numeric.some((value, at) => {
      const [output, input] = [Math.floor(at / inputs) % outputs, at % inputs];
      return sign * (input - output) > 0 && Math.abs(value) > 1e-9;
    }),
  );
  if (isBefore === isAfter) return explanation;
  return {
    ...explanation,
    cause: 'contribution_missing',
    description: `counts only what each output has from its own input: what the outputs have from the inputs ${isBefore ? 'before' : 'after'}, as through a state that is carried on, is missing`,
  };
}

/** The right gradient times any number; null if that does not fit. */
export function explainByFactor(comparison: GradientComparison): Explanation | null {
  const explanation = fitScaled(comparison, { cause: 'factor', description: '', values: comparison.numeric });
  return explanation.residual < EXPLAINED_RESIDUAL ? explanation : null;
}

/** Facts about an unexplained error: how many entries, how large, and along which axes it varies. */
function errorFacts({ analytic, numeric, shape, ...rest }: GradientComparison): string {
  const tolerance = toleranceOf({ numeric, ...rest });
  let wrong = 0;
  let known = 0;
  let [dot, square, error] = [0, 0, 0];
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    known++;
    if (Math.abs(analytic[i]! - numeric[i]!) > tolerance) wrong++;
    dot += analytic[i]! * numeric[i]!;
    square += numeric[i]! ** 2;
    error += (analytic[i]! - numeric[i]!) ** 2;
  }
  const facts = [
    wrong === known ? 'all entries are off' : `${wrong} of ${known} entries are off`,
    `the error is ${Math.round(100 * Math.sqrt(error / square))} % of the gradient`,
  ];
  const constantAxis = shape.length > 1 ? constantAlong(analytic, numeric, shape, tolerance) : null;
  if (constantAxis !== null)
    facts.push(`the error is the same along axis ${constantAxis}, so a term that is summed along it is wrong`);
  else if (dot < 0) facts.push('the two gradients point in opposite directions');
  return `. What is certain: ${facts.join('; ')}`;
}

/** The first axis along which the error is constant; null if there is none. */
function constantAlong(
  analytic: Float64Array,
  numeric: Float64Array,
  shape: readonly number[],
  tolerance: number,
): number | null {
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis]! < 2) continue;
    const inner = numel(shape.slice(axis + 1));
    const isConstant = analytic.every((value, i) => {
      const previous = Math.floor(i / inner) % shape[axis]! === 0 ? i : i - inner;
      const change = value - numeric[i]! - (analytic[previous]! - numeric[previous]!);
      return Number.isNaN(change) || Math.abs(change) <= tolerance;
    });
    if (isConstant) return axis;
  }
  return null;
}

/** Whether the factor is -1, 2, ½, or a size of the layer or the batch. */
export const isKnownFactor = ({ factor, dimension }: Explanation): boolean =>
  dimension !== null || (factor !== null && nameFactor(factor, []) !== null);

function fitUnscaled(
  comparison: GradientComparison,
  { cause, description, values: predicted, base }: Hypothesis,
): Explanation {
  if (base) return { cause, description, factor: null, dimension: null, residual: Infinity };
  const { residual } = fit(comparison.analytic, comparison.numeric, predicted, null, 1);
  return { cause, description, factor: 1, dimension: null, residual };
}

function fitScaled(
  comparison: GradientComparison,
  { cause, description, values: predicted, base }: Hypothesis,
): Explanation {
  const { factor, residual } = fit(comparison.analytic, comparison.numeric, predicted, base);
  const known = base ? null : nameFactor(factor, comparison.dimensions);
  const factorText = base
    ? `${description} (${Number(factor.toPrecision(4))})`
    : describeFactor(factor, comparison.dimensions);
  const fitted = { factor: known?.factor ?? factor, dimension: known?.dimension ?? null, residual };
  if (cause === 'factor')
    return { cause: Math.abs(factor + 1) < 1e-3 ? 'sign' : 'factor', description: factorText, ...fitted };
  return { cause, description: base ? factorText : `${description}, and ${factorText}`, ...fitted };
}

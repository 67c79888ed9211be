// Rules for specs that can run but are unlikely to do what their author wants. All are warnings, so the run can start.
// To add a rule, write it and add a line to the table.
import type { SpecRule } from '../model-spec';
import { fewSteps, sortedSamples, strongAugmentation } from './batches';
import { activationScale, missingBias, narrowLayer, pooledAway, sharpKernel } from './capacity';
import { outlier, targetAmongInputs, targetIsId } from './columns';
import { runRules } from './run';
import {
  constantData,
  contradictorySamples,
  imbalancedClasses,
  notLinearlySeparable,
  unrelatedLabels,
} from './data-content';
import { notScaled } from './data-scale';
import { customLoss } from './custom-loss';
import { largeInit, smallInit } from './initial-scale';
import {
  activationTwice,
  boundedLogits,
  independentClasses,
  medianOfClasses,
  missingActivation,
  strongLabelSmoothing,
  sumOverBatch,
} from './loss-activation';
import { biasBeforeNorm, dropoutOnOutput, normOfFew, normOfOne, normOnOutput, strongDropout } from './norm-and-dropout';
import {
  fastRateDecay,
  largeAdaptiveRate,
  largeEps,
  largeEffectiveRate,
  strongWeightDecay,
  tinySteps,
  unstableLinearRegression,
} from './step-size';
import {
  equalOutgoing,
  equalUnits,
  nearlyLinear,
  noActivation,
  nothingToTrain,
  softmaxInside,
  softmaxOfOne,
  weightsFrozen,
  weightsOneSided,
} from './structure';
import { attentionSeesTarget, attentionWithoutPositions } from './sequences';
import { activationOnOutput, targetNotScaled, targetOutliers, targetOutOfRange } from './target-range';
import { unknownRule } from './unknown-rule';

const rulesOfSpecs: readonly SpecRule[] = [
  activationTwice,
  boundedLogits,
  missingActivation,
  medianOfClasses,
  strongLabelSmoothing,
  sumOverBatch,
  customLoss,
  independentClasses,
  noActivation,
  nearlyLinear,
  softmaxOfOne,
  equalUnits,
  equalOutgoing,
  largeInit,
  smallInit,
  weightsOneSided,
  activationScale,
  nothingToTrain,
  weightsFrozen,
  normOnOutput,
  biasBeforeNorm,
  normOfOne,
  normOfFew,
  dropoutOnOutput,
  strongDropout,
  softmaxInside,
  pooledAway,
  strongAugmentation,
  activationOnOutput,
  strongWeightDecay,
  largeEffectiveRate,
  largeAdaptiveRate,
  largeEps,
  fastRateDecay,
  targetOutOfRange,
  targetIsId,
  targetAmongInputs,
  outlier,
  targetOutliers,
  targetNotScaled,
  notScaled,
  constantData,
  imbalancedClasses,
  contradictorySamples,
  unrelatedLabels,
  notLinearlySeparable,
  missingBias,
  narrowLayer,
  sharpKernel,
  attentionWithoutPositions,
  attentionSeesTarget,
  sortedSamples,
  fewSteps,
  unstableLinearRegression,
  tinySteps,
];

export const specRules: readonly SpecRule[] = [...rulesOfSpecs, unknownRule([...rulesOfSpecs, ...runRules])];

export {
  hasInitialValues,
  hiddenActivations,
  initializeRandomly,
  insertBefore,
  isCopy,
  normalizeHidden,
  removeLayer,
  replaceLayer,
  setLearningRate,
  standardizeInputs,
  valueAt,
} from './quick-fixes';
export { addPositions, attentionWithoutOrder } from './sequences';
export { usualTargets } from './target-range';
export { isWeighted } from './warnings';
export { nextObservedStep, RunMonitor, type RunRule, runRules, type SampleEvaluation } from './run';

/** The codes of the problems that a setting can silence. */
export const ruleCodes: ReadonlySet<string> = new Set(specRules.flatMap(({ id, codes = [] }) => [id, ...codes]));

// Rules for specs that can run but are unlikely to do what their author wants. All are warnings, so the run can start.
// To add a rule, write it and add a line to the table.
import type { SpecRule } from '../model-spec';
import { fewSteps, sortedSamples, strongAugmentation } from './batches';
import { activationScale, flatKernel, missingBias, narrowLayer, pooledAway, sharpKernel } from './capacity';
import { ignoredClass, paddingCounted, weightlessClass } from './class-options';
import { codesAsQuantities } from './codes';
import { inputIsRowNumber, mixedUnits, outlier, targetAmongInputs, targetIsId } from './columns';
import { runRules } from './run';
import {
  constantData,
  contradictorySamples,
  imbalancedClasses,
  notLinearlySeparable,
  unrelatedLabels,
} from './data-content';
import { notScaled, unequalScales } from './data-scale';
import { customLoss } from './custom-loss';
import { fewSamples } from './few-samples';
import { augmentationChangesClass, channelsLast, pixelsAlone, pooledEarly, skippedPixels } from './images';
import { largeInit, largeValues, smallInit } from './initial-scale';
import {
  activationTwice,
  boundedLogits,
  independentClasses,
  medianOfClasses,
  missingActivation,
  strongLabelSmoothing,
  sumOverBatch,
} from './loss-activation';
import {
  biasBeforeNorm,
  compoundDropout,
  dropoutOnOutput,
  largeNormEps,
  normMomentum,
  normOfFew,
  normOfFewNumbers,
  normOfOne,
  normOnInput,
  normOnOutput,
  strongDropout,
} from './norm-and-dropout';
import {
  fastRateDecay,
  growingRate,
  largeAdaptiveRate,
  largeEps,
  largeEffectiveRate,
  longWarmup,
  strongWeightDecay,
  tinySteps,
  unstableLinearRegression,
  unusualBetas,
} from './step-size';
import {
  equalOutgoing,
  equalUnits,
  frozenAtRandom,
  nearlyLinear,
  noActivation,
  nothingToTrain,
  softmaxInside,
  softmaxOfOne,
  weightsFrozen,
  weightsOneSided,
} from './structure';
import { classNames, leakedSamples } from './samples';
import { attentionSeesTarget, attentionWithoutPositions, paddingIsToken, shortContext } from './sequences';
import { activationOnOutput, targetNotScaled, targetOutliers, targetOutOfRange } from './target-range';
import { classesAsValues, unrelatedTargets, valuesAsClasses } from './targets';
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
  largeValues,
  weightsOneSided,
  activationScale,
  nothingToTrain,
  weightsFrozen,
  frozenAtRandom,
  normOnOutput,
  biasBeforeNorm,
  normOfOne,
  normOfFew,
  normOfFewNumbers,
  normOnInput,
  normMomentum,
  largeNormEps,
  dropoutOnOutput,
  strongDropout,
  compoundDropout,
  softmaxInside,
  pooledAway,
  pooledEarly,
  skippedPixels,
  pixelsAlone,
  channelsLast,
  strongAugmentation,
  augmentationChangesClass,
  activationOnOutput,
  strongWeightDecay,
  largeEffectiveRate,
  largeAdaptiveRate,
  largeEps,
  unusualBetas,
  growingRate,
  longWarmup,
  fastRateDecay,
  weightlessClass,
  ignoredClass,
  paddingCounted,
  targetOutOfRange,
  targetIsId,
  targetAmongInputs,
  inputIsRowNumber,
  classesAsValues,
  valuesAsClasses,
  codesAsQuantities,
  contradictorySamples,
  leakedSamples,
  classNames,
  outlier,
  mixedUnits,
  targetOutliers,
  targetNotScaled,
  notScaled,
  unequalScales,
  constantData,
  imbalancedClasses,
  unrelatedLabels,
  unrelatedTargets,
  notLinearlySeparable,
  missingBias,
  narrowLayer,
  sharpKernel,
  flatKernel,
  fewSamples,
  attentionWithoutPositions,
  attentionSeesTarget,
  shortContext,
  paddingIsToken,
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
  setLoss,
  standardizeInputs,
  valueAt,
} from './quick-fixes';
export { moreSamples } from './few-samples';
export { addPositions, attentionWithoutOrder, predictsLater } from './sequences';
export { usualTargets } from './target-range';
export { isWeighted } from './warnings';
export { nextObservedStep, RunMonitor, type RunRule, runRules, type SampleEvaluation } from './run';

/** The codes of the problems that a setting can silence. */
export const ruleCodes: ReadonlySet<string> = new Set(specRules.flatMap(({ id, codes = [] }) => [id, ...codes]));

// Rules for specs that can run but are unlikely to do what their author wants. All are warnings, so the run can start.
// To add a rule, write it and add a line to the table.
import type { SpecRule } from '../model-spec';
import { fewSteps, sortedClasses, strongAugmentation } from './batches';
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
  sumOverBatch,
} from './loss-activation';
import { biasBeforeNorm, dropoutOnOutput, normOfOne, normOnOutput, strongDropout } from './norm-and-dropout';
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
  noActivation,
  nothingToTrain,
  softmaxInside,
  softmaxOfOne,
  weightsFrozen,
  weightsOneSided,
} from './structure';
import { activationOnOutput, targetNotScaled, targetOutOfRange } from './target-range';
import { unknownRule } from './unknown-rule';

const rulesOfSpecs: readonly SpecRule[] = [
  activationTwice,
  boundedLogits,
  missingActivation,
  medianOfClasses,
  sumOverBatch,
  customLoss,
  independentClasses,
  noActivation,
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
  sortedClasses,
  fewSteps,
  unstableLinearRegression,
  tinySteps,
];

export const specRules: readonly SpecRule[] = [...rulesOfSpecs, unknownRule([...rulesOfSpecs, ...runRules])];

export { setLearningRate } from './quick-fixes';
export { nextObservedStep, RunMonitor, type RunRule, runRules, type SampleEvaluation } from './run';

/** The codes of the problems that a setting can silence. */
export const ruleCodes: ReadonlySet<string> = new Set(specRules.flatMap(({ id, codes = [] }) => [id, ...codes]));

// The rules about a run, causes before effects. To add one, write it and add a line to the table.
import { explodingActivations } from './activations';
import { constantOutput } from './constant-output';
import {
  deadUnits,
  explodingGradient,
  saturatedUnits,
  vanishingGradient,
  vanishingThroughTime,
  zeroGradient,
} from './gradients';
import {
  decayOutweighsLoss,
  diverging,
  memorizing,
  notLearning,
  onePrediction,
  overfitting,
  worseInEvaluation,
} from './outcome';
import type { RunRule } from './run-rule';
import { alwaysClipped, rateNearZero, updateTooLarge, updateTooSmall } from './updates';

export { nextObservedStep, RunMonitor } from './monitor';
export type { RunRule, SampleEvaluation } from './run-rule';

export const runRules: readonly RunRule[] = [
  zeroGradient,
  constantOutput,
  explodingActivations,
  updateTooLarge,
  diverging,
  decayOutweighsLoss,
  alwaysClipped,
  rateNearZero,
  deadUnits,
  saturatedUnits,
  vanishingGradient,
  vanishingThroughTime,
  explodingGradient,
  updateTooSmall,
  worseInEvaluation,
  onePrediction,
  memorizing,
  overfitting,
  notLearning,
];

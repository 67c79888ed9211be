// The rules about a spec's text: what could run, but will hardly do what was meant. Each gives warnings only,
// so the run can go on. To add one: a rule, and a line in the table.
import type { SpecRule } from '../../spec/resolve';
import { notScaled } from './data';
import { boundedLogits, independentClasses, notLogProbabilities, notProbabilities, softmaxTwice, sumOverBatch } from './loss-fit';
import { biasBeforeNorm, normOfOne, strongDropout } from './modes';
import { equalOutgoing, equalUnits, noActivation, nothingToTrain, softmaxOfOne, weightsOneSided } from './structure';

export const specRules: readonly SpecRule[] = [
  softmaxTwice,
  boundedLogits,
  notProbabilities,
  notLogProbabilities,
  sumOverBatch,
  independentClasses,
  noActivation,
  softmaxOfOne,
  equalUnits,
  equalOutgoing,
  weightsOneSided,
  nothingToTrain,
  biasBeforeNorm,
  normOfOne,
  strongDropout,
  notScaled,
];

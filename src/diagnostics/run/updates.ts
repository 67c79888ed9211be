// Updates that are too large or too small for the weights that they move, and steps that a clip or a schedule decides.
import { formatCompact, formatNumber, formatPercent } from '../../presentation/numbers';
import { weightStats } from '../../presentation/weight-stats';
import type { ParameterStats } from '../../protocol/layer-stats';
import { setLearningRate } from '../quick-fixes';
import { hasLearned, isLearning } from './progress';
import type { Detection, Observation, RunRule } from './run-rule';

const NARROW_SPACE = '\u202f';

/** `74 % of`, `3.1 times`. */
const describeRatio = (ratio: number): string =>
  ratio < 1 ? `${formatPercent(Number(ratio.toPrecision(2)))} of` : `${formatNumber(ratio)} times`;

const TYPICAL = `(typical: 0.1${NARROW_SPACE}%)`;

/** The ratio at which a changed rate aims, ten times the typical one: updates shrink soon after the start. */
const TARGET_RATIO = 0.01;

const roundRate = (lr: number): number => Number(lr.toPrecision(1));

/** A ratio above this comes from the scale of the data, not from the rate. */
const MAX_RATIO_OF_RATE = 100;

/** The rate at which an update of this ratio would be about TARGET_RATIO, changed by a factor of 10 at least. */
const lowerRate = (lr: number, ratio: number): number =>
  roundRate(lr * Math.min(0.1, TARGET_RATIO / Math.min(ratio, MAX_RATIO_OF_RATE)));

/** Weights that start at 0 move by an infinite part of their size regardless of the rate. */
const ratioOf = ({ updateRatio }: ParameterStats): number =>
  updateRatio !== null && Number.isFinite(updateRatio) ? updateRatio : 0;

/** Whether the rate is what the spec says, so that another one in the spec changes it. */
const followsSpec = ({ run, baseLr }: Observation): boolean => baseLr === run.optimizer.options.lr;

/** An update that replaces the weights needs no second one to be sure. */
const CERTAIN_RATIO = 10;

export const updateTooLarge: RunRule = {
  id: 'update-too-large',
  summary: 'An update moves the weights of a layer by a large part of their size.',
  threshold: {
    value: 0.3,
    quantity: '‖update‖ / ‖weights‖',
    source: 'CS231n, "Neural networks part 3": about 1e-3 is usual; 300 times as much',
  },
  persistence: 8,
  check(observation, threshold) {
    const { model, layers, lr, baseLr } = observation;
    if (isLearning(observation)) return [];
    return model.layers.flatMap(({ parameters, index }): Detection[] => {
      const weights = weightStats(parameters, layers[index]?.parameters ?? []);
      const worst = weights.reduce<ParameterStats | undefined>(
        (a, b) => (a && ratioOf(a) >= ratioOf(b) ? a : b),
        undefined,
      );
      if (!worst || !(ratioOf(worst) > threshold)) return [];
      const ratio = ratioOf(worst);
      const lower = lowerRate(baseLr, ratio);
      return [
        {
          layer: index,
          isCertain: ratio > CERTAIN_RATIO,
          observation: `The update of ${worst.name} is too large: ${describeRatio(ratio)} its norm ${TYPICAL}.`,
          remedy: `Lower lr from ${formatCompact(lr)} to ${formatCompact(lowerRate(lr, ratio))}, or scale inputs and targets.`,
          ...(followsSpec(observation) && { fix: (spec) => setLearningRate(spec, lower) }),
        },
      ];
    });
  },
};

/** ‖gradient‖ / ‖weights‖ from which a small update is a finding. */
const MIN_GRADIENT_TO_WEIGHT = 0.01;

export const updateTooSmall: RunRule = {
  id: 'update-too-small',
  summary: 'Updates hardly move the weights of a layer, although its gradient is not small.',
  threshold: {
    value: 1e-5,
    quantity: '‖update‖ / ‖weights‖',
    source: 'CS231n, "Neural networks part 3": about 1e-3 is usual; a hundredth of it',
  },
  check(observation, threshold) {
    const { model, layers, lr, baseLr } = observation;
    // A schedule lowers the rate on purpose.
    if (lr < 0.1 * baseLr || hasLearned(observation)) return [];
    return model.layers.flatMap(({ parameters, index }): Detection[] => {
      const slow = weightStats(parameters, layers[index]?.parameters ?? []).find(
        ({ updateRatio, gradient, norm }) =>
          updateRatio !== null &&
          updateRatio < threshold &&
          gradient !== null &&
          norm > 0 &&
          gradient.norm / norm > MIN_GRADIENT_TO_WEIGHT,
      );
      if (!slow) return [];
      const higher = roundRate(baseLr * Math.min(1e6, 1e-3 / Math.max(1e-9, ratioOf(slow))));
      const share = describeRatio((slow.gradient?.norm ?? 0) / slow.norm);
      return [
        {
          layer: index,
          observation: `The update of ${slow.name} is too small: ${describeRatio(ratioOf(slow))} its norm ${TYPICAL}, although its gradient is ${share} that norm.`,
          remedy: `Raise lr from ${formatCompact(lr)} to ${formatCompact(higher)}.`,
          ...(followsSpec(observation) && higher > 0 && { fix: (spec) => setLearningRate(spec, higher) }),
        },
      ];
    });
  },
};

/** The norm of all gradients together. */
const totalGradientNorm = ({ layers }: Observation): number =>
  Math.hypot(...layers.flatMap(({ parameters }) => parameters.map(({ gradient }) => gradient?.norm ?? 0)));

/**
 * Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013: clip the rare large ones.
 */
export const alwaysClipped: RunRule = {
  id: 'always-clipped',
  summary: 'The clip shortens the gradient of every step by a large factor.',
  threshold: {
    value: 30,
    quantity: 'norm of the gradient, divided by the clip',
    source: 'Pascanu, Mikolov, Bengio, 2013, section 3.2: a clip near the average norm',
  },
  persistence: 10,
  check(observation, threshold) {
    const { norm: clip } = observation.run.optimizer.clip;
    const norm = totalGradientNorm(observation);
    // Adam and its kin divide by the gradient's size, so a clip does not shorten their steps.
    if (clip === undefined || observation.run.optimizer.definition.kind !== 'sgd' || !(norm > threshold * clip))
      return [];
    const raised = Number(norm.toPrecision(1));
    return [
      {
        layer: null,
        observation: `The clip shortens the gradient of every step: its norm is ${formatNumber(norm)}, and clip allows ${formatCompact(clip)}.`,
        remedy: `Raise the clip to about ${formatCompact(raised)}, so that it only shortens rare large gradients.`,
        fix: () => ({ title: `Set the clip to ${raised}`, changes: [{ path: ['clip', 'norm'], value: raised }] }),
      },
    ];
  },
};

export const rateNearZero: RunRule = {
  id: 'rate-near-zero',
  summary: 'The schedule holds the learning rate near 0 in the first half of the run.',
  threshold: {
    value: 1e-3,
    quantity: 'rate of the step, divided by lr',
    source: 'Goyal et al., 2017: a warm-up takes a few epochs; a cosine falls below a thousandth in its last 2 % only',
  },
  persistence: 5,
  check({ step, model, lr, baseLr }, threshold) {
    // A warm-up starts low.
    if (step < 0.1 * model.totalSteps || step > 0.5 * model.totalSteps || !(lr < threshold * baseLr)) return [];
    return [
      {
        layer: null,
        observation: `The schedule has lowered the rate to ${formatCompact(lr)}; lr is ${formatCompact(baseLr)}. Half of the run is still to come.`,
        remedy: 'Let the schedule fall more slowly, or shorten its warm-up.',
        fix: () => ({ title: 'Keep the rate constant', changes: [{ path: ['schedule'] }] }),
      },
    ];
  },
};

// Gradients that are 0, vanish or explode in the backward pass, and units that pass none.
import { formatNumber, formatPercent } from '../../presentation/numbers';
import type { LayerInfo, ModelInfo } from '../../protocol/model-info';
import {
  drawsWeights,
  hasInitialValues,
  initializeBy,
  initializeRandomly,
  normalizeHidden,
  replaceLayer,
  replaceRecurrent,
} from '../quick-fixes';
import { hasLearned, hasStalled } from './progress';
import type { Detection, Observation, RunRule } from './run-rule';

/** The last layer whose input gradient is exactly 0: the layers that only it leads to cannot learn. */
export const zeroGradient: RunRule = {
  id: 'zero-gradient',
  summary: 'The input gradient of a layer is exactly 0, so the layers before it do not learn.',
  impossible: ({ layers }) =>
    layers.slice(0, -1).some(({ parameters }) => parameters.some(({ frozen }) => !frozen))
      ? null
      : 'No layer before the last one has parameters that learn.',
  check(observation) {
    const { layers } = observation.model;
    if (hasLearned(observation)) return [];
    const norm = (layer: number): number | undefined => observation.layers[layer]?.outputGradient?.norm;
    const blockerOf = (layer: number): LayerInfo | undefined =>
      layers.find(({ inputs, index }) => inputs.includes(layer) && (norm(index) ?? 0) > 0);
    const blocked = layers.findLast(({ index }) => norm(index) === 0 && blockerOf(index) !== undefined);
    const blocker = blocked && blockerOf(blocked.index);
    if (!blocker) return [];
    const cannotLearn = layers.slice(0, blocked.index + 1).filter(({ index }) => norm(index) === 0);
    if (!cannotLearn.some(({ parameters }) => parameters.some(({ frozen }) => !frozen))) return [];
    const isAllBefore = cannotLearn.length === blocked.index + 1;
    const weights = observation.layers[blocker.index]?.parameters[0];
    const isZero = weights?.norm === 0;
    const model = observation.run.model.layers[blocker.index]!;
    const isSum = drawsWeights(model);
    return [
      {
        layer: blocker.index,
        observation: `The input gradient of ${blocker.name} is exactly 0, so ${blocked.name} ${isAllBefore ? 'and all layers before it do not learn' : 'does not learn'}.${isZero ? ` ${weights.name} is all 0.` : ''}`,
        remedy: isZero
          ? 'Initialize the weights randomly: remove its "init" or choose another.'
          : isSum
            ? 'Its terms cancel each other. Initialize the weights randomly, so that they differ between outputs.'
            : blocker.idleness
              ? 'Check its output: dead or saturated units pass no gradient.'
              : 'Its derivative is 0 for every input of this batch: replace it by a function that has a slope, such as ' +
                'softmax for an argmax and sigmoid for a step.',
        ...((isZero || isSum) && { fix: (spec) => initializeRandomly(spec, blocker.index, model) }),
      },
    ];
  },
};

const IDLENESS_THRESHOLD = {
  value: 0.9,
  quantity: 'share of the units of a layer that are dead or saturated',
  source: 'Lu et al., "Dying ReLU and initialization", 2019: a network dies when all units of a layer do',
};

const idleUnits = (
  name: 'dead' | 'saturated',
  id: string,
  summary: string,
  effect: string,
  remedy: string,
): RunRule => ({
  id,
  summary,
  threshold: IDLENESS_THRESHOLD,
  persistence: 3,
  impossible: ({ layers }) =>
    layers.some(({ idleness }) => idleness?.name === name) ? null : `No layer has units that can be ${name}.`,
  check(observation, threshold) {
    const { model, layers, run, step } = observation;
    if (hasLearned(observation)) return [];
    return model.layers.flatMap(({ name: layer, idleness, index }): Detection[] => {
      const share = layers[index]?.activation?.idle ?? 0;
      // The output of a classifier is at its limit where it is sure.
      if (
        idleness?.name !== name ||
        !(share > threshold) ||
        (name === 'saturated' && index === model.layers.length - 1)
      )
        return [];
      const [source = -1, ...others] = model.layers[index]?.inputs ?? [];
      const before = others.length === 0 ? run.model.layers[source] : undefined;
      return [
        {
          layer: index,
          observation: `${formatPercent(share)} of the units of ${layer} are ${name}: ${effect}.`,
          remedy,
          isCertain: share === 1,
          ...((name === 'dead' || step === 1) && {
            // From the start it is the initial values.
            fix: (spec) =>
              before && step === 1 && hasInitialValues(spec, source)
                ? initializeRandomly(spec, source, before)
                : replaceLayer(spec, index, name === 'dead' ? 'leaky_relu' : 'relu'),
          }),
        },
      ];
    });
  },
});

export const deadUnits = idleUnits(
  'dead',
  'dead-units',
  'Most units of a layer output 0 for nearly all samples and pass no gradient.',
  'their output is 0 and they pass no gradient',
  'Try a lower learning rate, a smaller bias, or "leaky_relu".',
);

export const saturatedUnits = idleUnits(
  'saturated',
  'saturated-units',
  'Most units of a layer are at the limit of their output for nearly all samples.',
  'their output is at its limit and they pass hardly any gradient',
  'Try smaller initial weights, scaled inputs, or a normalization layer before it.',
);

interface Ends {
  readonly layer: number;
  readonly names: readonly [first: string, last: string];
  readonly norms: readonly [first: number, last: number];
}

/** The first and the last layer with parameters, with the norms of their output gradients. */
function gradientEnds(model: ModelInfo, { layers: stats }: Observation): Ends | null {
  const norms = model.layers.flatMap(({ parameters, index, name }) => {
    const norm = stats[index]?.outputGradient?.norm;
    return parameters.length > 0 && norm !== undefined && norm > 0 ? [{ index, name, norm }] : [];
  });
  const [first, last] = [norms[0], norms.at(-1)];
  if (!first || !last || first === last) return null;
  return { layer: first.index, names: [first.name, last.name], norms: [first.norm, last.norm] };
}

const withoutTwoEnds = ({ layers }: ModelInfo): string | null =>
  layers.filter(({ parameters }) => parameters.length > 0).length > 1
    ? null
    : 'Only one layer has parameters, so there are no two gradients to compare.';

const describeEnds = ({ names: [, last], norms }: Ends): string =>
  `norm ${formatNumber(norms[0])}, at ${last} ${formatNumber(norms[1])}`;

const GRADIENT_RATIO_THRESHOLD = {
  value: 1e4,
  quantity: 'gradient norms of the first and the last layer, divided',
  source: 'Glorot, Bengio, 2010, figure 7: norms of five layers differ by a factor of 10 at most',
};

export const vanishingGradient: RunRule = {
  id: 'vanishing-gradient',
  summary: 'The first layer receives almost no gradient.',
  threshold: GRADIENT_RATIO_THRESHOLD,
  impossible: withoutTwoEnds,
  check(observation, threshold) {
    const { model, run } = observation;
    const ends = gradientEnds(model, observation);
    if (!ends || hasLearned(observation) || ends.norms[0] * threshold >= ends.norms[1]) return [];
    const saturating = model.layers.filter(({ idleness }) => idleness?.name === 'saturated');
    return [
      {
        layer: ends.layer,
        observation: `${ends.names[0]} receives almost no gradient: ${describeEnds(ends)}.`,
        remedy:
          'Try "relu" instead of saturating activations, other initial weights, a normalization layer, or fewer layers.',
        ...(saturating.length === 0 && run.model.layers.every(({ definition }) => !definition.normalizesOver)
          ? { fix: (spec) => normalizeHidden(spec, run.model) }
          : {}),
        ...(saturating.length > 0 && {
          fix: (spec) => ({
            title: 'Use relu in the hidden layers',
            changes: [
              ...saturating.flatMap(({ index }) => replaceLayer(spec, index, 'relu').changes),
              // relu halves the signal: with the usual weights it vanishes with depth too.
              ...initializeBy(
                spec,
                saturating
                  .flatMap(({ inputs }) => inputs.filter((index) => index >= 0))
                  .map((index) => ({ index, layer: run.model.layers[index]!, initializer: 'kaiming_uniform' })),
              ),
            ],
          }),
        }),
      },
    ];
  },
};

export const explodingGradient: RunRule = {
  id: 'exploding-gradient',
  summary: 'The gradient grows on its way back to the first layer.',
  threshold: GRADIENT_RATIO_THRESHOLD,
  impossible: withoutTwoEnds,
  check(observation, threshold) {
    const ends = gradientEnds(observation.model, observation);
    if (!ends || hasLearned(observation) || ends.norms[0] <= ends.norms[1] * threshold) return [];
    return [
      {
        layer: ends.layer,
        observation: `The gradient grows as it propagates back to ${ends.names[0]}: ${describeEnds(ends)}.`,
        remedy: 'Try smaller initial weights, a normalization layer, or "clip".',
        fix: () => ({ title: 'Clip the gradient at a norm of 1', changes: [{ path: ['clip', 'norm'], value: 1 }] }),
      },
    ];
  },
};

export const vanishingThroughTime: RunRule = {
  id: 'vanishing-through-time',
  summary: 'The loss stays, and the gradient of a recurrent layer vanishes on its way back to the first time step.',
  threshold: {
    value: 1e4,
    quantity: 'norms of the gradients of a state after the last and after the first time step, divided',
    source:
      'Bengio, Simard, Frasconi, "Learning long-term dependencies with gradient descent is difficult", 1994: it falls exponentially',
  },
  persistence: 4,
  impossible: ({ layers }) =>
    layers.some(({ internals }) => internals.some(({ carried }) => carried)) ? null : 'No layer is recurrent.',
  check(observation, threshold) {
    if (!hasStalled(observation)) return [];
    const { run } = observation;
    return observation.model.layers.flatMap(({ index, name }): Detection[] => {
      const { first = 0, last = 0 } = observation.layers[index]?.throughTime ?? {};
      if (!(first * threshold < last)) return [];
      return [
        {
          layer: index,
          observation: `The gradient of ${name} vanishes through time: norm ${formatNumber(first)} at the first time step, ${formatNumber(last)} at the last.`,
          remedy: 'Try "lstm" or "gru" instead of "rnn", a positive bias of the forget gate, or shorter sequences.',
          ...(run.model.layers[index]!.definition.gatedKind !== undefined && {
            fix: (spec) => replaceRecurrent(spec, index, run.model.layers[index]!),
          }),
        },
      ];
    });
  },
};

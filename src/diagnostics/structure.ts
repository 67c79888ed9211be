// Networks that compute less than they appear to, or that cannot learn from their initial weights.
import { pluralize } from '../engine/format-count';
import { initializers } from '../engine/initializers';
import type { InitializerDefinition } from '../engine/initializers/initializer';
import { numel } from '../engine/kernels/tensor';
import { declaredParameters, type LayerModel, ownParameters } from '../engine/network-model';
import { consumersOf, inputsOf } from '../engine/network-graph';
import type { Resolved, Spec, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { initializeRandomly, insertBefore, isCopy, removeLayer, replaceLayer } from './quick-fixes';
import { findSuccessor, isAffine, isGiven, isWeighted, lastEffectiveLayer, layerWarning } from './warnings';

/** Two linear layers without an activation between them are equivalent to one. */
export const noActivation: SpecRule = {
  id: 'no-activation',
  summary: 'Two linear layers follow each other without an activation between them, or there is none at all.',
  check(resolved) {
    const { model, spec } = resolved;
    const isLinear = (layer: LayerModel): boolean => isAffine(layer) && isWeighted(layer);
    const pairs = model.layers.flatMap((layer, index) => {
      if (!isLinear(layer)) return [];
      const between: LayerModel[] = [];
      const next = findSuccessor(model, index, (other) => {
        const isBetween = isAffine(other) && !isLinear(other);
        if (isBetween) between.push(other);
        return isBetween;
      });
      if (!next || !isLinear(next) || isGiven(next)) return [];
      // An activation that its options make linear.
      const activation = between.find(({ definition }) => definition.isAffine !== undefined);
      const nextIndex = model.layers.indexOf(next);
      const effect = `${layer.name} and ${next.name} together are no more than a single linear layer`;
      if (activation) {
        const at = model.layers.indexOf(activation);
        const { kind } = activation.definition;
        return layerWarning(
          resolved,
          at,
          'no-activation',
          `With these options ${activation.name} is linear, not an activation: ${effect}.`,
          `Write "${kind}" without options, or use another activation.`,
          replaceLayer(resolved.spec, at, kind),
        );
      }
      return layerWarning(
        resolved,
        nextIndex,
        'no-activation',
        `There is no activation between ${layer.name} and ${next.name}: together they are no more than a single linear layer.`,
        `Add an activation such as "tanh" before ${next.name}.`,
        insertBefore(resolved.spec, nextIndex, `Add tanh before ${next.name}`, ['tanh']),
      );
    });
    if (pairs.length > 0 || !model.layers.every(isAffine)) return pairs;
    // Branches that are added, such as those of a residual block.
    const trained = model.layers.filter((layer) => isLinear(layer) && !isGiven(layer));
    const last = trained.length > 1 ? model.layers.indexOf(trained.at(-1)!) : -1;
    if (last < 0) return [];
    const { name } = model.layers[last]!;
    return [
      layerWarning(
        resolved,
        last,
        'no-activation',
        `No layer is an activation: all ${trained.length} linear layers together are no more than a single one.`,
        `Add activations such as "tanh", for example before ${name}.`,
        insertBefore(spec, last, `Add tanh before ${name}`, ['tanh']),
      ),
    ];
  },
};

/** An activation that hardly bends leaves little more than a linear network. */
export const nearlyLinear: SpecRule = {
  id: 'nearly-linear',
  summary: 'The options of a hidden activation make it almost linear.',
  threshold: {
    value: 0.01,
    quantity: 'share of the variance of its output that no line explains, for standard normal inputs',
    source: 'the same share is 0.27 for relu and 0.07 for tanh, by integration',
  },
  check(resolved, threshold) {
    const { model, spec } = resolved;
    const last = model.layers.findLastIndex(isWeighted);
    return model.layers.slice(0, Math.max(0, last)).flatMap(({ definition, options, name }, index) => {
      const share = definition.nonlinearity?.(options) ?? 1;
      // What is exactly linear is no activation.
      if (share === 0 || share >= threshold) return [];
      return layerWarning(
        resolved,
        index,
        'nearly-linear',
        `With these options ${name} is almost linear: a line explains all but ${(100 * share).toPrecision(1)} % of its output. The network can do little more than a linear one.`,
        `Write "${definition.kind}" without options.`,
        replaceLayer(spec, index, definition.kind),
      );
    });
  },
};

/** The softmax of a single number is always 1. */
export const softmaxOfOne: SpecRule = {
  id: 'softmax-of-one',
  summary: 'A softmax has a single input.',
  check(resolved) {
    return resolved.model.layers.flatMap(({ name, definition, inputShape }, index) =>
      definition.outputMeaning === 'distribution' && numel(inputShape) === 1
        ? layerWarning(
            resolved,
            index,
            'softmax-of-one',
            `${name} has a single input, so its output is always 1 and it passes no gradient.`,
            'Use one unit per class before it, or "sigmoid" for a single output.',
            resolved.data.classes === undefined
              ? removeLayer(resolved.spec, index)
              : replaceLayer(resolved.spec, index, 'sigmoid'),
          )
        : [],
    );
  },
};

/** Units that start equal get equal gradients and stay equal. */
export const equalUnits: SpecRule = {
  id: 'equal-units',
  summary: 'All units of a layer start with the same weights.',
  check(resolved) {
    const { model } = resolved;
    return model.layers.flatMap((layer, index) => {
      const { name, definition, outputShape } = layer;
      if (!definition.macs || numel(outputShape) < 2 || !unitsStartIdentical(layer)) return [];
      // The units of the last layer have different targets, and those of a branch are joined with other values: their
      // gradients differ.
      if (!findSuccessor(model, index, (next) => !next.definition.macs)) return [];
      return layerWarning(
        resolved,
        index,
        'equal-units',
        `All units of ${name} start equal, so their gradients stay equal wherever the weights after them are equal too.`,
        'Initialize the weights randomly: omit "init", or use "xavier_uniform".',
        initializeEqualLayers(resolved, index),
      );
    });
  },
};

/**
 * All logits with the same weights: dL/dx = Wᵀ dL/dŷ = w Σ dL/dŷ, and that sum is 0 if a softmax, in the loss or before
 * it, makes the logits a distribution.
 */
export const equalOutgoing: SpecRule = {
  id: 'equal-outgoing',
  summary: 'The weights of the logits start equal for all classes.',
  check(resolved) {
    const { layers, loss } = resolved.model;
    const { target, takes, activation } = loss.definition;
    const last = lastEffectiveLayer(resolved);
    if (!last || target !== 'classes' || !activation) return [];
    if (takes !== 'logits' && last.layer.definition.kind !== activation.layer) return [];
    const index = takes === 'logits' ? last.index : inputsOf(resolved.model, last.index)[0]!;
    const logits = layers.at(index);
    if (!logits || index < 0) return [];
    const learnsBefore = layers.slice(0, index).some(({ definition }) => definition.parameters);
    if (
      !learnsBefore ||
      logits.definition.jacobianStructure !== 'weighted_sum' ||
      numel(logits.outputShape) < 2 ||
      !unitsStartIdentical(logits, 'weight')
    )
      return [];
    return [
      layerWarning(
        resolved,
        index,
        'equal-outgoing',
        `The weights of ${logits.name} start equal for all ${logits.outputShape.at(-1)!} classes, and the gradients of the logits sum to 0. Its input gradient is exactly 0, so no layer before it learns in the first step.`,
        'Initialize its weights randomly: omit "init" or "weight".',
        initializeEqualLayers(resolved, index),
      ),
    ];
  },
};

/** Draws the weights of all layers whose units start equal: one of them alone would leave the others as they are. */
function initializeEqualLayers({ spec, model }: Resolved, index: number): QuickFix {
  const equal = model.layers.flatMap((layer, i) =>
    i === index || (numel(layer.outputShape) > 1 && isWeighted(layer) && unitsStartIdentical(layer, 'weight'))
      ? [initializeRandomly(spec, i, layer)]
      : [],
  );
  return {
    title: equal.length > 1 ? 'Initialize these layers randomly' : equal[0]!.title,
    changes: equal.flatMap(({ changes }) => changes),
  };
}

const initializerOf = (type: keyof typeof initializers): InitializerDefinition => initializers[type];

/** Whether all units start with the same values. */
function unitsStartIdentical(layer: LayerModel, only?: string): boolean {
  const declared = declaredParameters(layer).filter(({ name }) => only === undefined || name === only);
  return (
    declared.length > 0 &&
    declared.every(({ shape, init }) => {
      if ('initializer' in init) return initializerOf(init.initializer.type).isConstant === true;
      const row = init.values.length / shape[0]!;
      return init.values.every((value, i) => value === init.values[i % row]);
    })
  );
}

/** With sums this far from 0, sigmoid and tanh are flat. */
const SATURATION_LIMIT = 5;

/** Weights with a nonzero mean add up over the inputs instead of canceling out. */
export const weightsOneSided: SpecRule = {
  id: 'weights-one-sided',
  summary: 'The initial weights have a mean other than 0 and saturate the next layer.',
  check(resolved) {
    const { layers } = resolved.model;
    return layers.flatMap((layer, index) => {
      const after = consumersOf(resolved.model, index)
        .map((consumer) => layers[consumer.layer]!)
        .find(({ definition }) => definition.idleness?.name === 'saturated');
      if (!after || layer.definition.jacobianStructure !== 'weighted_sum') return [];
      const mean = initialMean(layer);
      const inputs = layer.inputShape.at(-1)!;
      if (Math.abs(mean) * inputs < SATURATION_LIMIT || unitsStartIdentical(layer)) return [];
      return [
        layerWarning(
          resolved,
          index,
          'weights-one-sided',
          `The initial weights of ${layer.name} have the mean ${mean} instead of 0, so the ${pluralize(inputs, 'term')} of a sum ${inputs === 1 ? 'does' : 'do'} not cancel out: ${after.name} is probably saturated from the start and passes almost no gradient.`,
          'Initialize them around 0: omit "init", or use "xavier_uniform".',
          initializeRandomly(resolved.spec, index, layer),
        ),
      ];
    });
  },
};

/** The mean of a layer's randomly initialized weights; 0 for exact values. */
function initialMean(layer: LayerModel): number {
  const init = declaredParameters(layer).find(({ name }) => name === 'weight')?.init;
  if (!init || !('initializer' in init)) return 0;
  return initializerOf(init.initializer.type).mean?.(init.initializer) ?? 0;
}

/** A network without trained parameters does not learn. */
export const nothingToTrain: SpecRule = {
  id: 'nothing-to-train',
  summary: 'No layer has a trained parameter.',
  check(resolved) {
    const { layers } = resolved.model;
    const trains = layers.some((layer) => ownParameters(layer).some(({ name }) => !layer.freeze.includes(name)));
    if (trains) return [];
    return [
      layerWarning(
        resolved,
        0,
        'nothing-to-train',
        'No layer has a trained parameter, so the loss will not change.',
        'Add a linear layer, or remove "freeze" from one.',
        unfreeze(resolved.spec),
      ),
    ];
  },
};

/** Biases shift what random weights compute, but do not choose what it is computed from. */
export const weightsFrozen: SpecRule = {
  id: 'weights-frozen',
  summary: 'All weights are frozen as they were drawn, and only biases are trained.',
  check(resolved) {
    const owned = resolved.model.layers.flatMap((layer) =>
      ownParameters(layer).map((each) => ({ ...each, isFrozen: layer.freeze.includes(each.name) })),
    );
    const weights = owned.filter(({ shape }) => shape.length > 1);
    // Given weights are trained ones.
    const areFrozen = weights.every(({ isFrozen, init }) => isFrozen && 'initializer' in init);
    if (weights.length === 0 || !areFrozen || owned.every(({ isFrozen }) => isFrozen)) return [];
    const index = resolved.spec.layers.findLastIndex(({ freeze }) => freeze.length > 0);
    return [
      layerWarning(
        resolved,
        index,
        'weights-frozen',
        'All weights are frozen at their random initial values, and only biases are trained: the network cannot learn what to compute from its input.',
        'Remove "freeze", at least from the last layer.',
        unfreeze(resolved.spec),
      ),
    ];
  },
};

/** Random features can be enough, but a layer that is frozen by mistake says so nowhere else. */
export const frozenAtRandom: SpecRule = {
  id: 'frozen-at-random',
  summary: 'The weights of a layer are frozen at random initial values, and those of other layers are trained.',
  check(resolved) {
    const { model, spec } = resolved;
    const weightsOf = (layer: LayerModel) => ownParameters(layer).filter(({ shape }) => shape.length > 1);
    const isFrozen = (layer: LayerModel): boolean =>
      weightsOf(layer).some(({ name, init }) => layer.freeze.includes(name) && 'initializer' in init);
    // If all are frozen, that is another finding.
    if (!model.layers.some((layer) => weightsOf(layer).some(({ name }) => !layer.freeze.includes(name)))) return [];
    return model.layers.flatMap((layer, index) => {
      if (!isFrozen(layer) || isCopy(spec, index)) return [];
      const path = [...spec.layers[index]!.path, 'freeze'];
      return layerWarning(
        resolved,
        index,
        'frozen-at-random',
        `The weights of ${layer.name} are frozen at random initial values: it never learns what to compute, and the layers after it only see that.`,
        'Remove "freeze", or give it weights that were trained.',
        spec.source.has(path) ? { title: `Train ${layer.name}`, changes: [{ path }] } : undefined,
      );
    });
  },
};

/** Removes every "freeze"; undefined where nothing is frozen. */
function unfreeze(spec: Spec): QuickFix | undefined {
  const paths = spec.layers.filter(({ freeze }) => freeze.length > 0).map(({ path }) => [...path, 'freeze']);
  if (paths.length === 0) return undefined;
  return {
    title: 'Train all parameters',
    changes: paths.filter((path) => spec.source.has(path)).map((path) => ({ path })),
  };
}

/** A softmax between layers limits the sum of its outputs to 1, each to about 1/n. */
export const softmaxInside: SpecRule = {
  id: 'softmax-inside',
  summary: 'A softmax is used as a hidden activation.',
  check(resolved) {
    const { model } = resolved;
    const last = lastEffectiveLayer(resolved)?.index;
    return model.layers.flatMap(({ name, definition: { outputMeaning }, inputShape }, index) =>
      outputMeaning === 'distribution' && index !== last && findSuccessor(model, index, (next) => !next.definition.macs)
        ? layerWarning(
            resolved,
            index,
            'softmax-inside',
            `${name} is used as a hidden activation. Its ${numel(inputShape)} outputs share a sum of 1, so each is small and gradients shrink.`,
            `Replace ${name} with "relu" or "tanh".`,
            replaceLayer(resolved.spec, index, 'tanh'),
          )
        : [],
    );
  },
};

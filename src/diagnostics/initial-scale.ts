// Initial weights whose size does not suit the layer: signals grow or vanish from layer to layer.
import { numel } from '../engine/kernels/tensor';
import { initializers } from '../engine/initializers';
import type { InitializerDefinition } from '../engine/initializers/initializer';
import { declaredParameters, type LayerModel } from '../engine/network-model';
import { isChainFrom } from '../engine/network-graph';
import type { Resolved, SpecRule } from '../model-spec';
import type { Problem } from '../protocol/problem';
import { formatRounded } from './format';
import { drawsWeights, initializeBy, isCopy } from './quick-fixes';
import { findSuccessor, isWeighted, layerWarning } from './warnings';

interface ScaledLayer {
  readonly index: number;
  readonly layer: LayerModel;
  /** What makes them as large: "a standard deviation of 3", "a gain of 60". */
  readonly cause: string;
  /** The standard deviation of a weighted sum of inputs of variance 1. */
  readonly gain: number;
}

/** The layers whose initial weights have a size that the spec gives, in networks with hidden layers. */
function scaledLayers({ model }: Resolved): ScaledLayer[] {
  if (model.layers.filter(isWeighted).length < 2) return [];
  return model.layers.flatMap((layer, index) => {
    const weight = declaredParameters(layer).find(({ name }) => name === 'weight');
    if (!weight || !drawsWeights(layer) || !('initializer' in weight.init)) return [];
    const { initializer } = weight.init;
    const definition: InitializerDefinition = initializers[initializer.type];
    const std = definition.std?.(initializer);
    const mean = definition.mean?.(initializer) ?? 0;
    const factor = definition.gain?.(initializer);
    // A normalization makes the size of the weights before it irrelevant.
    const next = findSuccessor(model, index, (other) => other.definition.passThrough === true);
    if (next?.definition.normalizesOver) return [];
    if (factor !== undefined) return [{ index, layer, cause: `a gain of ${factor}`, gain: factor }];
    if (std === undefined || std === 0) return [];
    const fanIn = weight.fans?.fanIn ?? numel(weight.shape.slice(1));
    // Weights of one sign add up where the inputs, as those of relu, have one sign too: by their number, not its root.
    const isOneSided = Math.abs(mean) > std && index > 0 && next?.definition.idleness?.name !== 'saturated';
    const gain = isOneSided ? Math.abs(mean) * fanIn : std * Math.sqrt(fanIn);
    const cause = isOneSided
      ? `a mean of ${formatRounded(mean, 2)} instead of 0`
      : `a standard deviation of ${formatRounded(std, 3)}`;
    return [{ index, layer, cause, gain }];
  });
}

/** The initializer that suits the activation after a layer. */
function suitableInitializer({ model }: Resolved, index: number): string {
  const next = findSuccessor(model, index, (other) => other.definition.passThrough === true);
  return next?.definition.idleness?.name === 'dead' ? 'kaiming_uniform' : 'xavier_uniform';
}

function warnOf(resolved: Resolved, code: string, layers: readonly ScaledLayer[], effect: string): Problem[] {
  const [first] = layers;
  if (!first) return [];
  const names = [...new Set(layers.map(({ layer }) => layer.name))].join(', ');
  const { cause, gain, index, layer } = first;
  const suitable = layers.map((each) => ({ ...each, initializer: suitableInitializer(resolved, each.index) }));
  return [
    layerWarning(
      resolved,
      index,
      code,
      `The initial weights of ${layer.name} are too ${effect.split(':')[0]!}: with ${cause}, its sums are ${formatRounded(gain, 2)} times as large as its inputs.${effect.split(':')[1]!}`,
      `Initialize ${names} by "${suitable[0]!.initializer}", which suits the number of inputs.`,
      {
        title: `Initialize ${names} by size`,
        changes: initializeBy(resolved.spec, suitable),
      },
    ),
  ];
}

export const largeInit: SpecRule = {
  id: 'large-init',
  summary: 'The initial weights of a layer make signals many times larger.',
  threshold: {
    value: 5,
    quantity: 'standard deviation of the weights, times the square root of the number of inputs',
    source: 'PyTorch, torch.nn.init.calculate_gain: 1 to 5/3 for all activations; three times as much',
  },
  check(resolved, threshold) {
    const large = scaledLayers(resolved).filter(({ gain }) => gain > threshold);
    // Large logits alone are corrected within some steps.
    const last = resolved.model.layers.findLastIndex(isWeighted);
    if (large.every(({ index }) => index === last)) return [];
    return warnOf(
      resolved,
      'large-init',
      large,
      'large: Units saturate, or activations and gradients explode with depth.',
    );
  },
};

export const smallInit: SpecRule = {
  id: 'small-init',
  summary: 'The initial weights make signals vanish on their way through the network.',
  threshold: {
    value: 1e-4,
    quantity: 'standard deviations of the hidden weights, times the square roots of their inputs, multiplied',
    source: 'He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015, section 2.2: these factors multiply with depth',
  },
  check(resolved, threshold) {
    const { model } = resolved;
    // A skip connection passes signals on beside the weights.
    if (!isChainFrom(model, 0) || model.layers.some(({ definition }) => definition.normalizesOver)) return [];
    const last = model.layers.findLastIndex(isWeighted);
    const small = scaledLayers(resolved).filter(({ gain }) => gain < 1);
    const product = small.reduce((sum, { gain, index }) => (index === last ? sum : sum * gain), 1);
    if (product >= threshold) return [];
    return warnOf(
      resolved,
      'small-init',
      small,
      `small: From the input to the last layer, signals shrink to ${formatRounded(product, 2)} of their size, and gradients vanish on their way back.`,
    );
  },
};

/** Tables of vectors and weights of a state, by the option that initializes them; a bias that outweighs all sums. */
const OTHER_WEIGHTS: Readonly<Record<string, string>> = {
  weight: 'init',
  weight_ih: 'init',
  weight_hh: 'recurrent_init',
  bias: 'bias_init',
  bias_ih: 'bias_init',
  bias_hh: 'bias_init',
};

/** Parts of the threshold: a state that is multiplied again and again, and a sum that a bias dominates. */
const [GROWING, SATURATING] = [0.25, 0.5];

/**
 * What is added to a signal of size 1, looked up in place of one, or multiplied with a state at each time step.
 * Normalizations and weights of size 1 after them do not make it smaller.
 */
export const largeValues: SpecRule = {
  id: 'large-initial-values',
  summary: 'Biases, the vectors of a table, or the weights of a state start many times larger than signals are.',
  threshold: {
    value: 10,
    quantity: 'size of a bias, of the entries of a table, or of a sum of states',
    source: 'PyTorch, torch.nn.Embedding: entries of size 1; Radford et al., GPT-2, 2019: 0.02',
  },
  check(resolved, threshold) {
    const { model, spec, data } = resolved;
    const last = model.layers.findLastIndex(isWeighted);
    return model.layers.flatMap((layer, index) => {
      if (isCopy(spec, index)) return [];
      const large = declaredParameters(layer).flatMap(({ name, option: valuesOption = name, shape, init }) => {
        const option = OTHER_WEIGHTS[valuesOption];
        const isDrawnWeight =
          name === 'weight' && (drawsWeights(layer) || layer.definition.normalizesOver !== undefined);
        if (option === undefined || isDrawnWeight || !('initializer' in init)) return [];
        const { initializer } = init;
        const definition: InitializerDefinition = initializers[initializer.type];
        const size =
          definition.gain?.(initializer) ??
          Math.hypot(definition.std?.(initializer) ?? 0, definition.mean?.(initializer) ?? 0);
        const isState = name.startsWith('weight_');
        // Outputs near the mean of the targets are a good start.
        if (name === 'bias' && index === last && data.classes === undefined) return [];
        // The gates of a recurrent layer are sigmoids.
        const limit =
          name === 'weight' || (isState && !definition.gain) ? threshold : threshold * (isState ? GROWING : SATURATING);
        return size * (isState ? Math.sqrt(definition.gain ? 1 : shape[1]!) : 1) > limit
          ? [{ name, option, size }]
          : [];
      });
      const [first] = large;
      // Logits that start far off are corrected by the bias alone, if steps are large enough.
      if (!first || !spec.source.has([...spec.layers[index]!.path, first.option])) return [];
      const options = [...new Set(large.map(({ option }) => option))];
      const isBias = first.name.startsWith('bias');
      return layerWarning(
        resolved,
        index,
        'large-initial-values',
        `${first.name} of ${layer.name} starts far too large, at about ${formatRounded(first.size, 2)}: ${
          isBias
            ? 'it outweighs what comes from the inputs, so units start dead or saturated and outputs far off'
            : first.name === 'weight'
              ? 'steps of a usual size hardly change such vectors, and they saturate or drown whatever they meet'
              : 'states saturate or explode from one time step to the next'
        }.`,
        `Leave ${options.map((each) => `"${each}"`).join(' and ')} of ${layer.name} at the default.`,
        {
          title: `Use the default ${options.join(' and ')} of ${layer.name}`,
          changes: options.map((option) => ({ path: [...spec.layers[index]!.path, option] })),
        },
      );
    });
  },
};

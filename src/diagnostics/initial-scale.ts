// Initial weights whose size does not suit the layer: signals grow or vanish from layer to layer.
import { numel } from '../engine/kernels/tensor';
import { initializers } from '../engine/initializers';
import type { InitializerDefinition } from '../engine/initializers/initializer';
import { declaredParameters, type LayerModel } from '../engine/network-model';
import { isChainFrom } from '../engine/network-graph';
import type { Resolved, SpecRule } from '../model-spec';
import type { Problem } from '../protocol/problem';
import { formatRounded } from './format';
import { drawsWeights, initializeBy } from './quick-fixes';
import { findSuccessor, isWeighted, layerWarning } from './warnings';

interface ScaledLayer {
  readonly index: number;
  readonly layer: LayerModel;
  readonly std: number;
  /** The standard deviation of a weighted sum of inputs of variance 1. */
  readonly gain: number;
}

/** The layers whose initial weights have a standard deviation that the spec gives, in networks with hidden layers. */
function scaledLayers({ model }: Resolved): ScaledLayer[] {
  if (model.layers.filter(isWeighted).length < 2) return [];
  return model.layers.flatMap((layer, index) => {
    const weight = declaredParameters(layer).find(({ name }) => name === 'weight');
    if (!weight || !drawsWeights(layer) || !('initializer' in weight.init)) return [];
    const { initializer } = weight.init;
    const definition: InitializerDefinition = initializers[initializer.type];
    const std = definition.std?.(initializer);
    if (std === undefined || std === 0) return [];
    // A normalization makes the size of the weights before it irrelevant.
    const next = findSuccessor(model, index, (other) => other.definition.passThrough === true);
    if (next?.definition.normalizesOver) return [];
    const fanIn = weight.fans?.fanIn ?? numel(weight.shape.slice(1));
    return { index, layer, std, gain: std * Math.sqrt(fanIn) };
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
  const { std, gain, index, layer } = first;
  const suitable = layers.map((each) => ({ ...each, initializer: suitableInitializer(resolved, each.index) }));
  return [
    layerWarning(
      resolved,
      index,
      code,
      `The initial weights of ${layer.name} are too ${effect.split(':')[0]!}: with a standard deviation of ${std}, its sums are ${formatRounded(gain, 2)} times as large as its inputs.${effect.split(':')[1]!}`,
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

// Networks that compute less than they seem to, or that cannot learn from how they start.
import { counted } from '../../engine/counted';
import { sizeOf } from '../../engine/kernels/tensor';
import type { LayerModel } from '../../engine/network';
import type { SpecRule } from '../../spec/resolve';
import { aboutLayer, lastActive } from './place';

/** Layers that are no activation. */
const PASSES_ON: readonly string[] = ['identity', 'flatten', 'dropout', 'avg_pool2d', 'batch_norm1d', 'batch_norm2d'];

/** Two linear layers without an activation between them are one linear layer. */
export const noActivation: SpecRule = {
  id: 'no-activation',
  rule(resolved) {
    const { layers } = resolved.model;
    let linear: string | undefined;
    return layers.flatMap(({ name, definition: { kind, macs, parameters } }, index) => {
      if (PASSES_ON.includes(kind)) return [];
      const before = linear;
      const sums = macs && parameters;
      linear = sums ? name : undefined;
      if (!sums || before === undefined) return [];
      return [
        aboutLayer(
          resolved, index, 'no-activation',
          `No activation stands between ${before} and ${name}: together they can do no more than a single linear layer.`,
          `Add an activation such as "tanh" before ${name}.`,
        ),
      ];
    });
  },
};

/** The softmax of one number is 1, whatever the number. */
export const softmaxOfOne: SpecRule = {
  id: 'softmax-of-one',
  rule(resolved) {
    return resolved.model.layers.flatMap(({ name, definition: { kind }, inputShape }, index) =>
      kind === 'softmax' && sizeOf(inputShape) === 1
        ? aboutLayer(
            resolved, index, 'softmax-of-one',
            `${name} has a single input, so it always gives 1 and no gradient passes it.`,
            'Give one unit to each class before it, or use "sigmoid" for a single output.',
          )
        : [],
    );
  },
};

/** Units that start equal get equal gradients and stay equal. */
export const equalUnits: SpecRule = {
  id: 'equal-units',
  rule(resolved) {
    const { layers } = resolved.model;
    const lastWithWeights = layers.findLastIndex(({ definition }) => definition.macs);
    return layers.flatMap((layer, index) => {
      const { name, definition, outputShape } = layer;
      // Units of the last one get different gradients: each has a target of its own.
      if (!definition.macs || index === lastWithWeights || sizeOf(outputShape) < 2 || !unitsStartEqual(layer)) return [];
      return aboutLayer(
        resolved, index, 'equal-units',
        `All units of ${name} start equal, so they get equal gradients wherever the weights after them are equal too.`,
        'Draw the weights at random: leave out "init", or use "xavier_uniform".',
      );
    });
  },
};

/** Losses whose gradient over the logits of a sample sums to 0, with the layer that they need before them. */
const SUMS_TO_ZERO: Readonly<Record<string, string>> = { cross_entropy: 'linear', cross_entropy_on_probabilities: 'softmax', nll: 'log_softmax' };

/** All logits with the same weights: dL/dx = Wᵀ dL/dŷ = w Σ dL/dŷ, and that sum is 0. */
export const equalOutgoing: SpecRule = {
  id: 'equal-outgoing',
  rule(resolved) {
    const { layers, loss } = resolved.model;
    const last = lastActive(resolved);
    const needed = SUMS_TO_ZERO[loss.definition.kind];
    if (!last || last.layer.definition.kind !== needed) return [];
    const index = needed === 'linear' ? last.index : last.index - 1;
    const logits = layers[index];
    const learnsBefore = layers.slice(0, Math.max(0, index)).some(({ definition }) => definition.parameters);
    if (!learnsBefore || logits.definition.kind !== 'linear' || sizeOf(logits.outputShape) < 2 || !unitsStartEqual(logits, 'weight')) return [];
    return [
      aboutLayer(
        resolved, index, 'equal-outgoing',
        `Every unit before ${logits.name} starts with the same weight to all ${sizeOf(logits.outputShape)} classes, and the gradients of the logits sum to 0: what ${logits.name} hands back is exactly 0, and no layer before it learns in the first step.`,
        'Draw its weights at random: leave out "init" or "weight".',
      ),
    ];
  },
};

/** Whether every unit has the same values, or is drawn the same. */
function unitsStartEqual({ definition, inputShape, options }: LayerModel, only?: string): boolean {
  const declared = (definition.parameters?.(inputShape, options) ?? []).filter(({ name }) => only === undefined || name === only);
  return declared.length > 0 && declared.every(({ shape, start }) => {
    if ('initializer' in start) return ['constant', 'zeros'].includes(start.initializer.type);
    const row = start.values.length / shape[0];
    return start.values.every((value, i) => value === start.values[i % row]);
  });
}

/** Sums that far from 0 end where a sigmoid and a tanh are flat. */
const FLAT = 5;

/** Weights around another number than 0 add up over the inputs in place of cancelling. */
export const weightsOneSided: SpecRule = {
  id: 'weights-one-sided',
  rule(resolved) {
    const { layers } = resolved.model;
    return layers.flatMap((layer, index) => {
      const after = layers[index + 1];
      if (layer.definition.kind !== 'linear' || !['sigmoid', 'tanh'].includes(after?.definition.kind)) return [];
      const mean = meanOfStart(layer);
      const inputs = sizeOf(layer.inputShape);
      if (Math.abs(mean) * inputs < FLAT || unitsStartEqual(layer)) return [];
      return [
        aboutLayer(
          resolved, index, 'weights-one-sided',
          `The weights of ${layer.name} are drawn around ${mean} and not 0, so the ${counted(inputs, 'term')} of a sum ${inputs === 1 ? 'does' : 'do'} not cancel: ${after.name} is likely to be saturated from the start, where it passes hardly any gradient.`,
          'Draw them around 0: leave out "init", or use "xavier_uniform".',
        ),
      ];
    });
  },
};

/** Of a weight that is drawn, the mean of what it is drawn from; 0 where that is not told. */
function meanOfStart({ definition, inputShape, options }: LayerModel): number {
  const start = definition.parameters?.(inputShape, options).find(({ name }) => name === 'weight')?.start;
  if (!start || !('initializer' in start)) return 0;
  const { type, mean, a, b } = start.initializer as { type: string; mean?: number; a?: number; b?: number };
  if (type === 'normal') return mean ?? 0;
  return type === 'uniform' ? ((a ?? 0) + (b ?? 1)) / 2 : 0;
}

/** A network without a parameter that is updated does not learn. */
export const nothingToTrain: SpecRule = {
  id: 'nothing-to-train',
  rule(resolved) {
    const { layers } = resolved.model;
    const trains = layers.some(({ definition, inputShape, options, freeze }) =>
      (definition.parameters?.(inputShape, options) ?? []).some(({ name }) => !freeze.includes(name)),
    );
    if (trains) return [];
    return [
      aboutLayer(
        resolved, 0, 'nothing-to-train',
        'No layer has a parameter that is updated, so the loss will stay as it is.',
        'Add a linear layer, or remove "freeze" from one.',
      ),
    ];
  },
};

// Networks that compute less than they seem to, or that cannot learn from how they start.
import { sizeOf } from '../../engine/kernels/tensor';
import type { SpecRule } from '../../spec/resolve';
import { aboutLayer } from './place';

/** Layers that are no activation. */
const PASSES_ON: readonly string[] = ['identity', 'flatten', 'dropout', 'avg_pool2d', 'batch_norm1d', 'batch_norm2d'];

/** Two linear layers without an activation between them are one linear layer. */
export const noActivation: SpecRule = {
  id: 'no-activation',
  rule(resolved) {
    const { layers } = resolved.model;
    let linear: string | undefined;
    return layers.flatMap(({ name, definition: { kind, macs } }, index) => {
      if (PASSES_ON.includes(kind)) return [];
      const before = linear;
      linear = macs ? name : undefined;
      if (!macs || before === undefined) return [];
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
    return layers.flatMap(({ name, definition, inputShape, options, outputShape }, index) => {
      // Units of the last one get different gradients: each has a target of its own.
      if (!definition.macs || index === lastWithWeights || sizeOf(outputShape) < 2) return [];
      const declared = definition.parameters?.(inputShape, options) ?? [];
      const equal = declared.every(({ shape, start }) => {
        if ('initializer' in start) return ['constant', 'zeros'].includes(start.initializer.type);
        const row = start.values.length / shape[0];
        return start.values.every((value, i) => value === start.values[i % row]);
      });
      if (declared.length === 0 || !equal) return [];
      return aboutLayer(
        resolved, index, 'equal-units',
        `All units of ${name} start equal, so they get equal gradients wherever the weights after them are equal too.`,
        'Draw the weights at random: leave out "init", or use "xavier_uniform".',
      );
    });
  },
};

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

// Networks on sequences that cannot see the order of positions.
import type { Resolved, Spec, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { insertBefore } from './quick-fixes';
import { isWeighted, layerWarning } from './warnings';

/**
 * Attention is a function of a set: exchanging two positions exchanges two outputs. Vaswani et al., "Attention is all
 * you need", 2017, section 3.5.
 */
export const attentionWithoutPositions: SpecRule = {
  id: 'attention-without-positions',
  summary: 'Attention predicts a target at each position, but nothing tells positions apart.',
  check(resolved) {
    const { model, spec, data } = resolved;
    const first = attentionWithoutOrder(resolved);
    if (first === undefined) return [];
    const { name, inputShape } = model.layers[first]!;
    // A causal mask tells the first positions apart, and one target for the whole sequence may not depend on the order.
    const isPerPosition = data.targetSize > 1 && data.targetSize % inputShape[0]! === 0;
    const isCausal = (model.layers[first]!.options as { readonly is_causal?: boolean }).is_causal === true;
    // A row of all positions has weights of its own for each.
    const seesAll = model.layers.slice(first).some((layer) => isWeighted(layer) && layer.inputShape.length === 1);
    if (!isPerPosition || isCausal || seesAll) return [];
    return [
      layerWarning(
        resolved,
        first,
        'attention-without-positions',
        `${name} sees the ${inputShape[0]!} positions as a set: equal inputs get equal outputs wherever they are, but the target depends on the position.`,
        `Add "positional_encoding" before ${name}.`,
        addPositions(spec, first),
      ),
    ];
  },
};

/** The first layer that takes positions as a set, with none before it that tells them apart. */
export function attentionWithoutOrder({ model: { layers } }: Pick<Resolved, 'model'>): number | undefined {
  const first = layers.findIndex(({ definition }) => definition.positionsAs === 'set');
  if (first < 0 || layers.slice(0, first).some(({ definition }) => definition.positionsAs === 'sequence'))
    return undefined;
  return first;
}

/** Before the block around the attention, so that all of its branches get them. */
export function addPositions(spec: Spec, index: number): QuickFix {
  const [outer, position] = spec.layers[index]!.path;
  const at = spec.layers.findIndex(({ path }) => path[0] === outer && path[1] === position);
  const path = [outer!, Number(position)];
  return {
    title: `Add positions before ${spec.layers[index]!.name}`,
    changes: [{ ...insertBefore(spec, at, '', ['positional_encoding']).changes[0]!, path }],
  };
}

/** A position that attends to later ones sees its own target, which is the next token. */
export const attentionSeesTarget: SpecRule = {
  id: 'attention-sees-target',
  summary: 'The target of each position is the next input, and attention can look at it.',
  checkData(resolved, run) {
    const { model, spec } = resolved;
    const { dataset, split } = run;
    const length = dataset.inputShape[0] ?? 0;
    const seeing = model.layers.flatMap(({ definition, options }, index) =>
      definition.positionsAs === 'set' && (options as { readonly is_causal?: boolean }).is_causal === false
        ? [index]
        : [],
    );
    if (seeing.length === 0 || dataset.inputShape.length !== 1 || dataset.targetSize !== length || length < 2)
      return [];
    const isNext = (sample: number): boolean => {
      for (let t = 0; t < length - 1; t++)
        if (dataset.targets[sample * length + t] !== dataset.inputs[sample * length + t + 1]) return false;
      return true;
    };
    if (!split.train.every(isNext)) return [];
    const names = seeing.map((index) => spec.layers[index]!.name).join(', ');
    return [
      layerWarning(
        resolved,
        seeing[0]!,
        'attention-sees-target',
        `The target of each position is the next input, and ${names} can look at it: the network copies it instead of learning to predict.`,
        'Write "is_causal": true.',
        {
          title: `Make ${names} causal`,
          changes: seeing.map((index) => ({ path: [...spec.layers[index]!.path, 'is_causal'], value: true })),
        },
      ),
    ];
  },
};

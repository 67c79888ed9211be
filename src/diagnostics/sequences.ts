// Networks on sequences that cannot see the order of positions.
import type { CompiledRun, Resolved, Spec, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { formatPercent } from './format';
import { correlate } from './reference-fits';
import { insertBefore, resetOption } from './quick-fixes';
import { isWeighted, layerWarning, warningAt } from './warnings';

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

/** Whether the target at each position of the training samples is the next input. */
function predictsNext({ dataset, split }: CompiledRun): boolean {
  const length = dataset.inputShape[0] ?? 0;
  if (dataset.inputShape.length !== 1 || dataset.targetSize !== length || length < 2) return false;
  return split.train.every((sample) => {
    for (let t = 0; t < length - 1; t++)
      if (dataset.targets[sample * length + t] !== dataset.inputs[sample * length + t + 1]) return false;
    return true;
  });
}

/** Samples that are compared. */
const MAX_COMPARED = 500;
/** The correlation of a number with itself, rounded and on another scale. */
const SAME = 1 - 1e-6;

/**
 * Whether one of the values at each position is one of the target at the position before, up to the scale of a
 * transform.
 */
function predictsNextValue({ dataset, split, labels }: CompiledRun): boolean {
  const { inputs, targets, inputShape, targetSize } = dataset;
  const [length = 0, features = 0] = inputShape;
  const outputs = targetSize / length;
  if (labels || inputShape.length !== 2 || length < 3 || !Number.isInteger(outputs)) return false;
  const samples = split.train.subarray(0, MAX_COMPARED);
  const isNext = (feature: number, output: number): boolean => {
    for (let t = 0; t < length - 1; t++) {
      const valueOf = (sample: number): number => inputs[(sample * length + t + 1) * features + feature]!;
      const targetOf = (sample: number): number => targets[(sample * length + t) * outputs + output]!;
      if (!(Math.abs(correlate(Array.from(samples, valueOf), Array.from(samples, targetOf))) > SAME)) return false;
    }
    return true;
  };
  for (let feature = 0; feature < features; feature++)
    for (let output = 0; output < outputs; output++) if (isNext(feature, output)) return true;
  return false;
}

/** Whether a network that sees later positions sees what it is to predict. */
export const predictsLater = (run: CompiledRun): boolean => predictsNext(run) || predictsNextValue(run);

const USUAL_LENGTH = 32;

/** What a network does not see, it cannot use. */
export const shortContext: SpecRule = {
  id: 'short-context',
  summary: 'A language model sees only a few tokens at a time.',
  threshold: {
    value: 4,
    quantity: 'tokens in a sample',
    source: 'Bengio et al., "A neural probabilistic language model", 2003: 5 words; characters need more',
  },
  checkData(resolved, run, threshold) {
    const { spec } = resolved;
    const length = run.dataset.inputShape[0] ?? 0;
    if (length > threshold || !predictsNext(run) || !spec.source.has(['data', 'length'])) return [];
    return [
      warningAt(
        resolved,
        ['data', 'length'],
        'short-context',
        `Samples have only ${length} tokens: each prediction sees at most ${length} tokens before it, and everything that depends on earlier ones is out of reach.`,
        `Use a longer "length", such as ${USUAL_LENGTH}.`,
        {
          title: `Use samples of ${USUAL_LENGTH} tokens`,
          changes: [{ path: ['data', 'length'], value: USUAL_LENGTH }],
        },
      ),
    ];
  },
};

/** Sequences in which a token occurs before others, as padding at the end does not. */
const MIN_SEQUENCES = 0.1;

/** The row of padding starts as 0 and is never trained. */
export const paddingIsToken: SpecRule = {
  id: 'padding-is-token',
  summary: 'The padding index of an embedding is a token that occurs within sequences.',
  threshold: {
    value: MIN_SEQUENCES,
    quantity: 'share of the sequences in which the token occurs between others',
    source: 'PyTorch, torch.nn.Embedding: padding_idx does not contribute to the gradient',
  },
  checkData(resolved, run, threshold) {
    const { model, spec } = resolved;
    const { dataset, split } = run;
    const length = dataset.inputShape[0] ?? 0;
    if (dataset.inputShape.length !== 1) return [];
    return model.layers.flatMap(({ definition, options, name }, index) => {
      const { padding_idx: padding } = options as { readonly padding_idx?: number };
      if (!definition.indexCount || padding === undefined) return [];
      const within = split.train.reduce((count, sample) => {
        const row = dataset.inputs.subarray(sample * length, (sample + 1) * length);
        const [first, last] = [
          row.findIndex((token) => token !== padding),
          row.findLastIndex((token) => token !== padding),
        ];
        return count + Number(first >= 0 && row.subarray(first, last).includes(padding));
      }, 0);
      const share = within / split.train.length;
      if (!(share > threshold)) return [];
      return layerWarning(
        resolved,
        index,
        'padding-is-token',
        `padding_idx ${padding} of ${name} is no padding: in ${formatPercent(Number(share.toFixed(2)))} of the samples it occurs between other tokens. Its row stays 0, so the network learns nothing of it.`,
        'Remove "padding_idx", or use an index that only fills up short sequences.',
        resetOption(`Remove padding_idx of ${name}`, [...spec.layers[index]!.path, 'padding_idx']),
      );
    });
  },
};

/** A position that attends to later ones sees its own target, which is the next token. */
export const attentionSeesTarget: SpecRule = {
  id: 'attention-sees-target',
  summary: 'The target of each position is the next input, and attention can look at it.',
  checkData(resolved, run) {
    const { model, spec } = resolved;
    const seeing = model.layers.flatMap(({ definition, options }, index) =>
      definition.positionsAs === 'set' && (options as { readonly is_causal?: boolean }).is_causal === false
        ? [index]
        : [],
    );
    if (seeing.length === 0 || !predictsLater(run)) return [];
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

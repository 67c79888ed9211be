// Networks with branches, joins, shared parameters and sequences, drawn at random.
import fc from 'fast-check';
import type { LayerKind } from '../../src/engine/layers';
import type { LossKind } from '../../src/engine/losses';
import { numel, type Shape } from '../../src/engine/kernels/tensor';
import { NETWORK_INPUT } from '../../src/engine/network-graph';
import { layerOf, linear, type LayerRecipe, type NetRecipe } from './nets';

/** What to do with some of the outputs so far; the numbers choose among them. */
type Draw =
  | { readonly do: 'layer'; readonly recipe: LayerRecipe; readonly from: number }
  | { readonly do: 'join'; readonly recipe: LayerRecipe; readonly from: readonly [number, number] }
  | { readonly do: 'share'; readonly owner: number; readonly from: number; readonly bias: boolean };

const activations = fc.constantFrom<LayerKind>(
  ...(['tanh', 'relu', 'sigmoid', 'softmax', 'layer_norm', 'rms_norm', 'prelu', 'dropout', 'identity'] as const),
);
const units = fc.integer({ min: 1, max: 4 });
const linears = units.map((n) => linear(n));

const plainLayers: fc.Arbitrary<LayerRecipe> = fc.oneof(
  linears,
  activations.map((kind) => ({ kind })),
);

const cells: fc.Arbitrary<LayerRecipe> = fc
  .record({
    cell: fc.constantFrom<LayerRecipe>(
      { kind: 'rnn' },
      { kind: 'rnn', options: { nonlinearity: 'relu' } },
      { kind: 'gru' },
      { kind: 'lstm' },
    ),
    hidden_size: units,
    bias: fc.boolean(),
    return: fc.constantFrom('all', 'all', 'last'),
    num_layers: fc.constantFrom(1, 1, 2),
    bidirectional: fc.constantFrom(false, false, true),
    drops: fc.boolean(),
  })
  .map(({ cell: { kind, options }, drops, ...more }) => ({
    kind,
    options: { ...options, ...more, ...(drops && more.num_layers > 1 && { dropout: 0.3 }) },
  }));

const attention: fc.Arbitrary<LayerRecipe> = fc
  .record({ num_heads: fc.integer({ min: 1, max: 2 }), is_causal: fc.boolean(), bias: fc.boolean() })
  .map((options) => ({ kind: 'multihead_attention', options }));

/** What only sequences, time steps × features, go through. */
const sequenceLayers: fc.Arbitrary<LayerRecipe> = fc.oneof(
  cells,
  attention,
  fc.constantFrom<LayerRecipe>(
    { kind: 'positional_encoding' },
    { kind: 'positional_encoding', options: { encoding: 'sinusoidal' } },
    { kind: 'global_avg_pool1d' },
    { kind: 'conv1d', options: { out_channels: 2, kernel_size: 3, padding: 1 } },
    { kind: 'conv1d', options: { out_channels: 3, kernel_size: 2, padding: 2, dilation: 2 } },
    { kind: 'flatten' },
  ),
);

const joins = fc.constantFrom<LayerKind>('add', 'subtract', 'multiply', 'concat');

/** @param layers those that take one input @param recipes those that take two */
const drawOf = (layers: fc.Arbitrary<LayerRecipe>, recipes: fc.Arbitrary<LayerRecipe>): fc.Arbitrary<Draw> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant('layer' as const), recipe: layers, from: fc.nat() }) },
    fc.record({ do: fc.constant('join' as const), recipe: recipes, from: fc.tuple(fc.nat(), fc.nat()) }),
    fc.record({ do: fc.constant('share' as const), owner: fc.nat(), from: fc.nat(), bias: fc.boolean() }),
  );

/** The shape of the output; null where the layer does not take these inputs. */
function outputShapeOf({ kind, options }: LayerRecipe, [first, ...others]: readonly Shape[]): Shape | null {
  const { checkInput, checkInputs, inputCount, outputShape, ...definition } = layerOf(kind);
  const parsed = definition.options.parse(options ?? {});
  if (first === undefined || (others.length > 0 && (inputCount?.max ?? 1) < 2)) return null;
  if (checkInput?.(first, parsed)) return null;
  if (checkInputs?.([first, ...others], parsed)) return null;
  const shape = outputShape(first, parsed, others);
  return shape.every((size) => size >= 1) && numel(shape) <= 64 ? shape : null;
}

/** The layers that the draws make, those that cannot be made left out; every output is used in the end. */
function build(inputShape: Shape, embedding: LayerRecipe | null, draws: readonly Draw[]) {
  const layers: LayerRecipe[] = [];
  const shapes: Shape[] = [];
  const used = new Set<number>();
  // Indices go into an embedding and nowhere else.
  const sources = (): number[] => [...(embedding ? [] : [NETWORK_INPUT]), ...layers.keys()];
  const shapeOf = (source: number): Shape => (source === NETWORK_INPUT ? inputShape : shapes[source]);
  const push = (recipe: LayerRecipe, from: readonly number[]): boolean => {
    const shape = outputShapeOf(recipe, from.map(shapeOf));
    if (!shape) return false;
    from.forEach((source) => used.add(source));
    layers.push({ ...recipe, inputs: from });
    shapes.push(shape);
    return true;
  };
  /** Tries one source after the other. */
  const pushFromAny = (recipe: LayerRecipe, from: number, before: readonly number[] = []): void => {
    const among = sources();
    for (let i = 0; i < among.length; i++) if (push(recipe, [...before, among[(from + i) % among.length]])) return;
  };
  if (embedding) push(embedding, [NETWORK_INPUT]);
  for (const each of draws) {
    if (each.do === 'layer') pushFromAny(each.recipe, each.from);
    if (each.do === 'join') {
      const among = sources();
      pushFromAny(each.recipe, each.from[1], [among[each.from[0] % among.length]]);
    }
    if (each.do === 'share') {
      const owners = [...layers.keys()].filter((i) => layers[i].kind === 'linear' && !layers[i].shared);
      if (owners.length === 0) continue;
      const owner = owners[each.owner % owners.length];
      const width = shapeOf(layers[owner].inputs?.[0] ?? NETWORK_INPUT).at(-1);
      const fitting = sources().filter((source) => shapeOf(source).at(-1) === width);
      push({ ...linear(shapes[owner].at(-1)!), shared: { weight: owner, ...(each.bias && { bias: owner }) } }, [
        fitting[each.from % fitting.length],
      ]);
    }
  }
  const rows = sources()
    .filter((source) => !used.has(source))
    .map((source) => {
      if (shapeOf(source).length > 1) push({ kind: 'flatten' }, [source]);
      return shapeOf(source).length > 1 ? layers.length - 1 : source;
    });
  if (rows.length === 0) rows.push(layers.length - 1);
  if (rows.length > 1) {
    layers.push({ kind: 'concat', inputs: rows });
    shapes.push([rows.reduce((sum, source) => sum + numel(shapeOf(source)), 0)]);
  } else if (shapeOf(rows[0]).length > 1) push({ kind: 'flatten' }, rows);
  push(linear(2), rows.length > 1 || shapeOf(rows[0]).length > 1 ? [layers.length - 1] : rows);
  return { layers, shapes };
}

/** A loss on one of the outputs that it fits. */
interface Head {
  readonly at: number;
  readonly weight: number;
  readonly kind: 'same' | 'mse' | 'mae' | 'huber';
}

/** On an output as wide as the prediction with the targets, otherwise on one as large as the input with that. */
function auxiliaryOf(
  heads: readonly Head[],
  shapes: readonly Shape[],
  inputShape: Shape,
  { isText, loss }: { readonly isText: boolean; readonly loss: LossKind },
): NonNullable<NetRecipe['auxiliary']> {
  const targets = [...shapes.keys()].filter((layer) => shapes[layer].join() === '2');
  const inputs = [...shapes.keys()].filter((layer) => !isText && numel(shapes[layer]) === numel(inputShape));
  return heads.map(({ at, weight, kind }) => {
    const all = [...targets, ...inputs];
    const index = at % all.length;
    const target = index < targets.length ? 'targets' : 'inputs';
    const own = kind === 'same' ? (target === 'targets' ? loss : 'mse') : kind;
    return { kind: own, layer: all[index], weight, target };
  });
}

const rest = {
  heads: fc.array(
    fc.record({
      at: fc.nat(),
      weight: fc.constantFrom(0.1, 0.3, 1, 2),
      kind: fc.constantFrom<Head['kind']>('same', 'mse', 'mae', 'huber'),
    }),
    { maxLength: 2 },
  ),
  loss: fc.constantFrom<LossKind>('mse', 'cross_entropy', 'bce_with_logits', 'huber'),
  batch: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
  penalty: fc.option(fc.record({ l1: fc.constantFrom(0, 0.01), l2: fc.constantFrom(0, 0.1), biases: fc.boolean() }), {
    nil: undefined,
    freq: 4,
  }),
};

const toRecipe = ({
  inputs,
  embedding = null,
  draws,
  heads,
  loss,
  ...more
}: Omit<NetRecipe, 'layers' | 'inputs' | 'loss'> & {
  readonly inputs: Shape;
  readonly embedding?: LayerRecipe | null;
  readonly draws: readonly Draw[];
  readonly heads: readonly Head[];
  readonly loss: LossKind;
}): NetRecipe => {
  const { layers, shapes } = build(inputs, embedding, draws);
  const auxiliary = auxiliaryOf(heads, shapes, inputs, { isText: embedding !== null, loss });
  return { ...more, loss, inputs, layers, ...(auxiliary.length > 0 && { auxiliary }) };
};

/** On plain rows of numbers. Every network has at least one layer with parameters. */
export const randomGraphs: fc.Arbitrary<NetRecipe> = fc
  .record({
    ...rest,
    inputs: units.map((size) => [size]),
    draws: fc.array(
      drawOf(
        plainLayers,
        joins.map((kind) => ({ kind })),
      ),
      { minLength: 2, maxLength: 8 },
    ),
  })
  .map(toRecipe);

/** On sequences of numbers, or of tokens that are embedded. */
export const randomSequenceGraphs: fc.Arbitrary<NetRecipe> = fc
  .record({
    ...rest,
    time: units,
    features: units,
    isText: fc.boolean(),
    draws: fc.array(
      drawOf(
        fc.oneof(plainLayers, sequenceLayers),
        fc.oneof(
          joins.map((kind) => ({ kind })),
          fc.constant<LayerRecipe>({ kind: 'matmul' }),
          attention.map(({ kind, options }) => ({ kind, options: { ...options, is_causal: false } })),
        ),
      ),
      { minLength: 2, maxLength: 7 },
    ),
  })
  .map(({ time, features, isText, ...more }) =>
    toRecipe({
      ...more,
      inputs: isText ? [time] : [time, features],
      ...(isText && { embedding: { kind: 'embedding', options: { num_embeddings: 3, embedding_dim: features } } }),
    }),
  );

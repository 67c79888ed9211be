// The edits of a spec that make up quick fixes.
import { numel } from '../engine/kernels/tensor';
import { inputsOf } from '../engine/network-graph';
import type { LayerModel, NetworkModel } from '../engine/network-model';
import type { Path, Resolved, Spec } from '../model-spec';
import type { QuickFix, SpecChange } from '../protocol/problem';
import { isWeighted } from './warnings';

/** What a spec says at a path; undefined if nothing. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (found, key) =>
      typeof found === 'object' && found !== null
        ? (found as Readonly<Record<string | number, unknown>>)[key]
        : undefined,
    value,
  );
}

/** Sets an option of a component that may be written as its name alone, or left out. */
export const setOption = ({ source }: Spec, path: Path, type: string, option: string, value: unknown): SpecChange =>
  typeof valueAt(source.value, path) === 'object'
    ? { path: [...path, option], value }
    : { path, value: { type, [option]: value } };

export const setLearningRate = (spec: Spec, lr: number): QuickFix => ({
  title: `Set lr to ${lr}`,
  changes: [setOption(spec, ['optimizer'], spec.optimizer.type, 'lr', lr)],
});

export const setLoss = (kind: string): QuickFix => ({
  title: `Use the loss ${kind}`,
  changes: [{ path: ['loss'], value: kind }],
});

export const removeLayer = (spec: Spec, index: number): QuickFix => ({
  title: `Remove ${spec.layers[index]!.name}`,
  changes: [{ path: spec.layers[index]!.path }],
});

/** Puts a layer without options in the place of another. */
export function replaceLayer(spec: Spec, index: number, kind: string): QuickFix {
  const { path, name } = spec.layers[index]!;
  const written = valueAt(spec.source.value, [...path, 'name']);
  const value = written === undefined ? kind : { type: kind, name: written };
  return { title: `Replace ${name} with ${kind}`, changes: [{ path, value }] };
}

/** @param layers as they are written in a spec */
export const insertBefore = (spec: Spec, index: number, title: string, layers: readonly unknown[]): QuickFix => ({
  title,
  changes: layers.map((value, i) => {
    const path = spec.layers[index]!.path;
    return { path: [...path.slice(0, -1), Number(path[path.length - 1]) + i], value, insert: true };
  }),
});

/** What a layer may say of its initial values. */
const INITIAL_VALUES: readonly string[] = ['init', 'bias_init', 'weight', 'bias'];

const initialValuesOf = ({ source, layers }: Spec, index: number): string[] => {
  const value = valueAt(source.value, layers[index]!.path);
  const written = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  // A bias that is false is none.
  return INITIAL_VALUES.filter((key) => key in written && (key !== 'bias' || Array.isArray(written[key])));
};

/** Whether the spec says how a layer's parameters start. */
export const hasInitialValues = (spec: Spec, index: number): boolean => initialValuesOf(spec, index).length > 0;

/** Removes what determines a layer's initial values, so that they are random. */
export function initializeRandomly(spec: Spec, index: number, { outputShape }: LayerModel): QuickFix {
  const { path, name } = spec.layers[index]!;
  const removed = initialValuesOf(spec, index);
  const isSized = ['out_features', 'out_channels'].some((key) => spec.source.has([...path, key]));
  return {
    title: `Initialize ${name} randomly`,
    changes: [
      ...removed.map((key) => ({ path: [...path, key] })),
      ...(isSized ? [] : [{ path: [...path, 'out_features'], value: numel(outputShape) }]),
    ],
  };
}

/** Whether a layer sums inputs by weights that an initializer draws; an embedding selects rows instead. */
export const drawsWeights = ({ definition: { jacobianStructure, windows } }: LayerModel): boolean =>
  jacobianStructure === 'weighted_sum' || windows === 'convolution';

/** Draws the weights of layers by an initializer that keeps the size of signals. */
export function initializeBy(
  spec: Spec,
  layers: readonly { readonly index: number; readonly layer: LayerModel; readonly initializer: string }[],
): SpecChange[] {
  // The copies of a repeated layer share their text.
  const seen = new Set<string>();
  return layers.flatMap(({ index, layer, initializer }) => {
    const { path, type } = spec.layers[index]!;
    if (!drawsWeights(layer) || seen.has(path.join())) return [];
    seen.add(path.join());
    const { changes } = initializeRandomly(spec, index, layer);
    return [
      ...changes.filter((change) => change.path.at(-1) !== 'init'),
      setOption(spec, path, type, 'init', initializer),
    ];
  });
}

/** Leaves an option at its default. */
export const resetOption = (title: string, path: Path): QuickFix => ({ title, changes: [{ path }] });

export const standardizeInputs = (spec: Spec): QuickFix => ({
  title: 'Standardize the inputs',
  changes: [
    spec.source.has(['transforms'])
      ? { path: ['transforms', spec.transforms.length], value: 'standardize', insert: true }
      : { path: ['transforms'], value: ['standardize'] },
  ],
});

const copies = new WeakMap<Spec, ReadonlySet<number>>();

/** The copies of a repeated layer share their text. */
export function isCopy(spec: Spec, index: number): boolean {
  const known = copies.get(spec);
  if (known) return known.has(index);
  const seen = new Set<string>();
  const found = new Set<number>();
  for (const [i, { path }] of spec.layers.entries()) {
    const key = path.join('\n');
    if (seen.has(key)) found.add(i);
    seen.add(key);
  }
  copies.set(spec, found);
  return found.has(index);
}

/** Hidden layers that apply a function to each number, or a softmax to all. */
export function hiddenActivations(spec: Spec, { layers }: NetworkModel): number[] {
  const last = layers.findLastIndex(isWeighted);
  return layers.flatMap(({ definition }, index) =>
    index < last &&
    spec.layers[index]!.block === undefined &&
    !isCopy(spec, index) &&
    !definition.affine &&
    (definition.jacobianStructure === 'elementwise' || definition.outputMeaning !== undefined)
      ? [index]
      : [],
  );
}

/** Puts a normalization before every hidden activation of a layer that is a row of numbers. */
export function normalizeHidden(spec: Spec, model: NetworkModel): QuickFix {
  const indexes = hiddenActivations(spec, model).filter((index) => {
    const [source = -1, ...others] = inputsOf(model, index);
    return others.length === 0 && source >= 0 && model.layers[source]!.outputShape.length === 1;
  });
  return {
    title: 'Normalize the hidden layers',
    // From the last on, so that the others stay where they are.
    changes: indexes.toReversed().flatMap((index) => insertBefore(spec, index, '', ['layer_norm']).changes),
  };
}

/** Puts a normalization before every outermost block of branches that takes a row of numbers for each position. */
export function normalizeBlocks(spec: Spec, { layers }: NetworkModel): QuickFix {
  const seen = new Set<string>();
  const changes = spec.layers.flatMap(({ path, block }, index) => {
    const isNested = path.some((key) => key === 'branches') || path.filter((key) => key === 'layers').length > 2;
    if (block === undefined || isNested || seen.has(path.join()) || layers[index]!.outputShape.length > 2) return [];
    seen.add(path.join());
    return [{ path, value: 'layer_norm', insert: true as const }];
  });
  return { title: 'Normalize the input of each block', changes: changes.toReversed() };
}

/** Puts a recurrent layer with gates, of the same size, in the place of one without. */
export function replaceRecurrent(spec: Spec, index: number, { definition, options }: LayerModel): QuickFix {
  const { path, name } = spec.layers[index]!;
  const {
    hidden_size,
    num_layers,
    bidirectional,
    dropout,
    return: returned,
  } = options as {
    readonly hidden_size: number;
    readonly num_layers: number;
    readonly bidirectional: boolean;
    readonly dropout: number;
    readonly return: string;
  };
  const written = valueAt(spec.source.value, [...path, 'name']);
  const value = {
    type: definition.gatedKind,
    hidden_size,
    ...(num_layers > 1 && { num_layers }),
    ...(bidirectional && { bidirectional }),
    ...(dropout > 0 && { dropout }),
    ...(returned !== 'last' && { return: returned }),
    ...(written !== undefined && { name: written }),
  };
  return { title: `Replace ${name} with ${definition.gatedKind ?? ''}`, changes: [{ path, value }] };
}

interface LayerWithUnits {
  readonly index: number;
  readonly option: string;
}

/** The last layer with weights, if its text says how many outputs it has and nothing after it changes their number. */
export function lastLayerOf({ spec, model }: Resolved): LayerWithUnits | undefined {
  const index = model.layers.findLastIndex(isWeighted);
  const option = ['out_features', 'out_channels'].find((key) =>
    spec.source.has([...(spec.layers[index]?.path ?? ['']), key]),
  );
  return index < 0 || option === undefined ? undefined : { index, option };
}

export const setUnits = (spec: Spec, { index, option }: LayerWithUnits, count: number): SpecChange => ({
  path: [...spec.layers[index]!.path, option],
  value: count,
});

// What is tried where a network learns little: each unusual part of a spec is replaced by the usual one, those that are
// most specific first. Only measurements tell which of them is at fault.
import {
  addPositions,
  attentionWithoutOrder,
  hasInitialValues,
  hiddenActivations,
  initializeRandomly,
  insertBefore,
  isCopy,
  isWeighted,
  moreSamples,
  normalizeHidden,
  predictsLater,
  removeLayer,
  replaceLayer,
  setLoss,
  standardizeInputs,
  valueAt,
} from '../diagnostics';
import { inputsOf } from '../engine/network-graph';
import type { LayerModel } from '../engine/network-model';
import { type CompiledRun, isNamedInput, type Spec } from '../model-spec';
import { pluralize } from '../presentation/numbers';
import type { QuickFix, SpecChange } from '../protocol/problem';

export interface UsualValue {
  /** What it replaces, as the cause, in one sentence. */
  readonly cause: string;
  readonly fix: QuickFix;
  /** Replaces the whole optimizer. */
  readonly isOptimizer?: true;
  /** Replaces what is usual by something that can do more, which another rate can make up for. */
  readonly isCapacity?: true;
  /** Gives the network more samples, which names the cause whatever else helps with few. */
  readonly isMoreSamples?: true;
}

/**
 * Groups that are tried in this order: once one of them has a fix that is good enough, later ones are not tried.
 * Options that differ from their defaults, then what the data and the task ask for, then a network that can do more.
 */
export const usualValues = (spec: Spec, run: CompiledRun): UsualValue[][] => [
  [
    ...resetOptions(spec),
    ...resetTransforms(spec),
    ...resetLayerOptions(spec, run),
    ...ownParametersInstead(spec, run),
    ...withoutDropout(spec, run),
    ...seeingAll(spec, run),
  ],
  [
    ...trainAllSamples(spec, run),
    ...allColumns(spec, run),
    ...withoutRareColumns(spec, run),
    ...lossOfEngine(run),
    ...layerOfEngine(spec, run),
    ...standardized(spec, run),
    ...otherBatches(spec, run),
    ...withPositions(spec, run),
    ...otherActivations(spec, run),
    ...withoutOutputActivation(spec, run),
    ...classLoss(spec, run),
  ],
  [
    ...withoutLayer(spec, run),
    ...sumInsteadOfProduct(spec, run),
    ...shallower(spec, run),
    ...wider(spec, run),
    ...deeper(spec, run),
    ...normalized(spec, run),
    ...longer(spec, run),
    ...adaptive(spec),
  ],
];

const quote = (value: unknown): string => (typeof value === 'object' ? '' : ` ${String(value)}`);

const writtenKeys = (spec: Spec, path: readonly (string | number)[]): Readonly<Record<string, unknown>> => {
  const value = valueAt(spec.source.value, path);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
};

const KEPT_BY_COMPONENTS: readonly string[] = ['type', 'lr', 'module', 'options'];

function resetOptions(spec: Spec): UsualValue[] {
  const sections = [
    ['schedule', 'The schedule of the learning rate holds it back.', 'Keep the rate constant'],
    ['clip', 'The clip of the gradients holds it back.', 'Remove the clip'],
    ['penalty', 'The penalty holds it back.', 'Remove the penalty'],
    ['augment', 'The augmentation holds it back.', 'Remove the augmentation'],
    ['shuffle', 'The samples come in the same order in every epoch.', 'Shuffle the samples'],
  ] as const;
  const options = (['optimizer', 'loss'] as const).flatMap((section) =>
    Object.entries(writtenKeys(spec, [section]))
      .filter(([key]) => !KEPT_BY_COMPONENTS.includes(key))
      .map(([key, value]) => ({
        cause: `${key}${quote(value)} of ${spec[section].type} holds it back.`,
        fix: {
          title: `Remove ${key}`,
          changes: (key === 'momentum' ? ['nesterov', key] : [key]).map((each) => ({ path: [section, each] })),
        },
      })),
  );
  const written = Object.keys(writtenKeys(spec, ['optimizer'])).filter((key) => key !== 'type');
  // Each may undo what another one gains.
  const together: UsualValue[] =
    written.length > 1 && written.includes('lr')
      ? [
          {
            cause: `${written.join(' and ')} of ${spec.optimizer.type} hold it back together.`,
            fix: {
              title: `Use the defaults of ${spec.optimizer.type}`,
              changes: [{ path: ['optimizer'], value: { type: spec.optimizer.type } }],
            },
          },
        ]
      : [];
  return [
    ...sections
      .filter(([key]) => spec.source.has([key]) && !(key === 'shuffle' && spec.shuffle))
      .map(([key, cause, title]) => ({ cause, fix: { title, changes: [{ path: [key] }] } })),
    ...options,
    ...together,
  ];
}

/** Options of transforms, such as what is added to the variance. */
const resetTransforms = (spec: Spec): UsualValue[] =>
  spec.transforms.flatMap(({ type }, i) =>
    Object.entries(writtenKeys(spec, ['transforms', i]))
      .filter(([key]) => !KEPT_BY_COMPONENTS.includes(key))
      .map(([key, value]) => ({
        cause: `${key}${quote(value)} of ${type} holds it back.`,
        fix: { title: `Use the default ${key} of ${type}`, changes: [{ path: ['transforms', i, key] }] },
      })),
  );

/** A layer that shares its parameters may compute the same as the other one, or be held where that one must be. */
function ownParametersInstead(spec: Spec, run: CompiledRun): UsualValue[] {
  const shared = layersWhere(
    spec,
    run,
    (_, index) => typeof writtenKeys(spec, spec.layers[index]!.path).share === 'string',
  );
  return shared.map((index) => {
    const { path, name } = spec.layers[index]!;
    return {
      cause: `${name} has no parameters of its own: it shares those of ${String(writtenKeys(spec, path).share)}.`,
      fix: { title: `Give ${name} parameters of its own`, changes: [{ path: [...path, 'share'] }] },
    };
  });
}

/** Columns that a spec leaves out may be those that decide. */
function allColumns(spec: Spec, { dataset }: CompiledRun): UsualValue[] {
  const { inputs, path } = writtenKeys(spec, ['data']);
  if (!Array.isArray(inputs) || path === undefined || !dataset.featureNames) return [];
  return [
    {
      cause: `Its inputs are only ${listNames(dataset.featureNames, 'columns')} of the file.`,
      fix: { title: 'Use all other columns as inputs', changes: [{ path: ['data', 'inputs'] }] },
    },
  ];
}

/** From this share of equal values on, the rest of a column is too rare to learn from. */
const RARE = 0.95;

/** Scaled to a standard deviation of 1, rare values are large, and each is learned by heart. */
function withoutRareColumns(spec: Spec, run: CompiledRun): UsualValue[] {
  const { dataset, split } = run;
  const { inputs } = writtenKeys(spec, ['data']);
  const [width = 0] = dataset.inputShape;
  const names = dataset.featureNames;
  if (dataset.inputShape.length > 1 || !names || !('path' in writtenKeys(spec, ['data']))) return [];
  if (inputs !== undefined && !Array.isArray(inputs)) return [];
  const isRare = (column: number): boolean => {
    const counts = new Map<number, number>();
    for (const sample of split.train) {
      const value = dataset.inputs[sample * width + column]!;
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return Math.max(...counts.values()) >= RARE * split.train.length;
  };
  const rare = names.filter((_, column) => isRare(column));
  if (rare.length === 0 || rare.length === names.length) return [];
  return [
    {
      cause: `${listNames(rare, 'columns')} ${rare.length === 1 ? 'has' : 'have'} the same value in nearly all samples: ${rare.length === 1 ? 'it is sparse or constant' : 'they are sparse or constant'}, and the others are learned by heart.`,
      fix: {
        title: `Leave ${listNames(rare, 'columns')} out`,
        changes: [{ path: ['data', 'inputs'], value: names.filter((name) => !rare.includes(name)) }],
      },
    },
  ];
}

/** A causal mask hides later positions, which a task may need. */
function seeingAll(spec: Spec, run: CompiledRun): UsualValue[] {
  if (predictsLater(run)) return [];
  const masked = layersWhere(spec, run, (_, index) => writtenKeys(spec, spec.layers[index]!.path).is_causal === true);
  if (masked.length === 0) return [];
  return [
    {
      cause: `${namesOf(spec, masked)} ${masked.length === 1 ? 'sees' : 'see'} no later positions (is_causal), and the targets are not later inputs.`,
      fix: {
        title: `Let ${namesOf(spec, masked)} see all positions`,
        changes: masked.map((index) => ({ path: [...spec.layers[index]!.path, 'is_causal'] })),
      },
    },
  ];
}

/** Options of layers that say what they compute rather than how well it trains, or that would give the answer away. */
const KEPT_BY_LAYERS: readonly string[] = [
  ...['type', 'name', 'inputs', 'share', 'module', 'options', 'layers', 'times', 'is_causal', 'return', 'padding_idx'],
  // Initial values have a fix of their own.
  ...['init', 'bias_init', 'weight'],
];

/** Each option that differs from its default, for all layers that set it. */
function resetLayerOptions(spec: Spec, run: CompiledRun): UsualValue[] {
  const byKey = new Map<string, { readonly names: string[]; readonly changes: SpecChange[]; value: unknown }>();
  const initialized: number[] = [];
  spec.layers.forEach(({ path, name, block }, index) => {
    if (block !== undefined || isCopy(spec, index)) return;
    if (hasInitialValues(spec, index)) initialized.push(index);
    for (const [key, value] of Object.entries(writtenKeys(spec, path))) {
      if (KEPT_BY_LAYERS.includes(key) || (key === 'bias' && Array.isArray(value))) continue;
      const entry = byKey.get(key) ?? { names: [], changes: [], value };
      entry.names.push(name);
      entry.changes.push({ path: [...path, key] });
      byKey.set(key, entry);
    }
  });
  const initialization: UsualValue[] =
    initialized.length === 0
      ? []
      : [
          {
            cause: `The initial values of ${namesOf(spec, initialized)} hold it back.`,
            fix: {
              title: `Initialize ${namesOf(spec, initialized)} by default`,
              changes: initialized.flatMap(
                (index) => initializeRandomly(spec, index, run.model.layers[index]!).changes,
              ),
            },
          },
        ];
  return [
    ...initialization,
    ...[...byKey].map(([key, { names, changes, value }]) =>
      key === 'freeze'
        ? {
            cause: `${listNames(names)} cannot learn: parameters are frozen.`,
            fix: { title: `Train all parameters of ${listNames(names)}`, changes },
          }
        : {
            cause: `${key}${quote(value)} of ${listNames(names)} holds it back.`,
            fix: { title: `Use the default ${key} of ${listNames(names)}`, changes },
          },
    ),
  ];
}

const MAX_NAMES = 3;
const listNames = (names: readonly string[], what = 'layers'): string =>
  names.length > MAX_NAMES
    ? `${names.slice(0, MAX_NAMES - 1).join(', ')} and ${names.length - MAX_NAMES + 1} more ${what}`
    : names.join(', ');
const namesOf = (spec: Spec, indexes: readonly number[]): string =>
  listNames(indexes.map((index) => spec.layers[index]!.name));

function withoutDropout(spec: Spec, run: CompiledRun): UsualValue[] {
  const indexes = layersWhere(spec, run, ({ definition, options }) => (definition.dropRate?.(options) ?? 0) > 0);
  if (indexes.length === 0) return [];
  const names = namesOf(spec, indexes);
  return [
    {
      cause: `${names} drops too much.`,
      // From the last on, so that the others stay where they are.
      fix: {
        title: `Remove ${names}`,
        changes: indexes.toReversed().flatMap((index) => removeLayer(spec, index).changes),
      },
    },
  ];
}

/** Layers of the spec, each written one once, that are neither a named input nor a join of a block. */
const layersWhere = (spec: Spec, run: CompiledRun, isMeant: (layer: LayerModel, index: number) => boolean): number[] =>
  run.model.layers.flatMap((layer, index) => {
    const { block, path } = spec.layers[index]!;
    const isWritten = block === undefined && !isNamedInput({ path }) && !isCopy(spec, index);
    return isWritten && isMeant(layer, index) ? [index] : [];
  });

/** More samples are no help. */
const ENOUGH_SAMPLES = 250;

/** Where few samples are used of many. */
function trainAllSamples(spec: Spec, run: CompiledRun): UsualValue[] {
  const count = run.split.train.length;
  if (count > ENOUGH_SAMPLES) return [];
  const cause = `${pluralize(count, 'training sample')} are too few.`;
  const filled: UsualValue[] =
    writtenKeys(spec, ['data']).missing === 'drop'
      ? [
          {
            cause: `${cause} Those with a missing value are dropped.`,
            fix: { title: 'Fill in missing values', changes: [{ path: ['data', 'missing'], value: 'mean' }] },
          },
        ]
      : [];
  return [...filled, ...moreSamples(spec).map((fix) => ({ cause, fix }))].map((each) => ({
    ...each,
    isMoreSamples: true,
  }));
}

function standardized(spec: Spec, run: CompiledRun): UsualValue[] {
  if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
  const kinds = spec.transforms.map(({ type }) => type);
  const replaced: UsualValue[] =
    kinds.length === 0 || (kinds.length === 1 && kinds[0] === 'standardize')
      ? []
      : [
          {
            cause: `The transforms ${kinds.join(', ')} do not suit the data.`,
            fix: { title: 'Only standardize', changes: [{ path: ['transforms'], value: ['standardize'] }] },
          },
        ];
  if (kinds.includes('standardize')) return replaced;
  return [...replaced, { cause: 'The inputs are not standardized.', fix: standardizeInputs(spec) }];
}

const USUAL_BATCH = 32;
/** The noise of smaller ones is rarely wanted. */
const SMALL_BATCH = 4;

function otherBatches({ batchSize }: Spec, run: CompiledRun): UsualValue[] {
  if (run.split.train.length < 2 * USUAL_BATCH) return [];
  if (run.batchSize >= USUAL_BATCH / 2 && run.batchSize <= 2 * USUAL_BATCH) return [];
  return [
    {
      cause: `Batches of ${batchSize === 'full' ? 'all samples' : pluralize(run.batchSize, 'sample')} hold it back.`,
      fix: { title: `Set batch_size to ${USUAL_BATCH}`, changes: [{ path: ['batch_size'], value: USUAL_BATCH }] },
      ...(batchSize !== 'full' && run.batchSize >= SMALL_BATCH && { isCapacity: true as const }),
    },
  ];
}

/** Attention alone does not see the order. */
function withPositions(spec: Spec, run: CompiledRun): UsualValue[] {
  const first = attentionWithoutOrder(run);
  if (first === undefined) return [];
  return [
    {
      cause: 'Attention sees the positions of a sequence as a set, without their order.',
      fix: addPositions(spec, first),
    },
  ];
}

const lastWeighted = ({ model }: CompiledRun): number => model.layers.findLastIndex(isWeighted);

/** Of rectifiers and of functions that are steep around 0. */
const USUAL_ACTIVATIONS: readonly string[] = ['relu', 'leaky_relu', 'prelu', 'elu', 'gelu', 'silu', 'tanh'];

function otherActivations(spec: Spec, run: CompiledRun): UsualValue[] {
  const indexes = hiddenActivations(spec, run.model);
  const areUsual = indexes.every((index) => USUAL_ACTIVATIONS.includes(run.model.layers[index]!.definition.kind));
  return ['relu', 'tanh', 'leaky_relu'].flatMap((kind) => {
    const replaced = indexes.filter((index) => run.model.layers[index]!.definition.kind !== kind);
    if (replaced.length === 0) return [];
    const names = namesOf(spec, replaced);
    return [
      {
        cause: `The activation of ${names} holds it back.`,
        fix: {
          title: `Replace ${names} with ${kind}`,
          changes: replaced.flatMap((index) => replaceLayer(spec, index, kind).changes),
        },
        ...(areUsual && { isCapacity: true as const }),
      },
    ];
  });
}

function withoutOutputActivation(spec: Spec, run: CompiledRun): UsualValue[] {
  const last = run.model.layers.length - 1;
  const layer = run.model.layers[last]!;
  if (run.model.loss.definition.takes !== 'values' || layer.definition.jacobianStructure !== 'elementwise') return [];
  return [{ cause: `The activation ${layer.name} bounds the output.`, fix: removeLayer(spec, last) }];
}

/** A layer of the engine in the place of one in a file that changes no shape. */
const layerOfEngine = (spec: Spec, run: CompiledRun): UsualValue[] =>
  layersWhere(
    spec,
    run,
    ({ definition, inputShape, outputShape }, index) =>
      definition.sourceLocations !== undefined &&
      inputsOf(run.model, index).length === 1 &&
      inputShape.join() === outputShape.join() &&
      index < lastWeighted(run),
  ).flatMap((index) =>
    ['tanh', 'relu'].map((kind) => ({
      cause: `The custom layer ${spec.layers[index]!.name} holds it back.`,
      fix: replaceLayer(spec, index, kind),
    })),
  );

/** Classes have losses of their own. */
function classLoss(spec: Spec, run: CompiledRun): UsualValue[] {
  const { layers, loss } = run.model;
  if (loss.definition.takes !== 'values') return [];
  if (!run.labels) return probabilityLoss(spec, run);
  const last = layers.length - 1;
  const isActivated = last > lastWeighted(run) && !layers[last]!.definition.passThrough;
  const kind = run.targetWidth > 1 ? 'cross_entropy' : 'bce_with_logits';
  return [
    {
      cause: `${spec.loss.type} is a loss for values, and the targets are classes.`,
      fix: {
        title: `Use the loss ${kind}`,
        changes: [{ path: ['loss'], value: kind }, ...(isActivated ? removeLayer(spec, last).changes : [])],
      },
    },
  ];
}

/** Targets of 0 and 1 behind a layer that gives probabilities. */
function probabilityLoss(spec: Spec, { model, dataset }: CompiledRun): UsualValue[] {
  if (model.layers.at(-1)!.definition.outputMeaning !== 'probability' || dataset.targetSize !== 1) return [];
  if (!dataset.targets.every((value) => value === 0 || value === 1)) return [];
  const { targets, task } = writtenKeys(spec, ['data']);
  return [
    {
      cause: `${spec.loss.type} behind ${model.layers.at(-1)!.name} has almost no gradient where a prediction is wrong and sure, and the targets are classes.`,
      fix: {
        title: 'Use the loss bce',
        changes: [
          { path: ['loss'], value: 'bce' },
          ...(targets === undefined
            ? []
            : [{ path: ['data', 'targets'] }, { path: ['data', 'labels'], value: targets }]),
          ...(task === 'values' ? [{ path: ['data', 'task'] }] : []),
        ],
      },
    },
  ];
}

/** The loss that is usual for the targets, in the place of one in a file. */
function lossOfEngine({ model: { loss }, labels, targetWidth }: CompiledRun): UsualValue[] {
  if (!loss.definition.sourceLocations) return [];
  const kind = !labels ? 'mse' : targetWidth > 1 ? 'cross_entropy' : 'bce_with_logits';
  return [{ cause: `Its own loss, ${loss.definition.kind}, holds it back.`, fix: setLoss(kind) }];
}

/** What says how many numbers a hidden layer has. */
const WIDTHS = ['out_features', 'out_channels', 'hidden_size', 'embedding_dim', 'embed_dim'];
const [NARROW, WIDER] = [24, 4];

/** All hidden layers together, so that those that are joined still fit together. */
function wider(spec: Spec, run: CompiledRun): UsualValue[] {
  const hidden = layersWhere(spec, run, (_, index) => index < lastWeighted(run));
  const changes = hidden.flatMap((index): SpecChange[] => {
    const { path } = spec.layers[index]!;
    return Object.entries(writtenKeys(spec, path)).flatMap(([key, value]) =>
      WIDTHS.includes(key) && typeof value === 'number' ? [{ path: [...path, key], value: WIDER * value }] : [],
    );
  });
  const widths = changes.map(({ value }) => Number(value) / WIDER);
  if (!widths.some((width) => width < NARROW)) return [];
  return [
    {
      cause: `Its hidden layers are narrow: ${pluralize(Math.min(...widths), 'unit')} at the narrowest.`,
      fix: { title: `Make all hidden layers ${WIDER} times as wide`, changes },
      isCapacity: true,
    },
  ];
}

/** Times that a block is repeated without a way around it. */
const FEW_TIMES = 3;

/** He et al., "Deep residual learning for image recognition", 2016: plain networks train worse the deeper they are. */
function shallower(spec: Spec, run: CompiledRun): UsualValue[] {
  const repeats = new Map(
    spec.layers.flatMap(({ path }) => {
      const at = path.slice(0, 2);
      const { type, times } = writtenKeys(spec, at);
      return type === 'repeat' && Number(times) > FEW_TIMES ? [[at.join('.'), at] as const] : [];
    }),
  );
  return [...repeats.values()].flatMap((at) => {
    const { times, layers } = writtenKeys(spec, at);
    const cause = `Its block of layers is repeated ${String(times)} times, one after the other.`;
    const hasWayAround = run.model.layers.some(
      (_, index) => spec.layers[index]!.block === 'residual' || inputsOf(run.model, index).length > 1,
    );
    return [
      ...(hasWayAround
        ? []
        : [
            {
              cause,
              fix: {
                title: 'Make the repeated block residual',
                changes: [{ path: [...at, 'layers'], value: [{ type: 'residual', layers }] }],
              },
            },
          ]),
      {
        cause,
        fix: {
          title: `Repeat the block ${FEW_TIMES} times`,
          changes: [{ path: [...at, 'times'], value: FEW_TIMES }],
        },
      },
    ];
  });
}

/** More are not left out one by one. */
const MAX_ABLATIONS = 6;

/** Leaves out one layer at a time of those that neither have weights nor bend: normalizations, poolings and so on. */
function withoutLayer(spec: Spec, run: CompiledRun): UsualValue[] {
  const last = run.model.layers.length - 1;
  return layersWhere(
    spec,
    run,
    (layer, index) =>
      !layer.definition.passThrough &&
      !isWeighted(layer) &&
      layer.definition.jacobianStructure !== 'elementwise' &&
      inputsOf(run.model, index).length === 1 &&
      (layer.definition.dropRate === undefined || index === last),
  )
    .slice(0, MAX_ABLATIONS)
    .map((index) => ({
      cause: `${spec.layers[index]!.name} holds it back.`,
      fix: removeLayer(spec, index),
    }));
}

/** Products of branches vanish or explode with depth, and sums do not. */
function sumInsteadOfProduct(spec: Spec, run: CompiledRun): UsualValue[] {
  const paths = new Map(
    run.model.layers.flatMap((_, index) => {
      const { path } = spec.layers[index]!;
      const at = path.findLastIndex((_key, i) => writtenKeys(spec, path.slice(0, i + 1)).merge === 'multiply');
      const block = path.slice(0, at + 1);
      return at < 0 ? [] : [[block.join('.'), block] as const];
    }),
  );
  if (paths.size === 0) return [];
  return [
    {
      cause: 'Its branches are multiplied.',
      fix: {
        title: 'Add the branches instead of multiplying them',
        changes: [...paths.values()].map((path) => ({ path: [...path, 'merge'], value: 'add' })),
      },
    },
  ];
}

const USUAL_UNITS = 32;

/** For tables and points; images and sequences need other layers. */
function deeper(spec: Spec, run: CompiledRun): UsualValue[] {
  const last = lastWeighted(run);
  const layer = run.model.layers[last];
  if (layer?.definition.jacobianStructure !== 'weighted_sum' || layer.inputShape.length > 1) return [];
  if (run.model.layers.filter(isWeighted).length > 2) return [];
  return [
    {
      cause: 'It has too few layers for the task.',
      fix: insertBefore(spec, last, `Add a hidden layer before ${layer.name}`, [
        { type: 'linear', out_features: USUAL_UNITS },
        'relu',
      ]),
      isCapacity: true,
    },
  ];
}

const DEEP = 4;

function normalized(spec: Spec, { model }: CompiledRun): UsualValue[] {
  const isNormalized = model.layers.some(({ definition }) => definition.normalizesOver);
  const fix = normalizeHidden(spec, model);
  if (model.layers.filter(isWeighted).length < DEEP || isNormalized || fix.changes.length === 0) return [];
  return [{ cause: 'Signals and gradients change their size from layer to layer.', fix, isCapacity: true }];
}

const LONGER = 4;

const longer = (spec: Spec, { epochs }: CompiledRun): UsualValue[] => [
  {
    cause: `It is trained for ${pluralize(epochs, 'epoch')} only.`,
    fix: {
      title: `Train for ${LONGER * epochs} epochs`,
      changes: [{ path: ['epochs'], value: LONGER * spec.epochs }],
    },
    isCapacity: true,
  },
];

const ADAM = { type: 'adam', lr: 0.005 };

const adaptive = (spec: Spec): UsualValue[] =>
  spec.optimizer.type === 'adam'
    ? []
    : [
        {
          cause: `${spec.optimizer.type} with these options does not find its way.`,
          fix: { title: `Use adam with lr ${ADAM.lr}`, changes: [{ path: ['optimizer'], value: ADAM }] },
          isOptimizer: true,
        },
      ];

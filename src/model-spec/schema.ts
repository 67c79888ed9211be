// The schema of a spec. It validates and gives the types; the JSON schema, completion, hovers and docs/spec.md are
// generated from it. Every default is here or in a component's own options.
import * as z from 'zod/mini';
import { type AugmentationKind, augmentations } from '../engine/augmentations';
import { type DatasetKind, datasets } from '../engine/datasets';
import type { DatasetDefinition, SplitFractions } from '../engine/datasets/dataset';
import { customLayerSpec } from '../engine/custom/custom-layer-spec';
import { customLossSpec } from '../engine/custom/custom-loss-spec';
import { type LayerKind, layers } from '../engine/layers';
import { type LossKind, losses } from '../engine/losses';
import { type OptimizerKind, optimizers } from '../engine/optimizers';
import { alias, positiveInteger, nonNegativeNumber, positiveNumber } from '../engine/option-schemas';
import { type ScheduleKind, schedules } from '../engine/schedules';
import { type TransformKind, transforms } from '../engine/transforms';
import { limitIssues } from './limit-issues';
import { type BlockKind, blocks, isBlockKind } from './blocks';
import { type BlockDefinition, INPUT_NAME, MAX_LAYERS, type WrittenLayer } from './blocks/block';
import { type ComponentDefinition, type ParsedComponent, componentSchema } from './component-schema';

const fractionSchema = (splitName: string) =>
  z.number().check(z.gte(0), z.lt(1), z.describe(`Share of the samples held out for ${splitName}, from 0 to below 1.`));

const split = (defaults: SplitFractions) =>
  z._default(
    z
      .strictObject({
        validation: z._default(fractionSchema('validation'), defaults.validation),
        test: z._default(fractionSchema('testing'), defaults.test),
      })
      .check(
        z.refine(({ validation, test }) => validation + test < 1, {
          error: 'No training samples are left: validation and test take all of them.',
          params: { code: 'empty-train', remedy: 'Choose shares that sum to less than 1.' },
        }),
        z.describe(
          'How to split the samples. The seed decides which sample goes into which split; all others are for training.',
        ),
      ),
    defaults,
  );

const data = componentSchema<DatasetKind, { split: SplitFractions }>(
  'dataset',
  'The samples: a generated dataset or a file.',
  datasets,
  (kind) => ({ split: split((datasets[kind] as DatasetDefinition).defaultSplit) }),
  [
    { label: 'csv', description: datasets.csv.summary, body: { type: 'csv', path: '${1:data.csv}' } },
    {
      label: 'inline',
      description: datasets.inline.summary,
      body: { type: 'inline', inputs: [['^${1:0}', '^${2:1}']], targets: ['^${3:1}'] },
    },
  ],
);

const transform = componentSchema<TransformKind, object>(
  'transform',
  'A transform of all inputs, as its name or as an object with options.',
  transforms,
  () => ({}),
);

const augmentation = componentSchema<AugmentationKind, object>(
  'augmentation',
  'A random change of the training images, as its name or as an object with options.',
  augmentations,
  () => ({}),
);

interface CommonLayerKeys {
  name?: string;
  inputs?: readonly string[];
  share?: string;
  freeze: readonly string[];
}

const nameKey = (description: string) =>
  z.optional(z.string().check(z.minLength(1), z.maxLength(100), z.describe(description)));

/** Made once: a schema of its own for each kind of layer would take longer than parsing a spec. */
const commonLayerKeys = {
  name: nameKey('The name of the layer. By default its type, or the file of a custom layer, and a number: linear1.'),
  inputs: z.optional(
    z
      .array(z.string())
      .check(
        z.minLength(1),
        z.maxLength(MAX_LAYERS),
        z.describe(
          `The names of the layers whose outputs it takes, in order; \`${INPUT_NAME}\` is the data, whose named inputs have ` +
            'names of their own. By default, the layer before. Inside a block that repeats, a name refers to the layer in the same repetition.',
        ),
        alias('input', 'from', 'sources'),
      ),
  ),
  share: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.describe(
          'The name of an earlier layer whose parameters it uses instead of its own, or one of them: `encoder.weight`. ' +
            'Their gradients add up.',
        ),
        alias('tie', 'tied', 'shared', 'share_with', 'tied_to'),
      ),
  ),
  freeze: z._default(
    z
      .array(z.string())
      .check(
        z.describe('Parameters that training does not update, such as ["bias"]. Their gradients are still computed.'),
        alias('frozen'),
      ),
    [],
  ),
};

const LAYER_DESCRIPTION = 'A layer, as its name or as an object with options.';

const layerSnippets: object[] = [
  { label: 'linear', description: layers.linear.summary, body: { type: 'linear', out_features: '^${1:4}' } },
  { label: 'custom', description: customLayerSpec.summary, body: { type: 'custom', module: '${1:./swish.layer.ts}' } },
];

/** A layer as written in the spec. */
export type ParsedLayer = ParsedComponent<LayerKind | typeof customLayerSpec.kind, CommonLayerKeys>;
type ParsedLayerOrBlock = ParsedComponent<keyof typeof layerFamily, Partial<CommonLayerKeys>>;

const layerList = (description: string): z.ZodMiniType<readonly WrittenLayer[]> =>
  z
    .array(z.lazy((): z.ZodMiniType<ParsedLayerOrBlock> => layer))
    .check(z.maxLength(MAX_LAYERS), z.describe(description));

const blockComponents = Object.fromEntries(
  Object.entries(blocks as unknown as Record<BlockKind, BlockDefinition>).map(([kind, block]) => [
    kind,
    { ...block, options: block.options(layerList) },
  ]),
) as unknown as Record<BlockKind, ComponentDefinition>;

const layerFamily = { ...layers, custom: customLayerSpec, ...blockComponents } as const;

/** The keys that a component of the family takes besides its own options. */
const layerKeys = (kind: keyof typeof layerFamily): Record<string, z.ZodMiniType> => {
  if (!isBlockKind(kind)) return commonLayerKeys;
  return blocks[kind].joins
    ? { name: nameKey('The name of its output. By default its type and a number, such as residual1.') }
    : {};
};

const layer: z.ZodMiniType<ParsedLayerOrBlock> = componentSchema<keyof typeof layerFamily, Partial<CommonLayerKeys>>(
  'layer',
  LAYER_DESCRIPTION,
  layerFamily,
  layerKeys,
  [
    ...layerSnippets,
    ...Object.values(blocks).map(({ kind, summary, snippet }) => ({
      label: kind,
      description: summary,
      body: snippet,
    })),
  ],
);

const lossFamily = { ...losses, custom: customLossSpec } as const;

const loss = componentSchema<LossKind | typeof customLossSpec.kind, object>(
  'loss',
  'The loss that training minimizes, as its name or as an object with options.',
  lossFamily,
  () => ({}),
  [{ label: 'custom', description: customLossSpec.summary, body: { type: 'custom', module: '${1:./focal.loss.ts}' } }],
);

interface AuxiliaryLossKeys {
  name?: string;
  input?: string;
  loss_weight: number;
  target: 'targets' | 'inputs';
}

const auxiliaryLossKeys = {
  name: nameKey(
    'The name of the loss: letters, digits and underscores. By default that of the layer and `_loss`, such as `head1_loss`.',
  ),
  input: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.describe('The name of the layer whose output it takes. By default the last one.'),
        alias('inputs', 'layer', 'output', 'head', 'from'),
      ),
  ),
  loss_weight: z._default(
    positiveNumber('The factor of this loss in the sum of all; that of `loss` is 1.').check(
      alias('loss_weights', 'coefficient', 'coef', 'lambda', 'factor'),
    ),
    1,
  ),
  target: z._default(
    z
      .enum(['targets', 'inputs'])
      .check(
        z.describe(
          'What it compares the output with: the targets of the data, as `loss` does, or the inputs after all transforms, ' +
            'for a head that reconstructs them.',
        ),
      ),
    'targets',
  ),
};

const auxiliaryLoss = componentSchema<LossKind, AuxiliaryLossKeys>(
  'loss',
  'A loss on the output of a layer, as its name or as an object with options.',
  losses,
  () => auxiliaryLossKeys,
  [
    {
      label: 'cross_entropy on a head',
      description: losses.cross_entropy.summary,
      body: { type: 'cross_entropy', input: '${1:head}', loss_weight: '^${2:0.3}' },
    },
  ],
);

const optimizer = componentSchema<OptimizerKind, { lr: number }>(
  'optimizer',
  'How gradients update the parameters.',
  optimizers,
  () => ({}),
  [{ label: 'sgd', description: optimizers.sgd.summary, body: { type: 'sgd', lr: '^${1:0.1}' } }],
);

const schedule = componentSchema<ScheduleKind, { per: 'epoch' | 'step'; warmup: number }>(
  'schedule',
  'How the learning rate changes during the run, as a function of the epoch or the step.',
  schedules,
  () => ({
    per: z._default(
      z.enum(['epoch', 'step']).check(z.describe('Whether the schedule counts epochs or steps.')),
      'epoch',
    ),
    warmup: z._default(
      z
        .int()
        .check(
          z.gte(0),
          z.describe(
            'Number of epochs or steps before the schedule in which the rate rises linearly: in the i-th of n, counted ' +
              'from 1, it is i / (n + 1) of the base rate.',
          ),
          alias('warmup_steps', 'warmup_epochs'),
        ),
      0,
    ),
  }),
  [
    {
      label: 'step',
      description: schedules.step.summary,
      body: { type: 'step', step_size: '^${1:30}', gamma: '^${2:0.1}' },
    },
  ],
);

const clip = z
  .strictObject({
    norm: z.optional(
      positiveNumber(
        'Upper limit of the Euclidean norm of all gradients together. Larger gradients are scaled down; their direction stays.',
      ).check(alias('max_norm', 'clipnorm')),
    ),
    value: z.optional(
      positiveNumber('Upper limit of the absolute value of every entry of a gradient.').check(
        alias('clip_value', 'max_value'),
      ),
    ),
  })
  .check(
    z.refine(({ norm, value }) => norm === undefined || value === undefined, {
      error: 'Gradients can be clipped by norm or by value, not both.',
      path: ['value'],
      params: { code: 'too-many-clips', remedy: 'Keep "norm" or "value".' },
    }),
  );

const penalty = z.strictObject({
  l1: z._default(nonNegativeNumber('Adds l1 · Σ|w| to the loss, and l1 · sign(w) to the gradient.'), 0),
  l2: z._default(
    nonNegativeNumber(
      'Adds ½ · l2 · Σw² to the loss, and l2 · w to the gradient: with `biases`, the same as `weight_decay` in plain sgd.',
    ),
    0,
  ),
  biases: z._default(z.boolean().check(z.describe('Whether to penalize biases too, not only weights.')), false),
  module: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.describe(
          'The file of a custom penalty, relative to the spec, such as "./sparse.penalty.ts": a function of all parameters. ' +
            'See custom-losses.md.',
        ),
      ),
  ),
  options: z.optional(
    z.record(z.string(), z.unknown()).check(z.describe('Passed to the functions of the custom penalty as `options`.')),
  ),
});

/** The completion for an empty file. */
const specSnippet = {
  label: 'A network on two circles',
  description: 'A complete spec.',
  body: {
    data: '${1:circles}',
    layers: [{ type: 'linear', out_features: '^${2:4}' }, '${3:tanh}', { type: 'linear', out_features: 2 }],
    loss: '${4:cross_entropy}',
    optimizer: { type: 'sgd', lr: '^${5:0.1}' },
    epochs: '^${6:100}',
  },
};

const gradientCheck = z.strictObject({
  every: z._default(
    z.int().check(z.gte(0), z.describe('Check automatically every this many steps; 0 to check on demand only.')),
    0,
  ),
  step: z._default(
    z
      .number()
      .check(
        z.gt(0),
        z.lte(0.1),
        z.describe(
          'Step h of the central difference, relative to max(1, |w|). 6e-6 is about the cube root of the float64 epsilon, ' +
            'which balances truncation and round-off.',
        ),
      ),
    6e-6,
  ),
  rtol: z._default(
    positiveNumber(
      'Relative tolerance: an entry passes if |backprop - numeric| <= atol + rtol · max(|backprop|, |numeric|). In float64, ' +
        'the relative difference of a correct derivative is below 1e-7 for 99 of 100 entries; the default is 100 times that.',
    ).check(alias('tolerance', 'tol', 'relative_tolerance')),
    1e-5,
  ),
  atol: z._default(
    nonNegativeNumber(
      'Absolute tolerance. If both values are below it, the entry counts as below noise, not as passed. Round-off is ' +
        'measured and need not be included.',
    ),
    1e-10,
  ),
  mode: z._default(
    z
      .enum(['training', 'evaluation'])
      .check(
        z.describe(
          'The mode in which to check layers such as dropout and batch norm. Their masks and running statistics do not change.',
        ),
      ),
    'training',
  ),
});

const rules = z
  .record(z.string(), z.union([z.literal('off'), z.number().check(z.gte(0))]))
  .check(
    z.describe(
      'Silences or tunes rules for findings, by the code shown with them: `{ "dead-units": "off", "update-too-large": ' +
        '0.5 }`. A number replaces the threshold of a rule that has one.',
    ),
    z.meta({ defaultSnippets: [{ label: 'Silence a rule', body: { '${1:not-scaled}': 'off' } }] }),
  );

const sweep = z
  .record(z.string(), z.array(z.unknown()).check(z.minLength(1), z.maxLength(1000), z.describe('The values to try.')))
  .check(
    z.describe(
      'Values to try for options, by path, such as `{ "optimizer.lr": [0.01, 0.1], "seed": [1, 2, 3] }`. The Sweep view and ' +
        'the `sweep` command train every combination. In a path, a layer is given by its name or by its index from 0: `"layers.0.out_features"`. ' +
        'Single runs ignore the sweep.',
    ),
    z.meta({
      defaultSnippets: [
        { label: 'Learning rates and seeds', body: { 'optimizer.lr': ['^${1:0.01}', '^${2:0.1}'], seed: [1, 2, 3] } },
      ],
    }),
  );

export const specSchema = z
  .strictObject({
    $schema: z.optional(z.string().check(z.describe('URL of a JSON schema, for editors. Nablascope ignores it.'))),
    name: z._default(z.string().check(z.maxLength(200), z.describe('The name of the run.')), 'Untitled'),
    data: data.check(alias('dataset')),
    transforms: z._default(
      z
        .array(transform)
        .check(
          z.maxLength(20),
          z.describe(
            'Transforms of all inputs, applied in order before anything else. They are fitted to the training split only.',
          ),
          alias('preprocessing', 'transform'),
        ),
      [],
    ),
    augment: z._default(
      z
        .array(augmentation)
        .check(
          z.maxLength(20),
          z.describe(
            'Random changes of the training images, drawn from the seed at every step, after `transforms`. The losses and ' +
              'accuracies of whole splits are measured without them.',
          ),
          alias('augmentation', 'augmentations'),
        ),
      [],
    ),
    layers: z
      .array(layer)
      .check(
        z.minLength(1),
        z.maxLength(MAX_LAYERS),
        z.describe('The layers, from input to output. Their shapes are inferred from the data.'),
        alias('network', 'model', 'architecture'),
      ),
    loss: loss.check(alias('criterion', 'objective', 'loss_function')),
    auxiliary_losses: z._default(
      z
        .array(auxiliaryLoss)
        .check(
          z.maxLength(20),
          z.describe(
            'Further losses on the outputs of any layers, such as auxiliary heads. Training minimizes `loss` plus their ' +
              'weighted sum.',
          ),
          alias('losses', 'auxiliary', 'aux_losses', 'extra_losses'),
        ),
      [],
    ),
    optimizer: z._default(optimizer.check(alias('optim', 'solver')), {
      type: 'sgd',
      ...optimizers.sgd.options.parse({}),
    }),
    schedule: z._default(schedule.check(alias('lr_scheduler', 'scheduler', 'lr_schedule')), {
      type: 'constant',
      per: 'epoch',
      warmup: 0,
    }),
    clip: z._default(
      clip.check(
        z.describe(
          'Clips gradients before the update. The panel and the gradient check show the gradients before clipping.',
        ),
        alias('gradient_clipping', 'grad_clip', 'clip_grad', 'clip_gradients'),
      ),
      {},
    ),
    penalty: z._default(
      penalty.check(
        z.describe(
          'Added to the training loss and its gradient. The losses of whole splits (train, validation, test) do not include it.',
        ),
        alias('regularization', 'regularizer'),
      ),
      penalty.parse({}),
    ),
    batch_size: z._default(
      z
        .union([positiveInteger('Samples'), z.literal('full').check(z.meta({ valueAliases: { full: ['all'] } }))])
        .check(
          z.describe('Number of samples per step: 1 is online learning, "full" uses all training samples at once.'),
          alias('batch', 'minibatch', 'minibatch_size'),
        ),
      32,
    ),
    shuffle: z._default(
      z
        .boolean()
        .check(
          z.describe(
            'Whether to shuffle the training samples every epoch, by the seed. A full batch is never shuffled.',
          ),
        ),
      true,
    ),
    epochs: z._default(
      z
        .int()
        .check(
          z.gte(1),
          z.lte(1e9),
          z.describe('Number of passes over the training samples.'),
          alias('iterations', 'n_epochs', 'num_epochs', 'max_epochs'),
        ),
      100,
    ),
    initial_weights: z._default(
      z
        .string()
        .check(
          z.describe(
            'A .safetensors file with initial weights, relative to the spec; empty for none. Tensors are found by name, ' +
              'such as `conv2d1.weight`; those that it lacks are drawn from the seed. "Save Weights…" and ' +
              '`train --save-weights` write such a file.',
          ),
          alias('pretrained', 'pretrained_weights', 'load_weights', 'weights_from', 'checkpoint'),
        ),
      '',
    ),
    seed: z._default(
      z
        .int()
        .check(
          z.gte(0),
          z.describe('Determines all random numbers: data, split, initial values and order. From 0 to 2^53 - 1.'),
          alias('random_state', 'random_seed'),
        ),
      0,
    ),
    precision: z._default(
      z
        .enum(['float32', 'float64'])
        .check(
          z.describe('The number format of the network. Gradients are always checked in float64.'),
          alias('dtype'),
          z.meta({ valueAliases: { float32: ['float', 'single', 'f32'], float64: ['double', 'f64'] } }),
        ),
      'float32',
    ),
    deterministic: z._default(
      z
        .enum(['machine', 'portable'])
        .check(
          z.describe(
            'Where a run is reproducible to the bit: on the same machine, or on every machine with SIMD. "portable" is slower: it ' +
              'avoids instructions that round differently on different processors. It does not cover custom layers.',
          ),
        ),
      'machine',
    ),
    gradient_check: z._default(
      gradientCheck.check(
        z.describe('How to compare backprop with numeric derivatives.'),
        alias('gradcheck', 'grad_check'),
      ),
      gradientCheck.parse({}),
    ),
    rules: z._default(rules, {}),
    sweep: z._default(sweep, {}),
  })
  .check(
    z.meta({
      title: 'Nablascope spec',
      description: 'A network, its data and its training.',
      defaultSnippets: [specSnippet],
    }),
  );

export type ParsedSpec = z.output<typeof specSchema>;

/** More problems than this would not help. */
export const MAX_PROBLEMS = 100;
limitIssues(specSchema, MAX_PROBLEMS);

/** The families of components, by their key in a spec. */
export const componentFamilies = {
  data: datasets,
  transforms,
  augment: augmentations,
  layers: layerFamily,
  loss: lossFamily,
  optimizer: optimizers,
  schedule: schedules,
} as const;

// The one source of what a spec may say: it validates, it gives the types, and the JSON schema, completion,
// hover and docs/spec.md are generated from it. Every default is here or in a unit's own options.
import * as z from 'zod/mini';
import { type AugmentationKind, augmentations } from '../engine/augmentations';
import { type DatasetKind, datasets } from '../engine/datasets';
import type { DatasetDefinition, Split } from '../engine/datasets/dataset';
import { custom } from '../engine/custom/unit';
import { type LayerKind, layers } from '../engine/layers';
import { type LossKind, losses } from '../engine/losses';
import { type OptimizerKind, optimizers } from '../engine/optimizers';
import { count, nonNegative, positive } from '../engine/options';
import { type ScheduleKind, schedules } from '../engine/schedules';
import { type TransformKind, transforms } from '../engine/transforms';
import { MAX_LAYERS, repeat } from './repeat';
import { type ParsedUnit, unit } from './unit';

const share = (part: string) =>
  z.number().check(z.gte(0), z.lt(1), z.describe(`Share of the samples held out for ${part}, from 0 to below 1.`));

const split = (defaults: Split) =>
  z._default(
    z
      .strictObject({
        validation: z._default(share('validation'), defaults.validation),
        test: z._default(share('the test'), defaults.test),
      })
      .check(
        z.refine(({ validation, test }) => validation + test < 1, {
          error: 'Validation and test together take every sample: none is left to train on.',
          params: { code: 'empty-train', remedy: 'Choose shares that sum to less than 1.' },
        }),
        z.describe(
          'How the samples are parted; which sample goes where is drawn from the seed. What is not held out is trained on.',
        ),
      ),
    defaults,
  );

const data = unit<DatasetKind, { split: Split }>(
  'dataset',
  'Where the samples come from.',
  datasets,
  (kind) => ({ split: split((datasets[kind] as DatasetDefinition).split) }),
  [
    { label: 'csv', description: datasets.csv.summary, body: { type: 'csv', path: '${1:data.csv}' } },
    {
      label: 'inline',
      description: datasets.inline.summary,
      body: { type: 'inline', inputs: [['^${1:0}', '^${2:1}']], targets: ['^${3:1}'] },
    },
  ],
);

const transform = unit<TransformKind, object>(
  'transform',
  'A change of every input, by its name or as an object with its options.',
  transforms,
  () => ({}),
);

const augmentation = unit<AugmentationKind, object>(
  'augmentation',
  'A random change of an image while it is trained on, by its name or as an object with its options.',
  augmentations,
  () => ({}),
);

interface LayerExtra {
  name?: string;
  freeze: readonly string[];
}

const layerExtra = () => ({
  name: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(100),
        z.describe('A name of your own. Unless given: the type, or the file of a custom layer, and a running number, such as linear1.'),
      ),
  ),
  freeze: z._default(
    z
      .array(z.string())
      .check(z.describe('Parameters that are shown and checked but not updated, such as ["bias"].')),
    [],
  ),
});

const LAYER = 'A layer, by its name or as an object with its options.';

const layerSnippets: object[] = [
  { label: 'linear', description: layers.linear.summary, body: { type: 'linear', out_features: '^${1:4}' } },
  { label: 'custom', description: custom.summary, body: { type: 'custom', module: '${1:./swish.layer.ts}' } },
];

/** A layer as it is written: one of the network, or a block of them. */
export type WrittenLayer = ParsedUnit<LayerKind | typeof custom.kind, LayerExtra>;
type WrittenUnit = ParsedUnit<keyof typeof layerTable, Partial<LayerExtra>>;

const block = repeat(z.lazy((): z.ZodMiniType => layer));

const layerTable = { ...layers, custom, repeat: block } as const;

const layer: z.ZodMiniType<WrittenUnit> = unit<keyof typeof layerTable, Partial<LayerExtra>>(
  'layer', LAYER, layerTable,
  (kind) => (kind === block.kind ? ({} as ReturnType<typeof layerExtra>) : layerExtra()),
  [...layerSnippets, { label: 'repeat', description: block.summary, body: { type: 'repeat', times: '^${1:3}', layers: [{ type: 'linear', out_features: '^${2:4}' }, '${3:tanh}'] } }],
);

const loss = unit<LossKind, object>(
  'loss',
  'What training makes small, by its name or as an object with its options.',
  losses,
  () => ({}),
);

const optimizer = unit<OptimizerKind, { lr: number }>(
  'optimizer',
  'How gradients become updates.',
  optimizers,
  () => ({}),
  [{ label: 'sgd', description: optimizers.sgd.summary, body: { type: 'sgd', lr: '^${1:0.1}' } }],
);

const schedule = unit<ScheduleKind, { per: 'epoch' | 'step'; warmup: number }>(
  'schedule',
  'How the learning rate changes in the course of the run, as a function of the epoch or the step.',
  schedules,
  () => ({
    per: z._default(z.enum(['epoch', 'step']).check(z.describe('What the schedule counts.')), 'epoch'),
    warmup: z._default(
      z
        .int()
        .check(
          z.gte(0),
          z.describe(
            'Epochs or steps ahead of the schedule in which the rate climbs in a straight line: in the i-th of n, counted ' +
              'from 1, it is i / (n + 1) of the base.',
          ),
        ),
      0,
    ),
  }),
  [{ label: 'step', description: schedules.step.summary, body: { type: 'step', step_size: '^${1:30}', gamma: '^${2:0.1}' } }],
);

const clip = z
  .strictObject({
    norm: z.optional(
      positive('Most that the Euclidean norm of all gradients together may be; longer ones are shortened, their direction kept.'),
    ),
    value: z.optional(positive('Most that any entry of a gradient may be, on either side of 0.')),
  })
  .check(
    z.refine(({ norm, value }) => norm === undefined || value === undefined, {
      error: 'Gradients are clipped by their norm or by value, not by both.',
      path: ['value'],
      params: { code: 'too-many-clips', remedy: 'Keep "norm" or "value".' },
    }),
  );

const penalty = z.strictObject({
  l1: z._default(nonNegative('Adds l1 · Σ|w| to the loss: the gradient gains l1 · sign(w).'), 0),
  l2: z._default(
    nonNegative('Adds ½ · l2 · Σw² to the loss: the gradient gains l2 · w, the same as `weight_decay` in plain sgd.'),
    0,
  ),
  biases: z._default(z.boolean().check(z.describe('Whether biases are penalized too, or weights alone.')), false),
});

/** Offered in an empty file. */
const wholeSpec = {
  label: 'A network on two circles',
  description: 'A spec that trains as it is.',
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
    z.int().check(z.gte(0), z.describe('Check by itself after every so many steps; 0 for on demand only.')),
    0,
  ),
  step: z._default(
    z
      .number()
      .check(
        z.gt(0),
        z.lte(0.1),
        z.describe(
          'h of the central difference, times max(1, |w|). 6e-6 is about the cube root of float64 round-off, where ' +
            'truncation and round-off are equally small.',
        ),
      ),
    6e-6,
  ),
  rtol: z._default(
    positive(
      'Relative tolerance: an entry passes where |backprop - numeric| <= atol + rtol · max of both. In float64 a right ' +
        'derivative stays below 1e-7 for 99 entries of 100; the default leaves a hundredfold margin.',
    ),
    1e-5,
  ),
  atol: z._default(
    nonNegative(
      'Absolute tolerance. Two values that are both below it are called below noise, not a pass. It need not cover ' +
        'round-off, which is measured.',
    ),
    1e-10,
  ),
  mode: z._default(
    z
      .enum(['training', 'evaluation'])
      .check(z.describe('The mode that layers such as dropout and batch norm are checked in. What they draw, and their running figures, stay as they are.')),
    'training',
  ),
});

const sweep = z
  .record(z.string(), z.array(z.unknown()).check(z.minLength(1), z.maxLength(1000), z.describe('The values to try.')))
  .check(
    z.describe(
      'Options to try values of, by their path, such as `{ "optimizer.lr": [0.01, 0.1], "seed": [1, 2, 3] }`: ' +
        'the view Sweep and the command of that name train every combination. Layers are named, or counted from 0: ' +
        '`"layers.0.out_features"`. A run by itself does not look at it.',
    ),
    z.meta({
      defaultSnippets: [
        { label: 'Learning rates and seeds', body: { 'optimizer.lr': ['^${1:0.01}', '^${2:0.1}'], seed: [1, 2, 3] } },
      ],
    }),
  );

export const specSchema = z
  .strictObject({
    $schema: z.optional(z.string().check(z.describe('Address of a JSON schema, for editors. Not read.'))),
    name: z._default(z.string().check(z.maxLength(200), z.describe('What the run is called.')), 'Untitled'),
    data,
    transforms: z._default(
      z
        .array(transform)
        .check(
          z.maxLength(20),
          z.describe('Changes of every input before anything else, one after the other. What they need to know they learn from the training part alone.'),
        ),
      [],
    ),
    augment: z._default(
      z
        .array(augmentation)
        .check(
          z.maxLength(20),
          z.describe(
            'Random changes of the images that a step trains on, new at every step and drawn from the seed; after `transforms`. Losses and ' +
              'accuracies of whole parts are of images without them.',
          ),
        ),
      [],
    ),
    layers: z
      .array(layer)
      .check(
        z.minLength(1),
        z.maxLength(MAX_LAYERS),
        z.describe('The layers, from input to output. Shapes follow from the data.'),
      ),
    loss,
    optimizer: z._default(optimizer, { type: 'sgd', ...optimizers.sgd.options.parse({}) }),
    schedule: z._default(schedule, { type: 'constant', per: 'epoch', warmup: 0 }),
    clip: z._default(
      clip.check(z.describe('Holds gradients in bounds before an update. What is shown and checked is the gradient as backprop gives it.')),
      {},
    ),
    penalty: z._default(
      penalty.check(
        z.describe(
          'Added to the loss that is trained on, and to its gradient. The loss of a whole part (train, validation, test) is shown without it.',
        ),
      ),
      penalty.parse({}),
    ),
    batch_size: z._default(
      z
        .union([count('Samples'), z.literal('full')])
        .check(z.describe('Samples in a step: 1 is online learning, "full" takes all training samples at once.')),
      32,
    ),
    shuffle: z._default(
      z.boolean().check(z.describe('A new order every epoch, drawn from the seed. A full batch is never shuffled.')),
      true,
    ),
    epochs: z._default(
      z.int().check(z.gte(1), z.lte(1e9), z.describe('How often every training sample is seen.')),
      100,
    ),
    seed: z._default(
      z
        .int()
        .check(
          z.gte(0),
          z.describe('All random numbers follow from it: data, split, starting values and order. From 0 to 2^53 - 1.'),
        ),
      0,
    ),
    precision: z._default(
      z
        .enum(['float32', 'float64'])
        .check(z.describe('What the network computes in. Gradients are always checked in float64.')),
      'float32',
    ),
    deterministic: z._default(
      z
        .enum(['machine', 'portable'])
        .check(
          z.describe(
            'Where a run repeats to the bit: on the same machine, or on every machine that has SIMD (but for layers of your own, which compute as they like). "portable" is slower: ' +
              'it leaves out instructions that round once on some processors and twice on others.',
          ),
        ),
      'machine',
    ),
    gradient_check: z._default(
      gradientCheck.check(z.describe('How backprop is compared with numeric derivatives.')),
      gradientCheck.parse({}),
    ),
    sweep: z._default(sweep, {}),
  })
  .check(
    z.meta({
      title: 'Nablascope spec',
      description: 'A network, its data and its training.',
      defaultSnippets: [wholeSpec],
    }),
  );

export type SpecInput = z.output<typeof specSchema>;

/** The families of units, for docs and messages. */
export const families = { data: datasets, transforms, augment: augmentations, layers: layerTable, loss: losses, optimizer: optimizers, schedule: schedules } as const;

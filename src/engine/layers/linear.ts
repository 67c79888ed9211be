import { pluralize, isOrAre } from '../format-count';
import * as z from 'zod/mini';
import type { InitializerOptions } from '../initializers';
import { BIAS_INIT_ALIASES, initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import { alias, positiveInteger } from '../option-schemas';
import { asRows, numel } from '../kernels/tensor';
import { checkRows, defineLayer, eachPosition, type ParameterDeclaration } from './layer';

const options = z
  .strictObject({
    out_features: z.optional(
      positiveInteger('Number of units: the size of the output. Optional if `weight` is given.').check(
        alias('units', 'neurons', 'nodes', 'outputs', 'size', 'hidden_size', 'output_size', 'output_dim', 'width'),
      ),
    ),
    in_features: z.optional(
      positiveInteger("Size of the input. By default, the size of the previous layer's output.").check(
        alias('input_size', 'input_dim'),
      ),
    ),
    weight: z.optional(
      z
        .array(z.array(z.number()).check(z.minLength(1)))
        .check(
          z.minLength(1),
          z.describe('Exact initial weights, one row per unit: out_features × in_features, as in PyTorch.'),
        ),
    ),
    bias: z._default(
      z
        .union([z.boolean(), z.array(z.number())])
        .check(
          z.describe('Whether to add a bias, or its exact initial values, one per unit.'),
          alias('use_bias', 'biases'),
        ),
      true,
    ),
    init: z._default(
      initializerOption('Initializer of the weights, unless `weight` gives their values.', WEIGHT_INIT_ALIASES),
      {
        type: 'fan_in_uniform',
      },
    ),
    bias_init: z._default(
      initializerOption('Initializer of the biases, unless `bias` gives their values.', BIAS_INIT_ALIASES),
      {
        type: 'fan_in_uniform',
      },
    ),
  })
  .check(
    z.refine(({ out_features, weight }) => out_features !== undefined || weight !== undefined, {
      error: 'A linear layer needs "out_features" or "weight".',
      path: [],
      params: { code: 'missing-option', remedy: 'Add "out_features": the number of units.' },
    }),
    z.superRefine(({ out_features, in_features, weight, bias }, context) => {
      const fail = (path: (string | number)[], message: string, remedy: string): void => {
        context.addIssue({ code: 'custom', path, message, params: { code: 'shape-mismatch', remedy }, input: weight });
      };
      const columns = weight?.[0]?.length;
      weight?.forEach((row, i) => {
        if (row.length !== columns) {
          fail(
            ['weight', i],
            `Row ${i + 1} of "weight" has ${pluralize(row.length, 'number')}, but the first row has ${columns}.`,
            'Write one number per input in every row.',
          );
        }
      });
      if (weight && out_features !== undefined && weight.length !== out_features) {
        fail(
          ['weight'],
          `There ${isOrAre(weight.length)} ${pluralize(weight.length, 'row')} of weights for ${pluralize(out_features, 'unit')}.`,
          'Write one row per unit, or omit "out_features".',
        );
      }
      if (weight && in_features !== undefined && columns !== undefined && columns !== in_features) {
        fail(
          ['weight'],
          `Each row of weights has ${pluralize(columns, 'number')} for ${pluralize(in_features, 'input')}.`,
          'Write one number per input, or omit "in_features".',
        );
      }
      const units = out_features ?? weight?.length;
      if (Array.isArray(bias) && bias.length !== units) {
        fail(
          ['bias'],
          `There ${isOrAre(bias.length)} ${pluralize(bias.length, 'bias', 'biases')} for ${pluralize(units ?? 0, 'unit')}.`,
          'Write one bias per unit.',
        );
      }
    }),
  );

type LinearOptions = z.output<typeof options>;

const outFeatures = ({ out_features, weight }: LinearOptions): number => out_features ?? weight?.length ?? 0;

function parameterInit(values: readonly number[] | undefined, by: InitializerOptions): ParameterDeclaration['init'] {
  return values ? { values } : { initializer: by };
}

/** y = x Wᵀ + b; x [batch, …, in_features], W [out_features, in_features], y [batch, …, out_features]. */
export const linear = defineLayer({
  kind: 'linear',
  question: 'why-activations',
  aliases: ['dense', 'fc', 'fully_connected', 'affine', 'inner_product'],
  summary: 'A fully connected layer: y = x Wᵀ + b. On sequences, the same at each position.',
  formulas: ({ options: { bias } }) => ({
    reading: 'rows',
    equations: [
      `y = x @ T(weight)${bias === false ? '' : ' + bias'}`,
      'dx = dy @ weight',
      'd(weight) = T(dy) @ x',
      'd(bias) = sum(samples: dy)',
    ],
  }),
  options,
  jacobianStructure: 'weighted_sum',
  affine: true,
  expectedInputShape({ in_features, weight }, input) {
    const size = in_features ?? weight?.[0]!.length;
    return size === undefined ? undefined : [...input.slice(0, -1), size];
  },
  checkInput: checkRows,
  outputShape: (input, layer) => [...input.slice(0, -1), outFeatures(layer)],
  receptiveField: (_layer, input) => eachPosition(input),
  macs: (input, output) => numel(input) * output.at(-1)!,
  parameters(input, layer) {
    const units = outFeatures(layer);
    const weight: ParameterDeclaration = {
      name: 'weight',
      shape: [units, input.at(-1)!],
      init: parameterInit(layer.weight?.flat(), layer.init),
    };
    if (layer.bias === false) return [weight];
    const values = layer.bias === true ? undefined : layer.bias;
    return [weight, { name: 'bias', shape: [units], init: parameterInit(values, layer.bias_init) }];
  },
  forward({ kernels, parameters, input, output }) {
    kernels.linear(asRows(output), asRows(input), parameters.weight!, parameters.bias ?? null);
  },
  backward({ kernels, parameters, input, gradOutput, gradInput, gradParameters }) {
    const upstream = asRows(gradOutput);
    kernels.matmulTransposedA(gradParameters.weight!, upstream, asRows(input), true);
    if (gradParameters.bias) kernels.accumulateRows(gradParameters.bias, upstream);
    if (gradInput) kernels.matmul(asRows(gradInput), upstream, parameters.weight!, false);
  },
});

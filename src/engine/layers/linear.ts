import { counted, isOrAre } from '../counted';
import * as z from 'zod/mini';
import type { InitializerOptions } from '../initializers';
import { initializer } from '../initializers/options';
import { count } from '../options';
import { defineLayer, type ParameterDeclaration } from './layer';
import { rowMisfit } from './rows';

const options = z
  .strictObject({
    out_features: z.optional(count('Units, the size of the output. May be left out where `weight` is given.')),
    in_features: z.optional(count('Size of the input; taken from the layer before unless given.')),
    weight: z.optional(
      z
        .array(z.array(z.number()).check(z.minLength(1)))
        .check(z.minLength(1), z.describe('Exact starting weights, one row for each unit: out_features × in_features, as PyTorch holds them.')),
    ),
    bias: z._default(
      z
        .union([z.boolean(), z.array(z.number())])
        .check(z.describe('Whether a bias is added, or its exact starting values, one for each unit.')),
      true,
    ),
    init: z._default(initializer('How weights are drawn where `weight` is not given.'), { type: 'fan_in_uniform' }),
    bias_init: z._default(initializer('How biases are drawn where `bias` gives no values.'), { type: 'fan_in_uniform' }),
  })
  .check(
    z.refine(({ out_features, weight }) => out_features !== undefined || weight !== undefined, {
      error: 'A linear layer needs `out_features` or `weight`.',
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
          fail(['weight', i], `Row ${i + 1} of the weights has ${counted(row.length, 'number')}, the first row ${columns}.`, 'Give every row as many numbers as there are inputs.');
        }
      });
      if (weight && out_features !== undefined && weight.length !== out_features) {
        fail(['weight'], `There ${isOrAre(weight.length)} ${counted(weight.length, 'row')} of weights for ${counted(out_features, 'unit')}.`, 'Give one row for each unit, or leave out "out_features".');
      }
      if (weight && in_features !== undefined && columns !== undefined && columns !== in_features) {
        fail(['weight'], `Each row of weights has ${counted(columns, 'number')} for ${counted(in_features, 'input')}.`, 'Give one number for each input, or leave out "in_features".');
      }
      const units = out_features ?? weight?.length;
      if (Array.isArray(bias) && bias.length !== units) {
        fail(['bias'], `There ${isOrAre(bias.length)} ${counted(bias.length, 'bias', 'biases')} for ${counted(units ?? 0, 'unit')}.`, 'Give one bias for each unit.');
      }
    }),
  );

type LinearOptions = z.output<typeof options>;

const unitsOf = ({ out_features, weight }: LinearOptions): number => out_features ?? weight?.length ?? 0;

function start(values: readonly number[] | undefined, by: InitializerOptions): ParameterDeclaration['start'] {
  return values ? { values } : { initializer: by };
}

/** y = x Wᵀ + b; x [batch, in_features], W [out_features, in_features], y [batch, out_features]. */
export const linear = defineLayer({
  kind: 'linear',
  summary: 'A fully connected layer: y = x Wᵀ + b.',
  math: {
    forward: String.raw`y = x W^\top + b`,
    input: String.raw`\d{x} = \d{y} \, W`,
    parameters: { weight: String.raw`\d{W} = \Big(\d{y}\Big)^{\!\top} x`, bias: String.raw`\d{b} = \sum_{\text{samples}} \d{y}` },
  },
  options,
  reach: 'weighted_sum',
  expectedInput({ in_features, weight }) {
    const size = in_features ?? weight?.[0].length;
    return size === undefined ? undefined : [size];
  },
  misfit: rowMisfit,
  outputShape: (_input, layer) => [unitsOf(layer)],
  macs: ([inputs], [units]) => inputs * units,
  parameters([inputs], layer) {
    const units = unitsOf(layer);
    const weight: ParameterDeclaration = {
      name: 'weight',
      shape: [units, inputs],
      start: start(layer.weight?.flat(), layer.init),
    };
    if (layer.bias === false) return [weight];
    const values = layer.bias === true ? undefined : layer.bias;
    return [weight, { name: 'bias', shape: [units], start: start(values, layer.bias_init) }];
  },
  forward({ kernels, parameters, input, output }) {
    kernels.linear(output, input, parameters.weight, parameters.bias ?? null);
  },
  backward({ kernels, parameters, input, gradOutput, gradInput, gradParameters }) {
    kernels.matmulTransposedA(gradParameters.weight, gradOutput, input, true);
    if (gradParameters.bias) kernels.accumulateRows(gradParameters.bias, gradOutput);
    if (gradInput) kernels.matmul(gradInput, gradOutput, parameters.weight, false);
  },
});

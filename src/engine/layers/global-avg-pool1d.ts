import * as z from 'zod/mini';
import { checkSequence, defineLayer } from './layer';
import { fillIndexGradient, indexGradientFormulas, paddingOf, paddingOption } from './padding';

/** x [batch, positions, features]; y [batch, features] = the mean over the positions that are no padding. */
export const globalAvgPool1d = defineLayer({
  kind: 'global_avg_pool1d',
  aliases: ['global_average_pooling1d', 'adaptive_avg_pool1d', 'mean_over_time'],
  summary: 'The mean over the positions of a sequence, feature by feature. y is 0 for a sequence that is all padding.',
  formulas({ options, inputs, shapes: [input] }) {
    const length = input![0]!;
    const { padding_idx: padding } = options;
    const isReal = (t: string): string => `(1 - when(${inputs.at(-1)!}[${t}] == ${padding!}))`;
    const where = ` where n = sum(r < ${length}: ${isReal('r')})`;
    return {
      equations: [
        padding === undefined
          ? `y = sum(t: x[t]) / ${length}`
          : `y = sum(t: ${isReal('t')} * x[t]) / max(n, 1)${where}`,
        padding === undefined ? `dx[t] = dy / ${length}` : `dx[t] = ${isReal('t')} * dy / max(n, 1)${where}`,
        ...indexGradientFormulas(options, inputs),
      ],
    };
  },
  options: z.strictObject({ padding_idx: paddingOption('they do not count in the mean.') }),
  checkInput: checkSequence,
  paddingIndex: ({ padding_idx }) => padding_idx,
  outputShape: ([, features]) => [features!],
  isAffine: ({ padding_idx }) => padding_idx === undefined,
  forward({ kernels, options, input, otherInputs, output }) {
    const padding = paddingOf(options, otherInputs);
    kernels.meanOfPositions(output, input, padding && padding.indices, padding ? padding.index : -1);
  },
  backward(context) {
    const { kernels, options, otherInputs, gradOutput, gradInput } = context;
    const padding = paddingOf(options, otherInputs);
    if (gradInput)
      kernels.meanOfPositionsBackward(gradInput, gradOutput, padding && padding.indices, padding ? padding.index : -1);
    fillIndexGradient(context);
  },
});

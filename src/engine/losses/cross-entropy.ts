import * as z from 'zod/mini';
import type { CrossEntropyVariant } from '../kernels/weighted-cross-entropy';
import { alias, nonNegativeNumber } from '../option-schemas';
import { defineLoss, rowCount, type LossContext } from './loss';
import { divisor, OVER_BATCH, reduction, rows } from './reduction';

const options = z.strictObject({
  reduction: reduction(`${OVER_BATCH} and the positions of sequences`),
  weight: z.optional(
    z
      .array(nonNegativeNumber('Weight'))
      .check(
        z.minLength(2),
        z.describe("A weight for each class. A mean divides by the weights of the targets' classes."),
        alias('class_weight', 'class_weights'),
      ),
  ),
  label_smoothing: z._default(
    nonNegativeNumber('The share of each target that is spread evenly over all classes.').check(z.lte(1)),
    0,
  ),
  ignore_index: z.optional(
    z
      .int()
      .check(
        z.gte(0),
        z.describe(
          'A class, by its index, that is no target: samples or positions with it count neither in the loss nor in the accuracy.',
        ),
        alias('ignore_label'),
      ),
  ),
});

type Options = z.output<typeof options>;

/** Null for the plain loss, which has the faster kernels. */
const variantOf = ({ weight, label_smoothing, ignore_index }: Options): CrossEntropyVariant | null =>
  weight === undefined && label_smoothing === 0 && ignore_index === undefined
    ? null
    : { weight: weight ?? null, labelSmoothing: label_smoothing };

function meanWeight({ kernels, options: loss, target }: LossContext<Options>): number {
  const variant = variantOf(loss);
  return variant ? kernels.targetWeight(target, variant) : rowCount(target);
}

function value({ kernels, options: loss, prediction, target }: LossContext<Options>): number {
  const variant = variantOf(loss);
  if (!variant) return kernels.crossEntropy(prediction, target) / divisor(loss, rowCount(prediction));
  const sum = kernels.weightedCrossEntropy(prediction, target, variant);
  return loss.reduction === 'sum' ? sum : sum / kernels.targetWeight(target, variant);
}

/** -Σ y log softmax(ŷ), mean over the batch, PyTorch's CrossEntropyLoss; gradient (softmax(ŷ) - y) / batch. */
export const crossEntropy = defineLoss({
  kind: 'cross_entropy',
  questions: { value: 'first-loss', gradient: 'logits-gradient' },
  aliases: [
    'ce',
    'xent',
    'log_loss',
    'categorical_crossentropy',
    'sparse_categorical_crossentropy',
    'softmax_cross_entropy',
    'softmax_cross_entropy_with_logits',
  ],
  summary:
    'Softmax and cross-entropy combined: -Σ y·ŷ + log Σ exp ŷ, the mean over the batch and, for sequences with a target at each position, the positions. Takes logits; always finite.',
  formulas(loss, classes) {
    const { weight, label_smoothing: smoothing } = loss;
    if (!variantOf(loss))
      return {
        equations: [
          `l = -total(y .* log_softmax(yhat))${rows(loss)}`,
          `d(yhat) = (softmax(yhat) - y)${rows(loss)}`,
          `d(y) = -log_softmax(yhat)${rows(loss)}`,
        ],
      };
    const [w, count] = weight ? [(class_: string) => `w[${class_}] * `, 'total(w .* y)'] : [() => '', 'total(y)'];
    const by = loss.reduction === 'sum' ? '' : ` / ${count}`;
    const [own, spread] = [1 - smoothing, smoothing / classes];
    const all = `j < ${classes}`;
    // A row without a target has only zeros.
    const where = `where q[n, k] = ${w('k')}(${own} * y[n, k] + ${spread} * sum(${all}: y[n, j]))`;
    return {
      equations: [
        `l = -sum(n, k < ${classes}: q[n, k] * log_softmax(yhat)[n, k])${by} ${where}`,
        `d(yhat)[n, k] = (softmax(yhat)[n, k] * sum(${all}: q[n, j]) - q[n, k])${by} ${where}`,
        // The targets also decide what a mean divides by.
        `d(y)[n, k] = -(${own} * ${w('k')}log_softmax(yhat)[n, k] + ` +
          `${spread} * sum(${all}: ${w('j')}log_softmax(yhat)[n, j])${by && ` + ${w('k')}l`})${by}`,
      ],
      ...(weight && { constants: { w: { shape: [weight.length], data: weight } } }),
      ...(weight && { symbols: { w: 'the weights of the classes' } }),
    };
  },
  options,
  takes: 'logits',
  activation: { layer: 'softmax', counterpart: 'cross_entropy_on_probabilities' },
  target: 'classes',
  threshold: 0,
  atPositions: true,
  classOptions: ({ weight, ignore_index }) => ({
    ...(weight && { weight: weight.length }),
    ...(ignore_index !== undefined && { ignoreIndex: ignore_index }),
  }),
  meanWeight,
  value,
  batchValues(context, out) {
    const { kernels, options: loss, prediction, target } = context;
    if (variantOf(loss)) {
      const size = target.data.length;
      for (let i = 0; i < out.data.length; i++)
        out.data[i] = value({
          ...context,
          prediction: { shape: target.shape, data: prediction.data.subarray(i * size, (i + 1) * size) },
        });
      return;
    }
    kernels.batchedCrossEntropy(out, prediction, target);
    const by = divisor(loss, rowCount(target));
    for (let i = 0; i < out.data.length; i++) out.data[i]! /= by;
  },
  probabilities: (kernels, out, prediction) => kernels.softmax(out, prediction),
  gradient({ kernels, options: loss, prediction, target }, gradPrediction) {
    const variant = variantOf(loss);
    if (variant)
      kernels.weightedCrossEntropyBackward(gradPrediction, prediction, target, variant, loss.reduction === 'mean');
    else kernels.crossEntropyBackward(gradPrediction, prediction, target, 1 / divisor(loss, rowCount(prediction)));
  },
});

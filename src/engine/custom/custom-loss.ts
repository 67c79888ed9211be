// Wraps a custom loss as a loss definition.
import { formatShape, type Tensor } from '../kernels/tensor';
import type { CustomLossContext, LossDefinition } from '../losses/loss';
import type { Loss, LossGradient } from './contract';
import { customLossSpec, type CustomLossOptions } from './custom-loss-spec';
import { CustomCode, type Tensors } from './custom-code';
import type { LayerCallObserver, LayerIdentity, LayerModule } from './layer-module';
import { describeValue } from './foreign-value';
import { createCustomFunction, type FunctionArguments, type FunctionRole } from './custom-function';
import { OwnFormulas } from './own-formulas';
import { type ContractViolation, checkTensor, remedyForNoTensor, violation } from './validation';

const EXAMPLE = 'Write: export default { forward({ outputs, targets, ops }) { … } };';

const role: FunctionRole = {
  noun: 'loss',
  toCall: ({ outputs }, { targets }) => ({ outputs, targets }),
  checkValue: (value, { outputs }) => checkLoss(value, outputs!),
  parseGradients: (returned, { outputs }) => parseLossGradient(returned, outputs!),
};

/** What is wrong with the result of a loss that is not one number. */
function checkLoss(value: unknown, { shape }: Tensor): ContractViolation {
  const remedy = 'Return one number, such as ops.mean(losses).';
  const given = shapeOf(value);
  if (!given)
    return violation(
      `returned ${describeValue(value)} instead of the loss`,
      (typeof value === 'number' ? null : remedyForNoTensor(value)) ?? remedy,
    );
  const [batch, ...rest] = shape as [number, ...number[]];
  const instead = `a tensor of the shape ${formatShape(given)} instead of one number`;
  const isRow = given[0] === batch && given.slice(1).every((size) => size === 1);
  if (isRow && given.length > 0)
    return violation(
      `returned ${instead}: a loss for each of the ${batch} samples`,
      'Return their mean, ops.mean(losses), or their sum, ops.sum(losses), and declare reduction: "sum".',
    );
  if (formatShape(given) === formatShape(shape))
    return violation(
      `returned ${instead}: a loss for each output of each sample`,
      `Return their mean, ops.mean(losses), or sum over the outputs first: ops.mean(ops.sum(losses, ${rest.length === 1 ? '1' : `[${rest.map((_, i) => i + 1).join(', ')}]`})).`,
    );
  if (given.length === 2 && given[0] === batch && given[1] === batch)
    return violation(
      `returned ${instead}: a loss for each pair of samples, because a shape [${batch}] and a shape [${batch}, 1] were broadcast`,
      'Give outputs and targets the same shape before they are compared.',
    );
  return violation(`returned ${instead}`, remedy);
}

const shapeOf = (value: unknown): readonly number[] | null =>
  typeof value === 'object' && value !== null && 'shape' in value && 'data' in value && Array.isArray(value.shape)
    ? (value.shape as readonly number[])
    : null;

function parseLossGradient(returned: unknown, outputs: Tensor): Tensors | ContractViolation {
  const remedy = 'Return { dOutputs }, the gradient of the loss with respect to the outputs.';
  if (typeof returned !== 'object' || returned === null)
    return violation(
      `returned ${describeValue(returned)} instead of a gradient`,
      returned === undefined ? 'Is a "return" missing?' : (remedyForNoTensor(returned) ?? remedy),
    );
  const { dOutputs } = returned as Partial<LossGradient>;
  if (dOutputs === undefined) {
    if (shapeOf(returned)) return violation('returned a tensor instead of an object with "dOutputs"', remedy);
    const keys = Object.keys(returned);
    const instead = keys.length === 1 ? `, but "${keys[0]}"` : '';
    return violation(`returned no "dOutputs", the gradient with respect to the outputs${instead}`, remedy);
  }
  const found = checkTensor(dOutputs, '"dOutputs"', outputs.shape);
  if (!found) return { outputs: dOutputs };
  const given = shapeOf(dOutputs) ?? [];
  const [batch = 1] = outputs.shape;
  if (given.length > 0 && given.length < outputs.shape.length && given[0] !== batch)
    return { ...found, remedy: 'Give each sample its own gradient: do not sum over the batch.' };
  if (formatShape([...given].reverse()) === formatShape(outputs.shape))
    return { ...found, remedy: 'It is transposed: return ops.transpose(gradient).' };
  return found;
}

/** The arguments of a call of the loss. */
const argumentsOf = ({ prediction, target, options }: CustomLossContext<CustomLossOptions>): FunctionArguments => ({
  variables: { outputs: prediction },
  constants: { targets: target },
  options: options.options,
});

/**
 * @param file the name of its file, which surfaces show as its kind
 * @throws CustomLayerError if the module exports no loss
 */
export function createCustomLoss(
  file: string,
  identity: LayerIdentity,
  module: LayerModule,
  observer: LayerCallObserver,
): LossDefinition<string, CustomLossOptions> {
  const code = new CustomCode(identity, module, observer);
  const loss = code.validatedExport('a loss', EXAMPLE, ['backward'], ['reduction', 'threshold', 'formulas']) as Loss;
  const formulas = loss.formulas === undefined ? null : new OwnFormulas(code, loss.formulas);
  const { reduction = 'mean', threshold } = loss as { reduction?: unknown; threshold?: unknown };
  if (reduction !== 'mean' && reduction !== 'sum')
    throw code.createError(
      'load',
      `exports a loss whose "reduction" is ${describeValue(reduction)}`,
      'Write reduction: "mean", which is the default, or reduction: "sum".',
    );
  if (threshold !== undefined && !(typeof threshold === 'number' && Number.isFinite(threshold)))
    throw code.createError(
      'load',
      `exports a loss whose "threshold" is ${describeValue(threshold)}`,
      'Write the output above which a sample is in class 1, such as threshold: 0 for logits.',
    );
  const own = createCustomFunction(code, loss, role);
  const { autograd } = own;
  return {
    kind: file,
    summary: customLossSpec.summary,
    options: customLossSpec.options,
    takes: 'unknown',
    target: 'values',
    formulas: ({ options }) => formulas && { equations: formulas.equations(options) },
    threshold: threshold ?? null,
    reduction,
    sourceLocations: own.sourceLocations,
    value: (context) => own.value(argumentsOf(context)),
    customValue: (context) => own.value(argumentsOf(context)),
    gradient(context, gradPrediction) {
      gradPrediction.data.set(own.gradients(argumentsOf(context)).outputs!);
    },
    kinkSides: (context) => own.kinkSides(argumentsOf(context)),
    operationGraph: (context) => own.operationGraph(argumentsOf(context)),
    ...(autograd && { autograd: (context) => autograd(argumentsOf(context))?.outputs ?? null }),
  };
}

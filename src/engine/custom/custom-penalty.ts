// Wraps a custom penalty: a function of the parameters that is added to the training loss.
import { formatShape } from '../kernels/tensor';
import { closestMatch } from '../closest-match';
import type { Penalty, PenaltyGradients } from './contract';
import { CustomCode, type Tensors } from './custom-code';
import type { LayerCallObserver, LayerIdentity, LayerModule } from './layer-module';
import { describeValue } from './foreign-value';
import { createCustomFunction, type CustomFunction, type FunctionRole } from './custom-function';
import { type ContractViolation, checkTensor, remedyForNoTensor, violation } from './validation';

/** A loaded penalty. */
export interface CustomPenaltyDefinition extends CustomFunction {
  /** The name of its file. */
  readonly kind: string;
}

const role: FunctionRole = {
  noun: 'penalty',
  toCall: (parameters) => ({ parameters }),
  checkValue(value) {
    const remedy = 'Return one number, such as ops.sum(squares).';
    const isTensor = typeof value === 'object' && value !== null && 'shape' in value && Array.isArray(value.shape);
    return isTensor
      ? violation(
          `returned a tensor of the shape ${formatShape(value.shape as number[])} instead of one number`,
          remedy,
        )
      : violation(`returned ${describeValue(value)} instead of the penalty`, remedyForNoTensor(value) ?? remedy);
  },
  parseGradients: parsePenaltyGradients,
};

function parsePenaltyGradients(returned: unknown, variables: Tensors): Tensors | ContractViolation {
  const remedy = 'Return { parameters: { "linear1.weight": gradient, … } }.';
  if (typeof returned !== 'object' || returned === null)
    return violation(
      `returned ${describeValue(returned)} instead of gradients`,
      returned === undefined ? 'Is a "return" missing?' : (remedyForNoTensor(returned) ?? remedy),
    );
  const { parameters } = returned as Partial<PenaltyGradients>;
  if (typeof parameters !== 'object' || (parameters as unknown) === null)
    return violation('returned no "parameters", the gradients by the name of the parameter', remedy);
  const names = Object.keys(variables);
  for (const [name, gradient] of Object.entries(parameters)) {
    const variable = variables[name];
    if (!variable) {
      const meant = closestMatch(name, names) ?? names.find((known) => known.endsWith(`.${name}`));
      return violation(
        `returned a gradient of "${name}", which is not a parameter`,
        meant === undefined ? `The parameters are ${names.slice(0, 8).join(', ')}.` : `Did you mean "${meant}"?`,
      );
    }
    const found = checkTensor(gradient, `a gradient of "${name}"`, variable.shape);
    if (found) return found;
  }
  return parameters;
}

/**
 * @param file the name of its file
 * @throws CustomLayerError if the module exports no penalty
 */
export function createCustomPenalty(
  file: string,
  identity: LayerIdentity,
  module: LayerModule,
  observer: LayerCallObserver,
): CustomPenaltyDefinition {
  const code = new CustomCode(identity, module, observer);
  const penalty = code.validatedExport('a penalty', 'Write: export default { forward({ parameters, ops }) { … } };', [
    'backward',
  ]) as Penalty;
  return { ...createCustomFunction(code, penalty, role), kind: file };
}

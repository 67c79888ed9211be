// The expressions that name the tensors of a layer, and the tensor that an expression names.
import type { ModelInfo } from '../protocol/model-info';
import type { TensorKind, TensorRequest } from '../protocol/queries';

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)*$/u;

/** `hidden`, or `layer("my layer")` for a name that is not an identifier. */
export const layerExpression = (name: string): string =>
  IDENTIFIER.test(name) ? name : `layer(${JSON.stringify(name)})`;

const expressionOf: Readonly<Record<TensorKind, (layer: string, name: string) => string>> = {
  output: (layer) => `${layer}.output`,
  output_gradient: (layer) => `grad(${layer}.output)`,
  parameter: (layer, name) => `${layer}.${name}`,
  parameter_gradient: (layer, name) => `grad(${layer}.${name})`,
  buffer: (layer, name) => `${layer}.${name}`,
  internal: (layer, name) => `${layer}.${name}`,
  internal_gradient: (layer, name) => `grad(${layer}.${name})`,
};

/** `grad(hidden.weight)`. */
export const tensorExpression = (
  { layers }: Pick<ModelInfo, 'layers'>,
  { layer, kind, parameter = '' }: TensorRequest,
) => expressionOf[kind](layerExpression(layers[layer]?.name ?? ''), parameter);

/** `grad(hidden.weight)[0, 1]`. @param index one number per dimension */
export const entryExpression = (tensor: string, index: readonly number[]): string => `${tensor}[${index.join(', ')}]`;

/**
 * The tensor of an expression that is the name of one or of a part of one, such as `grad(hidden.weight)[0]`. What a
 * parameter's update or optimizer state belongs to is the parameter. Null for anything else.
 */
export function tensorOfExpression({ layers }: Pick<ModelInfo, 'layers'>, expression: string): TensorRequest | null {
  const name = expression.trim().replace(/(\s*\[[^\]]*\])+$/, '');
  const value = name.replace(/^update\((.*)\)$/s, '$1');
  const named = layers.flatMap(({ index, name: own, inputs, parameters, buffers, internals }) => {
    const layer = layerExpression(own);
    const tensors: TensorRequest[] = [
      { layer: index, kind: 'output' },
      { layer: index, kind: 'output_gradient' },
      ...parameters.flatMap(({ shortName: parameter }): TensorRequest[] => [
        { layer: index, kind: 'parameter', parameter },
        { layer: index, kind: 'parameter_gradient', parameter },
      ]),
      ...buffers.map(({ shortName: parameter }): TensorRequest => ({ layer: index, kind: 'buffer', parameter })),
      ...internals.flatMap(({ shortName: parameter }): TensorRequest[] => [
        { layer: index, kind: 'internal', parameter },
        { layer: index, kind: 'internal_gradient', parameter },
      ]),
    ];
    const taken = inputs.flatMap((source, i) =>
      source >= 0 && value === `${layer}.input${i === 0 ? '' : i + 1}`
        ? [{ layer: source, kind: 'output' } satisfies TensorRequest]
        : [],
    );
    const state = parameters.flatMap(({ shortName: parameter }) =>
      value.startsWith(`${layer}.${parameter}.`)
        ? [{ layer: index, kind: 'parameter', parameter } satisfies TensorRequest]
        : [],
    );
    const exact = tensors.filter((tensor) => tensorExpression({ layers }, tensor) === value);
    return [...exact, ...taken, ...state];
  });
  return named[0] ?? null;
}

// The layers of a spec with their shapes, from the data on, or the places where layers do not fit together.
import { customLayerSpec } from '../engine/custom/custom-layer-spec';
import { pluralize } from '../engine/format-count';
import type { DataShape } from '../engine/datasets/dataset';
import { formatShape, numel, type Shape } from '../engine/kernels/tensor';
import { layers as layerTable } from '../engine/layers';
import type { InputCount, LayerDefinition, ParameterDeclaration } from '../engine/layers/layer';
import { declaredParameters, type LayerModel } from '../engine/network-model';
import { inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import type { Problem } from '../protocol/problem';
import { blocks } from './blocks';
import { type CustomLayerProvider, layerFaultToProblem } from './custom-layers';
import { didYouMean, plainNames, suggestName } from './name-suggestions';
import type { Spec, SpecLayer } from './spec';
import { createProblem, type Path, quote } from './spec-source';

export interface InferredLayers {
  /** Up to the first one whose output shape is unknown. */
  readonly layers: readonly LayerModel[];
  readonly problems: readonly Problem[];
}

/** What a layer or the data gives. */
interface Value {
  readonly shape: Shape;
  readonly producer: string;
  /** The layer that determined the shape; activations only pass it on. */
  readonly sizeSetBy?: string;
}

const ONE_INPUT: InputCount = { min: 1, max: 1 };

const shapesEqual = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

const formatInputs = (shape: Shape): string => (numel(shape) === 1 ? '1 input' : `${formatShape(shape)} inputs`);

/** The first of several paths that the spec contains. */
export const firstExistingPath = ({ source }: Spec, paths: readonly Path[]): Path =>
  paths.find((path) => source.has(path)) ?? paths.at(-1)!;

/** Where a layer's input is written: its name, or what of a block stands for it. */
const inputPath = (spec: Spec, { path }: SpecLayer, position: number): Path =>
  firstExistingPath(spec, [
    [...path, 'inputs', position],
    [...path, 'shortcut'],
    [...path, 'merge'],
    [...path, 'type'],
    path,
  ]);

/** Whether a layer takes a named input of the data. */
export const isNamedInput = ({ path }: Pick<SpecLayer, 'path'>): boolean => path[0] === 'data';

export function inferShapes(
  spec: Spec,
  { inputShape, groups = [] }: Pick<DataShape, 'inputShape' | 'groups'>,
  customLayers: CustomLayerProvider | undefined,
): InferredLayers {
  const problems: Problem[] = [];
  const layers: LayerModel[] = [];
  const data: Value = { shape: inputShape, producer: 'the data' };
  /** The output of each layer. */
  const values: Value[] = [];
  const report = (code: string, path: Path, message: string, remedy: string): void => {
    problems.push(createProblem(code, spec.source.locate(path), message, remedy));
  };

  const isData = (source: number): boolean => source === NETWORK_INPUT || isNamedInput(spec.layers[source]!);

  /** Adds a layer; false if it rejects its inputs, which leaves the following layers without a shape. */
  const appendLayer = (i: number, definition: LayerDefinition): boolean => {
    const layer = spec.layers[i]!;
    const { name, path, range } = layer;
    const group = isNamedInput(layer) ? groups.find((each) => each.name === name) : undefined;
    const options = group ? { start: group.start, shape: group.shape } : layer.options;
    const inputs = inputsOf(spec, i);
    const readsPadding = definition.paddingIndex?.(options) !== undefined;
    const all = inputs.map((index) => (index === NETWORK_INPUT ? data : values[index]!));
    const given = (readsPadding ? all.slice(0, -1) : all) as [Value, ...Value[]];
    const [first, ...others] = given;
    const { min, max } = definition.inputCount ?? ONE_INPUT;
    if (given.length < min || given.length > max) {
      const takes = max === min ? pluralize(min, 'input') : `${min} or more inputs`;
      report(
        'input-count',
        firstExistingPath(spec, [[...path, 'inputs'], path]),
        `${name} takes ${takes}, but has ${given.length}: ${given.map(({ producer }) => producer).join(', ')}.`,
        min > 1 ? 'Name them all: "inputs": ["…", "…"].' : 'Join them first, with a layer such as "add" or "concat".',
      );
      return false;
    }
    const misfit = definition.checkInput?.(first.shape, options);
    if (misfit) {
      report(
        'shape-mismatch',
        firstExistingPath(spec, [...(misfit.option ? [[...path, misfit.option]] : []), path]),
        `${name} ${misfit.requirement}, but ${first.producer} gives ${formatShape(first.shape)}.`,
        misfit.remedy,
      );
      return false;
    }
    const mismatch =
      given.length > 1
        ? definition.checkInputs?.(
            given.map(({ shape }) => shape),
            options,
          )
        : undefined;
    if (mismatch) {
      const [a, b] = mismatch.positions.map((position) => given[position]!) as [Value, Value];
      const remedy = layer.block && blocks[layer.block].mismatchRemedy;
      report(
        'shape-mismatch',
        inputPath(spec, layer, mismatch.positions[1]),
        `${name} ${mismatch.requirement}, but ${a.producer} gives ${formatShape(a.shape)} and ${b.producer} gives ${formatShape(b.shape)}.`,
        remedy ?? mismatch.remedy,
      );
      return false;
    }
    const [sequence, key = sequence] = given;
    const [positions] = key.shape;
    const indices = all.at(-1)!;
    if (readsPadding && (indices.shape.length !== 1 || indices.shape[0] !== positions)) {
      report(
        indices.shape.length === 1 ? 'shape-mismatch' : 'needs-indices',
        [...path, 'padding_idx'],
        `padding_idx of ${name} stands for an index at each of the ${positions!} positions of ${key.producer}, but ${indices.producer} gives ${formatShape(indices.shape)}.`,
        indices.shape.length === 1
          ? 'Remove "padding_idx", or keep one position for each index of the data.'
          : 'Remove "padding_idx", or use data with one index for each position, and "embedding".',
      );
      return false;
    }
    if (definition.indexCount && !isData(inputs[0]!)) {
      report(
        'needs-indices',
        firstExistingPath(spec, [[...path, 'inputs'], path]),
        `${name} takes indices, but ${first.producer} gives other numbers.`,
        groups.length > 0
          ? `Let ${name} take a named input of the data, such as "inputs": [${quote(groups[0]!.name)}].`
          : `Let ${name} take the data: "inputs": ["input"].`,
      );
      return false;
    }
    if (definition.fit && inputs[0] !== NETWORK_INPUT) {
      problems.push(
        createProblem(
          'not-first',
          range,
          `${name} compares its input with training samples, but ${first.producer} comes before it.`,
          `Make ${name} the first layer. Use "transforms" to change the data before it.`,
        ),
      );
      return false;
    }
    const expected = definition.expectedInputShape?.(options, first.shape);
    if (expected && !shapesEqual(expected, first.shape)) {
      const where = firstExistingPath(spec, [[...path, 'in_features'], [...path, 'weight'], path]);
      const actual = formatShape(first.shape);
      const remedyStart =
        where.at(-1) === 'weight'
          ? `Give each row of "weight" in ${name} ${actual} numbers`
          : `Make ${name} take ${actual}`;
      report(
        'shape-mismatch',
        where,
        `${name} expects ${formatInputs(expected)}, but ${first.producer} gives ${actual}.`,
        first.sizeSetBy
          ? `${remedyStart}, or make ${first.sizeSetBy} give ${formatShape(expected)}.`
          : `${remedyStart}.`,
      );
    }
    const input = expected ?? first.shape;
    const otherInputShapes = (readsPadding ? [...others, indices] : others).map(({ shape }) => shape);
    const shape = definition.outputShape(input, options, otherInputShapes);
    const unshared: LayerModel = {
      name,
      definition,
      options,
      inputShape: input,
      ...(otherInputShapes.length > 0 && { otherInputShapes }),
      outputShape: shape,
      ...(layer.inputs && { inputs: layer.inputs }),
      freeze: layer.freeze,
      line: spec.source.lineAt(range.start),
      blocks: layer.blocks,
    };
    const { sharedParameters, problems: shareProblems } = resolveSharing(spec, layer, unshared, layers);
    const model = sharedParameters ? { ...unshared, sharedParameters } : unshared;
    problems.push(...shareProblems, ...checkFreeze(spec, layer, model));
    layers.push(model);
    const sizeSetBy = definition.parameters ? name : first.sizeSetBy;
    values.push({ shape, producer: name, ...(sizeSetBy !== undefined && { sizeSetBy }) });
    return true;
  };

  for (const [i, { type }] of spec.layers.entries()) {
    if (type !== customLayerSpec.kind) {
      if (!appendLayer(i, layerTable[type])) break;
      continue;
    }
    if (!customLayers) break;
    try {
      // Parameters are requested in here, so that errors of the layer have a place in the spec.
      if (!appendLayer(i, customLayers.getDefinition(i))) break;
    } catch (error) {
      problems.push(layerFaultToProblem(spec, i, error));
      break;
    }
  }
  return { layers, problems };
}

/** The parameters that a layer takes from another one. */
function resolveSharing(
  spec: Spec,
  { share, path, name }: SpecLayer,
  model: LayerModel,
  layers: readonly LayerModel[],
): { readonly sharedParameters?: Record<string, number>; readonly problems: readonly Problem[] } {
  const declared = declaredParameters(model);
  if (!share) return { problems: [] };
  const owner = layers[share.layer]!;
  const offered = new Map(declaredParameters(owner).map((each): [string, ParameterDeclaration] => [each.name, each]));
  const fail = (code: string, key: string, message: string, remedy: string, suggestion?: string) => ({
    problems: [createProblem(code, spec.source.locate([...path, key]), message, remedy, suggestion)],
  });
  const { parameter } = share;
  if (parameter !== undefined && !offered.has(parameter)) {
    const known = plainNames([...offered.keys()]);
    const meant = suggestName(parameter, known);
    return fail(
      'unknown-parameter',
      'share',
      `${owner.name} has no parameter ${quote(parameter)}.`,
      known.length > 0 ? didYouMean(parameter, known) : 'Name a layer with parameters.',
      meant === undefined ? undefined : `${owner.name}.${meant}`,
    );
  }
  const wanted = declared.filter((each) =>
    parameter === undefined ? offered.has(each.name) : each.name === parameter,
  );
  if (wanted.length === 0)
    return fail(
      'nothing-shared',
      'share',
      `${name} has no parameter${parameter === undefined ? '' : ` ${quote(parameter)}`} to take from ${owner.name}.`,
      'Remove "share", or name a layer of the same type.',
    );
  for (const { name: own, option = own, shape, init } of wanted) {
    const theirs = offered.get(own)!.shape;
    if (!shapesEqual(shape, theirs))
      return fail(
        'shape-mismatch',
        'share',
        `The ${own} of ${name} is ${formatShape(shape)}, but that of ${owner.name} is ${formatShape(theirs)}.`,
        'Give both layers the same sizes, or share another parameter.',
      );
    if ('values' in init && spec.source.has([...path, option]))
      return fail(
        'shared-values',
        option,
        `${name} takes its ${own} from ${owner.name}, so these values have no effect.`,
        `Remove ${quote(option)}, or write it in ${owner.name}.`,
      );
  }
  return {
    sharedParameters: Object.fromEntries(
      wanted.map(({ name: own }) => [own, owner.sharedParameters?.[own] ?? share.layer]),
    ),
    problems: [],
  };
}

function checkFreeze(spec: Spec, { name, freeze, path }: SpecLayer, model: LayerModel): Problem[] {
  if (freeze.length === 0) return [];
  const { sharedParameters = {} } = model;
  const declared = declaredParameters(model).map((parameter) => parameter.name);
  const known = declared.filter((parameter) => sharedParameters[parameter] === undefined);
  return freeze.flatMap((frozenName, i) => {
    if (known.includes(frozenName)) return [];
    const range = spec.source.locate([...path, 'freeze', i]);
    if (declared.includes(frozenName))
      return createProblem(
        'unknown-parameter',
        range,
        `${name} shares its ${frozenName} with another layer.`,
        'Freeze it in the layer that it belongs to.',
      );
    return createProblem(
      'unknown-parameter',
      range,
      known.length === 0 ? `${name} has no parameters to freeze.` : `${name} has no parameter ${quote(frozenName)}.`,
      known.length === 0 ? 'Remove "freeze".' : didYouMean(frozenName, plainNames(known)),
      suggestName(frozenName, plainNames(known)),
    );
  });
}

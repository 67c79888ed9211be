// Explains a value by the terms of its sum, largest first, each with its origin.
import type { NodeId, ElementRef, Factor, Term, Attribution, AttributionRequest } from '../../protocol/queries';
import { createBackend } from '../../engine/kernels/create-kernels';
import { numel, type Tensor } from '../../engine/kernels/tensor';
import type { WindowOptions } from '../../engine/kernels/windows';
import { type AuxiliaryLoss, type LayerModel, type Parameter, parametersUsedBy } from '../../engine/network-model';
import { isPenalized } from '../../engine/penalty';
import { consumersOf, type InputEdge, inputsOf, NETWORK_INPUT } from '../../engine/network-graph';
import type { TrainingSession } from '../session';
import { layerJacobianRows, MAX_UNIT_GRADIENTS, parameterDerivatives } from './layer-jacobian';
import { cachedNodeFormula } from '../node-formulas';
import { targetGradientOf } from '../target-gradient';
import { defineQuery } from './query';
import { followSample, type FollowedSample, inputsOfFollowed, weightsBeforeUpdate } from './followed-sample';
import { WindowGeometry } from './window-geometry';

const MAX_TERMS = 24;

export const attribution = defineQuery({
  type: 'attribution',
  /** Null if there is no such value, or not yet. */
  resolve(session: TrainingSession, request: AttributionRequest): Attribution | null {
    const found = attribute(session, request);
    return found && { ...found, formula: cachedNodeFormula(session.network, request.node) };
  },
});

type Unnamed = Omit<Attribution, 'formula'>;

/** Null if there is no such value, or not yet. */
function attribute(session: TrainingSession, { node, index, sample }: AttributionRequest): Unnamed | null {
  const followed = followSample(session, sample);
  const { layers } = session.network.model;
  if (!followed || ('layer' in node && !(node.layer in layers))) return null;
  switch (node.of) {
    case 'input':
      return leaf(followed, followed.input[index]);
    case 'target':
      return leaf(followed, followed.target[index]);
    case 'output':
      return attributeOutput(session, followed, node.layer, index);
    case 'output_gradient':
      return attributeOutputGradient(session, followed, node.layer, index);
    case 'input_gradient':
      return attributeOutputGradient(session, followed, NETWORK_INPUT, index);
    case 'target_gradient': {
      const isReady = followed.row !== null && session.progress.hasOutputGradient(layers.length - 1);
      const value = isReady ? targetGradientOf(session, followed.row)?.[index] : undefined;
      return value === undefined
        ? null
        : attributeToLosses(session, followed, ({ target }) => target === 'targets', value);
    }
    case 'loss':
      return session.loss === null ? null : attributeToLosses(session, followed, () => true, session.loss);
    case 'loss_gradient':
      return session.progress.hasOutputGradient(layers.length - 1) ? leaf(followed, 1) : null;
    case 'parameter':
      return leaf(followed, weightsOf(session, followed, node)?.[index]);
    case 'update':
      return leaf(followed, updatedParameter(session, node)?.previous.data[index]);
    case 'updated':
      return attributeUpdatedParameter(session, followed, node, index);
    case 'parameter_gradient':
      return attributeParameterGradient(session, followed, node, index);
  }
}

type LossPlace = Pick<AuxiliaryLoss, 'layer' | 'target'>;

/** What losses compute from the outputs that they take and from the target of the followed sample, all of them. */
function attributeToLosses(
  { network: { model } }: TrainingSession,
  followed: FollowedSample,
  isIncluded: (loss: LossPlace) => boolean,
  value: number,
): Unnamed {
  const from = (of: ArrayLike<number>, node: NodeId): Term[] =>
    Array.from(of, (one, i) => ({ value: one, factors: [{ value: one, source: { node, index: i } }] }));
  const ofPrediction: LossPlace = { layer: model.layers.length - 1, target: 'targets' };
  const losses = [ofPrediction, ...(model.auxiliaryLosses ?? [])].filter(isIncluded);
  const taken = [...new Set(losses.map(({ layer }) => layer))];
  const compares = (what: LossPlace['target']): boolean => losses.some(({ target }) => target === what);
  return createAttribution(followed, value, 'rule', [
    ...taken.flatMap((layer) => from(followed.output(layer) ?? [], { of: 'output', layer })),
    ...(compares('targets') ? from(followed.target, { of: 'target' }) : []),
    ...(compares('inputs') ? from(followed.input, { of: 'input' }) : []),
  ]);
}

const reference = createBackend('reference', 'float64');

/** Of an auxiliary loss, its part of the gradient of the output that it takes, for the followed sample. */
function auxiliaryTerm({ network, pass }: TrainingSession, { row }: FollowedSample, loss: number, index: number): Term {
  const { definition, context, weight } = pass.losses[1 + loss]!;
  const { name } = network.model.auxiliaryLosses![loss]!;
  const { shape } = context.prediction;
  const copyOf = ({ data }: Tensor): Tensor => ({ shape, data: Float64Array.from(data) });
  const gradient = { shape, data: new Float64Array(context.prediction.data.length) };
  definition.gradient(
    { ...context, kernels: reference, prediction: copyOf(context.prediction), target: copyOf(context.target) },
    gradient,
  );
  const width = gradient.data.length / shape[0]!;
  return product([
    { value: weight, source: null, name: 'loss weight' },
    { value: gradient.data[(row ?? 0) * width + index]!, source: null, name: `gradient of ${name}` },
  ]);
}

type OfParameter = Extract<NodeId, { parameter: string }>;

const parameterOf = ({ network }: TrainingSession, { layer, parameter }: OfParameter) =>
  parametersUsedBy(network, layer).find(({ shortName }) => shortName === parameter);

/** The weights that this step computes with. */
function weightsOf(session: TrainingSession, followed: FollowedSample, node: OfParameter) {
  const parameter = parameterOf(session, node);
  return parameter && weightsBeforeUpdate(session, followed, parameter);
}

/** The parameter, if this step has updated it. */
function updatedParameter(session: TrainingSession, node: OfParameter) {
  const parameter = parameterOf(session, node);
  return parameter && session.updateRatios.has(parameter.name) ? parameter : undefined;
}

/** The element of one of a layer's inputs. */
function inputElement({ network }: TrainingSession, layer: number, index: number, position = 0): ElementRef {
  const source = inputsOf(network.model, layer)[position]!;
  return { node: source === NETWORK_INPUT ? { of: 'input' } : { of: 'output', layer: source }, index };
}

const product = (factors: readonly Factor[]): Term => ({
  value: factors.reduce((of, { value }) => of * value, 1),
  factors,
});

function leaf({ sample }: FollowedSample, value: number | undefined): Unnamed | null {
  return value === undefined ? null : { sample, value, kind: 'given', terms: [], termCount: 0, remainder: 0 };
}

function createAttribution(
  { sample }: FollowedSample,
  value: number,
  kind: Attribution['kind'],
  all: readonly Term[],
): Unnamed {
  const sorted = [...all].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const remainder = kind === 'sum' ? sorted.slice(MAX_TERMS).reduce((sum, term) => sum + term.value, 0) : 0;
  return { sample, value, kind, terms: sorted.slice(0, MAX_TERMS), termCount: all.length, remainder };
}

/** Inputs and outputs of a weighted sum; on sequences, those of one position. */
const rowSizes = ({ inputShape, outputShape }: LayerModel) => ({
  inputs: inputShape.at(-1)!,
  outputs: outputShape.at(-1)!,
});

/** The windows of a convolution or pooling layer. */
function geometryOf({
  definition,
  options,
  inputShape,
  outputShape,
}: LayerModel): { readonly kind: 'convolution' | 'pooling'; readonly windows: WindowGeometry } | null {
  const kind = definition.windows;
  return kind ? { kind, windows: new WindowGeometry(inputShape, outputShape, options as WindowOptions) } : null;
}

function attributeOutput(
  session: TrainingSession,
  followed: FollowedSample,
  layer: number,
  index: number,
): Unnamed | null {
  const value = followed.output(layer)?.[index];
  const inputs = inputsOfFollowed(followed, session.network.model, layer);
  if (value === undefined || !inputs) return null;
  const input = inputs[0]!;
  const model = session.network.model.layers[layer]!;
  const geometry = geometryOf(model);
  if (geometry?.kind === 'convolution') {
    const [weight, bias] = ['weight', 'bias'].map((parameter) =>
      weightsOf(session, followed, { of: 'parameter', layer, parameter }),
    );
    if (!weight) return null;
    const terms = geometry.windows.tapsIntoOutput(index).map((at) =>
      product([
        {
          value: weight[at.weight]!,
          source: { node: { of: 'parameter', layer, parameter: 'weight' }, index: at.weight },
        },
        { value: input[at.input]!, source: inputElement(session, layer, at.input) },
      ]),
    );
    const channel = Math.floor(index / (model.outputShape[1]! * model.outputShape[2]!));
    if (bias)
      terms.push(
        product([
          { value: bias[channel]!, source: { node: { of: 'parameter', layer, parameter: 'bias' }, index: channel } },
        ]),
      );
    return createAttribution(followed, value, 'sum', terms);
  }
  if (model.definition.jacobianStructure === 'weighted_sum') {
    const { inputs: width, outputs: units } = rowSizes(model);
    const [position, unit] = [Math.floor(index / units), index % units];
    const weight = weightsOf(session, followed, { of: 'parameter', layer, parameter: 'weight' });
    const bias = weightsOf(session, followed, { of: 'parameter', layer, parameter: 'bias' });
    if (!weight) return null;
    const from = position * width;
    const terms = Array.from(input.subarray(from, from + width), (x, j) =>
      product([
        {
          value: weight[unit * width + j]!,
          source: { node: { of: 'parameter', layer, parameter: 'weight' }, index: unit * width + j },
        },
        { value: x, source: inputElement(session, layer, from + j) },
      ]),
    );
    if (bias)
      terms.push(
        product([{ value: bias[unit]!, source: { node: { of: 'parameter', layer, parameter: 'bias' }, index: unit } }]),
      );
    return createAttribution(followed, value, 'sum', terms);
  }
  // For any other layer, the values that it depends on, ordered by their derivatives.
  const terms = inputs.flatMap((values, position): Term[] => {
    const local = layerJacobianRows(session, layer, followed.sample, [index], position);
    return Array.from(local?.values ?? [], (derivative, j) => ({
      value: derivative,
      factors: [
        { value: derivative, source: null, name: 'slope' },
        { value: values[j]!, source: inputElement(session, layer, j, position) },
      ],
    })).filter((term) => term.value !== 0);
  });
  return createAttribution(followed, value, 'function', terms);
}

function attributeUpdatedParameter(
  session: TrainingSession,
  followed: FollowedSample,
  node: OfParameter,
  index: number,
): Unnamed | null {
  const parameter = updatedParameter(session, node);
  if (!parameter) return null;
  const now = parameter.value.data[index]!;
  const afterUpdate =
    session.edits.find((edit) => edit.parameter === parameter.name && edit.index === index)?.before ?? now;
  const before = afterUpdate - parameter.previous.data[index]!;
  return createAttribution(followed, now, 'sum', [
    ...(afterUpdate === now ? [] : [product([{ value: now - afterUpdate, source: null, name: 'set manually' }])]),
    product([{ value: before, source: { node: { ...node, of: 'parameter' }, index } }]),
    product([{ value: parameter.previous.data[index]!, source: { node: { ...node, of: 'update' }, index } }]),
  ]);
}

/** The chain rule: dL/dy_j = Σ_i dL/dz_i · dz_i/dy_j over the outputs z of all layers that take y. */
function attributeOutputGradient(
  session: TrainingSession,
  followed: FollowedSample,
  layer: number,
  index: number,
): Unnamed | null {
  const gradient = layer === NETWORK_INPUT ? followed.inputGradient : followed.outputGradient(layer);
  const value = gradient?.[index];
  if (value === undefined) return null;
  const { model } = session.network;
  const consumers = consumersOf(model, layer);
  // With a softmax in the loss, every prediction matters.
  if (consumers.length === 0) return attributeToLosses(session, followed, (loss) => loss.layer === layer, value);
  const ofLosses = (model.auxiliaryLosses ?? []).flatMap((loss, i) =>
    loss.layer === layer ? [[auxiliaryTerm(session, followed, i, index)]] : [],
  );
  const terms = [...consumers.map((edge) => gradientTermsThrough(session, followed, edge, index)), ...ofLosses];
  return terms.every((each) => each !== null)
    ? createAttribution(followed, value, 'sum', terms.flat())
    : createAttribution(followed, value, 'function', []);
}

/** What the gradient of entry `index` of an input is the sum of; null where that cannot be told. */
function gradientTermsThrough(
  session: TrainingSession,
  followed: FollowedSample,
  { layer: next, position }: InputEdge,
  index: number,
): Term[] | null {
  const upstream = followed.outputGradient(next);
  if (!upstream) return null;
  const model = session.network.model.layers[next]!;
  const geometry = geometryOf(model);
  const upstreamFactor = (i: number): Factor => ({
    value: upstream[i]!,
    source: { node: { of: 'output_gradient', layer: next }, index: i },
  });
  if (geometry?.kind === 'convolution') {
    const weight = weightsOf(session, followed, { of: 'parameter', layer: next, parameter: 'weight' });
    return (
      (weight &&
        geometry.windows.tapsFromInput(index).map((at) =>
          product([
            upstreamFactor(at.output),
            {
              value: weight[at.weight]!,
              source: { node: { of: 'parameter', layer: next, parameter: 'weight' }, index: at.weight },
            },
          ]),
        )) ??
      null
    );
  }
  const outputs = numel(model.outputShape);
  const isElementwise = model.definition.jacobianStructure === 'elementwise' || model.definition.passThrough === true;
  const reachedOutputs = isElementwise
    ? [index]
    : geometry
      ? geometry.windows.pooledOutputsOf(index)
      : Array.from({ length: outputs }, (_, i) => i);
  const local = layerJacobianRows(session, next, followed.sample, reachedOutputs, position);
  if (!local) return null;
  const linear = model.definition.jacobianStructure === 'weighted_sum';
  const { inputs: width, outputs: units } = rowSizes(model);
  return reachedOutputs
    .map((i, row) => ({ i, derivative: local.values[row * local.inputs + index]! }))
    .filter(({ derivative }) => derivative !== 0)
    .map(({ i, derivative }) =>
      product([
        upstreamFactor(i),
        {
          value: derivative,
          source: linear
            ? {
                node: { of: 'parameter', layer: next, parameter: 'weight' },
                index: (i % units) * width + (index % width),
              }
            : null,
          ...(!linear && { name: 'local derivative' }),
        },
      ]),
    );
}

/**
 * For a weighted sum: dL/dW_ij = Σ_samples dL/dy_i · x_j, dL/db_i = Σ_samples dL/dy_i; of a shared parameter, over all
 * layers that use it.
 */
function attributeParameterGradient(
  session: TrainingSession,
  followed: FollowedSample,
  node: OfParameter,
  index: number,
): Unnamed | null {
  const { network, pass, progress, batch } = session;
  const parameter = parameterOf(session, node);
  const value =
    parameter && progress.hasParameterGradients(parameter.layer) ? parameter.gradient.data[index] : undefined;
  if (parameter === undefined || value === undefined) return null;
  const users = parameter.users.map((layer) => ({ layer, model: network.model.layers[layer]! }));
  const geometry = users.length === 1 ? geometryOf(users[0]!.model) : null;
  if (geometry?.kind === 'convolution')
    return attributeKernelGradient(session, followed, node, index, value, geometry.windows);
  if (users.some(({ model: { definition } }) => definition.jacobianStructure !== 'weighted_sum')) {
    const terms = users.map(({ layer }) => parameterTermsThrough(session, layer, node.parameter, index));
    return terms.every((each) => each !== null)
      ? createAttribution(followed, value, 'sum', [
          ...terms.flat(),
          ...penaltyTerm(session, followed, parameter, index),
        ])
      : createAttribution(followed, value, 'function', []);
  }
  const terms = users.flatMap(({ layer, model }) => {
    const { inputs, outputs } = rowSizes(model);
    const positions = numel(model.outputShape) / outputs;
    const [unit, from] = node.parameter === 'bias' ? [index, null] : [Math.floor(index / inputs), index % inputs];
    const [x, gradient] = [pass.layerInput(layer).data, pass.outputGradients[layer]!.data];
    return Array.from({ length: pass.batchSize * positions }, (_, row) => {
      const sample = batch.order[batch.from + Math.floor(row / positions)]!;
      const position = row % positions;
      const factors: Factor[] = [
        {
          value: gradient[row * outputs + unit]!,
          source: { node: { of: 'output_gradient', layer }, index: position * outputs + unit },
          sample,
        },
      ];
      if (from !== null)
        factors.push({
          value: x[row * inputs + from]!,
          source: inputElement(session, layer, position * inputs + from),
          sample,
        });
      return product(factors);
    });
  });
  return createAttribution(followed, value, 'sum', [...terms, ...penaltyTerm(session, followed, parameter, index)]);
}

/** What a penalty adds to a gradient. */
function penaltyTerm(
  session: TrainingSession,
  followed: FollowedSample,
  parameter: Parameter,
  index: number,
): readonly Term[] {
  const { penalty } = session.network.model;
  if (!penalty || penalty.custom || !isPenalized(penalty, parameter)) return [];
  const weight = weightsBeforeUpdate(session, followed, parameter)[index]!;
  return [product([{ value: penalty.l1 * Math.sign(weight) + penalty.l2 * weight, source: null, name: 'penalty' }])];
}

/**
 * For any layer: dL/dw = Σ dL/dy_i · ∂y_i/∂w over the outputs of all samples, with the derivatives from the layer's own
 * backward pass; where those are many, one term for each sample.
 */
function parameterTermsThrough(
  session: TrainingSession,
  layer: number,
  parameter: string,
  index: number,
): readonly Term[] | null {
  const { pass, batch, network } = session;
  const upstream = pass.outputGradients[layer]!;
  const size = numel(network.model.layers[layer]!.outputShape);
  const sampleOf = (row: number): number => batch.order[batch.from + row]!;
  const units = pass.batchSize * size;
  if (units <= MAX_UNIT_GRADIENTS) {
    const derivatives = parameterDerivatives(session, layer, parameter, index, 'output');
    return (
      derivatives &&
      Array.from(derivatives, (derivative, i) =>
        product([
          {
            value: upstream.data[i]!,
            source: { node: { of: 'output_gradient', layer }, index: i % size },
            sample: sampleOf(Math.floor(i / size)),
          },
          { value: derivative, source: null, name: 'local derivative' },
        ]),
      ).filter(({ value }) => value !== 0)
    );
  }
  const shares = parameterDerivatives(session, layer, parameter, index, 'sample');
  return (
    shares && Array.from(shares, (value, row) => product([{ value, source: null, name: `sample ${sampleOf(row)}` }]))
  );
}

/** For a convolution: the same over every position of the window, dL/dW = Σ_samples,u,v dL/dy_uv · x. */
function attributeKernelGradient(
  session: TrainingSession,
  followed: FollowedSample,
  node: OfParameter,
  index: number,
  value: number,
  windows: WindowGeometry,
): Unnamed {
  const { pass, batch } = session;
  const { layer } = node;
  const [inputs, outputs] = [numel(windows.input), numel(windows.output)];
  const [x, gradient] = [pass.layerInput(layer).data, pass.outputGradients[layer]!.data];
  const plane = windows.output[1]! * windows.output[2]!;
  const bias = node.parameter === 'bias';
  const places = bias
    ? Array.from({ length: plane }, (_, i) => ({ output: index * plane + i, input: 0 }))
    : windows.tapsOfWeight(index);
  // There may be a million: only the largest become terms.
  const values = new Float64Array(pass.batchSize * places.length);
  for (let row = 0, at = 0; row < pass.batchSize; row++) {
    for (const { input, output } of places)
      values[at++] = gradient[row * outputs + output]! * (bias ? 1 : x[row * inputs + input]!);
  }
  const threshold = values.map(Math.abs).sort()[Math.max(0, values.length - MAX_TERMS)]!;
  const largest: number[] = [];
  let remainder = 0;
  values.forEach((term, at) => {
    if (largest.length < MAX_TERMS && Math.abs(term) >= threshold) largest.push(at);
    else remainder += term;
  });
  const terms = largest
    .sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!))
    .map((at) => {
      const row = Math.floor(at / places.length);
      const { input, output } = places[at % places.length]!;
      const sample = batch.order[batch.from + row]!;
      return product([
        {
          value: gradient[row * outputs + output]!,
          source: { node: { of: 'output_gradient', layer }, index: output },
          sample,
        },
        ...(bias ? [] : [{ value: x[row * inputs + input]!, source: inputElement(session, layer, input), sample }]),
      ]);
    });
  return { sample: followed.sample, value, kind: 'sum', terms, termCount: values.length, remainder };
}

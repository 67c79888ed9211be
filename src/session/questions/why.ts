// Why a value is what it is: the terms that it is the sum of, the largest first, each with where it came from.
import { sizeOf } from '../../engine/kernels/tensor';
import type { Windows } from '../../engine/kernels/windows';
import type { LayerModel } from '../../engine/network';
import type { TrainingSession } from '../session';
import { localRows } from './alone';
import type { NodeId } from './nodes';
import { defineQuestion } from './question';
import { follow, type FollowedSample, weightsUsed } from './sample';
import { WindowGeometry } from './why-windows';

/** One entry of a node, by its place in the flat tensor. */
export interface Cell {
  readonly node: NodeId;
  readonly index: number;
}

export interface Factor {
  readonly value: number;
  /** Where it can be looked at; null for a local derivative. */
  readonly cell: Cell | null;
  /** Of a local derivative, or of the loss: what it is. */
  readonly name?: string;
  /** Of another sample of the batch than the followed one. */
  readonly sample?: number;
}

/** The product of its factors. */
export interface Term {
  readonly value: number;
  readonly factors: readonly Factor[];
}

export interface WhyAnswer {
  readonly sample: number;
  readonly value: number;
  /**
   * - `sum`: the value is the sum of its terms.
   * - `function`: it is a function of the values in `terms`, each with its slope there; they are no summands.
   * - `rule`: it follows from them by the rule of the loss; they are no summands.
   * - `given`: it comes from the data, or from how the run began and was trained.
   */
  readonly kind: 'sum' | 'function' | 'rule' | 'given';
  /** The largest first; at most MOST. */
  readonly terms: readonly Term[];
  /** How many there are, and what those left out sum to. */
  readonly of: number;
  readonly rest: number;
}

const MOST = 24;

export const why = defineQuestion({
  about: 'why',
  /** Null where there is no such value, or none yet. */
  answer(session: TrainingSession, { node, index, sample }: Cell & { readonly sample: number | null }): WhyAnswer | null {
    const followed = follow(session, sample);
    const { layers } = session.network.model;
    if (!followed || ('layer' in node && !(node.layer in layers))) return null;
    switch (node.of) {
      case 'input':
        return given(followed, followed.input[index]);
      case 'target':
        return given(followed, followed.target[index]);
      case 'output':
        return whyOutput(session, followed, node.layer, index);
      case 'output_gradient':
        return whyOutputGradient(session, followed, node.layer, index);
      case 'parameter':
        return given(followed, used(session, followed, node)?.[index]);
      case 'update':
        return given(followed, updated(session, node)?.previous.data[index]);
      case 'updated':
        return whyUpdated(session, followed, node, index);
      case 'parameter_gradient':
        return whyParameterGradient(session, followed, node, index);
    }
  },
});

type OfParameter = Extract<NodeId, { parameter: string }>;

const parameterOf = ({ network }: TrainingSession, { layer, parameter }: OfParameter) =>
  network.parameters.find((each) => each.layer === layer && each.shortName === parameter);

/** The weights that this step computes with. */
function used(session: TrainingSession, followed: FollowedSample, node: OfParameter) {
  const parameter = parameterOf(session, node);
  return parameter && weightsUsed(session, followed, parameter);
}

/** The parameter, if this step has updated it. */
function updated(session: TrainingSession, node: OfParameter) {
  const parameter = parameterOf(session, node);
  return parameter && session.updateRatios.has(parameter.name) ? parameter : undefined;
}

/** The cell of a layer's input. */
const inputCell = (layer: number, index: number): Cell =>
  ({ node: layer === 0 ? { of: 'input' } : { of: 'output', layer: layer - 1 }, index });

const product = (factors: readonly Factor[]): Term => ({ value: factors.reduce((of, { value }) => of * value, 1), factors });

function given({ sample }: FollowedSample, value: number | undefined): WhyAnswer | null {
  return value === undefined ? null : { sample, value, kind: 'given', terms: [], of: 0, rest: 0 };
}

function answer({ sample }: FollowedSample, value: number, kind: WhyAnswer['kind'], all: readonly Term[]): WhyAnswer {
  const sorted = [...all].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rest = kind === 'sum' ? sorted.slice(MOST).reduce((sum, term) => sum + term.value, 0) : 0;
  return { sample, value, kind, terms: sorted.slice(0, MOST), of: all.length, rest };
}

/** Its windows, of a layer that has some. */
function geometryOf({ definition: { kind }, options, inputShape, outputShape }: LayerModel): { readonly kind: 'conv' | 'pool'; readonly windows: WindowGeometry } | null {
  const found = kind === 'conv2d' ? 'conv' : kind === 'max_pool2d' || kind === 'avg_pool2d' ? 'pool' : null;
  return found && { kind: found, windows: new WindowGeometry(inputShape, outputShape, options as Windows) };
}

function whyOutput(session: TrainingSession, followed: FollowedSample, layer: number, index: number): WhyAnswer | null {
  const value = followed.output(layer)?.[index];
  const input = layer === 0 ? followed.input : followed.output(layer - 1);
  if (value === undefined || !input) return null;
  const model = session.network.model.layers[layer];
  const geometry = geometryOf(model);
  if (geometry?.kind === 'conv') {
    const [weight, bias] = ['weight', 'bias'].map((parameter) => used(session, followed, { of: 'parameter', layer, parameter }));
    if (!weight) return null;
    const terms = geometry.windows.intoOutput(index).map((at) => product([
      { value: weight[at.weight], cell: { node: { of: 'parameter', layer, parameter: 'weight' }, index: at.weight } },
      { value: input[at.input], cell: inputCell(layer, at.input) },
    ]));
    const channel = Math.floor(index / (model.outputShape[1] * model.outputShape[2]));
    if (bias) terms.push(product([{ value: bias[channel], cell: { node: { of: 'parameter', layer, parameter: 'bias' }, index: channel } }]));
    return answer(followed, value, 'sum', terms);
  }
  if (model.definition.reach === 'weighted_sum') {
    const weight = used(session, followed, { of: 'parameter', layer, parameter: 'weight' });
    const bias = used(session, followed, { of: 'parameter', layer, parameter: 'bias' });
    if (!weight) return null;
    const width = input.length;
    const terms = Array.from(input, (x, j) => product([
      { value: weight[index * width + j], cell: { node: { of: 'parameter', layer, parameter: 'weight' }, index: index * width + j } },
      { value: x, cell: inputCell(layer, j) },
    ]));
    if (bias) terms.push(product([{ value: bias[index], cell: { node: { of: 'parameter', layer, parameter: 'bias' }, index } }]));
    return answer(followed, value, 'sum', terms);
  }
  // Of anything else, the values that it depends on, by how strongly.
  const local = localRows(session, layer, followed.sample, [index]);
  if (!local) return answer(followed, value, 'function', []);
  const terms = Array.from({ length: local.inputs }, (_, j) => j)
    .filter((j) => local.values[j] !== 0)
    .map((j): Term => {
      const slope = local.values[j];
      return { value: slope, factors: [{ value: slope, cell: null, name: 'slope' }, { value: input[j], cell: inputCell(layer, j) }] };
    });
  return answer(followed, value, 'function', terms);
}

function whyUpdated(session: TrainingSession, followed: FollowedSample, node: OfParameter, index: number): WhyAnswer | null {
  const parameter = updated(session, node);
  if (!parameter) return null;
  const now = parameter.value.data[index];
  const made = session.edits.find((edit) => edit.parameter === parameter.name && edit.index === index)?.before ?? now;
  const before = made - parameter.previous.data[index];
  return answer(followed, now, 'sum', [
    ...(made === now ? [] : [product([{ value: now - made, cell: null, name: 'set by hand' }])]),
    product([{ value: before, cell: { node: { ...node, of: 'parameter' }, index } }]),
    product([{ value: parameter.previous.data[index], cell: { node: { ...node, of: 'update' }, index } }]),
  ]);
}

/** The chain rule: dL/dy_j = Σ_i dL/dz_i · dz_i/dy_j over the outputs z of the layer after. */
function whyOutputGradient(session: TrainingSession, followed: FollowedSample, layer: number, index: number): WhyAnswer | null {
  const value = followed.outputGradient(layer)?.[index];
  if (value === undefined) return null;
  const next = layer + 1;
  if (next === session.network.model.layers.length) {
    const prediction = followed.output(layer) ?? [];
    const from = (of: ArrayLike<number>, node: NodeId): Term[] => Array.from(of, (one, i) => ({ value: one, factors: [{ value: one, cell: { node, index: i } }] }));
    // All of them: with a softmax in the loss every prediction plays a part.
    return answer(followed, value, 'rule', [...from(prediction, { of: 'output', layer }), ...from(followed.target, { of: 'target' })]);
  }
  const upstream = followed.outputGradient(next);
  if (!upstream) return answer(followed, value, 'function', []);
  const model = session.network.model.layers[next];
  const geometry = geometryOf(model);
  const arriving = (i: number): Factor => ({ value: upstream[i], cell: { node: { of: 'output_gradient', layer: next }, index: i } });
  if (geometry?.kind === 'conv') {
    const weight = used(session, followed, { of: 'parameter', layer: next, parameter: 'weight' });
    if (!weight) return null;
    return answer(followed, value, 'sum', geometry.windows.fromInput(index).map((at) => product([
      arriving(at.output), { value: weight[at.weight], cell: { node: { of: 'parameter', layer: next, parameter: 'weight' }, index: at.weight } },
    ])));
  }
  const outputs = sizeOf(model.outputShape);
  const inPlace = model.definition.reach === 'elementwise' || model.definition.kind === 'flatten';
  const reached = inPlace ? [index] : geometry ? geometry.windows.pooledFrom(index) : Array.from({ length: outputs }, (_, i) => i);
  const local = localRows(session, next, followed.sample, reached);
  if (!local) return answer(followed, value, 'function', []);
  const linear = model.definition.reach === 'weighted_sum';
  const terms = reached
    .map((i, row) => ({ i, slope: local.values[row * local.inputs + index] }))
    .filter(({ slope }) => slope !== 0)
    .map(({ i, slope }) => product([
      arriving(i),
      {
        value: slope,
        cell: linear ? { node: { of: 'parameter', layer: next, parameter: 'weight' }, index: i * local.inputs + index } : null,
        ...(!linear && { name: 'local derivative' }),
      },
    ]));
  return answer(followed, value, 'sum', terms);
}

/** Of a weighted sum: dL/dW_ij = Σ_samples dL/dy_i · x_j, dL/db_i = Σ_samples dL/dy_i. */
function whyParameterGradient(session: TrainingSession, followed: FollowedSample, node: OfParameter, index: number): WhyAnswer | null {
  const { network, pass, progress, batch } = session;
  const { layer } = node;
  const value = progress.backward(layer) ? parameterOf(session, node)?.gradient.data[index] : undefined;
  if (value === undefined) return null;
  const model = network.model.layers[layer];
  const { definition, inputShape, outputShape } = model;
  const geometry = geometryOf(model);
  if (geometry?.kind === 'conv') return whyKernelGradient(session, followed, node, index, value, geometry.windows);
  if (definition.reach !== 'weighted_sum') return answer(followed, value, 'function', []);
  const [inputs, outputs] = [sizeOf(inputShape), sizeOf(outputShape)];
  const [unit, from] = node.parameter === 'bias' ? [index, null] : [Math.floor(index / inputs), index % inputs];
  const [x, gradient] = [pass.inputOf(layer).data, pass.outputGradients[layer].data];
  const terms = Array.from({ length: pass.batch }, (_, row) => {
    const sample = batch.order[batch.from + row];
    const factors: Factor[] = [{ value: gradient[row * outputs + unit], cell: { node: { of: 'output_gradient', layer }, index: unit }, sample }];
    if (from !== null) factors.push({ value: x[row * inputs + from], cell: inputCell(layer, from), sample });
    return product(factors);
  });
  return answer(followed, value, 'sum', terms);
}

/** Of a convolution: the same over every place of the window, dL/dW = Σ_samples,u,v dL/dy_uv · x under it. */
function whyKernelGradient(session: TrainingSession, followed: FollowedSample, node: OfParameter, index: number, value: number, windows: WindowGeometry): WhyAnswer {
  const { pass, batch } = session;
  const { layer } = node;
  const [inputs, outputs] = [sizeOf(windows.input), sizeOf(windows.output)];
  const [x, gradient] = [pass.inputOf(layer).data, pass.outputGradients[layer].data];
  const plane = windows.output[1] * windows.output[2];
  const bias = node.parameter === 'bias';
  const places = bias ? Array.from({ length: plane }, (_, i) => ({ output: index * plane + i, input: 0 })) : windows.ofWeight(index);
  // There may be a million: only the largest are made into terms.
  const values = new Float64Array(pass.batch * places.length);
  for (let row = 0, at = 0; row < pass.batch; row++) {
    for (const { input, output } of places) values[at++] = gradient[row * outputs + output] * (bias ? 1 : x[row * inputs + input]);
  }
  const least = values.map(Math.abs).sort()[Math.max(0, values.length - MOST)];
  const largest: number[] = [];
  let rest = 0;
  values.forEach((term, at) => {
    if (largest.length < MOST && Math.abs(term) >= least) largest.push(at);
    else rest += term;
  });
  const terms = largest.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).map((at) => {
    const row = Math.floor(at / places.length);
    const { input, output } = places[at % places.length];
    const sample = batch.order[batch.from + row];
    return product([
      { value: gradient[row * outputs + output], cell: { node: { of: 'output_gradient', layer }, index: output }, sample },
      ...(bias ? [] : [{ value: x[row * inputs + input], cell: inputCell(layer, input), sample }]),
    ]);
  });
  return { sample: followed.sample, value, kind: 'sum', terms, of: values.length, rest };
}

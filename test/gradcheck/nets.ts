// Random networks for tests of the gradient check, with any layers, including faulty ones.
import type { CheckReport } from '../../src/protocol/check-report';
import { layers, type LayerKind } from '../../src/engine/layers';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { losses, type LossKind } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { type Backend, createBackend } from '../../src/engine/kernels/create-kernels';
import { numel, type Precision, type Shape } from '../../src/engine/kernels/tensor';
import { Network } from '../../src/engine/network';
import type { AuxiliaryLoss, LayerModel, NetworkModel } from '../../src/engine/network-model';
import type { Penalty } from '../../src/engine/penalty';
import { Random } from '../../src/engine/random';
import { type CheckOptions, GradientCheck } from '../../src/gradcheck';
import { appendLayer } from '../support/network-fixtures';

export interface LayerRecipe {
  readonly kind: LayerKind;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** Replaces the layer's own. */
  readonly definition?: LayerDefinition | undefined;
  readonly freeze?: readonly string[];
  /** The layers whose outputs it takes, NETWORK_INPUT for the network's input; by default, the layer before. */
  readonly inputs?: readonly number[];
  /** Owners of the parameters that it shares. */
  readonly shared?: Readonly<Record<string, number>>;
}

export interface NetRecipe {
  /** Numbers of a sample, or its shape. */
  readonly inputs: number | Shape;
  readonly layers: readonly LayerRecipe[];
  readonly loss: LossKind | { readonly definition: LossDefinition };
  readonly penalty?: Penalty | undefined;
  readonly auxiliary?: readonly {
    readonly kind: LossKind;
    readonly layer: number;
    readonly weight: number;
    readonly target: 'targets' | 'inputs';
  }[];
  readonly batch: number;
  readonly seed?: number;
  readonly precision?: Precision;
  /** Standard deviation of the inputs. */
  readonly spread?: number;
}

export const OPTIONS: CheckOptions = { step: 6e-6, rtol: 1e-5, atol: 1e-10 };

export const layerOf = (kind: LayerKind): LayerDefinition => layers[kind] as LayerDefinition;
export const linear = (out_features: number, more: Readonly<Record<string, unknown>> = {}): LayerRecipe => ({
  kind: 'linear',
  options: { out_features, ...more },
});

function modelOf({ inputs, layers: recipes, loss, penalty, auxiliary }: NetRecipe): NetworkModel {
  const inputShape = typeof inputs === 'number' ? [inputs] : inputs;
  const count = new Map<string, number>();
  const models: LayerModel[] = [];
  recipes.forEach(({ kind, options = {}, definition = layerOf(kind), freeze = [], inputs, shared }) => {
    const number = (count.get(kind) ?? 0) + 1;
    count.set(kind, number);
    appendLayer(models, inputShape, {
      name: `${kind}${number}`,
      definition,
      options: definition.options.parse(options),
      freeze,
      inputs,
      ...(shared && { sharedParameters: shared }),
    });
  });
  const definition = typeof loss === 'string' ? (losses[loss] as LossDefinition) : loss.definition;
  const auxiliaryLosses = auxiliary?.map(({ kind, ...rest }, i): AuxiliaryLoss => {
    const of = losses[kind] as LossDefinition;
    return { ...rest, name: `loss${i}`, definition: of, options: of.options.parse({}) };
  });
  return {
    inputShape,
    layers: models,
    loss: { definition, options: definition.options.parse({}) },
    penalty,
    ...(auxiliaryLosses && { auxiliaryLosses }),
  };
}

/** A network with its batch loaded: targets are one-hot rows, or numbers in [0, 1]. */
export function makeNet(recipe: NetRecipe, backend: Backend = 'reference') {
  const { batch: batchSize, seed = 1, precision = 'float64', spread = 1 } = recipe;
  const network = new Network(modelOf(recipe), createBackend(backend, precision), {
    batchSize,
    evaluationBatchSize: 0,
    optimizerStateTensors: 0,
  });
  network.initialize(seed);
  const pass = network.trainingPass(batchSize);
  pass.sampleMasks(seed, 0);
  const random = new Random(seed, 'batch');
  const indices = network.model.layers.flatMap(({ definition, options }) => definition.indexCount?.(options) ?? []);
  const draw = (): number =>
    indices.length > 0 ? random.integerBelow(Math.min(...indices)) : random.normal(0, spread);
  for (let i = 0; i < pass.input.data.length; i++) pass.input.data[i] = draw();
  const width = numel(pass.target.shape.slice(1));
  const oneHot = network.model.loss.definition.target === 'classes';
  pass.target.data.fill(0);
  for (let row = 0; row < batchSize; row++) {
    if (oneHot) pass.target.data[row * width + random.integerBelow(width)] = 1;
    else for (let j = 0; j < width; j++) pass.target.data[row * width + j] = random.uniform();
  }
  return { network, pass };
}

export type Net = ReturnType<typeof makeNet>;

/** Runs the whole check. */
export function checkNet(
  { network, pass }: Net,
  options: Partial<CheckOptions> = {},
  backend?: Backend,
  isolateLayers = true,
): CheckReport {
  const check = new GradientCheck(
    { network, pass, step: 0, options: { ...OPTIONS, ...options }, kernels: { backend } },
    isolateLayers,
  );
  while (check.advance(64));
  return check.report();
}

/** Changes the parameter in place. */
export function setParameter({ network }: Net, name: string, values: readonly number[]): void {
  const parameter = network.parameters.find((candidate) => candidate.name === name);
  if (parameter?.value.data.length !== values.length) throw new Error(`no ${name} with ${values.length} entries`);
  parameter.value.data.set(values);
}

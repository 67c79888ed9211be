// Networks for the gradient check's tests: any layer, faulty ones too, with random weights and a random batch.
import { layers, type LayerKind } from '../../src/engine/layers';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { losses, type LossKind } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { type Backend, kernelsOf } from '../../src/engine/kernels/create';
import { sizeOf, type Precision, type Shape } from '../../src/engine/kernels/tensor';
import { type LayerModel, Network, type NetworkModel } from '../../src/engine/network';
import type { Penalty } from '../../src/engine/penalty';
import { Random } from '../../src/engine/random';
import { type CheckOptions, type CheckReport, GradientCheck } from '../../src/gradcheck';

export interface LayerRecipe {
  readonly kind: LayerKind;
  readonly options?: Readonly<Record<string, unknown>>;
  /** In place of the layer's own. */
  readonly definition?: LayerDefinition;
  readonly freeze?: readonly string[];
}

export interface NetRecipe {
  /** Numbers of a sample, or its shape. */
  readonly inputs: number | Shape;
  readonly layers: readonly LayerRecipe[];
  readonly loss: LossKind | { readonly definition: LossDefinition };
  readonly penalty?: Penalty;
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

function modelOf({ inputs, layers: recipes, loss, penalty }: NetRecipe): NetworkModel {
  const inputShape = typeof inputs === 'number' ? [inputs] : inputs;
  let shape: Shape = inputShape;
  const count = new Map<string, number>();
  const models = recipes.map(({ kind, options = {}, definition = layerOf(kind), freeze = [] }): LayerModel => {
    const number = (count.get(kind) ?? 0) + 1;
    count.set(kind, number);
    const parsed = definition.options.parse(options);
    const outputShape = definition.outputShape(shape, parsed);
    const model = { name: `${kind}${number}`, definition, options: parsed, inputShape: shape, outputShape, freeze };
    shape = outputShape;
    return model;
  });
  const definition = typeof loss === 'string' ? (losses[loss] as LossDefinition) : loss.definition;
  return { inputShape, layers: models, loss: { definition, options: definition.options.parse({}) }, penalty };
}

/** A network with its batch loaded: targets are one-hot rows, or numbers in [0, 1]. */
export function makeNet(recipe: NetRecipe, backend: Backend = 'reference') {
  const { batch, seed = 1, precision = 'float64', spread = 1 } = recipe;
  const network = new Network(modelOf(recipe), kernelsOf(backend, precision), {
    batch, evaluationBatch: 0, optimizerTensors: 0,
  });
  network.initialize(seed);
  const pass = network.pass(batch);
  pass.drawFor(seed, 0);
  const random = new Random(seed, 'batch');
  for (let i = 0; i < pass.input.data.length; i++) pass.input.data[i] = random.normal(0, spread);
  const width = sizeOf(pass.target.shape.slice(1));
  const oneHot = network.model.loss.definition.target === 'classes';
  pass.target.data.fill(0);
  for (let row = 0; row < batch; row++) {
    if (oneHot) pass.target.data[row * width + random.below(width)] = 1;
    else for (let j = 0; j < width; j++) pass.target.data[row * width + j] = random.uniform();
  }
  return { network, pass };
}

export type Net = ReturnType<typeof makeNet>;

/** Everything, from start to end. */
export function checkNet({ network, pass }: Net, options: Partial<CheckOptions> = {}, backend?: Backend, alone = true): CheckReport {
  const check = new GradientCheck({ network, pass, step: 0, options: { ...OPTIONS, ...options }, kernels: { backend } }, alone);
  while (check.advance(64));
  return check.report();
}

/** Changes the parameter in place. */
export function setParameter({ network }: Net, name: string, values: readonly number[]): void {
  const parameter = network.parameters.find((candidate) => candidate.name === name);
  if (parameter?.value.data.length !== values.length) throw new Error(`no ${name} with ${values.length} entries`);
  parameter.value.data.set(values);
}

// NaN and infinity written into a random tensor of a random network, at a random index, in a random phase of a random
// step; and into a random place of a data file. Each says where it was written, which a run must find out.
import fc from 'fast-check';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { inputsOf, NETWORK_INPUT } from '../../src/engine/network-graph';
import { parametersUsedBy } from '../../src/engine/network-model';
import type { OptimizerDefinition } from '../../src/engine/optimizers/optimizer';
import { type Tensor, numel } from '../../src/engine/kernels/tensor';
import { type CompiledRun, loadRun } from '../../src/model-spec';
import type { NonFinite } from '../../src/protocol/frame';
import type { Phase } from '../../src/protocol/position';
import { TrainingSession } from '../../src/session/session';
import { inMemoryFiles, noFiles } from './data-files';
import { healthySpec } from './healthy-specs';

const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });

/** Networks with branches, shared weights, normalization and images. */
const special: readonly object[] = [
  {
    data: { type: 'circles', samples: 60 },
    layers: [linear(4), { type: 'residual', layers: ['tanh', linear(4)] }, linear(2)],
    loss: 'cross_entropy',
    batch_size: 8,
  },
  {
    data: { type: 'circles', samples: 60 },
    layers: [linear(4), 'batch_norm1d', 'relu', linear(2)],
    loss: 'cross_entropy',
    optimizer: { type: 'adam', lr: 0.01 },
    batch_size: 8,
  },
  {
    data: { type: 'circles', samples: 60 },
    layers: [linear(2, { name: 'first' }), 'tanh', linear(2, { share: 'first' })],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.05, momentum: 0.9 },
    batch_size: 8,
  },
  {
    data: { type: 'images', samples: 40 },
    layers: [
      { type: 'conv2d', out_channels: 2, kernel_size: 3 },
      'relu',
      { type: 'max_pool2d', kernel_size: 2 },
      'flatten',
      linear(10),
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.01 },
    batch_size: 8,
  },
];

export interface Injection {
  readonly spec: object;
  readonly step: number;
  readonly value: number;
  /** Chooses the phase, the tensor and the index among those of the network. */
  readonly picks: readonly [phase: number, tensor: number, index: number];
}

export const injection: fc.Arbitrary<Injection> = fc.record({
  spec: fc.oneof(
    { weight: 2, arbitrary: healthySpec.map((spec) => ({ ...spec, epochs: 2 })) },
    { weight: 1, arbitrary: fc.constantFrom(...special).map((spec) => ({ ...spec, epochs: 2 })) },
  ),
  step: fc.integer({ min: 1, max: 8 }),
  value: fc.constantFrom(NaN, Infinity, -Infinity),
  picks: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
});

type Place = Pick<NonFinite, 'step' | 'phase' | 'where' | 'tensor' | 'index' | 'value'>;

/** The session of a run that writes the value whenever it comes by its place. */
export interface InjectedRun {
  readonly session: TrainingSession;
  readonly expected: Place;
}

const pickFrom = <T>(all: readonly T[], pick: number): T => all[pick % all.length];

const indexOf = (flat: number, shape: readonly number[]): number[] =>
  shape.reduceRight<{ rest: number; index: number[] }>(
    ({ rest, index }, size) => ({ rest: Math.floor(rest / size), index: [rest % size, ...index] }),
    { rest: flat, index: [] },
  ).index;

export function inject({ spec, step, value, picks: [phasePick, tensorPick, indexPick] }: Injection): InjectedRun {
  const text = JSON.stringify(spec);
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems.map(({ message }) => message).join(' '));
  // Without the injection, for its phases and tensors.
  const plain = new TrainingSession(run, text);
  const { network } = plain;
  plain.stepPhase();
  const phase = pickFrom(
    plain.model.phases.filter((each) => targetsOf(plain, run, each).length > 0),
    phasePick,
  );
  const target = pickFrom(targetsOf(plain, run, phase), tensorPick);
  const flat = target.shape.length === 0 ? 0 : indexPick % numel(target.shape);
  const clock = { isNow: () => false };
  const write = ({ data }: Pick<Tensor, 'data'>): void => {
    if (clock.isNow()) data[flat] = value;
  };
  const session = new TrainingSession(
    withInjection(run, phase, target, write, () => (clock.isNow() ? value : null)),
    text,
  );
  clock.isNow = () => session.position.step === step - 1;
  const { where, tensor, shape } = target;
  network.zeroGradients();
  return { session, expected: { step, phase, where, tensor, index: indexOf(flat, shape), value } };
}

interface Target {
  readonly where: string;
  readonly tensor: string;
  readonly shape: readonly number[];
  /** A parameter's short name, or the position of an input. */
  readonly key: string | number;
}

/** The tensors that a phase writes. */
function targetsOf(
  { network, model, pass }: TrainingSession,
  { optimizer, model: { layers } }: CompiledRun,
  phase: Phase,
): Target[] {
  switch (phase.kind) {
    case 'zero_grad':
      return [];
    case 'forward':
      return [
        { where: model.layers[phase.layer].name, tensor: 'output', shape: pass.outputs[phase.layer].shape, key: '' },
      ];
    case 'loss':
      return [{ where: 'loss', tensor: 'value', shape: [], key: '' }];
    case 'loss_backward':
      return [
        { where: 'loss', tensor: 'gradient of the prediction', shape: pass.outputs[layers.length - 1].shape, key: '' },
      ];
    case 'backward': {
      const where = model.layers[phase.layer].name;
      const parameters = parametersUsedBy(network, phase.layer).map(({ shortName, gradient }) => ({
        where,
        tensor: `gradient of ${shortName}`,
        shape: gradient.shape,
        key: shortName,
      }));
      const inputs = inputsOf(network.model, phase.layer).flatMap((source, position) =>
        source === NETWORK_INPUT
          ? []
          : [{ where, tensor: 'gradient of the input', shape: pass.outputs[source].shape, key: position }],
      );
      return [...parameters, ...inputs];
    }
    case 'update':
      return network.parameters.flatMap(({ layer, name, shortName, value, optimizerState, frozen }) => {
        if (frozen) return [];
        const where = model.layers[layer].name;
        const states = optimizer.definition.state(optimizer.options);
        return [
          { where, tensor: shortName, shape: value.shape, key: name },
          ...optimizerState.map((_, i) => ({
            where,
            tensor: `${states[i]} of ${shortName}`,
            shape: value.shape,
            key: `${name} ${i}`,
          })),
        ];
      });
  }
}

/** The run with definitions that write a value after the original has computed. */
function withInjection(
  run: CompiledRun,
  phase: Phase,
  { key }: Target,
  write: (tensor: Pick<Tensor, 'data'>) => void,
  lossNow: () => number | null,
): CompiledRun {
  const { model, optimizer } = run;
  const changeLayer = (at: number, change: (original: LayerDefinition) => Partial<LayerDefinition>): CompiledRun => ({
    ...run,
    model: {
      ...model,
      layers: model.layers.map((layer, i) =>
        i === at ? { ...layer, definition: { ...layer.definition, ...change(layer.definition) } } : layer,
      ),
    },
  });
  const changeLoss = (change: (original: LossDefinition) => Partial<LossDefinition>): CompiledRun => ({
    ...run,
    model: {
      ...model,
      loss: { ...model.loss, definition: { ...model.loss.definition, ...change(model.loss.definition) } },
    },
  });
  switch (phase.kind) {
    case 'forward':
      return unfused(
        changeLayer(phase.layer, (original) => ({
          forward: (context) => {
            original.forward(context);
            if (context.training) write(context.output);
          },
        })),
      );
    case 'backward':
      return unfused(
        changeLayer(phase.layer, (original) => ({
          backward: (context) => {
            original.backward(context);
            const { gradParameters, gradInput, gradOtherInputs } = context;
            const tensor = typeof key === 'string' ? gradParameters[key] : [gradInput, ...gradOtherInputs][key];
            if (tensor) write(tensor);
          },
        })),
      );
    case 'loss':
      return unfused(changeLoss((original) => ({ value: (context) => lossNow() ?? original.value(context) })));
    case 'loss_backward':
      return unfused(
        changeLoss((original) => ({
          gradient: (context, gradient) => {
            original.gradient(context, gradient);
            write(gradient);
          },
        })),
      );
    case 'update': {
      // The parameters come in order, once in each update.
      const names = new TrainingSession(run, '').network.parameters
        .filter(({ frozen }) => !frozen)
        .map(({ name }) => name);
      const [name, state] = String(key).split(' ');
      let call = 0;
      const definition: OptimizerDefinition = {
        ...optimizer.definition,
        update: (context) => {
          optimizer.definition.update(context);
          if (names[call++ % names.length] !== name) return;
          write(state === undefined ? context.value : context.state[Number(state)]);
        },
      };
      return unfused({ ...run, optimizer: { ...optimizer, definition } });
    }
    case 'zero_grad':
      return run;
  }
}

/** A step that is recorded once and replayed would not call the definitions again. */
function unfused(run: CompiledRun): CompiledRun {
  const [first, ...others] = run.model.layers;
  const nowhere = { file: '', line: null, column: null };
  const definition = {
    ...first.definition,
    sourceLocations: { forward: nowhere, backward: null, locate: () => nowhere },
  };
  return { ...run, model: { ...run.model, layers: [{ ...first, definition }, ...others] } };
}

/** A number that is not finite in a file of inputs or targets. */
export interface DataInjection {
  readonly file: 'x.npy' | 'y.npy';
  readonly rows: number;
  readonly columns: number;
  readonly value: number;
  readonly pick: number;
}

export const dataInjection: fc.Arbitrary<DataInjection> = fc.record({
  file: fc.constantFrom('x.npy', 'y.npy'),
  rows: fc.integer({ min: 2, max: 30 }),
  columns: fc.integer({ min: 1, max: 6 }),
  value: fc.constantFrom(NaN, Infinity, -Infinity),
  pick: fc.nat(),
});

/** float64, C order. */
function npyOf(shape: readonly number[], values: Float64Array): Uint8Array {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([head, Buffer.from(padded), Buffer.from(values.buffer)]);
}

/** @returns what loading the data says, and the place that it must name */
export function loadInjectedData({ file, rows, columns, value, pick }: DataInjection) {
  const arrays = {
    'x.npy': { shape: [rows, columns], values: Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(i)) },
    'y.npy': { shape: [rows, 1], values: Float64Array.from({ length: rows }, (_, i) => Math.cos(i)) },
  };
  const { shape, values } = arrays[file];
  const flat = pick % values.length;
  values[flat] = value;
  const spec = {
    data: { type: 'npy', inputs: 'x.npy', targets: 'y.npy', split: { validation: 0, test: 0 } },
    layers: [linear(1)],
    loss: 'mse',
  };
  const contents = Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [name, npyOf(array.shape, array.values)]),
  );
  const { run, problems } = loadRun(JSON.stringify(spec), inMemoryFiles(contents));
  return { run, problems, file, index: `[${indexOf(flat, shape).join(', ')}]` };
}

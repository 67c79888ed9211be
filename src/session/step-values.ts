// The named values of a training step for expressions: tensors and numbers of the run, and from which phase on each is
// known. A phase is counted by how many phases of the step are done, from 1; 0 is before the step.
import { closestMatch } from '../engine/closest-match';
import type { Tensor, TensorData } from '../engine/kernels/tensor';
import { consumersOf, inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import { type Parameter, parametersUsedBy, shownInternals } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import type { Aspect, Operand, Scope, TensorReductions } from '../expressions';
import { layerExpression } from '../presentation/tensor-expressions';
import type { NamedValue, NamedValueGroup } from '../protocol/queries';
import type { TrainingSession } from './session';

/** One aspect of a named tensor or number. */
export interface Source {
  /** The phase from which on the step has it; 0 if it exists between steps, too. */
  readonly from: number;
  /** The phase at which a value that existed before the step changes; null if it does not change while it is known. */
  readonly changesAt: number | null;
  /** Only a measured step computes it. */
  readonly needsMeasurement?: true;
  /** The parameter whose update it is, which a step without measurements keeps only on request. */
  readonly updateOf?: Parameter;
  /** Reading copies it, so that it cannot be read once and for all. */
  readonly isCopy?: true;
  readonly read: (pass: Pass) => Tensor | undefined;
}

/** The values after a phase of the step. */
export interface StepScope extends Scope {
  readonly phase: number;
}

interface Entry {
  readonly number?: { readonly from: number; readonly read: () => number };
  readonly value?: Source;
  readonly gradient?: Source;
  readonly update?: Source;
}

/** The state before a step of what it changes, by the source. */
export type StateCopies = ReadonlyMap<Source, Tensor>;

const ASPECT_NAMES: Readonly<Record<Exclude<Aspect, 'value'>, string>> = { gradient: 'gradient', update: 'update' };
export class StepValues {
  /** For lists and completion, in the order of the network. */
  readonly names: readonly NamedValue[];
  /** The phase at which a step ends. */
  readonly lastPhase: number;
  readonly #session: TrainingSession;
  readonly #entries = new Map<string, Entry>();
  readonly #memory: ArrayBufferLike | undefined;
  readonly #reductions: TensorReductions;

  constructor(session: TrainingSession) {
    this.#session = session;
    this.lastPhase = session.model.phases.length;
    const { state, kernels } = session.network;
    this.#memory = state[0]?.data.buffer;
    const vector = (data: TensorData): Tensor => ({ shape: [data.length], data });
    this.#reductions = {
      sum: (data) => kernels.sum(vector(data)),
      sumOfSquares: (data) => kernels.sumOfSquares(vector(data)),
      extremes: (data) => kernels.extremes(vector(data)),
      hasNonFinite: (data) => kernels.firstNonFinite(vector(data)) >= 0,
    };
    const names: NamedValue[] = [];
    this.#addRun((name) => names.push({ group: 'run', layer: null, label: name, expression: name }));
    session.network.model.layers.forEach((_, layer) => this.#addLayer(layer, (value) => names.push(value)));
    this.names = names;
  }

  /** The phase that the session is at; 0 before the first step. */
  get currentPhase(): number {
    const { phase, step } = this.#session.position;
    return phase > 0 ? phase : step > 0 ? this.lastPhase : 0;
  }

  /**
   * What expressions read after a phase of the step that the session is in or has just done.
   * @param copies the state before the step, if the step is already done
   * @param extra further numbers by name
   */
  scopeAt(phase: number, copies?: StateCopies, extra?: ReadonlyMap<string, () => number>): StepScope {
    return this.#scopeOf(this.#session.pass, phase, copies, extra);
  }

  #scopeOf(pass: Pass, phase: number, copies?: StateCopies, extra?: ReadonlyMap<string, () => number>): StepScope {
    return {
      phase,
      resolve: (name, aspect): Operand | string => {
        const added = extra?.get(name);
        if (added && aspect === 'value') return { kind: 'number', read: added };
        const entry = this.#entries.get(name);
        if (!entry) return this.#describeUnknown(name);
        const { number } = entry;
        if (number && aspect === 'value')
          return number.from > phase ? notComputed(name, aspect) : { kind: 'number', read: number.read };
        const source = entry[aspect];
        if (!source) return `${name} has no ${ASPECT_NAMES[aspect as 'gradient' | 'update']}.`;
        if (source.from > phase) return notComputed(name, aspect);
        const isBefore = source.changesAt !== null && phase < source.changesAt;
        const tensor = (isBefore && copies?.get(source)) || source.read(pass);
        if (!tensor) return notComputed(name, aspect);
        return this.operandOf(tensor);
      },
    };
  }

  /** A tensor in an expression. Kernels read only their own memory. */
  operandOf(tensor: Tensor): Operand {
    const isInMemory = tensor.data.buffer === this.#memory;
    return { kind: 'tensor', ...tensor, ...(isInMemory && { reductions: this.#reductions }) };
  }

  /** Names and shapes after a measured step of a whole batch, which may not have been done yet. */
  get declaredScope(): StepScope {
    const { network, run } = this.#session;
    // The last batch of an epoch can be smaller: what it lacks is no error.
    const pass = network.trainingPass(Math.min(run.batchSize, run.split.train.length));
    const scope = this.#scopeOf(pass, this.lastPhase);
    return {
      phase: scope.phase,
      resolve: (name, aspect) => {
        const found = scope.resolve(name, aspect);
        if (typeof found !== 'string' || aspect !== 'update' || !this.sourceOf(name, aspect)) return found;
        const value = this.sourceOf(name, 'value')?.read(pass);
        return value ? { kind: 'tensor', ...value } : found;
      },
    };
  }

  /** The source of a name, if it is a tensor. */
  sourceOf(name: string, aspect: Aspect): Source | undefined {
    return this.#entries.get(name)?.[aspect];
  }

  /** The last phase of a step that computes or changes this; 0 if no step does. */
  computedAt(name: string, aspect: Aspect): number {
    const entry = this.#entries.get(name);
    if (entry?.number && aspect === 'value') return entry.number.from;
    const source = entry?.[aspect];
    return source ? (source.changesAt ?? source.from) : 0;
  }

  #describeUnknown(name: string): string {
    const match = closestMatch(name, [...this.#entries.keys()]);
    if (match !== undefined) return `There is no ${name}. Did you mean ${match}?`;
    const own = [...this.#entries.keys()].filter((key) => key.startsWith(`${name}.`));
    return own.length > 0 ? `${name} is a layer. It has ${own.join(', ')}.` : `There is no ${name}.`;
  }

  #addRun(list: (name: string) => void): void {
    const session = this.#session;
    const lossPhase = session.model.phases.findIndex(({ kind }) => kind === 'loss') + 1;
    const numbers: Readonly<Record<string, { from: number; read: () => number }>> = {
      step: { from: 0, read: () => session.shownStep },
      epoch: { from: 0, read: () => session.batchPosition.epoch },
      batch: { from: 0, read: () => session.batchPosition.batch },
      lr: { from: 0, read: () => (session.shownStep > 0 ? session.learningRateOf(session.shownStep) : session.lr) },
      loss: { from: lossPhase, read: () => session.loss ?? NaN },
      ...(session.run.labels && { accuracy: { from: lossPhase, read: () => session.accuracy ?? NaN } }),
    };
    const losses = (session.model.losses ?? []).map(
      ({ name }, i) => [name, { from: lossPhase, read: () => session.losses?.[i] ?? NaN }] as const,
    );
    for (const [name, number] of [...Object.entries(numbers), ...losses]) {
      this.#entries.set(name, { number });
      list(name);
    }
    const [first] = consumersOf(session.network.model, NETWORK_INPUT);
    this.#entries.set('input', {
      value: { from: 1, changesAt: null, read: (pass) => pass.input },
      ...(first && {
        gradient: {
          from: this.#phaseOf('backward', first.layer),
          changesAt: null,
          needsMeasurement: true,
          read: (pass) => pass.inputGradient,
        },
      }),
    });
    this.#entries.set('target', { value: { from: 1, changesAt: null, read: (pass) => pass.target } });
    list('input');
    list('target');
  }

  #addLayer(layer: number, list: (value: NamedValue) => void): void {
    const { network, run } = this.#session;
    const { model } = network;
    const { name } = model.layers[layer]!;
    const forward = this.#phaseOf('forward', layer);
    const backward = this.#phaseOf('backward', layer);
    const add = (label: string, entry: Entry, groups: readonly NamedValueGroup[]): void => {
      const full = `${name}.${label}`;
      if (this.#entries.has(full)) return;
      this.#entries.set(full, entry);
      const expression = `${layerExpression(name)}.${label}`;
      for (const group of groups) list({ group, layer, label, expression: wrapperOf[group](expression) });
    };
    inputsOf(model, layer).forEach((source, i) => {
      const from = source === NETWORK_INPUT ? 1 : this.#phaseOf('forward', source);
      const read = (pass: Pass): Tensor | undefined => pass.layerInputs(layer)[i];
      add(i === 0 ? 'input' : `input${i + 1}`, { value: { from, changesAt: null, read } }, ['inputs']);
    });
    const [firstConsumer] = consumersOf(model, layer);
    const outputGradient = firstConsumer
      ? this.#phaseOf('backward', firstConsumer.layer)
      : this.#session.model.phases.findIndex(({ kind }) => kind === 'loss_backward') + 1;
    add(
      'output',
      {
        value: { from: forward, changesAt: null, read: (pass) => pass.outputs[layer] },
        gradient: { from: outputGradient, changesAt: null, read: (pass) => pass.outputGradients[layer] },
      },
      ['outputs', 'gradients'],
    );
    const stateNames = run.optimizer.definition.state(run.optimizer.options);
    for (const parameter of parametersUsedBy(network, layer)) {
      const { shortName, frozen, value, gradient, previous, optimizerState, layer: owner } = parameter;
      add(
        shortName,
        {
          value: { from: 0, changesAt: this.lastPhase, read: () => value },
          gradient: { from: this.#phaseOf('backward', owner), changesAt: null, read: () => gradient },
          ...(!frozen && {
            update: {
              from: this.lastPhase,
              changesAt: null,
              updateOf: parameter,
              read: () => (this.#session.hasUpdate(parameter) ? previous : undefined),
            },
          }),
        },
        ['parameters', 'gradients', ...(frozen ? [] : (['updates'] as const))],
      );
      optimizerState.forEach((tensor, i) =>
        add(
          `${shortName}.${stateNames[i]!.replaceAll(' ', '_')}`,
          { value: { from: 0, changesAt: this.lastPhase, read: () => tensor } },
          ['optimizer_state'],
        ),
      );
    }
    for (const { layer: owner, shortName, value } of network.buffers)
      if (owner === layer)
        add(shortName, { value: { from: 0, changesAt: forward, read: () => value } }, ['parameters']);
    for (const { name: internal, timeFirst } of shownInternals(model.layers[layer]!)) {
      const copies = timeFirst ? ({ isCopy: true } as const) : {};
      add(
        internal,
        {
          value: { from: forward, changesAt: null, ...copies, read: (pass) => pass.internal(layer, internal) },
          gradient: {
            from: backward,
            changesAt: null,
            ...copies,
            read: (pass) => pass.internalGradient(layer, internal),
          },
        },
        ['outputs', 'gradients'],
      );
    }
  }

  #phaseOf(kind: 'forward' | 'backward', layer: number): number {
    return this.#session.model.phases.findIndex((phase) => phase.kind === kind && phase.layer === layer) + 1;
  }
}

const same = (expression: string): string => expression;
const wrapperOf: Readonly<Record<NamedValueGroup, (expression: string) => string>> = {
  run: same,
  inputs: same,
  outputs: same,
  parameters: same,
  optimizer_state: same,
  gradients: (expression) => `grad(${expression})`,
  updates: (expression) => `update(${expression})`,
};

const notComputed = (name: string, aspect: Aspect): string =>
  `${aspect === 'value' ? name : `The ${ASPECT_NAMES[aspect]} of ${name}`} is not computed yet at this point of the step.`;

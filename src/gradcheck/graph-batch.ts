// The losses of many entries of a parameter, each perturbed on its own, in a network of any shape whose layers compute
// each sample on its own. How they are computed is in batch-route.ts; this file holds the memory and makes the calls.
import { MemoryPlan, numel, type Tensor, view } from '../engine/kernels/tensor';
import type { Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { batchRoute, type BatchRoute, type Frame, UnperturbedNumbers } from './batch-route';
import { addPenalties, type BatchedLosses, lossStep, MAX_PERTURBATIONS } from './batched-losses';
import type { LayerActivations } from './cached-activations';

/** The kernel calls for a number of copies. */
interface Plan {
  readonly frame: Frame;
  readonly steps: readonly (() => void)[];
  readonly losses: Tensor;
}

export class GraphBatch {
  readonly #batches: ReadonlyMap<Parameter, BatchedLosses>;

  /**
   * @param pass evaluated without perturbation
   * @param parameters those whose entries are perturbed
   */
  constructor(pass: Pass, activations: readonly LayerActivations[], parameters: readonly Parameter[]) {
    const unperturbed = new UnperturbedNumbers(pass, activations);
    const routes = parameters.flatMap((parameter) => {
      const route = batchRoute(pass, unperturbed, parameter);
      return route ? [{ parameter, route }] : [];
    });
    const memory = new BatchMemory(
      pass,
      Math.max(0, ...routes.map(({ route: { size, capacity } }) => size * capacity)),
    );
    this.#batches = new Map(routes.map(({ parameter, route }) => [parameter, new ParameterBatch(pass, route, memory)]));
  }

  /** Null if the entries of the parameter must be evaluated one by one. */
  batchFor(parameter: Parameter): BatchedLosses | null {
    return this.#batches.get(parameter) ?? null;
  }
}

/** The memory of all routes, which take turns. */
class BatchMemory {
  /** The route whose unperturbed numbers are in place. */
  owner: BatchRoute | null = null;
  readonly numbers: Tensor;
  readonly outputColumns: Tensor;
  readonly inputColumns: Tensor;
  readonly deltas: Tensor;
  readonly losses: Tensor;

  constructor({ network: { kernels } }: Pass, size: number) {
    const plan = new MemoryPlan(kernels.precision);
    plan.reserve([size]);
    for (let i = 0; i < 4; i++) plan.reserve([MAX_PERTURBATIONS]);
    [this.numbers, this.outputColumns, this.inputColumns, this.deltas, this.losses] = kernels.allocate(plan) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
  }
}

class ParameterBatch implements BatchedLosses {
  readonly capacity: number;
  readonly #penalty: number;
  /** Keyed by the number of copies. */
  readonly #plans = new Map<number, Plan>();

  constructor(
    readonly pass: Pass,
    readonly route: BatchRoute,
    readonly memory: BatchMemory,
  ) {
    this.capacity = route.capacity;
    this.#penalty = pass.penalty();
  }

  lossesAt(parameter: Parameter, entries: Uint32Array, values: Float64Array): Tensor['data'] {
    this.#takeMemory();
    const { frame, steps, losses } = this.#planFor(entries.length);
    const { sum } = this.route;
    const { data } = parameter.value;
    if (sum) {
      for (const [i, entry] of entries.entries()) {
        const output = Math.floor(entry / sum.entries);
        frame.outputColumns.data[i] = output;
        frame.inputColumns.data[i] = entry - output * sum.entries;
        frame.deltas.data[i] = values[i]! - data[entry]!;
      }
    }
    frame.perturbations.entries = entries;
    frame.perturbations.values = values;
    for (const step of steps) step();
    addPenalties(this.pass, this.#penalty, parameter, entries, values, losses.data);
    return losses.data;
  }

  /** Writes the unperturbed numbers of the route. */
  #takeMemory(): void {
    if (this.memory.owner === this.route) return;
    this.memory.owner = this.route;
    for (const { slot, data } of this.route.constants) {
      const from = slot.offset * this.capacity;
      for (let i = 0; i < this.capacity; i++) this.memory.numbers.data.set(data, from + i * slot.size);
    }
  }

  #planFor(copies: number): Plan {
    let plan = this.#plans.get(copies);
    if (!plan) this.#plans.set(copies, (plan = this.#buildPlan(copies)));
    return plan;
  }

  #buildPlan(copies: number): Plan {
    const { pass, memory, route, capacity } = this;
    const frame: Frame = {
      copies,
      at(slot, shape) {
        const from = slot.offset * capacity;
        return { shape, data: memory.numbers.data.subarray(from, from + numel(shape)) };
      },
      outputColumns: view(memory.outputColumns, [copies]),
      inputColumns: view(memory.inputColumns, [copies]),
      deltas: view(memory.deltas, [copies]),
      perturbations: { entries: new Uint32Array(), values: new Float64Array() },
    };
    const losses = view(memory.losses, [copies]);
    const { shape, data } = pass.prediction;
    const classes = shape.at(-1)!;
    const prediction = frame.at(route.prediction, [copies, data.length / classes, classes]);
    const steps = [...route.stages.map((stage) => stage(frame)), lossStep(pass, prediction, losses)];
    return { frame, steps, losses };
  }
}

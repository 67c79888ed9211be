// Schedules instructions. A processor looks ahead only some hundred instructions, so what the rest of the step waits
// for must not come after what can wait, such as the loss.

export interface Instruction {
  readonly bytes: readonly number[];
  /** Locals that it reads and writes. */
  readonly reads: readonly number[];
  readonly writes: number | null;
  /** Approximate latency in cycles. */
  readonly latency: number;
  /** The vectors of memory that it accesses. */
  readonly touches: readonly number[];
  readonly isStore: boolean;
  /** The vector of memory that it loads or stores as a whole. */
  readonly wholeVector: number | null;
  /** Whether a loop or a call begins or ends here. */
  readonly isBarrier: boolean;
}

/** A vector that stays in a local from one step to the next, and must be loaded before the first. */
export interface LoopCarried {
  readonly load: Instruction;
  /** The value that is stored at the end. */
  readonly value: number;
}

/**
 * Vectors that are loaded at the start and stored at the end: loading a value right after it was stored takes longer
 * than adding.
 */
export function loopCarriedVectors(instructions: readonly Instruction[]): LoopCarried[] {
  if (instructions.some(({ isBarrier }) => isBarrier)) return [];
  return instructions.flatMap((load, i) => {
    const { wholeVector, isStore } = load;
    if (wholeVector === null || isStore) return [];
    const changes = instructions.filter((each) => each.isStore && each.touches.includes(wholeVector));
    const last = changes.at(-1);
    return last?.wholeVector === wholeVector && instructions.indexOf(changes[0]!) > i
      ? [{ load, value: last.reads[0]! }]
      : [];
  });
}

/** Instructions that start per cycle. */
const ISSUE_WIDTH = 3;

interface DependencyNode {
  readonly instruction: Instruction;
  readonly successors: Set<DependencyNode>;
  /** The number of dependencies that it still waits for. */
  pendingDependencies: number;
  /** Cycles from its start to the end of everything that depends on it. */
  criticalPath: number;
  readyCycle: number;
}

function dependencyGraph(instructions: readonly Instruction[]): DependencyNode[] {
  const writers = new Map<number, DependencyNode>();
  const readers = new Map<number, DependencyNode[]>();
  const stored = new Map<number, DependencyNode>();
  const loaded = new Map<number, DependencyNode[]>();
  return instructions.map((instruction) => {
    const node: DependencyNode = {
      instruction,
      successors: new Set(),
      pendingDependencies: 0,
      criticalPath: 0,
      readyCycle: 0,
    };
    const dependOn = (other: DependencyNode | undefined): void => {
      if (!other || other === node || other.successors.has(node)) return;
      other.successors.add(node);
      node.pendingDependencies++;
    };
    const { reads, writes, touches, isStore } = instruction;
    for (const local of reads) {
      dependOn(writers.get(local));
      readers.set(local, [...(readers.get(local) ?? []), node]);
    }
    if (writes !== null) {
      dependOn(writers.get(writes));
      readers.get(writes)?.forEach(dependOn);
      writers.set(writes, node);
      readers.delete(writes);
    }
    for (const vector of touches) {
      dependOn(stored.get(vector));
      if (isStore) {
        loaded.get(vector)?.forEach(dependOn);
        stored.set(vector, node);
        loaded.delete(vector);
      } else loaded.set(vector, [...(loaded.get(vector) ?? []), node]);
    }
    return node;
  });
}

/** What the next step waits for has the highest priority. */
const LOOP_CARRIED_PRIORITY = 10_000;

/**
 * Reorders instructions without changing the result. Code with loops stays as it is, because loop bodies overlap
 * anyway.
 */
export function schedule(
  instructions: readonly Instruction[],
  loopCarried: readonly LoopCarried[],
): readonly Instruction[] {
  if (instructions.some(({ isBarrier }) => isBarrier)) return instructions;
  const graph = dependencyGraph(instructions);
  const loopCarriedValues = new Set(loopCarried.map(({ value }) => value));
  const loads = new Set(instructions.flatMap(({ touches, isStore }) => (isStore ? [] : touches)));
  for (const waiting of [...graph].reverse()) {
    const { latency, isStore, touches, writes } = waiting.instruction;
    const isLoopCarried = isStore
      ? touches.some((vector) => loads.has(vector))
      : writes !== null && loopCarriedValues.has(writes);
    waiting.criticalPath =
      latency +
      Math.max(
        isLoopCarried ? LOOP_CARRIED_PRIORITY : 0,
        ...[...waiting.successors].map(({ criticalPath }) => criticalPath),
      );
  }
  const result: Instruction[] = [];
  let waiting = graph.filter(({ pendingDependencies }) => pendingDependencies === 0);
  for (let cycle = 0; result.length < graph.length; cycle++) {
    waiting.sort((a, b) => b.criticalPath - a.criticalPath);
    const issued = waiting.filter(({ readyCycle }) => readyCycle <= cycle).slice(0, ISSUE_WIDTH);
    if (issued.length === 0) continue;
    waiting = waiting.filter((each) => !issued.includes(each));
    for (const { instruction, successors } of issued) {
      result.push(instruction);
      for (const successor of successors) {
        successor.readyCycle = Math.max(successor.readyCycle, cycle + instruction.latency);
        if (--successor.pendingDependencies === 0) waiting.push(successor);
      }
    }
  }
  return result;
}

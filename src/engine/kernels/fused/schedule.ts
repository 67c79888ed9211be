// Puts instructions in the order in which a processor can begin them. It looks ahead over some hundred instructions only: where
// what a step waits for stands behind what can wait, such as the loss, it comes too late.

export interface Instruction {
  readonly bytes: readonly number[];
  /** Locals that it reads and writes. */
  readonly reads: readonly number[];
  readonly writes: number | null;
  /** Cycles until what depends on it can begin, about. */
  readonly latency: number;
  /** The vectors of memory that it touches. */
  readonly touches: readonly number[];
  readonly stores: boolean;
  /** It loads or stores this vector of memory as a whole. */
  readonly whole: number | null;
  /** A loop or a call begins or ends. */
  readonly fixed: boolean;
}

/** A vector that one time leaves for the next one in a local, which has to be loaded for the first. */
export interface Carried {
  readonly load: Instruction;
  /** What the store at the end puts into memory. */
  readonly value: number;
}

/** What is loaded in the beginning, and stored in the end: memory takes longer to give back what it just got than a sum takes. */
export function carriedOver(instructions: readonly Instruction[]): Carried[] {
  if (instructions.some(({ fixed }) => fixed)) return [];
  return instructions.flatMap((load, i) => {
    const { whole, stores } = load;
    if (whole === null || stores) return [];
    const changes = instructions.filter((each) => each.stores && each.touches.includes(whole));
    const last = changes.at(-1);
    return last?.whole === whole && instructions.indexOf(changes[0]) > i ? [{ load, value: last.reads[0] }] : [];
  });
}

/** Instructions that begin in a cycle. */
const WIDTH = 3;

interface Waiting {
  readonly instruction: Instruction;
  readonly followers: Set<Waiting>;
  /** How many it still waits for. */
  left: number;
  /** Cycles from its beginning to the end of all that waits for it. */
  height: number;
  ready: number;
}

function graphOf(instructions: readonly Instruction[]): Waiting[] {
  const writers = new Map<number, Waiting>();
  const readers = new Map<number, Waiting[]>();
  const stored = new Map<number, Waiting>();
  const loaded = new Map<number, Waiting[]>();
  return instructions.map((instruction) => {
    const waiting: Waiting = { instruction, followers: new Set(), left: 0, height: 0, ready: 0 };
    const after = (other: Waiting | undefined): void => {
      if (!other || other === waiting || other.followers.has(waiting)) return;
      other.followers.add(waiting);
      waiting.left++;
    };
    const { reads, writes, touches, stores } = instruction;
    for (const local of reads) {
      after(writers.get(local));
      readers.set(local, [...(readers.get(local) ?? []), waiting]);
    }
    if (writes !== null) {
      after(writers.get(writes));
      readers.get(writes)?.forEach(after);
      writers.set(writes, waiting);
      readers.delete(writes);
    }
    for (const vector of touches) {
      after(stored.get(vector));
      if (stores) {
        loaded.get(vector)?.forEach(after);
        stored.set(vector, waiting);
        loaded.delete(vector);
      } else loaded.set(vector, [...(loaded.get(vector) ?? []), waiting]);
    }
    return waiting;
  });
}

/** What the next time waits for is worth more than anything else. */
const AWAITED = 10_000;

/** The same instructions in another order, which computes the same; as they are where there are loops, which overlap by themselves. */
export function schedule(instructions: readonly Instruction[], carried: readonly Carried[]): readonly Instruction[] {
  if (instructions.some(({ fixed }) => fixed)) return instructions;
  const graph = graphOf(instructions);
  const awaited = new Set(carried.map(({ value }) => value));
  const loads = new Set(instructions.flatMap(({ touches, stores }) => (stores ? [] : touches)));
  for (const waiting of [...graph].reverse()) {
    const { latency, stores, touches, writes } = waiting.instruction;
    const isAwaited = stores ? touches.some((vector) => loads.has(vector)) : writes !== null && awaited.has(writes);
    waiting.height = latency + Math.max(isAwaited ? AWAITED : 0, ...[...waiting.followers].map(({ height }) => height));
  }
  const result: Instruction[] = [];
  let waiting = graph.filter(({ left }) => left === 0);
  for (let cycle = 0; result.length < graph.length; cycle++) {
    waiting.sort((a, b) => b.height - a.height);
    const begun = waiting.filter(({ ready }) => ready <= cycle).slice(0, WIDTH);
    if (begun.length === 0) continue;
    waiting = waiting.filter((each) => !begun.includes(each));
    for (const { instruction, followers } of begun) {
      result.push(instruction);
      for (const follower of followers) {
        follower.ready = Math.max(follower.ready, cycle + instruction.latency);
        if (--follower.left === 0) waiting.push(follower);
      }
    }
  }
  return result;
}

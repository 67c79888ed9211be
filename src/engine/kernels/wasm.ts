// The kernels in WebAssembly (sources: assembly/). Tensors lie in a memory of their own for each instance,
// which goes with the last tensor in it. It is shared memory because that can grow without cutting off the
// tensors that were made before. Tensors of another instance or of the reference are not for these kernels.
import { fuse } from './fused';
import { compile, decode, type Exports, instantiate, link, type Memory, type Run, sharedMemory } from './instance';
import type { Feed, Kernels, Repeated } from './kernels';
import { around } from './shared';
import { CannotPrepare, RETURNING, Tapes } from './tape';
import type { Team } from './team';
import { layOut, MemoryPlan, type Precision, type Tensor, view } from './tensor';
import { LOWEST, WasmCalls } from './wasm-calls';
import { wasmModules } from './wasm-modules';
import { WIDE_KERNELS, wideModule, type WideVectors } from './wide';
import { wideSteps } from './wide-steps';

export type Simd = keyof typeof wasmModules;

const PAGE = 65536;
/** 4 GB, all that addresses of 32 bits reach. */
const MOST_PAGES = 65536;
/** Vector loads may read up to a vector past the end of a tensor. */
const MARGIN = 64;
/** Multiply-adds of a product from which on threads are called; mirrors assembly/products.ts. */
const WORTH = 500_000;
/** Doubles that a module may return at a time. */
const LIST = 1024;
const ONE = new Float64Array(1);
/** Numbers that nothing else is: they stand for those that are others each time. */
const STAND_IN = 1.0472e-300;
/** Multiply-adds of such products after which wide vectors are looked for: they take about as long as looking. */
const WIDE_AFTER = 4e9;
/** Times as many steps as make a small step code of its own, after which wide vectors are looked for: that takes longer. */
const WIDE_STEPS_AFTER = 3;

/** By what a function divides, as a mean does, if that is all that it does with numbers of any size; to ask it takes longer. */
function divisorOf(f: (x: number) => number): number | null {
  const divisor = Math.round(1 / f(1));
  return [0, 1, -3, 1 / 7, Math.PI, 1e-310, 1e-20, 123.456, 1e30, -Infinity, NaN].every((x) => Object.is(f(x), x / divisor)) ? divisor : null;
}

/** The same with a section that says nothing, without which the engine would give back the module that it has. */
const another = (bytes: Uint8Array): Uint8Array => Uint8Array.from([...bytes, 0, 2, 1, 0x77]);

export class WasmKernels extends WasmCalls implements Kernels {
  readonly backend: string;
  /** Whether products run in vectors of 256 bits. */
  wide = false;
  /** Whether a small step runs in them. */
  wideSteps = false;
  readonly #simd: Simd;
  /** What other threads get. */
  #module: object;
  protected readonly memory: Memory;
  /** Those of the module, or while something is prepared what writes them down. */
  protected exports: Exports;
  readonly #tapes: Tapes;
  #pages: number;
  /** Where modules write what they return; made with the first of them. */
  #list: Tensor | null = null;
  /** Bytes in use. */
  #top: number;
  /** Where each helper works by itself. */
  readonly #scratch: readonly number[];
  /** Multiply-adds of large products so far. */
  #work = 0;
  /** Until they were looked for. */
  #vectors: WideVectors | null;

  /** @throws where the engine lacks the instructions, or room for the memory. */
  constructor(
    readonly precision: Precision,
    simd: Simd,
    /** Threads that help with large products. */
    readonly team: Team | null = null,
    readonly wideVectors: WideVectors | null = null,
    /** How often something is played before it becomes code of its own, which takes as long as about so many small steps. */
    readonly fuseAfter = 10_000,
    /** Multiply-adds of large products after which wide vectors are looked for, so that what is small or brief never is. */
    readonly wideAfter = WIDE_AFTER,
  ) {
    super();
    this.#simd = simd;
    this.backend = simd === 'relaxed' ? 'wasm-relaxed-simd' : 'wasm-simd';
    this.#module = compile(decode(wasmModules[simd][precision]));
    this.#pages = 1;
    this.memory = sharedMemory(this.#pages, MOST_PAGES);
    this.exports = instantiate(this.#module, this.memory);
    this.exports.prepareConstants();
    this.#vectors = wideVectors;
    this.#widenAfter(0);
    const { TAPES, TENSORS, SCRATCH_SIZE } = this.exports;
    if (TENSORS.value > LOWEST) throw new Error('assembly/ needs more scratch memory than LOWEST says');
    this.#scratch = (team?.helpers ?? []).map((_, i) => LOWEST + i * SCRATCH_SIZE.value);
    this.#top = LOWEST + this.#scratch.length * SCRATCH_SIZE.value;
    this.#tapes = new Tapes(TAPES.value, LOWEST);
  }

  allocate(plan: MemoryPlan): Tensor[] {
    const base = this.#top;
    const pages = Math.ceil((base + plan.bytes + MARGIN) / PAGE);
    if (pages > MOST_PAGES) throw new RangeError(`${plan.bytes} bytes do not fit: these kernels reach 4 GB in all`);
    if (pages > this.#pages) {
      this.memory.grow(pages - this.#pages);
      this.#pages = pages;
    }
    this.#top = base + plan.bytes;
    return layOut(plan, this.memory.buffer, base);
  }

  /** After so much more work: takes what threads share from a module with wide vectors, where that computes the same and is faster. */
  #widenAfter(work: number): void {
    this.#work += work;
    if (!this.#vectors || this.#work < this.wideAfter) return;
    this.#widen(this.#vectors);
    this.#vectors = null;
  }

  #widen(wideVectors: WideVectors): void {
    const simd = this.#simd;
    const make = (): object => compile(another(decode(wasmModules[simd][this.precision])));
    const wide = wideModule(`${simd} ${this.precision}`, this.precision, wideVectors, this.#module, make);
    if (!wide) return;
    const exports = instantiate(wide, this.memory);
    exports.useWideTiles(1);
    this.exports = { ...this.exports, ...Object.fromEntries(WIDE_KERNELS.map((name) => [name, exports[name]])) };
    this.#module = wide;
    this.wide = true;
    // Whoever helps has the other module.
    if (this.team?.engagedWith === this) this.team.release();
  }

  /** Has the other threads ready for a product of so many multiply-adds, if that is worth it. */
  protected together(work: number): void {
    if (work < WORTH || this.#tapes.recording) return;
    this.#widenAfter(work);
    if (!this.team || this.team.engagedWith === this) return;
    this.team.engage(this, this.exports, { module: this.#module, memory: this.memory, wide: this.wide }, this.#scratch);
  }

  /** Pieces of work that other threads did so far. */
  get helped(): number {
    return this.exports.helped();
  }

  /** Other threads that sleep until there is work. */
  get sleepers(): number {
    return this.exports.sleepers();
  }

  protected beforeShared(): void {
    if (this.#tapes.recording) throw new CannotPrepare();
  }

  prepare(work: () => void): () => void {
    const { exports } = this;
    // Recorded inside another recording, its operations become part of that one.
    if (this.#tapes.recording || !this.#record(work, false)) return work;
    const tape = this.#tapes.write(this.memory.buffer);
    return tape ? () => (this.#tapes.recording ? work() : exports.play(tape.from, tape.to)) : work;
  }

  prepareAround(before: () => void, value: () => number, after: () => void, feeds: () => readonly Feed[] = () => [], varying: number[] = []): Repeated {
    const played = around(before, value, after);
    if (this.precision === 'float64') return { once: played, often: null };
    let left = this.fuseAfter;
    const repeated: { -readonly [Key in keyof Repeated]: Repeated[Key] } = {
      once: () => {
        if (left-- !== 0) return played();
        const fed = feeds();
        const often = this.#fuse(played, value, fed, varying);
        if (often && fed.length > 0) repeated.often = often;
        else if (often) repeated.once = () => (often(0, 1, ONE, () => varying), ONE[0]);
        else repeated.once = played;
        return repeated.often ? played() : repeated.once();
      },
      often: null,
    };
    return repeated;
  }

  /** Work around a value as code of its own; null where that is not possible, or too much. */
  #fuse(work: () => number, value: () => number, feeds: readonly Feed[], varying: number[]): Repeated['often'] {
    const { exports } = this;
    const fed = (): number => {
      for (const { to, from } of feeds) this.copy(to, view(from, to.shape));
      return work();
    };
    const standIns = varying.map((_, i) => STAND_IN * (i + 1));
    const usual = varying.splice(0, varying.length, ...standIns);
    const recorded = this.#record(fed, true);
    varying.splice(0, varying.length, ...usual);
    if (!recorded) return null;
    const sources = feeds.map(({ to, from }) => {
      const { byteOffset, byteLength } = from.data;
      return { from: byteOffset, end: byteOffset + byteLength, bytes: to.data.byteLength };
    });
    const { operations } = this.#tapes;
    const table = varying.length > 0 ? this.#listOf('float32', LIST * varying.length) : null;
    const { byteOffset: start, byteLength: length } = table?.data ?? new Float32Array();
    const source = { from: start, end: start + length, bytes: varying.length * 4, own: true };
    const fused = fuse(operations, sources, this.backend === 'wasm-relaxed-simd', MOST_PAGES, table && { standIns, source });
    if (!fused) return null;
    let run = link(compile(fused.bytes), this.memory, exports);
    let left = this.wideVectors ? WIDE_STEPS_AFTER * this.fuseAfter : Infinity;
    const list = (this.#list ??= this.#listOf('float64', LIST)).data;
    const from = list.byteOffset;
    // Then `value` is asked again, with what the kernel in it returned.
    let returned = NaN;
    const answers: Exports = { ...exports, ...Object.fromEntries(RETURNING.map((name) => [name, () => returned])) };
    const valueOf = (number: number): number => {
      const usual = this.exports;
      this.exports = answers;
      returned = number;
      try {
        return value();
      } finally {
        this.exports = usual;
      }
    };
    const divisor = divisorOf(valueOf);
    return (piece, times, numbers, varyingAt) => {
      if (table && varyingAt) for (let i = 0; i < Math.min(times, LIST); i++) table.data.set(varyingAt(i), i * varying.length);
      left -= times;
      if (left < 0 && this.wideVectors) {
        left = Infinity;
        const make = (): Run => link(compile(another(fused.bytes)), this.memory, exports);
        const wide = wideSteps(run, make, this.wideVectors, this.memory, { from: LOWEST, to: this.#top, list: from }, piece);
        this.wideSteps = wide !== null;
        if (wide) run = wide;
      }
      const done = (run(from, from + Math.min(times, list.length) * 8, piece) - from) / 8;
      if (divisor === null) for (let i = 0; i < done; i++) numbers[i] = valueOf(list[i]);
      else for (let i = 0; i < done; i++) numbers[i] = list[i] / divisor;
      return done;
    };
  }

  #listOf(precision: Precision, length: number): Tensor {
    const plan = new MemoryPlan(precision);
    plan.reserve([length]);
    return this.allocate(plan)[0];
  }

  /** Writes down what `work` calls. @returns whether that is possible */
  #record(work: () => void, returning: boolean): boolean {
    const { exports } = this;
    this.exports = this.#tapes.start(exports, returning);
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof CannotPrepare) return false;
      throw error;
    } finally {
      this.exports = exports;
      this.#tapes.stop();
    }
  }
}

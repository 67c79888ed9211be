// The kernels in WebAssembly (sources: assembly/). Each instance has its own memory for tensors, which is freed with
// its last tensor. It is shared memory because that can grow without detaching existing tensors. Tensors of another
// instance or of the reference backend cannot be used.
import { fuseTrace } from './fused';
import type { StreamSource } from './fused/wasm-emitter';
import {
  compileModule,
  decodeBase64,
  type WasmExports,
  instantiate,
  instantiateStep,
  type Memory,
  type StepFunction,
  createSharedMemory,
} from './wasm-instance';
import { type InputStream, type Kernels, MAX_OBSERVED, type TracedStep, type TracedStepOptions } from './kernels';
import { type ObservedReduction, ObservedReductions, REDUCTION_BYTES } from './observed-reductions';
import { runInOrder } from './fallback-kernels';
import { NotTraceableError, SCALAR_KERNELS, TraceRecorder } from './trace';
import type { ThreadPool } from './thread-pool';
import { createTensors, MemoryPlan, type Precision, type Tensor, view } from './tensor';
import { FIRST_TENSOR_ADDRESS, WasmCalls } from './wasm-calls';
import { wasmModules } from './wasm-modules';
import { SIMD256_KERNELS, simd256Module, type Simd256Compiler } from './simd256';
import { simd256Step } from './simd256-step';

export type SimdVariant = keyof typeof wasmModules;

const PAGE_BYTES = 65536;
/** 4 GB, the limit of 32-bit addresses. */
const MAX_PAGES = 65536;
/** Vector loads may read up to a vector past the end of a tensor. */
const READ_MARGIN = 64;
/** Multiply-adds of a product from which on threads are called; mirrors assembly/matmul.ts. */
const PARALLEL_THRESHOLD = 500_000;
/** Multiply-adds of a product from which on 256-bit vectors are worth trying. */
const SIMD256_THRESHOLD = 200_000;
/** Maximum number of float64 results that a fused module returns per call. */
const MAX_RESULTS = 1024;
const SINGLE_RESULT = new Float64Array(1);
/** Values that occur nowhere else, as placeholders for numbers that change at every step. */
const PLACEHOLDER = 1.0472e-300;
/** Multiply-adds of large products after which 256-bit vectors are tried; they take about as long as trying. */
const SIMD256_AFTER = 4e9;
/**
 * How many times `fuseAfter` further steps run before 256-bit vectors are tried for a small step, since that takes
 * longer.
 */
const SIMD256_STEP_AFTER = 3;

/**
 * The divisor of a function that only divides, as a mean does; null for any other. Knowing it is faster than calling
 * the function.
 */
function divisorOf(f: (x: number) => number): number | null {
  const divisor = Math.round(1 / f(1));
  return [0, 1, -3, 1 / 7, Math.PI, 1e-310, 1e-20, 123.456, 1e30, -Infinity, NaN].every((x) =>
    Object.is(f(x), x / divisor),
  )
    ? divisor
    : null;
}

/** The same module with an empty custom section, since the JavaScript engine would otherwise return a cached module. */
const withCacheBuster = (bytes: Uint8Array): Uint8Array => Uint8Array.from([...bytes, 0, 2, 1, 0x77]);

export class WasmKernels extends WasmCalls implements Kernels {
  readonly backend: string;
  /** Whether products use 256-bit vectors. */
  usesSimd256 = false;
  /** Whether a compiled step uses 256-bit vectors. */
  usesSimd256Step = false;
  readonly #simd: SimdVariant;
  /** The module that other threads get. */
  #module: object;
  protected readonly memory: Memory;
  /** The exports of the module, or the recorder while a trace is recorded. */
  protected exports: WasmExports;
  readonly #recorder: TraceRecorder;
  #pages: number;
  /** Where fused modules write their results; allocated with the first of them. */
  #results: Tensor | null = null;
  /** Where they keep reductions of each step, and where they find its parameters. */
  #observations: Tensor | null = null;
  #parameters: Tensor | null = null;
  /** Bytes in use. */
  #bytesUsed: number;
  /** The scratch memory of each worker. */
  readonly #workerScratch: readonly number[];
  /** Multiply-adds of large products so far. */
  #multiplyAdds = 0;
  /** The compiler for 256-bit vectors, until it has been tried. */
  #pendingSimd256: Simd256Compiler | null;

  /** @throws if the JavaScript engine does not support the instructions, or there is not enough memory */
  constructor(
    readonly precision: Precision,
    simd: SimdVariant,
    /** Worker threads for large products. */
    readonly threadPool: ThreadPool | null = null,
    readonly simd256: Simd256Compiler | null = null,
    /** How often a step is replayed before it is compiled, which takes as long as about this many small steps. */
    readonly fuseAfter = 10_000,
    /** Multiply-adds of large products after which 256-bit vectors are tried, so that short runs never pay for it. */
    readonly simd256After = SIMD256_AFTER,
  ) {
    super();
    this.#simd = simd;
    this.backend = simd === 'relaxed' ? 'wasm-relaxed-simd' : 'wasm-simd';
    this.#module = compileModule(decodeBase64(wasmModules[simd][precision]));
    this.#pages = 1;
    this.memory = createSharedMemory(this.#pages, MAX_PAGES);
    this.exports = instantiate(this.#module, this.memory);
    this.exports.initConstants();
    this.#pendingSimd256 = simd256;
    this.#countMultiplyAdds(0);
    const { TRACES_START, TENSORS_START, SCRATCH_SIZE } = this.exports;
    if (TENSORS_START.value > FIRST_TENSOR_ADDRESS)
      throw new Error('assembly/ needs more scratch memory than FIRST_TENSOR_ADDRESS says');
    this.#workerScratch = (threadPool?.workers ?? []).map((_, i) => FIRST_TENSOR_ADDRESS + i * SCRATCH_SIZE.value);
    this.#bytesUsed = FIRST_TENSOR_ADDRESS + this.#workerScratch.length * SCRATCH_SIZE.value;
    this.#recorder = new TraceRecorder(TRACES_START.value, FIRST_TENSOR_ADDRESS);
  }

  allocate(plan: MemoryPlan): Tensor[] {
    const base = this.#bytesUsed;
    const pages = Math.ceil((base + plan.bytes + READ_MARGIN) / PAGE_BYTES);
    if (pages > MAX_PAGES) throw new RangeError(`${plan.bytes} bytes do not fit: these kernels reach 4 GB in all`);
    if (pages > this.#pages) {
      this.memory.grow(pages - this.#pages);
      this.#pages = pages;
    }
    this.#bytesUsed = base + plan.bytes;
    return createTensors(plan, this.memory.buffer, base);
  }

  /**
   * Once enough work was done, replaces the kernels that threads share by those of a 256-bit module, if it gives the
   * same results and is faster.
   */
  #countMultiplyAdds(multiplyAdds: number): void {
    this.#multiplyAdds += multiplyAdds;
    if (!this.#pendingSimd256 || this.#multiplyAdds < this.simd256After) return;
    this.#enableSimd256(this.#pendingSimd256);
    this.#pendingSimd256 = null;
  }

  #enableSimd256(compiler: Simd256Compiler): void {
    const simd = this.#simd;
    const make = (): object => compileModule(withCacheBuster(decodeBase64(wasmModules[simd][this.precision])));
    const simd256 = simd256Module(`${simd} ${this.precision}`, this.precision, compiler, this.#module, make);
    if (!simd256) return;
    const exports = instantiate(simd256, this.memory);
    exports.useSimd256Tiles(1);
    this.exports = { ...this.exports, ...Object.fromEntries(SIMD256_KERNELS.map((name) => [name, exports[name]])) };
    this.#module = simd256;
    this.usesSimd256 = true;
    // The workers still have the old module.
    if (this.threadPool?.owner === this) this.threadPool.detach();
  }

  /** Prepares the worker threads for a product of this many multiply-adds, if it is large enough. */
  protected useThreads(multiplyAdds: number): void {
    if (multiplyAdds < SIMD256_THRESHOLD || this.#recorder.isRecording) return;
    this.#countMultiplyAdds(multiplyAdds);
    if (multiplyAdds < PARALLEL_THRESHOLD || !this.threadPool || this.threadPool.owner === this) return;
    this.threadPool.attach(
      this,
      this.exports,
      { module: this.#module, memory: this.memory, useSimd256: this.usesSimd256 },
      this.#workerScratch,
    );
  }

  /** Pieces of work that worker threads have done so far. */
  get workerChunkCount(): number {
    return this.exports.workerChunkCount();
  }

  /** Number of worker threads that sleep. */
  get sleepingWorkers(): number {
    return this.exports.sleepingWorkers();
  }

  protected assertEager(): void {
    if (this.#recorder.isRecording) throw new NotTraceableError();
  }

  trace(work: () => void): () => void {
    const { exports } = this;
    // Inside another recording, the operations become part of that one.
    if (this.#recorder.isRecording || !this.#record(work, false)) return work;
    const trace = this.#recorder.write(this.memory.buffer);
    return trace ? () => (this.#recorder.isRecording ? work() : exports.replay(trace.from, trace.to)) : work;
  }

  traceStep(
    before: () => void,
    loss: () => number,
    after: () => void,
    { inputStreams = () => [], perStepParameters = [], reductions = [] }: TracedStepOptions = {},
  ): TracedStep {
    const replay = runInOrder(before, loss, after);
    if (this.precision === 'float64') return { run: replay, repeat: null, observed: null };
    let stepsUntilFused = this.fuseAfter;
    const tracedStep: { -readonly [Key in keyof TracedStep]: TracedStep[Key] } = {
      run: () => {
        if (stepsUntilFused-- !== 0) return replay();
        const streams = inputStreams();
        const repeat = this.#fuse(replay, loss, streams, perStepParameters, reductions);
        if (repeat && streams.length > 0) {
          tracedStep.repeat = repeat;
          tracedStep.observed = this.#observed(reductions.length);
        } else if (repeat)
          tracedStep.run = () => (repeat(0, 1, SINGLE_RESULT, () => perStepParameters), SINGLE_RESULT[0]!);
        else tracedStep.run = replay;
        return tracedStep.repeat ? replay() : tracedStep.run();
      },
      repeat: null,
      observed: null,
    };
    return tracedStep;
  }

  /** Compiles a step; null if that is not possible or would be too large. */
  #fuse(
    work: () => number,
    loss: () => number,
    inputStreams: readonly InputStream[],
    perStepParameters: number[],
    reductions: readonly ObservedReduction[],
  ): TracedStep['repeat'] {
    const { exports } = this;
    const stepFromStreams = (): number => {
      for (const { to, from } of inputStreams) this.copy(to, view(from, to.shape));
      return work();
    };
    const placeholders = perStepParameters.map((_, i) => PLACEHOLDER * (i + 1));
    const originals = perStepParameters.splice(0, perStepParameters.length, ...placeholders);
    const recorded = this.#record(stepFromStreams, true);
    perStepParameters.splice(0, perStepParameters.length, ...originals);
    if (!recorded) return null;
    const sources = inputStreams.map(({ to, from }): StreamSource => {
      const { byteOffset, byteLength } = from.data;
      return { from: byteOffset, end: byteOffset + byteLength, bytesPerStep: to.data.byteLength };
    });
    const { calls } = this.#recorder;
    const table = perStepParameters.length > 0 ? this.#parameterTable(perStepParameters.length) : null;
    const { byteOffset: start, byteLength: length } = table?.data ?? new Float32Array();
    const source = {
      from: start,
      end: start + length,
      bytesPerStep: perStepParameters.length * 4,
      startsAtFirst: true,
    };
    if (reductions.length > 0) {
      const { from, end } = this.#observationMemory();
      const bytesPerStep = reductions.length * REDUCTION_BYTES;
      sources.push({ from, end, bytesPerStep, startsAtFirst: true });
    }
    const fused = fuseTrace(
      calls,
      sources,
      this.backend === 'wasm-relaxed-simd',
      MAX_PAGES,
      table && { placeholders, source },
      reductions.map(({ kind, tensor: { data } }, i) => ({
        kind,
        from: data.byteOffset,
        length: data.length,
        to: this.#observationMemory().from + i * REDUCTION_BYTES,
      })),
    );
    if (!fused) return null;
    let run = instantiateStep(compileModule(fused.bytes), this.memory, exports);
    let stepsUntilSimd256 = this.simd256 ? SIMD256_STEP_AFTER * this.fuseAfter : Infinity;
    const results = (this.#results ??= this.#allocateList('float64', MAX_RESULTS)).data;
    const from = results.byteOffset;
    // Calls `value` again, with the result of the kernel in it.
    let returned = NaN;
    const exportsReturningResult: WasmExports = {
      ...exports,
      ...Object.fromEntries(SCALAR_KERNELS.map((name) => [name, () => returned])),
    };
    const lossOf = (number: number): number => {
      const originals = this.exports;
      this.exports = exportsReturningResult;
      returned = number;
      try {
        return loss();
      } finally {
        this.exports = originals;
      }
    };
    const divisor = divisorOf(lossOf);
    return (startIndex, times, losses, parametersAt) => {
      if (table && parametersAt)
        for (let i = 0; i < Math.min(times, MAX_RESULTS); i++)
          table.data.set(parametersAt(i), i * perStepParameters.length);
      stepsUntilSimd256 -= times;
      if (stepsUntilSimd256 < 0 && this.simd256) {
        stepsUntilSimd256 = Infinity;
        const make = (): StepFunction =>
          instantiateStep(compileModule(withCacheBuster(fused.bytes)), this.memory, exports);
        const simd256Run = simd256Step(
          run,
          make,
          this.simd256,
          this.memory,
          { from: FIRST_TENSOR_ADDRESS, to: this.#bytesUsed, results: from },
          startIndex,
        );
        this.usesSimd256Step = simd256Run !== null;
        if (simd256Run) run = simd256Run;
      }
      const done = (run(from, from + Math.min(times, results.length) * 8, startIndex) - from) / 8;
      if (divisor === null) for (let i = 0; i < done; i++) losses[i] = lossOf(results[i]!);
      else for (let i = 0; i < done; i++) losses[i] = results[i]! / divisor;
      return done;
    };
  }

  /** Where steps in one call keep their reductions; allocated with the first of them. */
  #observationMemory(): { readonly from: number; readonly end: number } {
    const { data } = (this.#observations ??= this.#allocateList(
      'float64',
      (MAX_RESULTS * MAX_OBSERVED * REDUCTION_BYTES) / 8,
    ));
    return { from: data.byteOffset, end: data.byteOffset + data.byteLength };
  }

  #observed(count: number): ObservedReductions {
    return new ObservedReductions(this.memory.buffer, this.#observationMemory().from, count, MAX_RESULTS);
  }

  /** Where compiled steps find their per-step parameters. All steps of a network have equally many. */
  #parameterTable(count: number): Tensor {
    const length = MAX_RESULTS * count;
    if (this.#parameters?.data.length !== length) this.#parameters = this.#allocateList('float32', length);
    return this.#parameters;
  }

  #allocateList(precision: Precision, length: number): Tensor {
    const plan = new MemoryPlan(precision);
    plan.reserve([length]);
    return this.allocate(plan)[0]!;
  }

  /** Records the calls of `work`. @returns whether that is possible */
  #record(work: () => void, allowScalar: boolean): boolean {
    const { exports } = this;
    this.exports = this.#recorder.start(exports, allowScalar);
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof NotTraceableError) return false;
      throw error;
    } finally {
      this.exports = exports;
      this.#recorder.stop();
    }
  }
}

// Worker threads: the bits are those of one thread, they sleep without work, and they terminate.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createBackend } from '../../src/engine/kernels/create-kernels';
import type { ThreadPool } from '../../src/engine/kernels/thread-pool';
import type { Precision } from '../../src/engine/kernels/tensor';
import type { WasmKernels } from '../../src/engine/kernels/wasm-kernels';
import { startThreadPool, threadCount } from '../../src/platform/start-thread-pool';
import { simd256Compiler } from '../../src/platform/simd256';
import {
  attentionWorkloads,
  convolutionWorkloads,
  elementwiseWorkload,
  matmulWorkloads,
  poolingWorkload,
} from '../support/large-workloads';
import { createSession } from '../support/session-fixtures';
import { type BuiltWorker, buildKernelWorker } from '../support/build-kernel-worker';

let builtWorker: BuiltWorker;
const pools: ThreadPool[] = [];

beforeAll(async () => {
  builtWorker = await buildKernelWorker();
});
afterEach(() => pools.splice(0).forEach((team) => team.terminate()));
afterAll(() => builtWorker.remove());

function startPool(threads: number): ThreadPool {
  const team = startThreadPool(threads, builtWorker.file);
  pools.push(team);
  return team;
}

const nextTick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Repeats work until other threads have taken part in it. */
async function untilWorkersHelp(kernels: WasmKernels, work: () => void): Promise<void> {
  const before = kernels.workerChunkCount;
  do {
    work();
    await nextTick();
  } while (kernels.workerChunkCount === before);
}

const backends = ['wasm-simd', 'wasm-relaxed-simd'] as const;
const cases = backends.flatMap((backend) =>
  (['float32', 'float64'] as const).map((precision) => [backend, precision] as const),
);

describe.each(cases)('%s in %s: the bits do not depend on the number of threads', (backend, precision) => {
  const make = (threadPool?: ThreadPool): WasmKernels =>
    createBackend(backend, precision, { threadPool }) as WasmKernels;

  it.each(Object.keys(matmulWorkloads))('%s', async (name) => {
    const alone = matmulWorkloads[name](make())();
    for (const threads of [2, 3]) {
      const kernels = make(startPool(threads));
      const work = matmulWorkloads[name](kernels);
      await untilWorkersHelp(kernels, work);
      expect(work().data).toEqual(alone.data);
    }
  });

  it.each(Object.keys(attentionWorkloads))('%s', async (name) => {
    const alone = attentionWorkloads[name](make())();
    for (const threads of [2, 3]) {
      const kernels = make(startPool(threads));
      // The products are large enough to call the threads; the softmax is not counted as one.
      await untilWorkersHelp(kernels, matmulWorkloads.linear(kernels));
      const work = attentionWorkloads[name](kernels);
      await untilWorkersHelp(kernels, work);
      expect(work().data).toEqual(alone.data);
    }
  });

  it('with 256-bit vectors, too', async () => {
    const alone = matmulWorkloads.linear(make())();
    const kernels = createBackend(backend, precision, {
      threadPool: startPool(2),
      simd256: simd256Compiler,
      simd256After: 1e9,
    }) as WasmKernels;
    const work = matmulWorkloads.linear(kernels);
    // First with 128-bit tiles, so that workers have to switch.
    await untilWorkersHelp(kernels, work);
    expect(work().data).toEqual(alone.data);
  });

  it.each(Object.keys(convolutionWorkloads))('convolution, %s, followed by pooling', async (name) => {
    const aloneKernels = make();
    const alone = [...convolutionWorkloads[name](aloneKernels)(), ...poolingWorkload(aloneKernels)()];
    for (const threads of [2, 3]) {
      const kernels = make(startPool(threads));
      const [convolve, pool] = [convolutionWorkloads[name](kernels), poolingWorkload(kernels)];
      await untilWorkersHelp(kernels, convolve);
      await untilWorkersHelp(kernels, pool);
      expect([...convolve(), ...pool()].map(({ data }) => data)).toEqual(alone.map(({ data }) => data));
    }
  });

  it('element-wise', async () => {
    const alone = elementwiseWorkload(make())();
    for (const threads of [2, 3]) {
      const kernels = make(startPool(threads));
      await untilWorkersHelp(kernels, matmulWorkloads.linear(kernels));
      const work = elementwiseWorkload(kernels);
      await untilWorkersHelp(kernels, work);
      expect(work().map(({ data }) => data)).toEqual(alone.map(({ data }) => data));
    }
  });

  it('whole training steps', async () => {
    for (const threads of [2, 3]) {
      const session = createSession(largeSpec(precision), { backend, threadPool: startPool(threads) });
      await untilWorkersHelp(session.network.kernels as WasmKernels, () => session.step());
      for (let i = 0; i < 5; i++) session.step();
      const alone = createSession(largeSpec(precision), { backend });
      alone.seek(session.position.step);
      expect(session.stateHash()).toBe(alone.stateHash());
      expect(session.loss).toBe(alone.loss);
    }
  });
});

/** Products of about a million multiply-adds. */
const largeSpec = (precision: Precision): object => ({
  data: { type: 'blobs', samples: 200 },
  layers: [
    { type: 'linear', out_features: 160 },
    'tanh',
    { type: 'linear', out_features: 150 },
    'relu',
    { type: 'linear', out_features: 3 },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 64,
  epochs: 100,
  precision,
});

describe('a thread pool', () => {
  it('sleeps without work', async () => {
    const kernels = createBackend('wasm-simd', 'float32', { threadPool: startPool(3) }) as WasmKernels;
    const work = matmulWorkloads.linear(kernels);
    await untilWorkersHelp(kernels, work);
    while (kernels.sleepingWorkers < 2) await nextTick();
    // They wake up for the next piece of work.
    await untilWorkersHelp(kernels, work);
  });

  it('switches to other kernels, and back', async () => {
    const threadPool = startPool(2);
    const [first, second] = ['float32', 'float64'].map(
      (precision) => createBackend('wasm-simd', precision as Precision, { threadPool }) as WasmKernels,
    );
    for (const kernels of [first, second, first]) await untilWorkersHelp(kernels, matmulWorkloads.linear(kernels));
    expect(threadPool.owner).toBe(first);
    threadPool.detach();
    expect(threadPool.owner).toBeNull();
  });

  it('serves a thousand networks, one after the other', async () => {
    const threadPool = startPool(2);
    for (let i = 0; i < 1000; i++) {
      const kernels = createBackend('wasm-simd', 'float32', { threadPool }) as WasmKernels;
      matmulWorkloads.matmul(kernels)();
      threadPool.detach();
      if (i % 100 === 99) await nextTick();
    }
    const last = createBackend('wasm-simd', 'float32', { threadPool }) as WasmKernels;
    await untilWorkersHelp(last, matmulWorkloads.matmul(last));
  });

  it('is optional: without a file for its threads, the work is done all the same', async () => {
    const threadPool = startThreadPool(3, `${builtWorker.file}.missing`);
    pools.push(threadPool);
    const kernels = createBackend('wasm-simd', 'float64', { threadPool });
    const work = matmulWorkloads.linear(kernels);
    const alone = matmulWorkloads.linear(createBackend('wasm-simd', 'float64'))();
    for (let i = 0; i < 20; i++) {
      expect(work().data).toEqual(alone.data);
      await nextTick();
    }
  });
});

describe('the number of threads', () => {
  it('is NABLASCOPE_THREADS, if that is an integer of at least 1', () => {
    expect(threadCount('3')).toBe(3);
    expect(threadCount('1')).toBe(1);
    for (const nonsense of ['0', '-1', '2.5', 'many', '', undefined]) {
      expect(threadCount(nonsense)).toBe(threadCount(undefined));
    }
    expect(threadCount('')).toBeGreaterThanOrEqual(1);
    expect(threadCount('')).toBeLessThanOrEqual(4);
  });
});

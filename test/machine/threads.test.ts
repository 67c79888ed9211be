// Threads that help: the bits are those of one thread, they rest when there is nothing to do, and they go.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kernelsOf } from '../../src/engine/kernels/create';
import type { Team } from '../../src/engine/kernels/team';
import type { Precision } from '../../src/engine/kernels/tensor';
import type { WasmKernels } from '../../src/engine/kernels/wasm';
import { startTeam, threadCount } from '../../src/machine/start-team';
import { wideVectors } from '../../src/machine/wide-vectors';
import { convolutions, elementwise, jobs, pooling } from '../support/large-jobs';
import { sessionOf } from '../support/run';
import { type BuiltThread, buildThread } from '../support/threads';

let built: BuiltThread;
const teams: Team[] = [];

beforeAll(async () => {
  built = await buildThread();
});
afterEach(() => teams.splice(0).forEach((team) => team.end()));
afterAll(() => built.remove());

function teamOf(threads: number): Team {
  const team = startTeam(threads, built.file);
  teams.push(team);
  return team;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Does work over and over until the other threads have taken part in it. */
async function untilHelped(kernels: WasmKernels, work: () => void): Promise<void> {
  const before = kernels.helped;
  do {
    work();
    await nextTurn();
  } while (kernels.helped === before);
}

const backends = ['wasm-simd', 'wasm-relaxed-simd'] as const;
const cases = backends.flatMap((backend) => (['float32', 'float64'] as const).map((precision) => [backend, precision] as const));

describe.each(cases)('%s in %s: the bits do not depend on how many threads there are', (backend, precision) => {
  const make = (team?: Team): WasmKernels => kernelsOf(backend, precision, { team }) as WasmKernels;

  it.each(Object.keys(jobs))('%s', async (name) => {
    const alone = jobs[name](make())();
    for (const threads of [2, 3]) {
      const kernels = make(teamOf(threads));
      const work = jobs[name](kernels);
      await untilHelped(kernels, work);
      expect(work().data).toEqual(alone.data);
    }
  });

  it('with wide vectors, too', async () => {
    const alone = jobs.linear(make())();
    const kernels = kernelsOf(backend, precision, { team: teamOf(2), wideVectors, wideAfter: 1e9 }) as WasmKernels;
    const work = jobs.linear(kernels);
    // First in narrow ones, so that who helps has to change.
    await untilHelped(kernels, work);
    expect(work().data).toEqual(alone.data);
  });

  it.each(Object.keys(convolutions))('convolution, %s, and pooling after it', async (name) => {
    const aloneKernels = make();
    const alone = [...convolutions[name](aloneKernels)(), ...pooling(aloneKernels)()];
    for (const threads of [2, 3]) {
      const kernels = make(teamOf(threads));
      const [convolve, pool] = [convolutions[name](kernels), pooling(kernels)];
      await untilHelped(kernels, convolve);
      await untilHelped(kernels, pool);
      expect([...convolve(), ...pool()].map(({ data }) => data)).toEqual(alone.map(({ data }) => data));
    }
  });

  it('element by element', async () => {
    const alone = elementwise(make())();
    for (const threads of [2, 3]) {
      const kernels = make(teamOf(threads));
      await untilHelped(kernels, jobs.linear(kernels));
      const work = elementwise(kernels);
      await untilHelped(kernels, work);
      expect(work().map(({ data }) => data)).toEqual(alone.map(({ data }) => data));
    }
  });

  it('whole training steps', async () => {
    for (const threads of [2, 3]) {
      const session = sessionOf(wideSpec(precision), { backend, team: teamOf(threads) });
      await untilHelped(session.network.kernels as WasmKernels, () => session.step());
      for (let i = 0; i < 5; i++) session.step();
      const alone = sessionOf(wideSpec(precision), { backend });
      alone.seek(session.position.step);
      expect(session.hash()).toBe(alone.hash());
      expect(session.loss).toBe(alone.loss);
    }
  });
});

/** Products of about a million multiply-adds. */
const wideSpec = (precision: Precision): object => ({
  data: { type: 'blobs', samples: 200 },
  layers: [{ type: 'linear', out_features: 160 }, 'tanh', { type: 'linear', out_features: 150 }, 'relu', { type: 'linear', out_features: 3 }],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 64,
  epochs: 100,
  precision,
});

describe('a team', () => {
  it('sleeps while there is nothing to do', async () => {
    const kernels = kernelsOf('wasm-simd', 'float32', { team: teamOf(3) }) as WasmKernels;
    const work = jobs.linear(kernels);
    await untilHelped(kernels, work);
    while (kernels.sleepers < 2) await nextTurn();
    // Asleep, they hear of the next piece of work.
    await untilHelped(kernels, work);
  });

  it('goes over to other kernels, and back', async () => {
    const team = teamOf(2);
    const [first, second] = ['float32', 'float64'].map((precision) => kernelsOf('wasm-simd', precision as Precision, { team }) as WasmKernels);
    for (const kernels of [first, second, first]) await untilHelped(kernels, jobs.linear(kernels));
    expect(team.engagedWith).toBe(first);
    team.release();
    expect(team.engagedWith).toBeNull();
  });

  it('serves a thousand networks, one after the other', async () => {
    const team = teamOf(2);
    for (let i = 0; i < 1000; i++) {
      const kernels = kernelsOf('wasm-simd', 'float32', { team }) as WasmKernels;
      jobs.matmul(kernels)();
      team.release();
      if (i % 100 === 99) await nextTurn();
    }
    const last = kernelsOf('wasm-simd', 'float32', { team }) as WasmKernels;
    await untilHelped(last, jobs.matmul(last));
  }, 120_000);

  it('is not needed: without a file for its threads the work is done all the same', async () => {
    const team = startTeam(3, `${built.file}.missing`);
    teams.push(team);
    const kernels = kernelsOf('wasm-simd', 'float64', { team });
    const work = jobs.linear(kernels);
    const alone = jobs.linear(kernelsOf('wasm-simd', 'float64'))();
    for (let i = 0; i < 20; i++) {
      expect(work().data).toEqual(alone.data);
      await nextTurn();
    }
  });
});

describe('how many threads', () => {
  it('is what NABLASCOPE_THREADS says, if it is a whole number from 1 on', () => {
    expect(threadCount('3')).toBe(3);
    expect(threadCount('1')).toBe(1);
    for (const nonsense of ['0', '-1', '2.5', 'many', '', undefined]) {
      expect(threadCount(nonsense)).toBe(threadCount(undefined));
    }
    expect(threadCount('')).toBeGreaterThanOrEqual(1);
    expect(threadCount('')).toBeLessThanOrEqual(4);
  });
});

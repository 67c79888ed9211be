// The gradient of every entry of the character GPT in float64, batch 2, checked with error bars and kinks, compared
// with torch.autograd.gradcheck. Ours is the whole check as the product runs it; PyTorch's is extrapolated from some
// entries of one parameter, since it always computes the whole network. They alternate in one run, and the fastest turn
// counts. PARTS=1 shows where our time goes: a call for each parameter, extrapolated to all of its entries.
import { join } from 'node:path';
import { GradientCheck } from '../src/gradcheck';
import { Float64Replica } from '../src/gradcheck/float64-replica';
import { stepScale } from '../src/gradcheck/verdict-policy';
import { simd256CompilerIfEnabled } from '../src/platform/simd256';
import { startThreadPool } from '../src/platform/start-thread-pool';
import { TrainingSession } from '../src/session/session';
import { OPTIONS } from '../test/gradcheck/nets';
import { compileRun } from '../test/support/session-fixtures';
import { formatRounded, formatTable } from './measure';
import { Peer } from './peers';
import { gptSpec } from './sequence-workloads';

const TURNS = Number(process.env.TURNS ?? 3);
const THREADS = [1, 2];
const BATCH = 2;
/** Number of entries that PyTorch checks in a turn, for each turn of ours. */
const TORCH_ENTRIES = 64;
const TORCH_REPEATS = 4;
const GOAL = 20;

const requestOf = (threads: number): ConstructorParameters<typeof GradientCheck>[0] => {
  const session = new TrainingSession(compileRun(gptSpec(BATCH, BATCH)), '', {
    threadPool: startThreadPool(threads),
    simd256: simd256CompilerIfEnabled(),
  });
  session.step();
  return {
    network: session.network,
    pass: session.passToCheck(),
    step: 1,
    options: OPTIONS,
    kernels: session.kernelOptions,
  };
};

function showParts(request: ConstructorParameters<typeof GradientCheck>[0]): void {
  const replica = new Float64Replica(request);
  const rows = replica.network.parameters.map((parameter, at) => {
    const batch = replica.perturbationBatchFor(at)!;
    const { data } = parameter.value;
    const count = Math.min(batch.capacity, 2 * data.length);
    const entries = Uint32Array.from({ length: count }, (_, i) => Math.floor(((i >> 1) / count) * 2 * data.length));
    const values = Float64Array.from(
      entries,
      (entry, i) => data[entry]! + (i % 2 ? -1 : 1) * OPTIONS.step * stepScale(data[entry]!),
    );
    let fastest = Infinity;
    for (let turn = 0; turn < 10; turn++) {
      const start = performance.now();
      batch.lossesAt(parameter, entries, values);
      fastest = Math.min(fastest, (performance.now() - start) / count);
    }
    return [
      parameter.name,
      String(data.length),
      String(batch.capacity),
      (fastest * 1000).toFixed(0),
      ((fastest * 2 * data.length) / 1000).toFixed(2),
    ];
  });
  console.log(formatTable(['parameter', 'entries', 'losses in a call', 'µs for a loss', 'seconds'], rows));
}

async function main(): Promise<void> {
  if (process.env.PARTS) {
    showParts(requestOf(2));
    return;
  }
  const torch = await Peer.startTorch(join(process.cwd(), 'bench', 'peer-sequences.py'));
  const requests = THREADS.map(requestOf);
  const ours = THREADS.map(() => Infinity);
  const theirs = [Infinity];
  let first = Infinity;
  let entries = 0;
  let counts = '';
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, request] of requests.entries()) {
      const start = performance.now();
      const check = new GradientCheck(request, false);
      check.advance(check.preferredChunk);
      first = Math.min(first, performance.now() - start);
      while (check.advance(check.preferredChunk));
      ours[i] = Math.min(ours[i]!, (performance.now() - start) / 1000);
      ({ entries } = check);
      counts = JSON.stringify(check.report().counts);
      for (const threads of torch ? THREADS.flatMap((each) => Array<number>(TORCH_REPEATS).fill(each)) : []) {
        const seconds = await torch!.request({ kind: 'gpt', batch: BATCH, gradcheck: TORCH_ENTRIES, threads });
        theirs.push(seconds * (entries / TORCH_ENTRIES));
      }
    }
  }
  torch?.close();
  const peer = Math.min(...theirs);
  console.log(
    `${entries.toLocaleString('en-US')} entries: ${counts}. First verdicts after ${formatRounded(first)} ms.\n`,
  );
  console.log(
    formatTable(
      ['character GPT, batch 2, float64, every entry', 'seconds', 'PyTorch / ours', 'goal'],
      [
        ...THREADS.map((threads, i) => [
          `ours, threads: ${threads}`,
          formatRounded(ours[i]!),
          torch ? formatRounded(peer / ours[i]!) : '',
          i === THREADS.length - 1 ? String(GOAL) : '',
        ]),
        ...(torch
          ? [[`${torch.version}, gradcheck, the faster of 1 and 2 threads, extrapolated`, formatRounded(peer), '', '']]
          : []),
      ],
    ),
  );
}

void main();

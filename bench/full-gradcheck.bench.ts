// The gradient of every entry of 784-300-10 in float64, batch 10, checked with error bars and kinks, compared with
// torch.autograd.gradcheck and with central differences over plain loops, which are extrapolated from a sample. They
// alternate in one run.
import { GradientCheck } from '../src/gradcheck';
import { OPTIONS } from '../test/gradcheck/nets';
import { createBaselineForward } from './baseline-loops';
import { formatRounded, formatTable } from './measure';
import { Peer } from './peers';
import { createSession, workloads } from './workloads';

const ROUNDS = 5;
const BATCH = 10;
/** Number of entries that the others check. */
const TORCH_ENTRIES = 1000;
const LOOP_ENTRIES = 40;

async function main(): Promise<void> {
  const torch = await Peer.startTorch();
  const workload = { ...workloads[3], batch: BATCH };
  const session = createSession(workload, {});
  session.step();
  const ours: number[] = [];
  const withIsolatedLayers: number[] = [];
  const theirs: number[] = [];
  const loops: number[] = [];
  const loss = createBaselineForward(workload.sizes, BATCH);
  let entries = 0;
  let counts = '';
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const [isolated, seconds] of [
      [false, ours],
      [true, withIsolatedLayers],
    ] as const) {
      const start = performance.now();
      const check = new GradientCheck(
        {
          network: session.network,
          pass: session.passToCheck(),
          step: 1,
          options: OPTIONS,
          kernels: session.kernelOptions,
        },
        isolated,
      );
      while (check.advance(1024));
      seconds.push((performance.now() - start) / 1000);
      entries = check.entries;
      counts = JSON.stringify(check.report().counts);
    }
    const start = performance.now();
    for (let i = 0; i < LOOP_ENTRIES; i++) for (const by of [1e-6, -2e-6]) loss(i, by);
    loops.push(((performance.now() - start) / 1000) * (entries / LOOP_ENTRIES));
    for (const threads of torch ? [1, 2] : [])
      theirs.push(
        ((await torch?.gradcheck(workload.sizes, BATCH, TORCH_ENTRIES, threads)) ?? NaN) * (entries / TORCH_ENTRIES),
      );
  }
  torch?.close();
  const fastest = Math.min(...ours);
  const row = (name: string, seconds: readonly number[], goal: string): string[] => [
    name,
    formatRounded(Math.min(...seconds)),
    formatRounded(Math.min(...seconds) / fastest),
    goal,
  ];
  console.log(`${entries.toLocaleString('en-US')} entries, ${session.model.backend}, one thread: ${counts}\n`);
  console.log(
    formatTable(
      ['784-300-10, batch 10, float64, every entry', 'seconds', 'times ours', 'to reach'],
      [
        row('ours, with error bars and kinks', ours, ''),
        row('ours, and each layer alone, which the others do not try', withIsolatedLayers, ''),
        ...(torch
          ? [
              row(
                `${torch.version}, gradcheck, the faster of 1 and 2 threads, from ${TORCH_ENTRIES} entries`,
                theirs,
                '150',
              ),
            ]
          : []),
        row(`plain loops in JavaScript, from ${LOOP_ENTRIES} entries`, loops, '2,000'),
      ],
    ),
  );
}

void main();

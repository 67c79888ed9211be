// G2: the gradient of every entry of 784-300-10 in float64, batch 10, checked with error bars and kinks; against
// torch.autograd.gradcheck and central differences over plain loops, both extrapolated from a part. In turn, in one run.
import { GradientCheck } from '../src/gradcheck';
import { OPTIONS } from '../test/gradcheck/nets';
import { forwardLoop } from './hand-written';
import { round, table } from './measure';
import { Peer } from './peers';
import { sessionOf, workloads } from './workloads';

const TURNS = 5;
const BATCH = 10;
/** Entries that the others check. */
const PART_OF_TORCH = 1000;
const PART_OF_LOOP = 40;

async function main(): Promise<void> {
  const torch = await Peer.torch();
  const workload = { ...workloads[3], batch: BATCH };
  const session = sessionOf(workload, {});
  session.step();
  const ours: number[] = [];
  const withAlone: number[] = [];
  const theirs: number[] = [];
  const loops: number[] = [];
  const loss = forwardLoop(workload.sizes, BATCH);
  let entries = 0;
  let counts = '';
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [alone, seconds] of [[false, ours], [true, withAlone]] as const) {
      const start = performance.now();
      const check = new GradientCheck({ network: session.network, pass: session.passToCheck(), step: 1, options: OPTIONS, kernels: session.kernelOptions }, alone);
      while (check.advance(1024));
      seconds.push((performance.now() - start) / 1000);
      entries = check.entries;
      counts = JSON.stringify(check.report().counts);
    }
    const start = performance.now();
    for (let i = 0; i < PART_OF_LOOP; i++) for (const by of [1e-6, -2e-6]) loss(i, by);
    loops.push(((performance.now() - start) / 1000) * (entries / PART_OF_LOOP));
    for (const threads of torch ? [1, 2] : []) theirs.push(((await torch?.gradcheck(workload.sizes, BATCH, PART_OF_TORCH, threads)) ?? NaN) * (entries / PART_OF_TORCH));
  }
  torch?.end();
  const least = Math.min(...ours);
  const row = (name: string, seconds: readonly number[], goal: string): string[] => [name, round(Math.min(...seconds)), round(Math.min(...seconds) / least), goal];
  console.log(`${entries.toLocaleString('en-US')} entries, ${session.model.backend}, one thread: ${counts}\n`);
  console.log(table(['784-300-10, batch 10, float64, every entry', 'seconds', 'times ours', 'to reach'], [
    row('ours, with error bars and kinks', ours, ''),
    row('ours, and each layer alone, which the others do not try', withAlone, ''),
    ...(torch ? [row(`${torch.version}, gradcheck, the faster of 1 and 2 threads, from ${PART_OF_TORCH} entries`, theirs, '150')] : []),
    row(`plain loops in JavaScript, from ${PART_OF_LOOP} entries`, loops, '2,000'),
  ]));
}

void main();

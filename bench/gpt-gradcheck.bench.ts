// The gradient of every entry of the character GPT in float64, batch 2, checked with error bars and kinks, compared
// with torch.autograd.gradcheck. Both are extrapolated: ours from entries of every parameter, since what is computed
// depends on the layer; PyTorch from entries of one, since it always computes the whole network. They alternate in one
// run, and the fastest turn counts. EVERY=1 also checks every entry once, as the product does.
import { join } from 'node:path';
import { GradientCheck } from '../src/gradcheck';
import { Float64Replica } from '../src/gradcheck/float64-replica';
import { VerdictPolicy } from '../src/gradcheck/verdict-policy';
import type { Verdict } from '../src/protocol/check-report';
import { TrainingSession } from '../src/session/session';
import { OPTIONS } from '../test/gradcheck/nets';
import { compileRun } from '../test/support/session-fixtures';
import { formatRounded, formatTable } from './measure';
import { Peer } from './peers';
import { gptSpec } from './sequence-workloads';

const TURNS = Number(process.env.TURNS ?? 7);
const BATCH = 2;
/** Number of entries that are checked: of each of our parameters, and by PyTorch. */
const OUR_ENTRIES = 16;
const TORCH_ENTRIES = 32;
const GOAL = 20;

async function main(): Promise<void> {
  const torch = await Peer.startTorch(join(process.cwd(), 'bench', 'peer-sequences.py'));
  const session = new TrainingSession(compileRun(gptSpec(BATCH, BATCH)), '', { backend: 'wasm-relaxed-simd' });
  session.step();
  const request = {
    network: session.network,
    pass: session.passToCheck(),
    step: 1,
    options: OPTIONS,
    kernels: session.kernelOptions,
  };
  const replica = new Float64Replica(request);
  const policy = new VerdictPolicy(OPTIONS, replica.loss, replica.noise);
  const { parameters } = replica.network;
  const fastest = parameters.map(() => Infinity);
  const verdicts = new Set<Verdict>();
  const theirs: number[] = [];
  const entries = parameters.reduce((sum, { value }) => sum + value.data.length, 0);
  for (let turn = 0; turn < TURNS; turn++) {
    parameters.forEach(({ value: { data } }, parameter) => {
      const start = performance.now();
      for (let i = 0; i < OUR_ENTRIES; i++) {
        const index = Math.floor(((i + turn / TURNS) / OUR_ENTRIES) * data.length);
        const slice = replica.selectEntry(parameter, index);
        verdicts.add(policy.decide(slice, replica.gradients[parameter]![index]!));
        slice.release();
      }
      const seconds = ((performance.now() - start) / 1000 / OUR_ENTRIES) * data.length;
      fastest[parameter] = Math.min(fastest[parameter]!, seconds);
    });
    for (const threads of torch ? [1, 2] : []) {
      const seconds = await torch!.request({ kind: 'gpt', batch: BATCH, gradcheck: TORCH_ENTRIES, threads });
      theirs.push(seconds * (entries / TORCH_ENTRIES));
    }
  }
  torch?.close();
  const ours = fastest.reduce((sum, seconds) => sum + seconds, 0);
  const peer = Math.min(...theirs);
  console.log(`${entries.toLocaleString('en-US')} entries, ${session.model.backend}, one thread`);
  console.log(`Verdicts of the sample: ${[...verdicts].join(', ')}\n`);
  console.log(
    formatTable(
      ['character GPT, batch 2, float64, every entry', 'seconds, extrapolated', 'times ours', 'to reach'],
      [
        [`ours, from ${OUR_ENTRIES} entries of each parameter a turn`, formatRounded(ours), '1', ''],
        ...(torch
          ? [
              [
                `${torch.version}, gradcheck, the faster of 1 and 2 threads, from ${TORCH_ENTRIES} entries a turn`,
                formatRounded(peer),
                formatRounded(peer / ours),
                String(GOAL),
              ],
            ]
          : []),
      ],
    ),
  );
  if (!process.env.EVERY) return;
  const start = performance.now();
  const check = new GradientCheck(request, false);
  check.advance(64);
  const first = performance.now() - start;
  while (check.advance(1024));
  const seconds = (performance.now() - start) / 1000;
  console.log(`\nEvery entry: ${formatRounded(seconds)} s, the first 64 verdicts after ${formatRounded(first)} ms.`);
  console.log(JSON.stringify(check.report().counts));
}

void main();

// How often the first NaN or infinity of a run is named exactly: layer, tensor, index, step and phase, or the place in
// a data file. `N=10000 npm run bench -- non-finite` plants more, SEED others.
import fc from 'fast-check';
import { locateNonFinite } from '../src/session/locate-non-finite';
import { dataInjection, inject, injection, loadInjectedData } from '../test/support/non-finite-injections';
import { formatTable } from './measure';

const COUNT = Number(process.env.N ?? 1000);
const SEED = Number(process.env.SEED ?? 1);
/** Share of the injections that are written to data files. */
const IN_DATA = 0.2;

interface Tally {
  planted: number;
  exact: number;
  /** Without any effect on the loss, the gradients or the parameters: a unit whose output is 0 hides them. */
  hidden: number;
}
const tallies = new Map<string, Tally>();
const tally = (phase: string): Tally => {
  const found = tallies.get(phase) ?? { planted: 0, exact: 0, hidden: 0 };
  tallies.set(phase, found);
  return found;
};
const misses: unknown[] = [];
const total = (key: keyof Tally): number => [...tallies.values()].reduce((sum, each) => sum + each[key], 0);

const inTensors = Math.round(COUNT * (1 - IN_DATA));
const candidates = fc.sample(injection, { seed: SEED, numRuns: 2 * inTensors });
for (const planted of candidates) {
  // Hidden ones cannot be found by anyone, so others take their place.
  if (total('exact') + misses.length >= inTensors) break;
  const { session, expected } = inject(planted);
  const counts = tally(expected.phase.kind);
  while (session.position.step < session.totalSteps && Number.isFinite(session.loss ?? 0)) session.step();
  const found = locateNonFinite(session);
  counts.planted++;
  if (!found) counts.hidden++;
  else {
    const { step, phase, where, tensor, index, value } = found;
    const isExact =
      JSON.stringify({ step, phase, where, tensor, index, value: String(value) }) ===
      JSON.stringify({ ...expected, value: String(expected.value) });
    if (isExact) counts.exact++;
    else misses.push({ expected, found });
  }
}
for (const planted of fc.sample(dataInjection, { seed: SEED, numRuns: COUNT - inTensors })) {
  const { run, problems, file, index } = loadInjectedData(planted);
  const counts = tally('data');
  counts.planted++;
  const [problem] = problems;
  if (!run && problem?.message.includes(file) && problem.message.includes(index)) counts.exact++;
  else misses.push({ planted, problems });
}

console.log(
  formatTable(
    ['written by', 'planted', 'named exactly', 'hidden'],
    [...tallies].map(([phase, { planted, exact, hidden }]) => [phase, String(planted), String(exact), String(hidden)]),
  ),
);
console.log(`\n${total('exact')} of ${total('planted') - total('hidden')} named exactly; ${total('hidden')} hidden.`);
for (const miss of misses.slice(0, 5)) console.log(JSON.stringify(miss));
if (misses.length > 0) process.exitCode = 1;

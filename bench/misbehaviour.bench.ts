// Layers of the user's own that misbehave, each kind many times in the real engine process: how many are stopped and named,
// and how soon. `TIMES=10` does each ten times instead of a hundred.
import { buildEngine } from '../test/process/built-engine';
import { misbehave } from '../test/process/misbehaviour';
import { MISBEHAVIOURS } from '../test/support/misbehaviours';
import { median, round, table } from './measure';

const TIMES = Number(process.env.TIMES ?? 100);

async function main(): Promise<void> {
  const built = await buildEngine();
  const rows: string[][] = [];
  for (const kind of MISBEHAVIOURS) {
    const milliseconds: number[] = [];
    let [named, restored] = [0, 0];
    for (let i = 0; i < TIMES; i++) {
      const { fault, file, milliseconds: taken, from, to } = await misbehave(built.file, kind, () => performance.now());
      milliseconds.push(taken);
      if (fault?.layer === 'own1' && fault.call === 'forward' && fault.place.file === file && kind.words.test(fault.message)) named++;
      if (to === from + 10) restored++;
    }
    rows.push([kind.name, String(TIMES), String(named), String(restored), round(median(milliseconds)), round(Math.max(...milliseconds))]);
  }
  await built.remove();
  console.log(table(['a layer that', 'times', 'named', 'run went on', 'median ms', 'longest ms'], rows));
}

void main();

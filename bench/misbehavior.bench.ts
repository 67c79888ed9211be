// Custom layers that misbehave, each kind many times in the real engine process: how many are stopped and reported, and
// how soon. `TIMES=10` runs each kind ten times instead of a hundred.
import { buildEngine } from '../test/process/built-engine';
import { misbehave } from '../test/process/misbehavior';
import { MISBEHAVING_LAYERS } from '../test/support/misbehaving-layers';
import { median, formatRounded, formatTable } from './measure';

const REPEATS = Number(process.env.TIMES ?? 100);

async function main(): Promise<void> {
  const built = await buildEngine();
  const rows: string[][] = [];
  for (const kind of MISBEHAVING_LAYERS) {
    const milliseconds: number[] = [];
    let [named, restored] = [0, 0];
    for (let i = 0; i < REPEATS; i++) {
      const { fault, file, milliseconds: taken, from, to } = await misbehave(built.file, kind, () => performance.now());
      milliseconds.push(taken);
      if (
        fault?.layer === 'own1' &&
        fault.call === 'forward' &&
        fault.place.file === file &&
        kind.message.test(fault.message)
      )
        named++;
      if (to === from + 10) restored++;
    }
    rows.push([
      kind.name,
      String(REPEATS),
      String(named),
      String(restored),
      formatRounded(median(milliseconds)),
      formatRounded(Math.max(...milliseconds)),
    ]);
  }
  await built.remove();
  console.log(formatTable(['a layer that', 'times', 'named', 'run went on', 'median ms', 'longest ms'], rows));
}

void main();

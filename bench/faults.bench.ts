// Faults planted one at a time into random networks: a mutator over every layer's and loss's backward, and layers
// written by hand with a mistake. How many the check catches, and how often layer, tensor and cause are named first.
// `FAULTS=2000` plants more of them, `SEED=1` other ones, `SET=first` or `SET=second` those of one of the two sets only.
import { FAULTS as ALL, FIRST, plant, SECOND } from '../test/gradcheck/faults/plant';
import { table } from './measure';

const FAULTS = Number(process.env.FAULTS ?? 500);
const KINDS = { first: FIRST, second: SECOND }[process.env.SET ?? ''] ?? ALL;
const SEED = Number(process.env.SEED ?? 0);
/** Draws of a network that has a place for a fault. */
const TRIES = 400;

const each = Math.ceil(FAULTS / KINDS.length);
let [planted, caught, named] = [0, 0, 0];
const instead: string[] = [];
const rows = KINDS.map((fault) => {
  let [here, found, right] = [0, 0, 0];
  for (let draw = 0; draw < TRIES && here < each; draw++) {
    const seed = SEED * 1_000_000 + draw;
    const outcome = plant(fault, seed);
    if (!outcome) continue;
    here++;
    if (outcome.caught) found++;
    if (outcome.named) right++;
    else instead.push(`${fault.kind} in ${outcome.layer ?? 'the loss'}, ${outcome.tensor} (${seed}): ${outcome.report.diagnosis?.sentence ?? 'no diagnosis'}`);
  }
  planted += here;
  caught += found;
  named += right;
  return [fault.kind, String(here), String(found), String(right)];
});
console.log(table(['fault', 'planted', 'caught', 'cause named first'], rows));
console.log(`\n${KINDS.length} kinds. Caught ${caught} of ${planted}; layer, tensor and cause named first in ${named} (${((100 * named) / planted).toFixed(1)} %).`);
if (instead.length > 0) console.log(`\nNamed instead:\n${instead.join('\n')}`);

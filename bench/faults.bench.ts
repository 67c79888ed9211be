// Faults planted one at a time into random networks: mutations of every layer's and loss's backward, and hand-written
// layers with a mistake. Reports how many the check catches, and how often it names layer, tensor and cause first.
// `FAULTS=2000` plants more, `SEED=1` other ones, `SET=first` or `SET=second` only those of one set.
import { FAULTS as ALL, FIRST_SET, injectFault, SECOND_SET } from '../test/gradcheck/faults/inject';
import { formatTable } from './measure';

const FAULTS = Number(process.env.FAULTS ?? 500);
const KINDS = { first: FIRST_SET, second: SECOND_SET }[process.env.SET ?? ''] ?? ALL;
const SEED = Number(process.env.SEED ?? 0);
/** Maximum number of random networks to draw before one has a place for a fault. */
const MAX_DRAWS = 400;

const perKind = Math.ceil(FAULTS / KINDS.length);
let [planted, caught, named] = [0, 0, 0];
const misdiagnosed: string[] = [];
const rows = KINDS.map((fault) => {
  let [here, found, right] = [0, 0, 0];
  for (let draw = 0; draw < MAX_DRAWS && here < perKind; draw++) {
    const seed = SEED * 1_000_000 + draw;
    const outcome = injectFault(fault, seed);
    if (!outcome) continue;
    here++;
    if (outcome.detected) found++;
    if (outcome.identified) right++;
    else
      misdiagnosed.push(
        `${fault.kind} in ${outcome.layer ?? 'the loss'}, ${outcome.tensor} (${seed}): ${outcome.report.diagnosis?.sentence ?? 'no diagnosis'}`,
      );
  }
  planted += here;
  caught += found;
  named += right;
  return [fault.kind, String(here), String(found), String(right)];
});
console.log(formatTable(['fault', 'planted', 'caught', 'cause named first'], rows));
console.log(
  `\n${KINDS.length} kinds. Caught ${caught} of ${planted}; layer, tensor and cause named first in ${named} (${((100 * named) / planted).toFixed(1)} %).`,
);
if (misdiagnosed.length > 0) console.log(`\nNamed instead:\n${misdiagnosed.join('\n')}`);

// Faults planted one at a time into random networks with layers of sequences, joins, several losses and shared weights:
// how many the check catches, and how often it names layer, tensor and cause first. `FAULTS=1000` plants more, `SEED=1`
// others, `ONLY=attention` selects kinds.
import { GRAPH_FAULTS } from '../test/gradcheck/faults/graph-faults';
import { formatTable } from './measure';

const FAULTS = Number(process.env.FAULTS ?? 500);
const SEED = Number(process.env.SEED ?? 0);
/** Networks that are drawn at most for a kind, since a fault may change nothing. */
const MAX_DRAWS = 400;

const kinds = GRAPH_FAULTS.filter(({ kind }) => kind.includes(process.env.ONLY ?? ''));
const perKind = Math.ceil(FAULTS / kinds.length);
let [planted, caught, named] = [0, 0, 0];
const misnamed = new Map<string, number>();
const rows = kinds.map((fault) => {
  let [here, found, right] = [0, 0, 0];
  for (let draw = 0; draw < MAX_DRAWS && here < perKind; draw++) {
    const outcome = fault.plant(SEED * 1_000_000 + draw);
    if (!outcome) continue;
    here++;
    if (outcome.detected) found++;
    if (outcome.identified) right++;
    else {
      const { diagnosis } = outcome.report;
      const named = diagnosis ? `${diagnosis.cause} of ${diagnosis.layer}.${diagnosis.tensor}` : 'nothing';
      const line = `${fault.kind} in ${outcome.place}: ${named}`;
      misnamed.set(line, (misnamed.get(line) ?? 0) + 1);
    }
  }
  planted += here;
  caught += found;
  named += right;
  return [fault.kind, String(here), String(found), String(right)];
});
console.log(formatTable(['fault', 'planted', 'caught', 'cause named first'], rows));
console.log(
  `\n${kinds.length} kinds. Caught ${caught} of ${planted}; layer, tensor and cause named first in ${named} (${((100 * named) / planted).toFixed(1)} %).`,
);
if (misnamed.size > 0)
  console.log(`\nNamed instead:\n${[...misnamed].map(([what, count]) => `${count} x ${what}`).join('\n')}`);

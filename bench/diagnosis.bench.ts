// Faults of many kinds planted into the backward code of random networks: how many the check catches, and how often
// the diagnosis names the right cause, layer and tensor first. `NETWORKS=100` takes more of each kind.
import { plant, PLANTED } from '../test/gradcheck/planted';
import { table } from './measure';

const NETWORKS = Number(process.env.NETWORKS ?? 10);

let [planted, caught, named] = [0, 0, 0];
const instead: string[] = [];
const rows = PLANTED.map((kind) => {
  let [found, right] = [0, 0];
  for (let seed = 0; seed < NETWORKS; seed++) {
    const outcome = plant(kind, seed);
    if (!outcome) continue;
    found++;
    if (outcome.right) right++;
    else instead.push(`${kind.name}, network ${seed}: ${outcome.diagnosis?.sentence ?? 'no diagnosis'}`);
  }
  planted += NETWORKS;
  caught += found;
  named += right;
  return [kind.name, String(NETWORKS), String(found), String(right)];
});
console.log(table(['fault', 'networks', 'called wrong', 'cause named first'], rows));
console.log(`\n${PLANTED.length} kinds of faults, ${planted} networks: ${caught} called wrong, the right cause named first in ${named} (${((100 * named) / caught).toFixed(1)} %).`);
if (instead.length > 0) console.log(`\nNamed instead:\n${instead.slice(0, 40).join('\n')}`);

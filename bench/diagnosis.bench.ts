// Faults of many kinds in the backward code of random networks: how many the check catches, and how often the diagnosis
// names the right cause, layer and tensor first. `NETWORKS=100` tests more of each kind.
import { injectFault, INJECTED_FAULTS } from '../test/gradcheck/injected-faults';
import { formatTable } from './measure';

const NETWORKS = Number(process.env.NETWORKS ?? 10);

let [planted, caught, named] = [0, 0, 0];
const misdiagnosed: string[] = [];
const rows = INJECTED_FAULTS.map((kind) => {
  let [found, right] = [0, 0];
  for (let seed = 0; seed < NETWORKS; seed++) {
    const outcome = injectFault(kind, seed);
    if (!outcome) continue;
    found++;
    if (outcome.right) right++;
    else misdiagnosed.push(`${kind.name}, network ${seed}: ${outcome.diagnosis?.sentence ?? 'no diagnosis'}`);
  }
  planted += NETWORKS;
  caught += found;
  named += right;
  return [kind.name, String(NETWORKS), String(found), String(right)];
});
console.log(formatTable(['fault', 'networks', 'called wrong', 'cause named first'], rows));
console.log(
  `\n${INJECTED_FAULTS.length} kinds of faults, ${planted} networks: ${caught} called wrong, the right cause named first in ${named} (${((100 * named) / caught).toFixed(1)} %).`,
);
if (misdiagnosed.length > 0) console.log(`\nNamed instead:\n${misdiagnosed.slice(0, 40).join('\n')}`);

// Faults planted one at a time into random networks with layers of sequences, joins, several losses and shared weights:
// how many the check catches, and how often it names layer, tensor and cause first. `FAULTS=1000` plants more, `SEED=1`
// others, `ONLY=attention` selects kinds.
import { GRAPH_FAULTS } from '../test/gradcheck/faults/graph-faults';
import { plantFaults } from './plant-faults';

const misses = plantFaults(
  GRAPH_FAULTS.filter(({ kind }) => kind.includes(process.env.ONLY ?? '')),
  ({ plant }, seed) => plant(seed),
  ({ kind }, { place, report: { diagnosis } }) =>
    `${kind} in ${place}: ${diagnosis ? `${diagnosis.cause} of ${diagnosis.layer}.${diagnosis.tensor}` : 'nothing'}`,
);
const counts = new Map<string, number>();
for (const line of misses) counts.set(line, (counts.get(line) ?? 0) + 1);
if (counts.size > 0)
  console.log(`\nNamed instead:\n${[...counts].map(([what, count]) => `${count} x ${what}`).join('\n')}`);

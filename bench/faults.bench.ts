// Faults planted one at a time into random networks: mutations of every layer's and loss's backward, and hand-written
// layers with a mistake. Reports how many the check catches, and how often it names layer, tensor and cause first.
// `FAULTS=2000` plants more, `SEED=1` other ones, `SET=first` or `SET=second` only those of one set.
import { FAULTS as ALL, FIRST_SET, injectFault, SECOND_SET } from '../test/gradcheck/faults/inject';
import { plantFaults } from './plant-faults';

const misses = plantFaults(
  { first: FIRST_SET, second: SECOND_SET }[process.env.SET ?? ''] ?? ALL,
  injectFault,
  ({ kind }, { layer, tensor, report }, seed) =>
    `${kind} in ${layer ?? 'the loss'}, ${tensor} (${seed}): ${report.diagnosis?.sentence ?? 'no diagnosis'}`,
);
if (misses.length > 0) console.log(`\nNamed instead:\n${misses.join('\n')}`);

// All that can be measured of every layer at this step, whether or not a view shows it.
import type { LayerReading } from '../frame';
import { readLayers } from '../readings';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';

export const readings = defineQuestion({
  about: 'readings',
  answer: ({ network, pass, progress, updateRatios }: TrainingSession, _asked: object): readonly LayerReading[] =>
    readLayers(network, pass, progress, new Set(['activations', 'gradients', 'updates']), updateRatios),
});

// All statistics of every layer at this step, whether or not a view shows them.

import type { LayerStats } from '../../protocol/layer-stats';
import { collectLayerStats } from '../layer-stats';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

export const layerStats = defineQuery({
  type: 'layer_stats',
  resolve: ({ network, pass, progress, updateRatios }: TrainingSession, _request: object): readonly LayerStats[] =>
    collectLayerStats(network, pass, progress, new Set(['activations', 'gradients', 'updates']), updateRatios),
});

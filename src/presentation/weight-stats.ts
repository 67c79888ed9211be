// Statistics of a layer's weights, without its biases.
import type { LayerStats, ParameterStats } from '../protocol/layer-stats';
import type { LayerInfo, ModelInfo } from '../protocol/model-info';

/** Weights without biases: a bias starts at 0, so that any update is large relative to it. */
export const weightStats = (
  parameters: LayerInfo['parameters'],
  stats: readonly ParameterStats[],
): readonly ParameterStats[] =>
  stats.filter((_, i) => !parameters[i]?.frozen && (parameters[i]?.shape.length ?? 0) > 1);

/** ‖weights‖ of each layer; 0 for a layer without weights. */
export const weightNormsOf = ({ layers }: Pick<ModelInfo, 'layers'>, stats: readonly LayerStats[]): readonly number[] =>
  layers.map(({ parameters }, layer) =>
    Math.hypot(...weightStats(parameters, stats[layer]?.parameters ?? []).map(({ norm }) => norm)),
  );

/** The largest update ratio of a layer's weights; of its biases only if it has no weights, since biases start at 0. */
export function maxUpdateRatio(info: LayerInfo, reading: LayerStats | undefined): number | null {
  const all = reading?.parameters ?? [];
  const weights = weightStats(info.parameters, all);
  const ratios = (weights.length > 0 ? weights : all).flatMap(({ updateRatio }) =>
    updateRatio === null ? [] : [updateRatio],
  );
  return ratios.length === 0 ? null : ratios.some(Number.isNaN) ? NaN : Math.max(...ratios);
}

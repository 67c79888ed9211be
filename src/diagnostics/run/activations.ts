// Signals that grow from layer to layer before anything is learned.
import { formatNumber } from '../../presentation/numbers';
import type { LayerInfo } from '../../protocol/model-info';
import { normalizeBlocks, normalizeHidden } from '../quick-fixes';
import type { RunRule } from './run-rule';

/** Layers over which a signal grows; a single one with large weights is a fault of its own. */
const MIN_LAYERS = 3;

/** Slices, such as the named inputs, are parts of the data. */
const isComputed = ({ kind }: LayerInfo): boolean => kind !== 'slice';

/** Sums of branches add up their variances, and each block multiplies those before it. */
export const explodingActivations: RunRule = {
  id: 'exploding-activations',
  summary: 'At the first step, the outputs of hidden layers grow with depth by orders of magnitude.',
  threshold: {
    value: 100,
    quantity: 'standard deviation of the largest output of a hidden layer, divided by that of the first layer',
    source:
      'Zhang, Dauphin, Ma, "Fixup initialization", 2019, section 2: the variance doubles with each residual block',
  },
  impossible: ({ layers }) => (layers.filter(isComputed).length > MIN_LAYERS ? null : 'It has too few layers.'),
  check({ step, model, layers, run }, threshold) {
    if (step > 1) return [];
    const hidden = model.layers
      .slice(0, -1)
      .filter(isComputed)
      .map(({ index }) => ({ index, std: layers[index]?.activation?.std ?? 0 }));
    const first = hidden.find(({ std }) => std > 0);
    const largest = hidden.reduce((a, b) => (b.std > a.std ? b : a), { index: 0, std: 0 });
    if (!first || largest.index - first.index < MIN_LAYERS || !(largest.std > threshold * first.std)) return [];
    const [from, to] = [model.layers[first.index]!.name, model.layers[largest.index]!.name];
    const hasJoins = run.model.layers.some((_, index) => (model.layers[index]?.inputs.length ?? 0) > 1);
    return [
      {
        layer: largest.index,
        observation: `Signals explode with depth: their standard deviation grows from ${formatNumber(first.std)} at ${from} to ${formatNumber(largest.std)} at ${to} before the first update.`,
        remedy: hasJoins
          ? 'Put a normalization at the start of each block, or let the last layer of each branch start smaller.'
          : 'Try smaller initial weights, or a normalization after each layer.',
        fix: (spec) => (hasJoins ? normalizeBlocks(spec, run.model) : normalizeHidden(spec, run.model)),
      },
    ];
  },
};

// What stands out in the numbers of a step, the gravest first: which layer is off, what is seen there, and what to try.
// Text in, text out. What the spec alone shows (two softmaxes, data that is not scaled) is among its problems.
import type { Frame, LayerInfo, LayerReading, ModelInfo } from '../src/protocol/panel';
import { formatNumber, formatShare } from './numbers';

export interface Finding {
  /** The layer at fault. */
  readonly layer: number;
  readonly seen: string;
  readonly remedy: string;
}

/** Findings that are told. */
const MOST = 3;
/** Units that may be dead or saturated in a network that learns all the same. */
export const IDLE = 0.75;
/** How much smaller, or larger, the first gradient may be than the last. */
const APART = 1e4;
/** How far one update moves weights that learn: at most, and at least where the gradient asks for more. */
const FAR = 0.3;
const NEAR = 1e-5;
/** ‖gradient‖ / ‖weights‖ from which on it asks for more. */
const ASKS = 0.01;

export function standsOut(model: ModelInfo | null, frame: Frame | null): readonly Finding[] {
  // Of a run that broke, the first NaN is the only thing to say, and it is said.
  if (!model || !frame || frame.status === 'diverged') return [];
  const { layers } = model;
  const own = (rule: (info: LayerInfo, reading: LayerReading, frame: Frame) => Omit<Finding, 'layer'> | null): Finding[] =>
    layers.flatMap((info, layer) => {
      const found = frame.layers[layer] ? rule(info, frame.layers[layer], frame) : null;
      return found ? [{ layer, ...found }] : [];
    });
  return [...noGradient(model, frame), ...own(tooFar), ...own(idle), ...apart(model, frame), ...own(tooNear)].slice(0, MOST);
}

/** The last layer that sends back nothing at all: those before it cannot learn. */
function noGradient({ layers }: ModelInfo, frame: Frame): Finding[] {
  const norm = (layer: number): number | undefined => frame.layers[layer]?.outputGradient?.norm;
  const first = layers.findLastIndex((_, layer) => norm(layer) === 0 && (norm(layer + 1) ?? 0) > 0);
  if (first < 0 || !layers.slice(0, first + 1).some(({ parameters }) => parameters.length > 0)) return [];
  const blocks = layers[first + 1];
  const weights = frame.layers[first + 1].parameters[0];
  const zero = weights?.norm === 0;
  return [{
    layer: first + 1,
    seen: `${blocks.name} sends back a gradient of exactly 0: ${layers[first].name} and all before it learn nothing.${zero ? ` ${weights.name} is all 0.` : ''}`,
    remedy: zero ? 'Draw the weights at random: leave out its "init", or choose another.' : 'Look at its output: units that are all dead or saturated let nothing through.',
  }];
}

function tooFar({ name, parameters }: LayerInfo, { parameters: readings }: LayerReading, { lr }: Frame): Omit<Finding, 'layer'> | null {
  const worst = matrices(parameters, readings).reduce<Reading | null>((a, b) => ((b.updateRatio ?? 0) > (a?.updateRatio ?? 0) ? b : a), null);
  if (!worst || !((worst.updateRatio ?? 0) > FAR)) return null;
  return {
    seen: `${name} jumps: one update moved ${worst.name} by ${formatNumber(worst.updateRatio ?? 0)} times its size; a thousandth is usual.`,
    remedy: `Try a learning rate of ${formatNumber(lr / 10)}, or scale the inputs.`,
  };
}

/** Dead or saturated units. */
function idle({ name, idleness }: LayerInfo, { activation }: LayerReading): Omit<Finding, 'layer'> | null {
  const share = activation?.idle ?? 0;
  if (!idleness || share < IDLE) return null;
  return {
    seen: `${formatShare(share)} of the units of ${name} are ${idleness.name}: ${idleness.name === 'dead' ? 'they give 0, and no gradient passes' : 'they are at their limits, and hardly any gradient passes'}.`,
    remedy: idleness.name === 'dead' ? 'Try smaller steps, a smaller bias, or "leaky_relu".' : 'Try smaller weights to begin with, scaled inputs, or a normalizing layer before it.',
  };
}

/** The staircase, told by its ends. */
function apart({ layers }: ModelInfo, frame: Frame): Finding[] {
  const norms = layers.flatMap(({ parameters, index }) => {
    const norm = frame.layers[index]?.outputGradient?.norm;
    return parameters.length > 0 && norm !== undefined && norm > 0 ? [{ index, norm }] : [];
  });
  const [first, last] = [norms[0], norms[norms.length - 1]];
  if (!first || first === last) return [];
  const [from, to] = [layers[first.index].name, layers[last.index].name];
  const ends = `its norm is ${formatNumber(first.norm)}, at ${to} ${formatNumber(last.norm)}`;
  if (first.norm * APART < last.norm) {
    return [{ layer: first.index, seen: `${from} receives almost no gradient: ${ends}.`, remedy: 'Try "relu" in place of what saturates, other initial weights, a normalizing layer, or fewer layers.' }];
  }
  if (first.norm > last.norm * APART) {
    return [{ layer: first.index, seen: `The gradient grows on its way back to ${from}: ${ends}.`, remedy: 'Try smaller initial weights, a normalizing layer, or "clip".' }];
  }
  return [];
}

function tooNear({ name, parameters }: LayerInfo, { parameters: readings }: LayerReading, { lr }: Frame): Omit<Finding, 'layer'> | null {
  const own = matrices(parameters, readings).filter(({ updateRatio, gradient, norm }) =>
    updateRatio !== null && updateRatio < NEAR && gradient !== null && norm > 0 && gradient.norm / norm > ASKS);
  const [slow] = own;
  if (!slow) return null;
  return {
    seen: `${name} hardly moves: one update moved ${slow.name} by ${formatNumber(slow.updateRatio ?? 0)} of its size, though its gradient is ${formatNumber((slow.gradient?.norm ?? 0) / slow.norm)} of it.`,
    remedy: `The learning rate of ${formatNumber(lr)} holds it back: try one a hundred times as large.`,
  };
}

type Reading = LayerReading['parameters'][number];

/** Weights proper: a bias begins at 0, and then any step is large beside it. */
const matrices = (parameters: LayerInfo['parameters'], readings: readonly Reading[]): Reading[] =>
  readings.filter((_, i) => !parameters[i]?.frozen && (parameters[i]?.shape.length ?? 0) > 1);

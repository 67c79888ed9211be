// Why backprop is wrong. Two questions are kept apart: is the signal that arrives at a layer wrong, or what the layer
// makes of it? Each layer is tried alone, so the one that is to blame is found, and those that it misled are not.
import type { Pass } from '../../engine/network';
import type { Alone } from '../alone';
import type { Diagnosis } from '../report';
import { unravel } from '../summary';
import { explain } from './explain';
import { penaltyOf } from './penalty';
import { type Trial, worstOf } from './trial';

/** What the whole check found of one parameter, in the network's order. */
export interface WholeCheck {
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  readonly isWrong: boolean;
}

interface Suspect {
  /** Null for the loss. */
  readonly layer: number | null;
  readonly trial: Trial;
}

/** Null when nothing is wrong. A slice of the work at a time. */
export function* diagnose({ pass, benches, loss }: Alone, checked: readonly WholeCheck[]): Generator<void, Diagnosis | null> {
  const { model, parameters } = pass.network;
  const wrong = parameters.filter((_, i) => checked[i].isWrong);
  if (wrong.length === 0) return null;
  const suspects: Suspect[] = [];
  const suspect = (layer: number | null, trial: Trial | null): void => {
    if (trial && worstOf(trial) >= 0) suspects.push({ layer, trial });
  };
  suspect(null, loss);
  for (let i = benches.length - 1; i >= 0; i--) {
    // What a layer hands back matters where a wrong parameter lies ahead.
    if (wrong.some(({ layer }) => layer < i)) suspect(i, benches[i].trial('input'));
    for (const { layer, shortName } of wrong) if (layer === i) suspect(i, benches[i].trial(shortName));
  }

  const names = wrong.map(({ name }) => name);
  const vandal = (by: 'forward' | 'backward'): Diagnosis | null => {
    const at = benches.findLastIndex(({ mutated }) => mutated.some((each) => each.by === by));
    const change = benches[at]?.mutated.find((each) => each.by === by);
    if (!change) return null;
    const { name, definition } = model.layers[at];
    const cause = `The ${by} of ${name} writes to its argument (${change.tensor}), which others still need.`;
    return {
      layer: name, kind: definition.kind, line: lineOf(pass, at), tensor: change.tensor, index: null, analytic: null, numeric: null, cause: 'argument_changed',
      factor: null, dimension: null, residual: null, misled: names, sentence: `${cause}${placeWords(pass, at)}`,
    };
  };
  const inForward = vandal('forward');
  if (inForward) return inForward;
  if (suspects.length > 0) {
    const told = yield* tell(pass, suspects, checked);
    return told.cause === 'unexplained' ? (vandal('backward') ?? told) : told;
  }
  return vandal('backward') ?? (yield* together(pass, checked));
}

/** The suspect nearest to the loss: what it hands on misleads everything ahead of it. */
function* tell(pass: Pass, suspects: readonly Suspect[], checked: readonly WholeCheck[]): Generator<void, Diagnosis> {
  const { model, parameters } = pass.network;
  const [{ layer, trial }, ...others] = suspects;
  const told = yield* explain(trial);
  const isIt = (each: Suspect, name: string): boolean =>
    each.trial.of === 'parameter' && each.layer !== null && name === `${model.layers[each.layer].name}.${each.trial.tensor}`;
  const misled = parameters.filter(({ name }, i) => checked[i].isWrong && !suspects.some((each) => isIt(each, name))).map(({ name }) => name);
  const own = parameters.findIndex(({ name }) => isIt(suspects[0], name));
  // Of a parameter, the values that the whole network has; of what is handed back, those of the layer alone.
  const { analytic, numeric } = own >= 0 ? checked[own] : trial;
  const worst = worstOf({ analytic, numeric });
  const index = worst < 0 ? null : unravel(worst, trial.shape);
  // The reason is that of the data's gradient; with the penalty's share, the values themselves do not show it.
  const penalized = own >= 0 && trial.penalty ? 'with the penalty, ' : '';
  const alone = trial.of === 'input' ? 'tried alone, with a random gradient from above, ' : penalized;
  const values = index ? ` (${alone}at [${index.join(', ')}] ${short(analytic[worst])} in place of ${short(numeric[worst])})` : '';
  const also = others.length > 0 ? ` Wrong as well: ${list(others.map((each) => gradientName(pass, each)))}.` : '';
  const because = others.length > 0 ? 'only because wrong gradients arrive there' : 'only because of that';
  const rest = misled.length > 0 ? ` ${list(misled)} ${misled.length === 1 ? 'is' : 'are'} wrong ${because}.` : '';
  return {
    layer: layer === null ? null : model.layers[layer].name,
    kind: layer === null ? model.loss.definition.kind : model.layers[layer].definition.kind,
    line: lineOf(pass, layer), tensor: trial.tensor, index, analytic: analytic[worst] ?? null, numeric: numeric[worst] ?? null,
    cause: told.cause, factor: told.factor, dimension: told.dimension, residual: told.residual, misled,
    sentence: `The ${gradientName(pass, suspects[0])} ${told.words}${values}.${also}${rest}${placeWords(pass, layer)}`,
  };
}

function gradientName(pass: Pass, { layer, trial }: Suspect): string {
  const { layers, loss } = pass.network.model;
  if (layer === null) return `gradient of the loss ${loss.definition.kind}`;
  return trial.of === 'input' ? `gradient that ${layers[layer].name} hands back` : `gradient of ${layers[layer].name}.${trial.tensor}`;
}

/** Every layer alone is right: what is wrong shows in the whole only. */
function* together(pass: Pass, checked: readonly WholeCheck[]): Generator<void, Diagnosis> {
  const { model, parameters } = pass.network;
  const at = parameters.findLastIndex((_, i) => checked[i].isWrong);
  const { name, shortName, layer, value } = parameters[at];
  const { analytic, numeric } = checked[at];
  const trial: Trial = {
    of: 'parameter', tensor: shortName, shape: value.shape, analytic, numeric, value: Float64Array.from(value.data), layer: null, loss: null, stride: 1, noise: 0, penalty: penaltyOf(model, parameters[at]),
    dimensions: [{ name: 'samples in the batch', size: pass.batch }],
  };
  const worst = worstOf(trial);
  const told = yield* explain(trial);
  return {
    layer: model.layers[layer].name, kind: model.layers[layer].definition.kind, line: lineOf(pass, layer), tensor: shortName,
    index: worst < 0 ? null : unravel(worst, value.shape), analytic: analytic[worst] ?? null, numeric: numeric[worst] ?? null,
    cause: told.cause, factor: told.factor, dimension: told.dimension, residual: told.residual, misled: [],
    sentence: `Alone, with random gradients from above, every layer is right. In the whole network the gradient of ${name} ${told.words}.${placeWords(pass, layer)}`,
  };
}

/** Of a layer, or of the loss. */
const lineOf = ({ network: { model } }: Pass, layer: number | null): number | null => (layer === null ? model.loss : model.layers[layer]).line ?? null;

function placeWords(pass: Pass, layer: number | null): string {
  const line = lineOf(pass, layer);
  if (line === null) return '';
  return ` ${layer === null ? 'The loss' : pass.network.model.layers[layer].name} stands in line ${line} of the spec.`;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

const list = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(names.length === 2 ? ' and ' : ', ').replace(/, ([^,]*)$/, ' and $1');

// A gradient check as test cases, for Test Explorer and build servers: every parameter, every input gradient, and the
// loss. The cases of a network follow from its layers, so they are known before it is checked.
import { ancestorsOf, NETWORK_INPUT } from '../engine/network-graph';
import { inputTensorName } from '../engine/layers/layer';
import { type CheckReport, PENALTY_NAME, type ParameterCheck } from '../protocol/check-report';
import { formatInconclusive } from './check-summary';
import { pluralize, formatInteger, formatIndex, formatNumber, formatExponential } from './plain-numbers';

/** The part of a layer that determines its cases. */
export interface CaseLayer {
  readonly name: string;
  readonly kind: string;
  /** The layers whose outputs it takes, by index; -1 for the network's input. */
  readonly inputs: readonly number[];
  readonly parameters: readonly { readonly name: string; readonly shortName: string }[];
}

export interface CaseTarget {
  /** Index of the layer; null for the loss and for a custom penalty. */
  readonly layer: number | null;
  /**
   * The tensor of the gradient: the short name of a parameter, `input`, `prediction` for the loss, or `penalty` for all
   * gradients of a custom penalty.
   */
  readonly tensor: string;
  /** Full name of the parameter; null for other tensors. */
  readonly parameter: string | null;
}

export interface CheckCase extends CaseTarget {
  /** Skipped if inconclusive. */
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What is wrong, or why it is inconclusive; empty if it passed. */
  readonly message: string;
  /** The values of the worst entry, if it failed. */
  readonly worst: { readonly analytic: number; readonly numeric: number } | null;
}

/** The tensor of the case of a custom penalty. */
export const PENALTY_CASE = 'penalty';

/**
 * In the order of the network. The input gradient of a layer is a case if a parameter before it depends on it, and for
 * custom layers always.
 * @param hasPenalty whether there is a custom penalty
 */
export function listCaseTargets(layers: readonly CaseLayer[], hasPenalty = false): CaseTarget[] {
  // Whether the output of a layer depends on a parameter.
  const isTrained: boolean[] = [];
  for (const { inputs, parameters } of layers)
    isTrained.push(parameters.length > 0 || inputs.some((input) => isTrained[input] === true));
  const targets = layers.flatMap(({ kind, inputs, parameters }, layer): CaseTarget[] => {
    const inputGradients = inputs.map((input, position): CaseTarget | null => {
      const isObservable = kind === 'custom' || isTrained[input] === true;
      return isObservable ? { layer, tensor: inputTensorName(position), parameter: null } : null;
    });
    return [
      ...parameters.map(({ name, shortName }) => ({ layer, tensor: shortName, parameter: name })),
      ...inputGradients.filter((target) => target !== null),
    ];
  });
  return [
    ...targets,
    { layer: null, tensor: 'prediction', parameter: null },
    ...(hasPenalty ? [{ layer: null, tensor: PENALTY_CASE, parameter: null }] : []),
  ];
}

/** The layers that the tensor of a case depends on. */
function layersBefore({ layer, tensor }: CaseTarget, layers: readonly CaseLayer[]): readonly CaseLayer[] {
  if (layer === null) return layers;
  const position = layers[layer]!.inputs.findIndex((_, i) => inputTensorName(i) === tensor);
  const input = layers[layer]!.inputs[position] ?? NETWORK_INPUT;
  return input === NETWORK_INPUT ? [] : [...ancestorsOf({ layers }, input), input].map((index) => layers[index]!);
}

/** @param hasPenalty as in listCaseTargets */
export function buildCheckCases(report: CheckReport, layers: readonly CaseLayer[], hasPenalty = false): CheckCase[] {
  const checks = new Map(report.parameters.map((check) => [check.name, check]));
  return listCaseTargets(layers, hasPenalty).map((target) => {
    const { parameter } = target;
    if (target.layer === null && target.tensor === PENALTY_CASE) return penaltyCase(target, report);
    const inIsolation = isolatedCase(target, report, layers);
    if (inIsolation) return inIsolation;
    const check = parameter === null ? undefined : checks.get(parameter);
    if (check) return parameterCase(target, check, report);
    const earlierChecks = layersBefore(target, layers).flatMap(({ parameters }) =>
      parameters.map(({ name }) => checks.get(name)),
    );
    return inputGradientCase(
      target,
      layers,
      earlierChecks.filter((each) => each !== undefined),
      report,
    );
  });
}

/** The case of a layer that is wrong in isolation although the whole network does not show it; null for others. */
function isolatedCase(
  target: CaseTarget,
  { diagnosis, layers: checks, parameters }: CheckReport,
  layers: readonly CaseLayer[],
): CheckCase | null {
  const name = target.layer === null ? null : layers[target.layer]!.name;
  const check = checks.find((each) => each.name === name);
  if (!check || parameters.some((each) => each.name === target.parameter && each.verdict === 'wrong')) return null;
  const tensor = check.tensors.find((each) => each.name === target.tensor);
  if (check.fault === undefined && tensor?.verdict !== 'wrong') return null;
  const what =
    check.fault !== undefined || !tensor?.worst
      ? ''
      : `In isolation, backprop is wrong at ${formatInteger(tensor.counts.wrong)} of ${pluralize(tensor.checked, 'entry', 'entries')} of ${describeCaseTarget(target, layers)}.`;
  const why = diagnosis?.layer === name ? diagnosis.sentence : '';
  return {
    ...target,
    outcome: 'failed',
    message: [what, why && what ? `Why: ${why}` : why].filter((line) => line !== '').join('\n'),
    worst: tensor?.worst ?? null,
  };
}

/** All gradients of a custom penalty in isolation. */
function penaltyCase(target: CaseTarget, { diagnosis, layers: checks }: CheckReport): CheckCase {
  const check = checks.find(({ name }) => name === PENALTY_NAME);
  const why = diagnosis?.layer === PENALTY_NAME ? diagnosis.sentence : '';
  if (!check)
    return why === ''
      ? skippedCase(target, 'Stopped before the penalty was checked.')
      : { ...target, outcome: 'failed', message: why, worst: null };
  const wrong = check.tensors.filter(({ verdict }) => verdict === 'wrong');
  if (check.fault !== undefined || wrong.length > 0) {
    const what = wrong.length > 0 ? `In isolation, the gradient of the penalty is wrong for ${joinNames(wrong)}.` : '';
    const message = [what, why && what ? `Why: ${why}` : why].filter((line) => line !== '').join('\n');
    return { ...target, outcome: 'failed', message, worst: wrong[0]?.worst ?? null };
  }
  if (check.tensors.some(({ counts }) => counts.pass > 0)) return passedCase(target);
  return skippedCase(target, 'There is no conclusion for any gradient of the penalty.');
}

/** The name of the case in a sentence. */
export function describeCaseTarget({ layer, tensor, parameter }: CaseTarget, layers: readonly CaseLayer[]): string {
  if (parameter !== null) return parameter;
  if (layer === null && tensor === PENALTY_CASE) return 'the gradient of the penalty';
  return layer === null ? 'the gradient of the loss' : `the ${tensor} gradient of ${layers[layer]!.name}`;
}

function parameterCase(target: CaseTarget, check: ParameterCheck, { diagnosis }: CheckReport): CheckCase {
  const { name, counts, worst, entries, checked } = check;
  if (counts.wrong > 0) {
    const where = worst
      ? ` The worst is ${formatIndex(worst.index)}: backprop says ${formatNumber(worst.analytic)}, the numeric derivative is ${formatNumber(worst.numeric)} (relative error ${formatExponential(worst.relativeError)}).`
      : '';
    const what = `Backprop is wrong at ${formatInteger(counts.wrong)} of ${pluralize(checked, 'entry', 'entries')} of ${name}.${where}`;
    return { ...target, outcome: 'failed', message: diagnosis ? `${what}\nWhy: ${diagnosis.sentence}` : what, worst };
  }
  if (checked < entries)
    return skippedCase(target, `Stopped after ${formatInteger(checked)} of ${pluralize(entries, 'entry', 'entries')}.`);
  if (counts.pass > 0) return passedCase(target);
  return skippedCase(target, `There is no conclusion for any entry of ${name}: ${formatInconclusive(counts)}.`);
}

/** An input gradient is right if the parameters before it that depend on it are. */
function inputGradientCase(
  target: CaseTarget,
  layers: readonly CaseLayer[],
  earlierChecks: readonly ParameterCheck[],
  { diagnosis, layers: checks }: CheckReport,
): CheckCase {
  const name = target.layer === null ? null : layers[target.layer]!.name;
  if (diagnosis && diagnosis.layer === name && diagnosis.tensor === target.tensor) {
    const { analytic, numeric } = diagnosis;
    const worst = analytic !== null && numeric !== null ? { analytic, numeric } : null;
    return { ...target, outcome: 'failed', message: diagnosis.sentence, worst };
  }
  if (earlierChecks.some(({ counts }) => counts.wrong > 0)) {
    return skippedCase(
      target,
      `There is no conclusion while other gradients are wrong: ${joinNames(earlierChecks.filter(({ counts }) => counts.wrong > 0))}.`,
    );
  }
  if (earlierChecks.some(({ entries, checked }) => checked < entries))
    return skippedCase(target, 'Stopped before every gradient that depends on it was checked.');
  const inIsolation = checks.find((each) => each.name === name)?.tensors.find((each) => each.name === target.tensor);
  if (
    earlierChecks.some(({ counts }) => counts.pass > 0) ||
    (earlierChecks.length === 0 && inIsolation?.verdict === 'pass')
  )
    return passedCase(target);
  return skippedCase(target, 'There is no conclusion, because there is none for any gradient that depends on it.');
}

const passedCase = (target: CaseTarget): CheckCase => ({ ...target, outcome: 'passed', message: '', worst: null });
const skippedCase = (target: CaseTarget, message: string): CheckCase => ({
  ...target,
  outcome: 'skipped',
  message,
  worst: null,
});
const joinNames = (checks: readonly ParameterCheck[]): string => checks.map(({ name }) => name).join(', ');

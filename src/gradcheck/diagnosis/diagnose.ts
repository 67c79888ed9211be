// Finds why backprop is wrong. Each layer is checked in isolation, which separates a layer that computes a wrong
// gradient from those downstream that receive one.
import type { OperationGraph } from '../../engine/layers/layer';
import type { NetworkModel, Parameter } from '../../engine/network-model';
import type { Pass } from '../../engine/pass';
import { penaltyArguments } from '../../engine/penalty';
import { ancestorsOf } from '../../engine/network-graph';
import type { IsolatedLayerChecks } from '../isolated-layer-checks';
import { type Diagnosis, PENALTY_NAME } from '../../protocol/check-report';
import { unravelIndex } from '../../presentation/tensor-index';
import { findBranchFault } from './branch-faults';
import { detectFlatRegion } from './detect-flat-region';
import { detectSingleEntries } from './detect-single-entries';
import { explain, explainByFactor, isKnownFactor } from './explain';
import { type Explanation, makeExplanation, rankOf } from './explanation';
import { describeFactor } from './factors';
import { type FunctionCheck, PROBES } from './function-check';
import type { ForwardGraph } from './forward-graph';
import { STORED } from './forward-trace';
import type { Change } from './forward-graph-change';
import { findForwardGraphFault } from './forward-graph-faults';
import { otherResults } from './forward-graph-results';
import { withStates } from './forward-graph-states';
import { findLinkFault } from './link-faults';
import { findGraphFault, graphGradients, type GraphFault } from './graph-faults';
import { penaltyGradientOf } from './hypotheses/penalty';
import { type GradientComparison, indexOfWorst, toleranceOf } from './gradient-comparison';
import type { ForwardFault } from './forward-faults';
import type { LayerHarness } from './layer-harness';
import { findNonFiniteBackward, findNonFiniteForward, isFinite } from '../../engine/autograd/non-finite';

/** The result of the check for one parameter, in the network's order. */
export interface ParameterResult {
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  readonly isWrong: boolean;
}

/** A layer by its index, or a part that is no layer; auxiliary losses are counted from 0. */
type Part = number | FunctionPart;
type FunctionPart = 'loss' | 'penalty' | `auxiliary loss ${number}`;

const auxiliaryIndex = (part: Part): number | null =>
  typeof part === 'number' || part === 'loss' || part === 'penalty' ? null : Number(part.split(' ').at(-1));

/** The check of a part in isolation. */
function functionCheckOf(isolated: IsolatedLayerChecks, part: FunctionPart): FunctionCheck | null {
  if (part === 'loss' || part === 'penalty') return isolated[part];
  return isolated.auxiliaryLosses[auxiliaryIndex(part)!] ?? null;
}

function lossOf({ network: { model } }: Pass, part: Part): NetworkModel['loss'] {
  const index = auxiliaryIndex(part);
  return index === null ? model.loss : model.auxiliaryLosses![index]!;
}

interface Suspect {
  readonly layer: Part;
  readonly comparison: GradientComparison;
}

/**
 * Null if nothing is wrong. A cooperative task. It never throws: where an explanation fails, it names what is wrong and
 * says so.
 */
export function* diagnose(
  isolated: IsolatedLayerChecks,
  results: readonly ParameterResult[],
): Generator<undefined, Diagnosis | null> {
  try {
    return yield* findCause(isolated, results);
  } catch (error) {
    return describeFailure(isolated, results, error);
  }
}

/** What is wrong, without why. */
function describeFailure(
  { pass, harnesses, loss, penalty }: IsolatedLayerChecks,
  results: readonly ParameterResult[],
  error: unknown,
): Diagnosis | null {
  const { parameters } = pass.network;
  const wrongOf = (comparisons: readonly GradientComparison[]): GradientComparison | undefined =>
    comparisons.find((each) => indexOfWorst(each) >= 0);
  const ofLoss = wrongOf(loss?.comparisons ?? []);
  const ofPenalty = wrongOf(penalty?.comparisons ?? []);
  const layer = harnesses.findLastIndex(
    (harness) => !harness.forwardFault && wrongOf(harness.tensors.map((tensor) => harness.comparison(tensor))),
  );
  const parameter = parameters.findLast((_, i) => results[i]!.isWrong);
  const [part, tensor]: readonly [Part, string] | readonly [] = ofLoss
    ? ['loss', ofLoss.tensor]
    : ofPenalty
      ? ['penalty', ofPenalty.tensor]
      : layer >= 0
        ? [layer, wrongOf(harnesses[layer]!.tensors.map((each) => harnesses[layer]!.comparison(each)))!.tensor]
        : parameter
          ? [parameter.layer, parameter.shortName]
          : [];
  if (part === undefined || tensor === undefined) return null;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return makeDiagnosis(
    pass,
    part,
    tensor,
    'diagnosis_failed',
    `The gradient of ${tensor} of ${layerNameOf(pass, part) ?? 'the loss'} is wrong. Why is unknown: the diagnosis failed (${message}). The verdicts do not depend on it. Please report this.`,
    [],
  );
}

function* findCause(
  isolated: IsolatedLayerChecks,
  results: readonly ParameterResult[],
): Generator<undefined, Diagnosis | null> {
  const { pass, harnesses, loss, penalty } = isolated;
  const { model, parameters } = pass.network;
  const wrong = parameters.filter((_, i) => results[i]!.isWrong);
  const names = wrong.map(({ name }) => name);
  const faultyForward = harnesses.findIndex(({ forwardFault }) => forwardFault !== null);
  if (faultyForward >= 0) return diagnoseForward(pass, faultyForward, harnesses[faultyForward]!.forwardFault, names);
  if (loss?.fault) return diagnoseForward(pass, 'loss', loss.fault, names);
  if (penalty?.fault) return diagnoseForward(pass, 'penalty', penalty.fault, names);

  const notFinite = yield* diagnoseNonFinite(isolated, names);
  if (notFinite) return notFinite;

  const relevant: Suspect[] = [];
  const others: Suspect[] = [];
  const addSuspect = (layer: Part, comparison: GradientComparison, isRelevant: boolean): void => {
    if (indexOfWorst(comparison) >= 0) (isRelevant ? relevant : others).push({ layer, comparison });
  };
  for (const comparison of loss?.comparisons ?? []) addSuspect('loss', comparison, wrong.length > 0);
  isolated.auxiliaryLosses.forEach((check, i) => {
    for (const comparison of check?.comparisons ?? []) addSuspect(`auxiliary loss ${i}`, comparison, wrong.length > 0);
  });
  for (const comparison of penalty?.comparisons ?? [])
    addSuspect('penalty', comparison, names.includes(comparison.tensor));
  for (let i = harnesses.length - 1; i >= 0; i--) {
    const ancestors = ancestorsOf(model, i);
    for (const tensor of ['input', ...harnesses[i]!.tensors.filter((each) => each !== 'input')]) {
      const comparison = harnesses[i]!.comparison(tensor);
      // A wrong input gradient matters if a parameter before it is wrong.
      const isRelevant = wrong.some(({ users, shortName }) =>
        comparison.subject === 'parameter'
          ? users.includes(i) && shortName === tensor
          : users.some((user) => ancestors.includes(user)),
      );
      addSuspect(i, comparison, isRelevant);
    }
  }
  // Errors that show in the whole network come before those that show only in isolation.
  const suspects = [...relevant, ...others];
  const diagnoseOverwrite = (by: 'forward' | 'backward'): Diagnosis | null => {
    const at = harnesses.findLastIndex(({ overwrites }) => overwrites.some((each) => each.by === by));
    const overwrite = harnesses[at]?.overwrites.find((each) => each.by === by);
    if (!overwrite) return null;
    const sentence = `The ${by} of ${model.layers[at]!.name} overwrites its argument (${overwrite.tensor}), which is still needed.`;
    return makeDiagnosis(pass, at, overwrite.tensor, 'argument_changed', sentence, names);
  };
  const forwardOverwrite = diagnoseOverwrite('forward');
  if (forwardOverwrite) return forwardOverwrite;
  if (suspects.length > 0) {
    const explained = yield* diagnoseSuspects(isolated, suspects, results);
    return explained.cause === 'unexplained' ? (diagnoseOverwrite('backward') ?? explained) : explained;
  }
  return diagnoseOverwrite('backward') ?? (wrong.length > 0 ? yield* diagnoseWholeNetwork(pass, results) : null);
}

function makeDiagnosis(
  pass: Pass,
  layer: Part,
  tensor: string,
  cause: Diagnosis['cause'],
  sentence: string,
  misled: readonly string[],
): Diagnosis {
  return {
    layer: layerNameOf(pass, layer),
    kind: kindOf(pass, layer),
    line: specLineOf(pass, layer),
    tensor,
    index: null,
    analytic: null,
    numeric: null,
    cause,
    factor: null,
    dimension: null,
    residual: null,
    misled,
    sentence: `${sentence}${describeSpecLine(pass, layer)}`,
  };
}

function diagnoseForward(pass: Pass, layer: Part, fault: ForwardFault | null, misled: readonly string[]): Diagnosis {
  const name = layerNameOf(pass, layer) ?? 'the loss';
  const { cause, description } = fault ?? { cause: 'unexplained' as const, description: 'is wrong' };
  return makeDiagnosis(pass, layer, 'output', cause, `The forward pass of ${name} ${description}.`, misled);
}

/** The layer in which NaN or infinity arises, in the forward or the backward pass; null if everything is finite. */
function* diagnoseNonFinite(
  isolated: IsolatedLayerChecks,
  misled: readonly string[],
): Generator<undefined, Diagnosis | null> {
  const { pass, harnesses } = isolated;
  const { layers } = pass.network.model;
  const forward = pass.outputs.findIndex(({ data }) => !isFinite(data));
  if (forward >= 0) {
    if (!isFinite(pass.layerInput(forward).data)) return null;
    // With the whole batch, in its original order.
    const harness = yield* isolated.makeHarness(forward, pass.batchSize);
    const graph = harness.operationGraph();
    const where = graph && findNonFiniteForward(graph, pass.batchSize);
    const { data } = pass.outputs[forward]!;
    const at = data.findIndex((value) => !Number.isFinite(value));
    const sample = Math.floor(at / (data.length / pass.batchSize));
    const what = where ?? `its output for sample ${sample} is ${data[at]}`;
    const sentence = `${layers[forward]!.name} turns finite numbers into non-finite ones: ${what}. Every loss and gradient after it is invalid. Guard that value in the forward pass.`;
    return makeDiagnosis(pass, forward, 'output', 'not_finite', sentence, misled);
  }
  const ofFunction = diagnoseNonFiniteFunction(pass, misled);
  if (ofFunction) return ofFunction;
  for (let layer = harnesses.length - 1; layer >= 0; layer--) {
    const { gradients, output, operationGraph, upstream, samples, definition, input } = harnesses[layer]!;
    if (!isFinite(output)) continue;
    const found = [...gradients].find(([, values]) => !isFinite(values));
    if (!found) continue;
    const [tensor, values] = found;
    const graph = definition.autograd ? null : operationGraph.call(harnesses[layer]);
    const at = values.findIndex((value) => !Number.isFinite(value));
    const sample = tensor === 'input' ? Math.floor(at / (values.length / samples)) : null;
    const width = input.length / samples;
    const shown = [...input.subarray((sample ?? 0) * width, (sample ?? 0) * width + Math.min(width, 4))].map(
      formatShort,
    );
    const inputText = sample === null ? '' : `, where the input is [${shown.join(', ')}${width > 4 ? ', …' : ''}]`;
    const what =
      (graph && findNonFiniteBackward(graph, upstream, samples)) ??
      `the gradient of ${tensor} is ${values[at]}${sample === null ? '' : ` in sample ${sample}${inputText}`}`;
    const sentence = `The backward pass of ${layers[layer]!.name} returns non-finite numbers: ${what}. Define the gradient there, such as 0 at a kink.`;
    return {
      ...makeDiagnosis(pass, layer, tensor, 'not_finite', sentence, misled),
      index: sample === null ? null : [sample],
    };
  }
  return null;
}

/** A custom loss or penalty that turns finite numbers into NaN or infinity. */
function diagnoseNonFiniteFunction(pass: Pass, misled: readonly string[]): Diagnosis | null {
  const { loss, penalty } = pass.network.model;
  const diagnose = (
    part: 'loss' | 'penalty',
    value: number,
    graph: OperationGraph | null | undefined,
    from: string,
  ) => {
    const where = (graph && findNonFiniteForward(graph, pass.batchSize)) ?? `its result is ${value}`;
    const sentence = `The ${part} turns ${from} into a non-finite number: ${where}. Guard that value in its forward pass.`;
    return makeDiagnosis(pass, part, 'output', 'not_finite', sentence, misled);
  };
  const value = pass.lossValue();
  if (loss.definition.sourceLocations && !Number.isFinite(value))
    return diagnose('loss', value, loss.definition.operationGraph?.(pass.lossContext), 'finite outputs');
  const penaltyValue = pass.customPenalty();
  if (!penalty?.custom || Number.isFinite(penaltyValue)) return null;
  const { custom } = penalty;
  const graph = custom.definition.operationGraph(penaltyArguments(custom, pass.network.parameters));
  return diagnose('penalty', penaltyValue, graph, 'finite parameters');
}

interface Finding {
  readonly suspect: Suspect;
  readonly explanation: Explanation;
}

/** The wrong layer closest to the loss is at fault: its gradients make all layers before it wrong. */
function* diagnoseSuspects(
  isolated: IsolatedLayerChecks,
  suspects: readonly Suspect[],
  results: readonly ParameterResult[],
): Generator<undefined, Diagnosis> {
  const { pass } = isolated;
  const { parameters } = pass.network;
  const { layer } = suspects[0]!;
  const own = suspects.filter((each) => each.layer === layer);
  const { suspect, explanation } =
    findSwapped(own) ??
    (typeof layer === 'number' ? findGradientOfOther(isolated.harnesses[layer]!, own) : null) ??
    (yield* findInLayer(isolated, layer, own));
  const { comparison } = suspect;
  const others = suspects.filter((each) => each !== suspect);
  const isGradientOf = (each: Suspect, { name, users, shortName }: Parameter): boolean =>
    each.comparison.subject === 'parameter' &&
    (typeof each.layer === 'number'
      ? users.includes(each.layer) && shortName === each.comparison.tensor
      : name === each.comparison.tensor);
  const misled = parameters
    .filter((parameter, i) => results[i]!.isWrong && !suspects.some((each) => isGradientOf(each, parameter)))
    .map(({ name }) => name);
  // In the whole network, the gradient of a shared parameter includes its other uses.
  const parameterIndex =
    layer === 'penalty'
      ? -1
      : parameters.findIndex((parameter) => parameter.users.length === 1 && isGradientOf(suspect, parameter));
  const isWrongInNetwork = parameterIndex >= 0 && results[parameterIndex]!.isWrong;
  // For a parameter, the values in the whole network; for an input gradient, those of the layer in isolation.
  const { analytic, numeric } = isWrongInNetwork ? results[parameterIndex]! : comparison;
  const worst = indexOfWorst({ analytic, numeric });
  const index = worst < 0 ? null : unravelIndex(worst, comparison.shape);
  const probe = typeof layer === 'number' ? isolated.probes.get(layer) : functionCheckOf(isolated, layer)?.probe;
  const context = isWrongInNetwork
    ? // The explanation is for the data's gradient: the values shown include the penalty, so they do not show it.
      comparison.penalty
      ? 'with the penalty, '
      : ''
    : typeof layer === 'string'
      ? probe === undefined
        ? ''
        : `for made-up numbers ${probe}, `
      : `in isolation, with a random output gradient${probe === undefined ? '' : ` and inputs ${probe}`}, `;
  const values = index
    ? ` (${context}at [${index.join(', ')}] ${formatShort(analytic[worst]!)} instead of ${formatShort(numeric[worst]!)})`
    : '';
  const othersText =
    others.length > 0 ? ` Also wrong: ${joinNames(others.map((each) => describeGradient(pass, each)))}.` : '';
  const misledText =
    misled.length > 0
      ? ` ${joinNames(misled)} ${misled.length === 1 ? 'is' : 'are'} wrong only because wrong output gradients arrive there.`
      : '';
  const secondText = yield* describeSecondFault(isolated, suspect, explanation);
  const unnoticed = results.some(({ isWrong }) => isWrong)
    ? ''
    : ' No parameter of this network shows it on this batch.';
  return {
    layer: layerNameOf(pass, layer),
    kind: kindOf(pass, layer),
    line: specLineOf(pass, layer),
    tensor: comparison.tensor,
    index,
    analytic: analytic[worst] ?? null,
    numeric: numeric[worst] ?? null,
    cause: explanation.cause,
    factor: explanation.factor,
    dimension: explanation.dimension,
    residual: explanation.residual,
    misled,
    sentence: `The ${describeGradient(pass, suspect)} ${explanation.description}${values}.${secondText}${othersText}${misledText}${unnoticed}${describeSurrogate(pass, suspect, explanation)}${describeSpecLine(pass, layer)}`,
  };
}

/**
 * A custom layer with a wrong factor may also ignore that values are clipped, and the other way round. Where the batch
 * shows one of the two, made-up inputs show the other. Empty if they do not.
 */
function* describeSecondFault(
  isolated: IsolatedLayerChecks,
  { layer, comparison }: Suspect,
  { cause, factor, dimension }: Explanation,
): Generator<undefined, string> {
  if (typeof layer !== 'number' || comparison.subject === 'parameter') return '';
  const harness = isolated.harnesses[layer]!;
  const isFactor = cause === 'factor' || cause === 'sign';
  if (harness.definition.autograd === undefined || !(isFactor || (cause === 'flat' && factor === null))) return '';
  for (const { description, makeInput } of PROBES) {
    const probe = yield* isolated.makeHarness(layer, harness.samples, makeInput);
    if (probe.refusesInput || probe.forwardFault) continue;
    yield* probe.compare(comparison.tensor);
    const found = probe.comparison(comparison.tensor);
    const flat = detectFlatRegion(found);
    if (isFactor && flat && flat.factor === factor && flat.dimension?.name === dimension?.name)
      return ` There is a second fault: for inputs ${description}, it ${flat.description.split('. ')[0]}.`;
    const scaled = flat?.factor ? flat : explainByFactor(found);
    if (!isFactor && scaled && isKnownFactor(scaled))
      return ` There is a second fault: for inputs ${description}, it ${describeFactor(scaled.factor!, found.dimensions)} where it is not flat.`;
  }
  return '';
}

/** Explanations of single gradients that the graph of the forward pass usually explains better. */
const WEAK_CAUSES: ReadonlySet<Explanation['cause']> = new Set([
  'missing',
  'input_ignored',
  'from_earlier_call',
  'share_missing',
  'place_missing',
]);

/** By the graph of the forward pass, by single gradients, or by both. */
function* findInLayer(
  isolated: IsolatedLayerChecks,
  part: Part,
  own: readonly Suspect[],
): Generator<undefined, Finding> {
  const draws = typeof part === 'number' ? yield* findOtherDraws(isolated.harnesses[part]!, own) : null;
  if (draws) return draws;
  const recorded = yield* searchGraph(graphSubject(isolated, part), own);
  if (recorded) return yield* withGraph(own, recorded);
  if (typeof part === 'string') return yield* findBest(own);
  const graph = yield* measureGraph(isolated, part, own);
  if (!graph) return yield* findBest(own);
  if (!graph.graph.trace) return yield* findInOperations(own, graph);
  const states = withStates(graph.graph);
  yield;
  const ofStates =
    states && (yield* findForwardGraphFault(states, graph.harness.upstream, graph.harness.gradients, () => []));
  if (ofStates && !ofStates.isWeak) return yield* withGraph(own, ofStates);
  // Arithmetic alone shows in single gradients as well.
  const isArithmetic = graph.graph.nodes.every(({ name }) => name === STORED);
  const isSpecific = ({ explanation }: Finding): boolean => rankOf(explanation) === 0;
  const single = isArithmetic ? yield* findBest(own) : null;
  if (single && isSpecific(single) && !WEAK_CAUSES.has(single.explanation.cause)) return single;
  const fault = yield* searchForwardGraph(graph);
  if (fault && !fault.isWeak) return yield* withGraph(own, fault);
  const operations = yield* graph.harness.forwardGraphOfOperations();
  const { upstream, gradients } = graph.harness;
  const ofOperations = operations && (yield* findForwardGraphFault(operations, upstream, gradients, () => []));
  if (ofOperations && !ofOperations.isWeak) return yield* withGraph(own, ofOperations);
  const links = yield* searchLinks(operations ?? states ?? graph.graph, graph);
  const best = single ?? (yield* findBest(own));
  if (links && !links.isUnnamed && !isSpecific(best)) return yield* withGraph(own, links);
  const weak = fault?.explainsAll ? fault : ofStates?.explainsAll ? ofStates : (fault ?? ofStates ?? ofOperations);
  if (weak && !isSpecific(best)) return yield* withGraph(own, weak);
  return links && rankOf(best.explanation) > 1 ? yield* withGraph(own, links) : best;
}

/** A random layer whose backward pass takes other draws than its forward pass. */
function* findOtherDraws(harness: LayerHarness, own: readonly Suspect[]): Generator<undefined, Finding | null> {
  const [suspect] = own;
  if (!suspect || isExplainedByFactor(suspect)) return null;
  if (!(yield* harness.dependsOnOrderOfDraws(suspect.comparison.tensor))) return null;
  return {
    suspect,
    explanation: makeExplanation(
      'not_repeatable',
      'uses other random numbers than the forward pass: its backward takes the draws in another order, or makes more of them. If all draws of a call give the same numbers, it is right',
    ),
  };
}

/** By a graph of operations, where calls were not observed. */
function* findInOperations(own: readonly Suspect[], graph: MeasuredGraph): Generator<undefined, Finding> {
  const { harness } = graph;
  const fault = yield* findForwardGraphFault(graph.graph, harness.upstream, harness.gradients, () => []);
  if (fault && !fault.isWeak) return yield* withGraph(own, fault);
  const links = yield* searchLinks(graph.graph, graph);
  if (links && !links.isUnnamed && links.explainsAll) return yield* withGraph(own, links);
  const best = yield* findBest(own);
  const rest = fault ?? links;
  return rest && rankOf(best.explanation) > 0 ? yield* withGraph(own, rest) : best;
}

/** What a graph is searched with. */
interface GraphSubject {
  operationGraph(): OperationGraph | null;
  readonly upstream: Float64Array;
  /** All gradients, by the name that the graph gives the tensor. */
  pairs(): readonly {
    readonly comparison: GradientComparison;
    readonly tensor: string;
    readonly analytic: Float64Array;
  }[];
}

function graphSubject(isolated: IsolatedLayerChecks, part: Part): GraphSubject {
  if (typeof part === 'string') {
    const check = functionCheckOf(isolated, part);
    return {
      operationGraph: () => check?.operationGraph() ?? null,
      upstream: Float64Array.of(1),
      pairs: () =>
        (check?.comparisons ?? []).map((comparison) => ({
          comparison,
          tensor: part === 'penalty' ? comparison.tensor : 'outputs',
          analytic: comparison.analytic,
        })),
    };
  }
  const harness = isolated.harnesses[part]!;
  const { upstream, gradients } = harness;
  return {
    operationGraph: () => harness.operationGraph(),
    upstream,
    pairs: () =>
      harness.tensors.map((tensor) => {
        const comparison = harness.comparison(tensor);
        return { comparison, tensor, analytic: gradients.get(tensor) ?? comparison.analytic };
      }),
  };
}

/**
 * The change to autograd's backward pass that reproduces the gradients; null if the forward does not use `ops`. Its
 * tensors are named as in the comparisons.
 */
function* searchGraph(subject: GraphSubject, own: readonly Suspect[]): Generator<undefined, GraphFault | null> {
  // A simple factor is a better explanation than any graph.
  if (own.length === 1 && isExplainedByFactor(own[0]!)) return null;
  const graph = subject.operationGraph();
  if (!graph) return null;
  const { upstream } = subject;
  const right = graphGradients(graph, upstream);
  const pairs = subject.pairs();
  // A graph that misses a part of the forward pass is no evidence.
  const isWhole = pairs.every(({ tensor, comparison }) =>
    matchesNumeric(right.get(tensor) ?? comparison.numeric, comparison),
  );
  if (!isWhole) return null;
  const fault = yield* findGraphFault(
    graph,
    upstream,
    pairs.map(({ tensor, analytic, comparison }) => ({
      tensor,
      analytic,
      isWrong: own.some((suspect) => suspect.comparison === comparison),
    })),
  );
  const nameOf = (name: string): string => pairs.find(({ tensor }) => tensor === name)?.comparison.tensor ?? name;
  return fault && { ...fault, tensors: fault.tensors.map(nameOf) };
}

/** A batch of this many samples shows what a forward pass computes. */
const GRAPH_SAMPLES = 3;
/** For layers with more inputs and parameters than this, other values of them are not tried. */
const MAX_LEAVES = 12;

interface MeasuredGraph {
  readonly harness: LayerHarness;
  readonly graph: ForwardGraph;
}

/** The graph of a forward pass that is written as loops, found by perturbing numbers; null if there is none. */
function* measureGraph(
  isolated: IsolatedLayerChecks,
  layer: number,
  own: readonly Suspect[],
): Generator<undefined, MeasuredGraph | null> {
  const { harnesses, precisions } = isolated;
  if (!harnesses[layer]!.definition.sourceLocations?.backward || precisions[layer] === 'single') return null;
  if (own.length === 1 && isExplainedByFactor(own[0]!)) return null;
  const harness = yield* isolated.makeHarness(layer, GRAPH_SAMPLES);
  if (harness.refusesInput || harness.forwardFault) return null;
  const graph = (yield* harness.forwardGraph()) ?? (yield* harness.forwardGraphOfOperations());
  return graph && { harness, graph };
}

const searchForwardGraph = ({ harness, graph }: MeasuredGraph): ReturnType<typeof findForwardGraphFault> =>
  findForwardGraphFault(graph, harness.upstream, harness.gradients, function* (roles) {
    yield* otherParameters(harness, graph);
    yield* otherResults(graph, roles, harness.remeasurementOf(graph));
  });

function searchLinks(graph: ForwardGraph, { harness }: MeasuredGraph): ReturnType<typeof findLinkFault> {
  const { upstream, gradients } = harness;
  return findLinkFault(graph, (each) => harness.gradientsFor(each), upstream, gradients);
}

/** The graph as if a parameter were 1 or transposed in the backward pass. */
function* otherParameters(harness: LayerHarness, graph: ForwardGraph): Generator<Change | undefined, void, undefined> {
  if (graph.leaves.length > MAX_LEAVES) return;
  for (const { name, tensor, first, isInput } of graph.leaves) {
    const { shape, data } = tensor;
    if (isInput) continue;
    const [rows = 0, columns = 0] = shape.slice(-2);
    const values = Float64Array.from(data);
    const changes: (readonly [Change['cause'], string, Float64Array])[] = [
      ['scale_missing', `lacks ${name}, as if it were 1`, values.map(() => 1)],
    ];
    if (shape.length > 1 && rows === columns && rows > 1)
      changes.push([
        'not_transposed',
        `uses ${name} transposed the wrong way`,
        values.map((_, i) => values[i - (i % (rows * rows)) + (i % rows) * rows + (Math.floor(i / rows) % rows)]!),
      ]);
    for (const [cause, what, changed] of changes) {
      const other = yield* harness.forwardGraphWith(graph, name, changed);
      if (!other) return;
      const isOther = (source: number): boolean => source < first || source >= first + data.length;
      yield { cause, description: `The backward pass ${what}`, graph: graph.withEdgesOf(other, isOther) };
    }
  }
}

const isExplainedByFactor = ({ comparison }: Suspect): boolean => {
  const explanation = explainByFactor(comparison);
  return (explanation !== null && isKnownFactor(explanation)) || comparison.analytic.every((value) => value === 0);
};

/** Adds what the graph shows about the tensor that it explains. A simple factor, row or column comes first. */
function* withGraph(own: readonly Suspect[], fault: GraphFault): Generator<undefined, Finding> {
  const candidates = own.filter(({ comparison }) => fault.tensors.includes(comparison.tensor));
  const parametersFirst = [...candidates].sort(
    (a, b) => Number(a.comparison.subject === 'input') - Number(b.comparison.subject === 'input'),
  );
  yield;
  const graphText = `${fault.description}. This change turns the right gradient into the one returned`;
  // One parameter may be off by a factor because of something else, which shows in the others.
  const factors = parametersFirst.map(({ comparison }) => explainByFactor(comparison));
  const isFactor = parametersFirst.every(
    ({ comparison }, i) => comparison.subject !== 'parameter' || (factors[i] && isKnownFactor(factors[i])),
  );
  for (const [i, suspect] of parametersFirst.entries()) {
    const simple = factors[i];
    if (isFactor && simple && isKnownFactor(simple))
      return { suspect, explanation: { ...simple, description: `${simple.description}. ${graphText}` } };
  }
  const suspect = parametersFirst[0]!;
  const single = detectSingleEntries(suspect.comparison);
  const what = single?.isSingleLine ? single.explanation.description : 'is wrong in one operation of the backward pass';
  return {
    suspect,
    explanation: {
      cause: fault.cause,
      description: `${what}. ${graphText}`,
      factor: null,
      dimension: null,
      residual: 0,
    },
  };
}

/** Whether these are the right values of a gradient, as far as it was measured. */
function matchesNumeric(values: Float64Array, comparison: GradientComparison): boolean {
  const { numeric } = comparison;
  const tolerance = toleranceOf(comparison);
  return values.every((value, i) => Number.isNaN(numeric[i]) || Math.abs(value - numeric[i]!) <= tolerance);
}

/** Two gradients of the same shape that are swapped. */
function findSwapped(own: readonly Suspect[]): Finding | null {
  for (const suspect of own)
    for (const { comparison: other } of own) {
      const { comparison } = suspect;
      if (other === comparison || other.analytic.length !== comparison.analytic.length) continue;
      if (!matchesNumeric(comparison.analytic, other) || !matchesNumeric(other.analytic, comparison)) continue;
      return {
        suspect,
        explanation: {
          cause: 'swapped',
          description: `is that of ${other.tensor}, and vice versa: the two are swapped`,
          factor: null,
          dimension: null,
          residual: 0,
        },
      };
    }
  return null;
}

/** Entries of large tensors that have to be measured so that two of them count as the same. */
const MIN_COMPARED = 8;

/** A parameter whose gradient is the right one of another parameter. */
function findGradientOfOther(harness: LayerHarness, own: readonly Suspect[]): Finding | null {
  for (const suspect of own) {
    const { comparison } = suspect;
    if (comparison.subject !== 'parameter' || comparison.analytic.every((value) => value === 0)) continue;
    for (const tensor of harness.tensors) {
      if (tensor === comparison.tensor) continue;
      const other = harness.comparison(tensor);
      if (other.subject !== 'parameter' || other.analytic.length !== comparison.analytic.length) continue;
      const measured = other.numeric.reduce((count, value) => count + Number(!Number.isNaN(value)), 0);
      if (measured >= Math.min(MIN_COMPARED, other.numeric.length) && matchesNumeric(comparison.analytic, other))
        return {
          suspect,
          explanation: makeExplanation('wrong_operand', `is that of ${tensor}: it adds up what belongs there`),
        };
    }
  }
  return null;
}

/** The most specific explanation of any gradient of the layer. */
function* findBest(own: readonly Suspect[]): Generator<undefined, Finding> {
  let best: Finding | null = null;
  for (const suspect of own) {
    const explanation = yield* explain(suspect.comparison);
    const isFactor = isKnownFactor(explanation) || explanation.cause === 'missing';
    if (!best || rankOf(explanation) < rankOf(best.explanation)) best = { suspect, explanation };
    // Of equally specific explanations, a known factor or a missing gradient wins.
    else if (
      isFactor &&
      rankOf(best.explanation) === 0 &&
      !isKnownFactor(best.explanation) &&
      suspect.layer === best.suspect.layer
    )
      best = { suspect, explanation };
  }
  if (!best) throw new RangeError('no suspect');
  return best;
}

function describeGradient(pass: Pass, { layer, comparison }: Suspect): string {
  const { layers } = pass.network.model;
  if (layer === 'loss') return `gradient of the loss ${lossOf(pass, layer).definition.kind}`;
  if (auxiliaryIndex(layer) !== null) return `gradient of ${layerNameOf(pass, layer)}`;
  if (typeof layer === 'string') return `gradient of the penalty with respect to ${comparison.tensor}`;
  if (comparison.subject === 'other_input') return `gradient of ${comparison.tensor} of ${layers[layer]!.name}`;
  return comparison.subject === 'input'
    ? `input gradient of ${layers[layer]!.name}`
    : `gradient of ${layers[layer]!.name}.${comparison.tensor}`;
}

/** Every layer is right in isolation: the error shows only in the whole network. */
function* diagnoseWholeNetwork(pass: Pass, results: readonly ParameterResult[]): Generator<undefined, Diagnosis> {
  const { parameters } = pass.network;
  const parameterIndex = parameters.findLastIndex((_, i) => results[i]!.isWrong);
  const { name, shortName, layer, value } = parameters[parameterIndex]!;
  const { analytic, numeric } = results[parameterIndex]!;
  const comparison: GradientComparison = {
    subject: 'parameter',
    tensor: shortName,
    shape: value.shape,
    analytic,
    numeric,
    value: Float64Array.from(value.data),
    layer: null,
    loss: null,
    stride: 1,
    noise: 0,
    penalty: penaltyGradientOf(pass.network, parameters[parameterIndex]!),
    dimensions: [{ name: 'samples in the batch', size: pass.batchSize }],
  };
  const worst = indexOfWorst(comparison);
  const explanation = (yield* findBranchFault(pass, results)) ?? (yield* explain(comparison));
  return {
    ...makeDiagnosis(
      pass,
      layer,
      shortName,
      explanation.cause,
      `In isolation, with random output gradients, every layer is right. In the whole network the gradient of ${name} ${explanation.description}.`,
      [],
    ),
    index: worst < 0 ? null : unravelIndex(worst, value.shape),
    analytic: analytic[worst] ?? null,
    numeric: numeric[worst] ?? null,
    factor: explanation.factor,
    dimension: explanation.dimension,
    residual: explanation.residual,
  };
}

/** Differences that are often intended: a straight-through estimator, gradient reversal, clipped gradients. */
const OFTEN_INTENDED: ReadonlySet<Explanation['cause']> = new Set(['flat', 'sign', 'clipped', 'derivative_missing']);

const describeSurrogate = (pass: Pass, { layer, comparison }: Suspect, { cause }: Explanation): string =>
  typeof layer === 'number' &&
  pass.network.model.layers[layer]!.definition.sourceLocations?.backward &&
  comparison.subject === 'input' &&
  OFTEN_INTENDED.has(cause)
    ? ' If this is intended, declare the function that backward differentiates as "surrogate".'
    : '';

/** As in Diagnosis.layer. */
const layerNameOf = ({ network: { model } }: Pass, part: Part): string | null =>
  typeof part === 'number'
    ? model.layers[part]!.name
    : part === 'penalty'
      ? PENALTY_NAME
      : (model.auxiliaryLosses?.[auxiliaryIndex(part) ?? -1]?.name ?? null);

const kindOf = (pass: Pass, part: Part): string =>
  typeof part === 'number'
    ? pass.network.model.layers[part]!.definition.kind
    : part === 'penalty'
      ? (pass.network.model.penalty?.custom?.definition.kind ?? '')
      : lossOf(pass, part).definition.kind;

const specLineOf = (pass: Pass, part: Part): number | null => {
  const { layers, penalty } = pass.network.model;
  const place = typeof part === 'number' ? layers[part]! : part === 'penalty' ? penalty?.custom : lossOf(pass, part);
  return place?.line ?? null;
};

function describeSpecLine(pass: Pass, part: Part): string {
  const line = specLineOf(pass, part);
  if (line === null) return '';
  const name = typeof part === 'number' || auxiliaryIndex(part) !== null ? layerNameOf(pass, part) : `The ${part}`;
  return ` ${name} is in line ${line} of the spec.`;
}

const formatShort = (value: number): string => String(Number(value.toPrecision(4)));

const joinNames = (names: readonly string[]): string =>
  names.length > 3
    ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
    : names.join(names.length === 2 ? ' and ' : ', ').replace(/, ([^,]*)$/, ' and $1');

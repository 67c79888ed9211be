// Parses a text to a spec or to its problems. Never throws for any text.
import { customLayerSpec } from '../engine/custom/custom-layer-spec';
import { datasets } from '../engine/datasets';
import type { DatasetDefinition } from '../engine/datasets/dataset';
import { layers as layerTable } from '../engine/layers';
import { lossNameOf } from '../engine/network-model';
import { schedules } from '../engine/schedules';
import type { ScheduleDefinition } from '../engine/schedules/schedule';
import { type CooperativeTask, runToCompletion } from '../engine/cooperative-task';
import { type ExplainedIssue, explainIssues } from './explain-issues';
import type { Problem } from '../protocol/problem';
import { Recovery } from './recover-spec';
import { isBlockKind } from './blocks';
import { type JoinKind, MAX_LAYERS } from './blocks/block';
import { countExpandedLayers, expandLayers, repeatedName } from './blocks/expand';
import { type ConnectedLayers, connectLayers, type NamedLayer } from './connect-layers';
import { formatInteger } from '../engine/format-count';
import { INTERPRETED } from '../engine/option-schemas';
import { MAX_PROBLEMS, type ParsedSpec, specSchema, type ParsedLayer } from './schema';
import { createProblem, quote, parseSource, type Path, type Range, type Source } from './spec-source';
import type { Spec, SpecAuxiliaryLoss, SpecLayer, SpecComponent } from './spec';
import { toSweepOptions, sweepProblems } from './sweep';

export interface ParseResult {
  /** Undefined if a problem is an error. */
  readonly spec?: Spec | undefined;
  /** In the order of the text. */
  readonly problems: readonly Problem[];
  /** With errors: what can still be checked for further errors. Must never be run. */
  readonly recovered?: RecoveredSpec | undefined;
}

export interface RecoveredSpec {
  readonly spec: Spec;
  /** Whether all layers and the loss are known. */
  readonly isComplete: boolean;
}

export const sortByPosition = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => a.start - b.start || a.end - b.end);

interface NamedLayers {
  readonly layers: readonly SpecLayer[];
  readonly auxiliaryLosses: readonly SpecAuxiliaryLoss[];
  readonly problems: readonly Problem[];
}

/** `swish` of `./layers/swish.layer.ts`. */
const nameFromFile = (module: string): string =>
  /([^/\\]*?)(\.layer)?(\.[^./\\]*)?$/.exec(module)?.[1]?.slice(0, 80) || 'custom';

/** The layers that take the named inputs of the data; their options follow from the shape of the data. */
function inputLayers({ data }: Pick<ParsedSpec, 'data'>): readonly (readonly [ParsedLayer, Path])[] {
  const { type, split: _, ...options } = data;
  const names = (datasets[type] as DatasetDefinition).inputNames?.(options) ?? [];
  return names.map((name) => [{ type: 'slice', name, start: 0, shape: [1], freeze: [] }, ['data', 'inputs', name]]);
}

/** Names layers: `linear1`, `tanh1`, `linear2`, … unless the spec gives a name. */
function nameLayers(source: Source, parsed: Pick<ParsedSpec, 'data' | 'layers' | 'auxiliary_losses'>): NamedLayers {
  const { layers: parsedLayers, auxiliary_losses: auxiliary } = parsed;
  const total = countExpandedLayers(parsedLayers);
  if (total > MAX_LAYERS) {
    const block = parsedLayers.findLastIndex(({ type }) => isBlockKind(type));
    const message =
      `With its blocks written out, this spec has ${formatInteger(total)} layers. ` +
      `The limit is ${formatInteger(MAX_LAYERS)}.`;
    const remedy = source.has(['layers', block, 'times']) ? 'Choose a smaller "times".' : 'Use fewer layers.';
    return {
      layers: [],
      auxiliaryLosses: [],
      problems: [createProblem('out-of-range', source.locate(['layers', block, 'times']), message, remedy)],
    };
  }
  const counters = new Map<string, number>();
  const layers = expandLayers(parsedLayers as readonly ParsedLayer[], inputLayers(parsed));
  const named = layers.map(({ layer, type, block, blocks, path, repetition }): NamedLayer => {
    const { type: _, name, freeze, inputs: __, share: ___, ...options } = layer;
    const baseName = type === customLayerSpec.kind ? nameFromFile(String(options.module)) : (block ?? type);
    const number = (counters.get(baseName) ?? 0) + 1;
    counters.set(baseName, number);
    return {
      type: type as SpecLayer['type'],
      name: name === undefined ? `${baseName}${number}` : repeatedName(name, repetition),
      // The join of a block has no options of its own.
      ...(block ? { freeze: [], options: layerTable[type as JoinKind].options.parse({}), block } : { freeze, options }),
      path,
      blocks,
      range: source.locate(path),
    };
  });
  const firstIndexOf = new Map<string, number>();
  const problems: Problem[] = [];
  named.forEach(({ name }, i) => {
    const earlier = firstIndexOf.get(name);
    if (earlier === undefined) {
      firstIndexOf.set(name, i);
      return;
    }
    // Only a name in the spec can be changed.
    const explicitlyNamed = layers[i]!.layer.name !== undefined ? i : earlier;
    problems.push(
      createProblem(
        'duplicate-name',
        source.locate([...named[explicitlyNamed]!.path, 'name']),
        `Layers ${earlier + 1} and ${i + 1} are both named ${quote(name)}.`,
        'Give each layer a unique name.',
      ),
    );
  });
  const connected = connectLayers(
    source,
    named,
    layers,
    auxiliary.map(({ input }) => input),
  );
  const ofLosses = nameAuxiliaryLosses(source, connected, auxiliary);
  return {
    layers: connected.layers,
    auxiliaryLosses: ofLosses.auxiliaryLosses,
    problems: [...problems, ...connected.problems, ...ofLosses.problems],
  };
}

/** What a name in an expression already stands for, or what the expression language reads as something else. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(
  (
    'step epoch batch lr loss accuracy input target penalty value previous ' +
    'and or not where true false True False this'
  ).split(' '),
);

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

/** Names auxiliary losses after their layers: `head1_loss`. */
function nameAuxiliaryLosses(
  source: Source,
  { layers, heads }: ConnectedLayers,
  auxiliary: ParsedSpec['auxiliary_losses'],
): Pick<NamedLayers, 'auxiliaryLosses' | 'problems'> {
  if (layers.length === 0) return { auxiliaryLosses: [], problems: [] };
  const taken = new Set([lossNameOf(layers.at(-1)!.name), ...layers.map(({ name }) => name)]);
  const problems: Problem[] = [];
  const auxiliaryLosses = auxiliary.map((written, i): SpecAuxiliaryLoss => {
    const { type, name: given, input: _, loss_weight: weight, target, ...options } = written;
    const base = lossNameOf(layers[heads[i]!]!.name);
    let name = given ?? base;
    for (let number = 2; given === undefined && taken.has(name); number++) name = `${base}${number}`;
    const report = (code: string, message: string, remedy: string) =>
      problems.push(createProblem(code, source.locate(['auxiliary_losses', i, 'name']), message, remedy));
    if (given !== undefined && !IDENTIFIER.test(given))
      report(
        'unknown-value',
        `A loss cannot be named ${quote(given)}: expressions could not read it.`,
        'Use letters, digits and underscores, with no digit first.',
      );
    else if (given !== undefined && RESERVED_NAMES.has(given))
      report('duplicate-name', `${quote(given)} has a meaning in expressions already.`, 'Give the loss another name.');
    else if (given !== undefined && taken.has(given))
      report('duplicate-name', `Another loss or a layer is named ${quote(given)}.`, 'Give each loss a unique name.');
    taken.add(name);
    const range = source.locate(['auxiliary_losses', i]);
    return { type, options, name, layer: heads[i]!, weight, target, range };
  });
  return { auxiliaryLosses, problems };
}

/** The components of a list, each with its range. */
const locateComponents = <Kind extends string>(
  source: Source,
  key: string,
  components: readonly { readonly type: Kind }[],
): SpecComponent<Kind>[] =>
  components.map(({ type, ...options }, i) => ({ type, options, range: source.locate([key, i]) }));

const safeParse = (value: unknown) => specSchema.safeParse(value, { reportInput: false, ...INTERPRETED });

const overlaps = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end;

/** Problems with names and values are reliable in spite of a syntax error, unless the parser had to guess there. */
function reliableProblems({ value, syntaxErrors }: Source, issues: readonly ExplainedIssue[]): Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  return (
    issues
      .map(({ problem }) => problem)
      .filter(({ code }) => code.startsWith('unknown-') || code === 'wrong-type' || code === 'out-of-range')
      .filter((problem) => !syntaxErrors.some((range) => overlaps(range, problem)))
      // The end of a list or a number may be missing.
      .filter(({ code, end }) => code !== 'out-of-range' || !syntaxErrors.some(({ start }) => start === end))
  );
}

/** Corrections that may reveal further mistakes, such as an unknown layer with unknown options. */
const MAX_RECOVERY_ROUNDS = 4;

/** The parts of a faulty spec that can still be checked, and the mistakes that were hidden behind others. */
function* recoverSpec(
  source: Source,
  issues: readonly ExplainedIssue[],
): CooperativeTask<Pick<ParseResult, 'recovered' | 'problems'>> {
  const recovery = new Recovery(source.value as object);
  const problems: Problem[] = [];
  let found = issues;
  for (let round = 0; round < MAX_RECOVERY_ROUNDS; round++) {
    const shown = [...issues.map(({ problem }) => problem), ...problems];
    problems.push(
      ...found.map(({ problem }) => problem).filter((each) => !shown.some((other) => overlaps(each, other))),
    );
    if (!found.every((issue) => recovery.correct(issue))) break;
    const recovered = recovery.result();
    if (!recovered) break;
    const { value, isComplete } = recovered;
    yield 'correcting';
    const parsed = safeParse(value);
    yield 'correcting';
    if (parsed.success) {
      const named = nameLayers(source, parsed.data);
      if (named.layers.length === 0) break;
      return { recovered: { spec: toSpec(source, parsed.data, named), isComplete }, problems };
    }
    found = explainIssues({ ...source, value }, parsed.error.issues);
  }
  return { problems };
}

export const parseSpec = (text: string): ParseResult => runToCompletion(parseSpecTask(text));

/** In pieces of a few milliseconds for a spec of a thousand lines. */
export function* parseSpecTask(text: string): CooperativeTask<ParseResult> {
  const source = parseSource(text);
  if (source.value === undefined) return { problems: source.problems };
  yield 'reading';
  const parsed = safeParse(source.value);
  yield 'validating';
  const issues = parsed.success ? [] : explainIssues(source, parsed.error.issues);
  yield 'explaining';
  if (source.syntaxErrors.length > 0)
    return { problems: sortByPosition([...source.problems, ...reliableProblems(source, issues)]) };
  if (!parsed.success) {
    const first = [...source.problems, ...issues.map(({ problem }) => problem)];
    const hasMore = issues.length >= MAX_PROBLEMS;
    if (hasMore || typeof source.value !== 'object' || source.value === null)
      return { problems: sortByPosition(first).slice(0, MAX_PROBLEMS) };
    const { recovered, problems } = yield* recoverSpec(source, issues);
    return { problems: sortByPosition([...first, ...problems]).slice(0, MAX_PROBLEMS), recovered };
  }
  const named = nameLayers(source, parsed.data);
  const { layers, problems } = named;
  yield 'naming';
  const spec = toSpec(source, parsed.data, named);
  const all = [...source.problems, ...problems, ...sweepProblems(source, spec.sweep, checkVariant)];
  if (all.length === 0) return { spec, problems: [] };
  return {
    problems: sortByPosition(all).slice(0, MAX_PROBLEMS),
    ...(layers.length > 0 && { recovered: { spec, isComplete: true } }),
  };
}

function toSpec(source: Source, input: ParsedSpec, { layers, auxiliaryLosses }: Omit<NamedLayers, 'problems'>): Spec {
  const { type: dataset, split, ...dataOptions } = input.data;
  const { type: loss, ...lossOptions } = input.loss;
  const { type: optimizer, ...optimizerOptions } = input.optimizer;
  const { type: schedule, per, warmup, ...scheduleOptions } = input.schedule;
  const { spansRun } = schedules[schedule] as ScheduleDefinition;
  return {
    name: input.name,
    data: { type: dataset, split, options: dataOptions, range: source.locate(['data']) },
    transforms: locateComponents(source, 'transforms', input.transforms),
    augment: locateComponents(source, 'augment', input.augment),
    layers,
    loss: { type: loss, options: lossOptions, range: source.locate(['loss']) },
    auxiliaryLosses,
    optimizer: { type: optimizer, options: optimizerOptions, range: source.locate(['optimizer']) },
    schedule: {
      type: schedule,
      per,
      warmup,
      options: scheduleOptions,
      range: source.locate(['schedule']),
      spansRun: spansRun?.(scheduleOptions) ?? false,
    },
    clip: input.clip,
    penalty: input.penalty,
    batchSize: input.batch_size,
    shuffle: input.shuffle,
    epochs: input.epochs,
    seed: input.seed,
    precision: input.precision,
    deterministic: input.deterministic,
    gradientCheck: input.gradient_check,
    rules: input.rules,
    ...(input.initial_weights !== '' && { initialWeights: input.initial_weights }),
    sweep: toSweepOptions(input.sweep),
    source,
  };
}

/** The first problem of a sweep's variant. */
export function checkVariant(variant: unknown): Problem | undefined {
  if (safeParse(variant).success) return undefined;
  const { problems } = parseSpec(JSON.stringify(variant));
  // An unknown option also leaves the intended one missing: the misspelled key is the cause.
  return problems.find(({ code }) => code === 'unknown-key') ?? problems[0];
}

// Loads a text as a run or its problems: parses, reads data, infers shapes, compiles. Never throws for any spec or data
// file.
import { datasets } from '../engine/datasets';
import { DataError } from '../engine/datasets/data-error';
import type { Dataset, DatasetDefinition, DataShape } from '../engine/datasets/dataset';
import type { DataFiles } from '../engine/datasets/data-file';
import { escapeControls } from '../protocol/escape-controls';
import { runToCompletion, type CooperativeTask } from '../engine/cooperative-task';
import { compileRunTask } from './compile';
import { generateDataset } from './read-data';
import type { CompiledRun } from './compiled-run';
import { codeNotAllowedProblems } from './custom-layers';
import { parseSpec, type ParseResult, sortByPosition } from './parse';
import type { Problem, RuleSettings } from '../protocol/problem';
import { findShapeErrors, resolve, type Resolved, type ResolveOptions } from './resolve';
import { INITIAL_WEIGHTS, withInitialWeights } from './initial-weights';
import { createProblem } from './spec-source';
import { applyRules, type SpecRule } from './spec-rule';
import type { Spec } from './spec';

/** The text of a spec, or the result of parsing it. */
export type SpecSource = string | ParseResult;

export interface LoadOptions extends ResolveOptions {
  /** Rules that warn about specs that can run but are unlikely to do what their author wants. */
  readonly rules?: readonly SpecRule[];
  /** The user's settings; those of the spec take precedence. */
  readonly ruleSettings?: RuleSettings | undefined;
}

export interface CheckedSpec {
  readonly spec?: Spec | undefined;
  /** Set if there is no error, so that the spec can run. Not set while custom layers are not loaded. */
  readonly resolved?: Resolved | undefined;
  /** The data, if it had to be read to know its shape. */
  readonly dataset?: Dataset | undefined;
  readonly problems: readonly Problem[];
}

export interface LoadedRun {
  readonly run?: CompiledRun;
  readonly spec?: Spec | undefined;
  /** Set if `run` is. */
  readonly resolved?: Resolved;
  readonly problems: readonly Problem[];
}

const dataShapeOf = ({ inputShape, inputs, targetSize, classes, samples, groups }: Dataset): DataShape => ({
  inputShape,
  ...(groups && { groups }),
  targetSize,
  samples,
  bytesPerInput: inputs.BYTES_PER_ELEMENT,
  ...(classes && { classes: classes.length }),
});

/** What the reader of the data decided or noticed. */
const notesToProblems = (spec: Spec, { notes = [] }: Dataset): Problem[] =>
  notes.map(({ code, severity, message, remedy, path, fix }) => ({
    code,
    severity,
    ...spec.source.locate(['data', ...path]),
    message: escapeControls(message),
    remedy: escapeControls(remedy),
    ...(fix && {
      fix: {
        title: fix.title,
        changes: Object.entries(fix.options).map(([option, value]) => ({ path: ['data', option], value })),
      },
    }),
  }));

/** Rethrows what is not an error of the data. */
export function dataErrorToProblem(spec: Spec, error: unknown): Problem {
  if (!(error instanceof DataError)) throw error;
  const { message, remedy, path, suggestion } = error;
  const place = path[0] === INITIAL_WEIGHTS ? path : ['data', ...path];
  return createProblem('data', spec.source.locate(place), message, remedy, suggestion);
}

/** The shape of a spec's data, and the data itself only if its shape depends on it. */
function* dataShapeTask(
  spec: Spec,
  files: DataFiles,
): CooperativeTask<{ readonly data: DataShape; readonly dataset?: Dataset } | { readonly problem: Problem }> {
  try {
    const data = (datasets[spec.data.type] as DatasetDefinition).shape(spec.data.options, spec.precision);
    if (data) return { data };
    const dataset = yield* generateDataset(spec, files);
    return { data: dataShapeOf(dataset), dataset };
  } catch (error) {
    return { problem: dataErrorToProblem(spec, error) };
  }
}

const overlaps = (a: Problem, b: Problem): boolean => a.start <= b.end && b.start <= a.end;

/** Finds the problems of a spec. Generates data only if its shape depends on it. */
export function* checkSpecTask(
  source: SpecSource,
  files: DataFiles,
  { rules = [], ruleSettings, ...options }: LoadOptions = {},
): CooperativeTask<CheckedSpec> {
  const { spec, problems, recovered } = typeof source === 'string' ? parseSpec(source) : source;
  const checked = spec ?? recovered?.spec;
  if (!checked) return { problems };
  const shape = yield* dataShapeTask(checked, files);
  if (recovered) {
    const found = 'problem' in shape ? [shape.problem] : findShapeErrors(recovered, shape.data);
    // A second problem at the same position is a consequence of the first.
    const others = found.filter((problem) => !problems.some((first) => overlaps(first, problem)));
    return { problems: sortByPosition([...problems, ...others]) };
  }
  if ('problem' in shape) return { spec, problems: [shape.problem] };
  yield 'inferring shapes';
  const { resolved, problems: shapeProblems } = resolve(checked, shape.data, options);
  const settings = { ...ruleSettings, ...checked.rules };
  const warnings: Problem[] = [];
  if (resolved)
    for (const rule of rules) {
      yield 'applying rules';
      warnings.push(...applyRules([rule], settings, (each, threshold) => each.check?.(resolved, threshold)));
    }
  const notes = shape.dataset ? notesToProblems(checked, shape.dataset) : [];
  return {
    spec,
    resolved,
    dataset: shape.dataset,
    problems: sortByPosition([...notes, ...shapeProblems, ...warnings]),
  };
}

/**
 * Loads a run from a text; a cooperative task, because data files can be large.
 * @returns `run` unless there is an error; a custom layer that is not loaded is one
 */
export function* loadRunTask(
  source: SpecSource,
  files: DataFiles,
  options: LoadOptions = {},
): CooperativeTask<LoadedRun> {
  const { spec, resolved, dataset, problems } = yield* checkSpecTask(source, files, options);
  if (!spec || !resolved)
    return {
      spec,
      problems: spec && !options.customLayers ? [...problems, ...codeNotAllowedProblems(spec)] : problems,
    };
  try {
    const ruleSettings = { ...options.ruleSettings, ...spec.rules };
    const model = yield* withInitialWeights(spec, resolved.model, files);
    const run = yield* compileRunTask(
      { ...resolved, model },
      dataset ?? (yield* generateDataset(spec, files)),
      ruleSettings,
    );
    const dataWarnings = applyRules(options.rules ?? [], ruleSettings, (rule, threshold) =>
      rule.checkData?.(resolved, run, threshold),
    );
    return {
      run,
      spec,
      resolved,
      problems: sortByPosition([...problems, ...dataWarnings]),
    };
  } catch (error) {
    return { spec, problems: [...problems, dataErrorToProblem(spec, error)] };
  }
}

/** Runs `checkSpecTask` to completion. */
export const checkSpec = (source: SpecSource, files: DataFiles, options?: LoadOptions): CheckedSpec =>
  runToCompletion(checkSpecTask(source, files, options));

/** Runs `loadRunTask` to completion. */
export const loadRun = (source: SpecSource, files: DataFiles, options?: LoadOptions): LoadedRun =>
  runToCompletion(loadRunTask(source, files, options));

// From a text to a run, or to what is wrong with it: parse, data, shapes, compile. Never throws on what people
// write, in a spec or in a data file.
import { datasets } from '../engine/datasets';
import {
  DataError,
  type Dataset,
  type DatasetDefinition,
  type DataShape,
} from '../engine/datasets/dataset';
import type { DataFiles } from '../engine/datasets/files';
import { finish, type InPieces } from '../engine/pieces';
import { Random } from '../engine/random';
import { compilingRun } from './compile';
import type { CompiledRun } from './compiled';
import { notAllowed } from './layer-code';
import { parseSpec } from './parse';
import type { Problem } from './problem';
import { resolve, type Resolved, type ResolveOptions, type SpecRule } from './resolve';
import { problem } from './source';
import type { Spec } from './spec';

export interface LoadOptions extends ResolveOptions {
  /** Rules that warn of what could run but will hardly do what was meant. */
  readonly rules?: readonly SpecRule[];
}

export interface CheckedSpec {
  readonly spec?: Spec;
  /** Set when there is no error: it can run. Not set where custom layers are not loaded: then that is still to be seen. */
  readonly resolved?: Resolved;
  /** The data, where it had to be read to know its shape. */
  readonly dataset?: Dataset;
  readonly problems: readonly Problem[];
}

export interface LoadedRun {
  readonly run?: CompiledRun;
  readonly spec?: Spec;
  /** Set where `run` is. */
  readonly resolved?: Resolved;
  readonly problems: readonly Problem[];
}

function* generate(spec: Spec, files: DataFiles): InPieces<Dataset> {
  const made = (datasets[spec.data.type] as DatasetDefinition).generate({
    options: spec.data.options,
    random: new Random(spec.seed, 'data'),
    files,
    precision: spec.precision,
  });
  return 'samples' in made ? made : yield* made;
}

const shapeOf = ({ inputShape, inputs, targetSize, classes, samples }: Dataset): DataShape => ({
  inputShape, targetSize, samples, bytesPerInput: inputs.BYTES_PER_ELEMENT, ...(classes && { classes: classes.length }),
});

function dataProblem(spec: Spec, error: unknown): Problem {
  if (!(error instanceof DataError)) throw error;
  return problem('data', spec.source.locate(['data', ...error.path]), error.message, error.remedy);
}

/** What is wrong with a spec, without making data that is not needed to tell. */
export function* checkingSpec(text: string, files: DataFiles, { rules = [], ...options }: LoadOptions = {}): InPieces<CheckedSpec> {
  const { spec, problems } = parseSpec(text);
  if (!spec) return { problems };
  let data: DataShape | undefined;
  let dataset: Dataset | undefined;
  try {
    data = (datasets[spec.data.type] as DatasetDefinition).shape(spec.data.options);
    if (!data) {
      dataset = yield* generate(spec, files);
      data = shapeOf(dataset);
    }
  } catch (error) {
    return { spec, problems: [...problems, dataProblem(spec, error)] };
  }
  const { resolved, problems: shapes } = resolve(spec, data, options);
  const warnings = resolved ? rules.flatMap(({ rule }) => rule(resolved)) : [];
  const all = [...problems, ...shapes, ...warnings].sort((a, b) => a.start - b.start || a.end - b.end);
  return { spec, resolved, dataset, problems: all };
}

/**
 * A run from a text, in pieces of work, so that others may have their turn while large files are read.
 * @returns `run` unless a problem is an error; custom layers that are not loaded are one
 */
export function* loadingRun(text: string, files: DataFiles, options: LoadOptions = {}): InPieces<LoadedRun> {
  const { spec, resolved, dataset, problems } = yield* checkingSpec(text, files, options);
  if (!spec || !resolved) return { spec, problems: spec && !options.code ? [...problems, ...notAllowed(spec)] : problems };
  try {
    const run = yield* compilingRun(resolved, dataset ?? (yield* generate(spec, files)));
    const ofData = (options.rules ?? []).flatMap((rule) => rule.ofData?.(resolved, run) ?? []);
    return { run, spec, resolved, problems: [...problems, ...ofData].sort((a, b) => a.start - b.start || a.end - b.end) };
  } catch (error) {
    return { spec, problems: [...problems, dataProblem(spec, error)] };
  }
}

/** All of `checkingSpec` at once. */
export const checkSpec = (text: string, files: DataFiles, options?: LoadOptions): CheckedSpec =>
  finish(checkingSpec(text, files, options));

/** All of `loadingRun` at once. */
export const loadRun = (text: string, files: DataFiles, options?: LoadOptions): LoadedRun =>
  finish(loadingRun(text, files, options));
